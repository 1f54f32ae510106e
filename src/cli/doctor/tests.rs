use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

fn levels(found: &[Finding]) -> Vec<Level> {
    found.iter().map(|finding| finding.level).collect()
}

#[test]
fn a_finding_is_one_line_and_what_mends_it() {
    let fine = Finding::ok("http", "off");
    assert_eq!(fine.lines(), "ok    http      off");
    let wrong = Finding::fail("clips", "a\u{1b}[2J", "make room");
    assert_eq!(
        wrong.lines(),
        "FAIL  clips     a\\u{1b}[2J\n                mend: make room"
    );
}

#[test]
fn secrets_that_others_can_read_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "open sesame").unwrap();
    let toml = format!(
        "[broker]\nusername = 'u'\npassword_file = '{}'",
        file.display()
    );
    let config = Config::parse(&toml).unwrap();
    for (mode, expected) in [
        (0o600, Level::Ok),
        (0o640, Level::Ok),
        (0o644, Level::Fail),
        (0o660, Level::Fail),
    ] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let found = secrets::look(&config);
        assert_eq!(levels(&found), [expected], "{mode:o}");
        assert!(!found[0].lines().contains("sesame"));
    }
    fs::write(&file, "").unwrap();
    assert_eq!(secrets::look(&config).last().unwrap().level, Level::Fail);
    fs::remove_file(&file).unwrap();
    assert_eq!(levels(&secrets::look(&config)), [Level::Fail, Level::Fail]);
}

#[test]
fn what_travels_in_the_clear_is_said() {
    let look = |toml: &str| levels(&network::broker(&Config::parse(toml).unwrap()));
    assert_eq!(look(""), [Level::Ok, Level::Ok]);
    let url = "[broker]\nurl = 'mqtt://b.example'";
    assert_eq!(look(url), [Level::Warn, Level::Warn]);
    let user = "[broker]\nurl = 'mqtts://b.example'\nusername = 'u'";
    assert_eq!(look(user), [Level::Ok, Level::Ok]);
    let http = "[http]\nlisten = '0.0.0.0:0'\nbroker_websocket_url = 'ws://b'\ntoken_file = 't'";
    let found = network::http(&Config::parse(http).unwrap());
    assert_eq!(levels(&found), [Level::Ok, Level::Warn]);
}

#[test]
fn folders_are_tried_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let clips = folder.path().join("a/b");
    let mut config = Config::parse(&format!("clips_dir = '{}'", clips.display())).unwrap();
    // On a disk that is nearly full it is a warning or worse, but not refused.
    let said = board::folders(&config)[0].said.clone();
    assert!(said.contains("can be written"), "{said}");
    assert!(!folder.path().join("a").exists());
    fs::write(folder.path().join("a"), "in the way").unwrap();
    assert_eq!(levels(&board::folders(&config)), [Level::Fail]);
    config.clips_dir = "/proc/zoetrope".into();
    assert_eq!(levels(&board::folders(&config)), [Level::Fail]);
}

#[test]
fn a_hot_board_and_a_camera_that_fails_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let zone = folder.path().join("class/thermal/thermal_zone0");
    fs::create_dir_all(&zone).unwrap();
    fs::write(zone.join("type"), "cpu\n").unwrap();
    fs::write(zone.join("temp"), "91000\n").unwrap();
    let toml = format!(
        "[thermal]\nsysfs_dir = '{}'\n[camera]\nfile = '/nowhere.jpg'",
        folder.path().display()
    );
    let config = Config::parse(&toml).unwrap();
    assert_eq!(levels(&board::heat(&config)), [Level::Warn]);
    assert_eq!(levels(&camera::configured(&config)), [Level::Fail]);
}
