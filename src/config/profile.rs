//! How a file lies over the profile of its board: key by key.

use toml::de::{DeTable, DeValue};

/// A camera has one of these. A file that says which has a camera of its own,
/// and nothing that its profile says about another one counts.
const CAMERA_SOURCES: [&str; 3] = ["device", "file", "command"];

/// Adds to `above` what only `below` says.
pub(super) fn lay_under<'a>(above: &mut DeTable<'a>, below: DeTable<'a>) {
    for (key, value) in below {
        let Some(said) = above.get_mut(key.get_ref().as_ref()) else {
            above.insert(key, value);
            continue;
        };
        if let (DeValue::Table(said), DeValue::Table(section)) =
            (said.get_mut(), value.into_inner())
        {
            let is_another_camera = *key.get_ref() == "camera"
                && CAMERA_SOURCES
                    .iter()
                    .any(|source| said.contains_key(*source));
            if !is_another_camera {
                lay_under(said, section);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use crate::config::{Camera, Config};

    fn read(folder: &Path, file: &str, profile: &str) -> Result<Config, String> {
        fs::create_dir_all(folder.join("board")).expect("a folder");
        fs::write(folder.join("board/porch.toml"), profile).expect("a file");
        fs::write(folder.join("zoetrope.toml"), file).expect("a file");
        Config::read(&folder.join("zoetrope.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_file_lies_over_the_profile() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let profile = "threads = 3\nclips_dir = 'clips'\nlook.seed = 7\n\
                       [shape]\nframe_rate = 12\nduration_ms = 2000\n\
                       [camera]\ncommand = ['still']\ntimeout_s = 4\n";
        let file = "profile = 'board/porch.toml'\nqueue_length_max = 2\n\
                    shape = { frame_rate = 24 }\n[camera]\ntimeout_s = 5\n";
        let config = read(folder, file, profile).expect("a configuration");
        assert_eq!(config.profile_file, Some(folder.join("board/porch.toml")));
        assert_eq!(config.threads.map(usize::from), Some(3));
        assert_eq!(config.queue_length_max, 2);
        assert_eq!(config.look.seed, 7);
        assert_eq!(config.shape.frame_rate, 24);
        assert_eq!(config.shape.duration_ms, Some(2000));
        // A path starts at the folder of the file that it stands in.
        assert_eq!(config.clips_dir, folder.join("board/clips"));
        let Camera::Command { argv, timeout, .. } = &config.camera else {
            panic!("{:?}", config.camera);
        };
        assert_eq!((argv[0].as_str(), timeout.as_secs()), ("still", 5));
        let file = "profile = 'board/porch.toml'\ncamera.file = 'latest.jpg'\n";
        let config = read(folder, file, profile).expect("a configuration");
        assert_eq!(config.camera, Camera::File(folder.join("latest.jpg")));
    }

    #[test]
    fn faults_are_said_with_the_file_that_they_stand_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let file = "profile = 'board/porch.toml'\n";
        let cases = [
            ("", "\nthreads = 0", "board/porch.toml:2:11: threads is 0"),
            (
                "threads = 999",
                "threads = 1",
                "zoetrope.toml:2:11: threads is 999",
            ),
            ("", "'é' = 1", "board/porch.toml:1:1: unknown key \"é\""),
            ("", "a = ", "board/porch.toml:1:5: "),
            (
                "[look]\nsed = 1",
                "",
                "zoetrope.toml:3:1: unknown key \"sed\"",
            ),
            (
                "",
                "profile = 'x'",
                "board/porch.toml:1:1: profile is given in a profile",
            ),
            (
                "threads = 'x'",
                "threads = 1",
                "zoetrope.toml:2:11: invalid type",
            ),
        ];
        for (more, profile, expected) in cases {
            let said = read(folder, &format!("{file}{more}"), profile).expect_err(expected);
            assert!(said.contains(expected), "{said}");
        }
        for (file, expected) in [
            ("\nprofile = 'none.toml'", "toml:2:11: profile "),
            ("profile = 'board'", "board: is not a file"),
            ("profile = ''", "toml:1:11: profile is empty"),
            ("profile = 1", "toml:1:11: invalid type: integer"),
        ] {
            let said = read(folder, file, "").expect_err(expected);
            assert!(said.contains(expected), "{said}");
        }
    }
}
