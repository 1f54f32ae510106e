//! What was seen before a photograph, given on the command line.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    photos,
    support::{Folder, Outcome, zoetrope},
};

/// A folder with a photograph and, beside it, as many pictures.
fn scene(pictures: usize) -> (Folder, PathBuf) {
    let folder = Folder::new();
    folder.file("photo.png", photos::png(96, 64));
    let burst = folder.path("burst");
    fs::create_dir(&burst).unwrap();
    for index in 1..=pictures {
        let (name, picture) = match index % 3 {
            0 => (format!("shot{index}.PNG"), photos::png(96, 64)),
            1 => (format!("shot{index}.jpg"), photos::jpeg(96, 64)),
            _ => (format!("shot{index}.webp"), photos::webp(96, 64)),
        };
        fs::write(burst.join(name), picture).unwrap();
    }
    (folder, burst)
}

/// Renders with these options besides.
fn render(folder: &Folder, options: &[&str]) -> Outcome {
    let (photo, clip) = (folder.path("photo.png"), folder.path("clip.mp4"));
    let fixed = ["render", "-o", "--seconds=0.5", "--fps=5"].map(Path::new);
    let [render, o, seconds, fps] = fixed;
    let options = options.iter().map(Path::new);
    zoetrope(
        [render, &photo, o, &clip, seconds, fps]
            .into_iter()
            .chain(options),
    )
}

#[test]
fn a_folder_of_pictures_is_a_burst() {
    let (folder, burst) = scene(12);
    // What is none of it.
    fs::write(burst.join("notes.txt"), "windy").unwrap();
    fs::write(burst.join("._shot1.jpg"), "not a picture").unwrap();
    let place = burst.to_str().unwrap();
    let done = render(
        &folder,
        &["--burst", place, "--burst-fps", "10", "--clean-plate"],
    );
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert!(folder.path("clip.mp4").exists());
}

#[test]
fn the_photograph_may_lie_among_its_burst() {
    let (folder, burst) = scene(128);
    let photo = burst.join("shot999.png");
    fs::rename(folder.path("photo.png"), &photo).unwrap();
    let clip = folder.path("clip.mp4");
    let [render, o, b, fps, seconds, frames] = [
        "render",
        "-o",
        "--burst",
        "--burst-fps=30",
        "--seconds=0.5",
        "--fps=5",
    ]
    .map(Path::new);
    // With it they would be too many.
    let done = zoetrope([render, &photo, o, &clip, b, &burst, fps, seconds, frames]);
    assert_eq!(done.code, Some(0), "{done:#?}");
}

#[test]
fn a_file_of_jpegs_one_after_another_is_a_burst() {
    let (folder, _) = scene(0);
    // Turned by its EXIF segment, and with filling in between.
    let jpeg = photos::sideways(&photos::jpeg(96, 64));
    let file = [&jpeg[..], &[0; 7]].concat().repeat(24);
    let file = folder.file("burst.mjpeg", file);
    let place = file.to_str().unwrap();
    let done = render(&folder, &["--burst", place, "--burst-fps", "12.5"]);
    assert_eq!(done.code, Some(0), "{done:#?}");
}

#[test]
fn what_is_no_burst_is_named_with_its_limit() {
    let (folder, burst) = scene(9);
    let empty = folder.path("empty");
    fs::create_dir(&empty).unwrap();
    let one = folder.file("one.jpg", photos::jpeg(96, 64));
    let jpeg = photos::jpeg(96, 64);
    let cut = [&jpeg.repeat(20)[..], &jpeg[..jpeg.len() / 2]].concat();
    let cut = folder.file("cut.mjpeg", cut);
    let video = folder.file("burst.mp4", b"\0\0\0\x18ftypmp42 and so on");
    let many = folder.file("many.mjpeg", jpeg.repeat(129));
    let [burst, empty, one, cut, video, many] =
        [burst, empty, one, cut, video, many].map(|path| path.display().to_string());
    let end = format!(
        "picture 21, a JPEG from byte {} on, has no end",
        jpeg.len() * 20
    );
    for (place, fps, code, words) in [
        (
            &burst,
            "10",
            2,
            "burst has 9 pictures, allowed are 10 to 128",
        ),
        (
            &empty,
            "10",
            2,
            "burst has 0 pictures, allowed are 10 to 128",
        ),
        (&one, "10", 2, "burst has 1 pictures, allowed are 10 to 128"),
        (
            &many,
            "30",
            2,
            "burst has 129 pictures, allowed are 10 to 128",
        ),
        (&cut, "10", 2, &*end),
        (
            &video,
            "10",
            2,
            "byte 3 begins no JPEG, where picture 1 should begin",
        ),
        (&"/no/such".to_owned(), "10", 1, "No such file"),
        (
            &"/dev/zero".to_owned(),
            "10",
            1,
            "is a device or pipe, expected a file",
        ),
    ] {
        let refused = render(&folder, &["--burst", place, "--burst-fps", fps]);
        refused.refuses(place, code, &[place, words]);
    }
    let (folder, burst) = scene(12);
    let burst = burst.to_str().unwrap();
    let refused = render(&folder, &["--burst", burst, "--burst-fps", "60"]);
    refused.refuses("short", 2, &["burst lasts 0.18 s, allowed are 1 to 12 s"]);
    assert!(!folder.path("clip.mp4").exists());
}

#[test]
fn options_of_a_burst_belong_together() {
    let (folder, burst) = scene(12);
    let burst = burst.to_str().unwrap();
    for (options, words) in [
        (&["--burst", burst][..], "--burst-fps"),
        (&["--burst-fps", "10"], "--burst"),
        (&["--clean-plate"], "--burst"),
        (
            &["--burst", burst, "--burst-fps", "4.9"],
            "allowed are 5 to 60",
        ),
        (
            &["--burst", burst, "--burst-fps", "nan"],
            "allowed are 5 to 60",
        ),
        (
            &["--burst", burst, "--burst-fps", "-1"],
            "allowed are 5 to 60",
        ),
        (&["--burst", burst, "--burst-fps", "film"], "not a number"),
    ] {
        render(&folder, options).refuses(words, 2, &[words]);
    }
}
