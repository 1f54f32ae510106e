//! Every profile in `board/` is one that the program takes.

use std::{fs, path::PathBuf};

use crate::support::{Folder, repository, zoetrope};

fn profiles() -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(repository("board"))
        .expect("the folder of profiles")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    found.sort();
    found
}

#[test]
fn there_is_one_for_each_board() {
    let names: Vec<_> = profiles()
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    let boards = [
        "generic-x86_64",
        "jetson-orin-nano",
        "jetson-orin-nx",
        "raspberry-pi-5",
        "virtual",
    ];
    assert_eq!(names, boards);
}

#[test]
fn each_is_a_configuration_and_lies_under_one() {
    let folder = Folder::new();
    for profile in profiles() {
        let alone = zoetrope(["check".as_ref(), "--config".as_ref(), profile.as_os_str()]);
        assert_eq!(alone.code, Some(0), "{alone:#?}");
        let file = format!("device_id = 'porch'\nprofile = '{}'\n", profile.display());
        let file = folder.file("zoetrope.toml", file);
        let under = zoetrope(["check".as_ref(), "--config".as_ref(), file.as_os_str()]);
        assert_eq!(under.code, Some(0), "{under:#?}");
        let line = |said: &str, key: &str| {
            let mut lines = said.lines().filter(|line| line.starts_with(key));
            lines.next().map(str::to_owned)
        };
        let named = format!("profile {}", profile.display());
        assert_eq!(line(&under.stdout, "profile"), Some(named));
        assert_eq!(
            line(&alone.stdout, "profile"),
            Some("profile none".to_owned())
        );
        for key in ["camera", "clips"] {
            assert_eq!(line(&under.stdout, key), line(&alone.stdout, key));
        }
    }
}
