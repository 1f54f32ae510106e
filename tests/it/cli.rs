//! Help, exit codes, and what goes to which stream.

use std::path::Path;

use crate::{
    photos,
    support::{Folder, repository, zoetrope},
};

const COMMANDS: [&str; 9] = [
    "render",
    "demo",
    "run",
    "request",
    "watch",
    "check",
    "doctor",
    "warm-up",
    "bench-model",
];

#[test]
fn help_goes_to_standard_output_and_names_every_command() {
    let help = zoetrope(["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for command in COMMANDS {
        assert!(help.stdout.contains(command), "{command}");
        let help = zoetrope([command, "--help"]);
        assert_eq!(
            (help.code, help.stderr.as_str()),
            (Some(0), ""),
            "{command}"
        );
        assert!(help.stdout.contains("Usage: zoetrope"), "{command}");
    }
    assert!(
        help.stdout
            .contains("Exit codes: 0 done, 1 failed, 2 wrong usage")
    );
}

#[test]
fn the_version_is_the_crates() {
    let version = zoetrope(["--version"]);
    assert_eq!(
        version.stdout.trim(),
        concat!("zoetrope ", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn wrong_usage_ends_with_2() {
    let cases: [&[&str]; 9] = [
        &["paint"],
        &["render"],
        &["render", "photo.jpg"],
        &["check"],
        &["check", "zoetrope.toml"],
        &["run"],
        &["demo", "--port", "70000"],
        &["watch", "--broker", "mqtt://h", "--device", "a"],
        &[
            "request",
            "--broker",
            "mqtt://h",
            "--device",
            "a",
            "--timeout",
            "0",
        ],
    ];
    for args in cases {
        zoetrope(args).refuses(&args.join(" "), 2, &[]);
    }
    // Without any argument there is nothing to blame: the help is shown.
    assert_eq!(zoetrope::<&str>([]).code, Some(2));
}

#[test]
fn a_password_needs_a_user() {
    let args = [
        "watch", "--broker", "mqtt://h", "--device", "a", "--folder", "f",
    ];
    let args = args.into_iter().chain(["--password-file", "p"]);
    zoetrope(args).refuses("no user", 2, &["--username"]);
}

#[test]
fn the_example_configuration_is_valid() {
    let file = repository("systemd/zoetrope.toml");
    let [check, config] = ["check", "--config"].map(Path::new);
    let checked = zoetrope([check, config, &file]);
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
    assert!(
        checked.stdout.starts_with("configuration is valid\n"),
        "{checked:?}"
    );
    assert!(checked.stdout.contains("localhost:1883"), "{checked:?}");
}

#[test]
fn an_empty_configuration_is_valid() {
    let folder = Folder::new();
    let file = folder.file("zoetrope.toml", "");
    let [check, config] = ["check", "--config"].map(Path::new);
    assert_eq!(zoetrope([check, config, &file]).code, Some(0));
}

#[test]
fn a_render_says_one_line_and_writes_every_frame() {
    let folder = Folder::new();
    let photo = folder.file("photo.png", photos::png(96, 64));
    let (clip, frames) = (folder.path("clip.mp4"), folder.path("frames"));
    let [render, o, f, seconds, fps] =
        ["render", "-o", "--frames", "--seconds=0.6", "--fps=5"].map(Path::new);
    let done = zoetrope([render, &photo, o, &clip, f, &frames, seconds, fps]);
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert_eq!(done.stdout.lines().count(), 1, "{done:#?}");
    for word in ["clip.mp4", "96x64", "3 frames", "5 fps", "bytes", "sha256"] {
        assert!(done.stdout.contains(word), "{word:?} is not in {done:#?}");
    }
    // Not a terminal: stages and progress are plain lines.
    for word in [
        "decoding\n",
        "looking\n",
        "rendering\n",
        "rendered 3 of 3 frames\n",
    ] {
        assert!(done.stderr.contains(word), "{word:?} is not in {done:#?}");
    }
    assert_eq!(folder.names(), ["clip.mp4", "frames", "photo.png"]);
    for index in 0..3 {
        let frame = image::open(frames.join(format!("frame_{index:05}.png"))).expect("a frame");
        assert_eq!((frame.width(), frame.height()), (96, 64));
    }
}

#[test]
fn a_render_writes_the_directors_report() {
    let folder = Folder::new();
    let photo = folder.file("photo.png", photos::png(96, 64));
    let (clip, report) = (folder.path("clip.mp4"), folder.path("report.json"));
    let [render, o, r, seconds, fps] =
        ["render", "-o", "--report", "--seconds=0.6", "--fps=5"].map(Path::new);
    let done = zoetrope([render, &photo, o, &clip, r, &report, seconds, fps]);
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert_eq!(done.stdout.lines().count(), 1, "{done:#?}");
    let text = std::fs::read_to_string(report).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["verdict"], "good", "{text}");
    assert_eq!(report["attempts"], 1, "{text}");
    assert_eq!(report["measures"]["seam"]["least"], 0.8, "{text}");
    let measures = report["measures"].as_object().expect("measures");
    assert!(measures.len() > 10, "{text}");
    assert!(
        measures
            .values()
            .all(|measure| measure["is_within"] == true),
        "{text}"
    );
}

#[test]
fn the_same_render_twice_is_the_same_file() {
    let folder = Folder::new();
    let photo = folder.file("photo.jpg", photos::jpeg(96, 64));
    let clips = ["a.mp4", "b.mp4"].map(|name| {
        let clip = folder.path(name);
        let [render, o, seconds, seed] =
            ["render", "-o", "--seconds=0.5", "--seed=7"].map(Path::new);
        let done = zoetrope([render, &photo, o, &clip, seconds, seed]);
        assert_eq!(done.code, Some(0), "{done:#?}");
        std::fs::read(clip).expect("a clip")
    });
    assert!(clips[0] == clips[1]);
}

#[test]
fn the_doctor_says_what_is_wrong_and_ends_with_1() {
    let folder = Folder::new();
    folder.file("camera.jpg", photos::jpeg(96, 64));
    let secret = folder.file("password", "open sesame");
    let config = folder.file(
        "zoetrope.toml",
        "clips_dir = \"clips\"\n[broker]\nurl = \"mqtt://127.0.0.1:1\"\nusername = \"u\"\n\
         password_file = \"password\"\n[camera]\nfile = \"camera.jpg\"\n",
    );
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&secret, permissions).expect("our own file");
    let said = zoetrope([Path::new("doctor"), Path::new("--config"), &config]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    for line in [
        "FAIL  password",
        "mend: chmod 640 ",
        "FAIL  broker    broker 127.0.0.1:1: ",
        "ok    http      off",
        "ok    url       photographs from URLs are off",
        "ok    camera    96x64 after ",
        "ok    model     motion ",
        "engine    ",
        "encoder   openh264 ",
        "clips     ",
    ] {
        assert!(said.stdout.contains(line), "{line}: {said:#?}");
    }
    assert!(!said.stdout.contains("sesame"));
    assert_eq!(folder.names(), ["camera.jpg", "password", "zoetrope.toml"]);

    let wrong = folder.file("wrong.toml", "brokr = 1");
    let said = zoetrope([Path::new("doctor"), Path::new("--config"), &wrong]);
    said.refuses(
        "doctor",
        2,
        &["wrong.toml:1:1", "nearest valid key is \"broker\""],
    );
}
