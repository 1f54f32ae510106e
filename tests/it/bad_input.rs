//! Options, configurations, places and models that cannot be used: one clear
//! line that names the value and the limit, and the right exit code.

use std::path::Path;

use crate::{
    photos,
    support::{Folder, repository, zoetrope},
};

#[test]
fn places_that_cannot_be_read_or_written_are_named() {
    let folder = Folder::new();
    let photo = folder.file("photo.png", photos::png(64, 64));
    let (photo, here) = (photo.to_string_lossy(), folder.path(""));
    // Beside the folder, which must stay as it is.
    let elsewhere = Folder::new();
    let socket = elsewhere.path("socket");
    let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let socket = socket.to_string_lossy();
    let here = here.to_string_lossy();
    let cases: [(&str, [&str; 2], &[&str]); 9] = [
        (
            "no photo",
            ["/no/such.jpg", "x.mp4"],
            &["/no/such.jpg", "No such file"],
        ),
        (
            "folder as photo",
            [&*here, "x.mp4"],
            &["is a folder, expected a file"],
        ),
        (
            "device as photo",
            ["/dev/zero", "x.mp4"],
            &["is a device or pipe"],
        ),
        (
            "clip is a folder",
            [&*photo, &*here],
            &["output", "socket or folder, expected a file or nothing"],
        ),
        (
            "clip is a socket",
            [&*photo, &*socket],
            &["output", "expected a file or nothing"],
        ),
        (
            "no output folder",
            [&*photo, "/no/such/x.mp4"],
            &["/no/such", "does not exist"],
        ),
        // Not even root writes there.
        (
            "read-only output folder",
            [&*photo, "/proc/x.mp4"],
            &["/proc", "cannot be written to"],
        ),
        (
            "output folder is a file",
            [&*photo, "/dev/null/x.mp4"],
            &["/dev/null", "does not exist"],
        ),
        (
            "photo behind a file",
            ["/dev/null/a.jpg", "x.mp4"],
            &["Not a directory"],
        ),
    ];
    for (name, [photo, clip], words) in cases {
        let out = if clip == "x.mp4" {
            format!("{here}/x.mp4")
        } else {
            clip.to_owned()
        };
        zoetrope(["render", photo, "-o", &out]).refuses(name, 1, words);
    }
    let frames = format!("{photo}/frames");
    let out = format!("{here}/x.mp4");
    zoetrope(["render", &*photo, "-o", &out, "--frames", &frames]).refuses(
        "frames in a file",
        1,
        &["cannot be created"],
    );
    assert_eq!(folder.names(), ["photo.png"]);
}

#[test]
fn models_that_are_missing_or_altered_are_refused() {
    let folder = Folder::new();
    let photo = folder.file("photo.png", photos::png(64, 64));
    let clip = folder.path("clip.mp4");
    let render = |model: &Path| {
        let [render, o, option] = ["render", "-o", "--model"].map(Path::new);
        zoetrope([render, &photo, o, &clip, option, model])
    };
    let missing = folder.path("none.toml");
    render(&missing).refuses("no card", 1, &["none.toml"]);
    let card = std::fs::read(repository("models/motion.toml")).expect("the model's card");
    let card = folder.file("motion.toml", card);
    render(&card).refuses("no network", 1, &["motion.onnx"]);
    let mut network = std::fs::read(repository("models/motion.onnx")).expect("the model");
    let middle = network.len() / 2;
    network[middle] ^= 1;
    folder.file("motion.onnx", network);
    render(&card).refuses("altered network", 1, &["motion.onnx", "sha256"]);
    let card = folder.file("motion.toml", "name = ");
    render(&card).refuses("broken card", 1, &["motion.toml"]);
}

#[test]
fn impossible_options_are_usage_errors() {
    const RATES: &str = "from 5 to 60";
    const SIZES: &str = "even sides from 64 to 3840x2160";
    let cases: [(&str, &[&str]); 22] = [
        ("--fps=-5", &["-5", RATES]),
        ("--fps=0", &["0", RATES]),
        ("--fps=240", &["240", RATES]),
        ("--fps=29.97", &["29.97", RATES]),
        ("--seconds=0", &["0", "0.5 to 60"]),
        ("--seconds=-4", &["-4", "0.5 to 60"]),
        ("--seconds=86400", &["86400", "0.5 to 60"]),
        ("--seconds=inf", &["inf", "0.5 to 60"]),
        ("--seconds=long", &["long", "not a number"]),
        ("--strength=NaN", &["NaN", "0 to 1"]),
        ("--strength=3", &["3", "0 to 1"]),
        ("--strength=-0.1", &["-0.1", "0 to 1"]),
        ("--size=101x100", &["101x100", SIZES]),
        ("--size=62x62", &["62x62", SIZES]),
        ("--size=9000x9000", &["9000x9000", SIZES]),
        ("--size=big", &["big", "WIDTHxHEIGHT"]),
        ("--size=1280x-720", &["1280x-720", "WIDTHxHEIGHT"]),
        ("--direction=north", &["north", "left, right, up, down"]),
        ("--direction=720", &["720", "-360 to 360"]),
        ("--seed=many", &["many", "0 to 18446744073709551615"]),
        ("--seed=-1", &["-1", "0 to 18446744073709551615"]),
        ("--lenght=4", &["--lenght"]),
    ];
    for (option, words) in cases {
        zoetrope(["render", "photo.jpg", "-o", "x.mp4", option]).refuses(option, 2, words);
    }
}

#[test]
fn wrong_configurations_are_refused_with_their_place() {
    let cases: [(&str, &[u8], &[&str]); 18] = [
        (
            "unknown key",
            b"[look]\nstrenght = 1",
            &[":2:1: ", "strenght", "strength"],
        ),
        (
            "unknown section",
            b"[kamera]",
            &[":1:2: ", "kamera", "camera"],
        ),
        ("no toml", b"device_id: porch", &[":1:"]),
        ("json", b"{\"device_id\": 1}", &[":1:"]),
        (
            "key twice",
            b"device_id = 'a'\ndevice_id = 'b'",
            &[":2:1: ", "duplicate"],
        ),
        (
            "text for a number",
            b"queue_length_max = 'ten'",
            &[":1:20: ", "string", "expected i64"],
        ),
        (
            "number for a text",
            b"device_id = 7",
            &[":1:13: ", "7", "expected a string"],
        ),
        ("empty id", b"device_id = ''", &[":1:13: ", "1 to 64"]),
        (
            "wildcard id",
            b"device_id = '+'",
            &[":1:13: ", "\"+\"", "a-z"],
        ),
        (
            "port 0",
            b"[broker]\nurl='mqtt://h:0'",
            &[":2:5: ", "\"0\"", "1 to 65535"],
        ),
        (
            "port 99999",
            b"[broker]\nurl='mqtt://h:99999'",
            &[":2:5: ", "99999", "1 to 65535"],
        ),
        (
            "small packets",
            b"[broker]\npacket_bytes_max=9",
            &[":2:18: ", "9", "65536"],
        ),
        (
            "negative fps",
            b"[shape]\nframe_rate=-30",
            &[":2:12: ", "-30", "5 to 60"],
        ),
        (
            "no duration",
            b"[shape]\nduration_ms=0",
            &[":2:13: ", "0", "500 to 60000"],
        ),
        (
            "absurd duration",
            b"[shape]\nduration_ms=86400000",
            &["86400000", "500 to 60000"],
        ),
        (
            "strength 3",
            b"[look]\nstrength = 3",
            &[":2:12: ", "3", "0 to 1"],
        ),
        (
            "no queue",
            b"queue_length_max = 0",
            &[":1:20: ", "0", "1 to 1000"],
        ),
        (
            "not UTF-8",
            b"\n device_id = '\xe4'",
            &[":2:15: ", "0xe4", "UTF-8"],
        ),
    ];
    for (name, toml, words) in cases {
        let folder = Folder::new();
        let file = folder.file("zoetrope.toml", toml);
        let [check, config] = ["check", "--config"].map(Path::new);
        let words = [&["zoetrope.toml:"], words].concat();
        zoetrope([check, config, &file]).refuses(name, 2, &words);
    }
    zoetrope(["check", "--config", "/no/such.toml"]).refuses(
        "no file",
        2,
        &["/no/such.toml", "No such file"],
    );
    zoetrope(["check", "--config", "/"]).refuses("folder", 2, &["is not a file"]);
}

#[test]
fn a_password_that_cannot_be_read_is_found_by_check() {
    let folder = Folder::new();
    let toml = "[broker]\nusername = 'me'\npassword_file = 'secret'";
    let file = folder.file("zoetrope.toml", toml);
    let [check, config] = ["check", "--config"].map(Path::new);
    zoetrope([check, config, &file]).refuses("no password", 2, &["secret", "cannot be read"]);
}
