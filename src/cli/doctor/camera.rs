//! Which cameras there are, and whether the configured one gives a picture.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path, time::Instant};

use super::Finding;
use crate::{
    config::{Camera, Config, DeviceCamera},
    device::{
        camera::{
            About, CameraError, CameraFault, CameraSource, Found, is_numbered, lasting_name, survey,
        },
        source,
    },
    still,
};

const DEV_DIR: &str = "/dev";

/// Makes every camera the group's: as systemd's own rule does on most systems.
const UDEV_LINE: &str = r#"echo 'SUBSYSTEM=="video4linux", GROUP="video", MODE="0660"' > /etc/udev/rules.d/70-camera.rules && udevadm trigger --subsystem-match=video4linux"#;

/// One finding for each camera that the board has.
pub(super) fn there(config: &Config) -> Vec<Finding> {
    let found = survey(Path::new(DEV_DIR));
    if found.is_empty() && matches!(config.camera, Camera::Device(_)) {
        let said = format!("no V4L2 camera is in {DEV_DIR}");
        let mend = "look at the cable, lsusb and dmesg";
        return vec![Finding::warn("cameras", said, mend)];
    }
    found.iter().map(one).collect()
}

fn one(found: &Found) -> Finding {
    let name = found.name.display();
    match &found.about {
        Ok(about) => Finding::ok("cameras", format!("{name}: {}", described(about))),
        Err(error) => {
            let mend = remedy(error);
            Finding::warn("cameras", format!("{name}: {}", error.fault), mend)
        }
    }
}

/// Name, driver, and the sizes of each format.
fn described(about: &About) -> String {
    let mut said = format!("{} ({})", about.card, about.driver);
    let mut previous = None;
    for offer in &about.offers {
        let format = offer.format();
        if previous != Some(format) {
            said += &format!("; {}", format.name());
            previous = Some(format);
        }
        let [width_px, height_px] = offer.size_px;
        said += &format!(" {width_px}x{height_px}");
        if let Some(fps) = offer.fps {
            said += &format!("@{fps:.0}");
        }
    }
    said
}

/// Asks the configured camera for a still, as a request does.
pub(super) fn configured(config: &Config) -> Vec<Finding> {
    match &config.camera {
        Camera::Device(camera) => vec![of_device(config, camera)],
        other => vec![of_other(config, other)],
    }
}

fn of_device(config: &Config, camera: &DeviceCamera) -> Finding {
    let node = camera.node.display();
    let asked_at = Instant::now();
    let wish = config.observation.watch(&config.camera);
    let source = CameraSource::new(camera.clone(), config.photo_limits).watching(wish);
    match source.take() {
        Ok(shot) => {
            let took_s = asked_at.elapsed().as_secs_f32();
            let said = format!("{node}: {} after {took_s:.1} s", shot.offer);
            if let Some(Err(fault)) = shot.burst {
                let said = format!("{said}; cannot be watched before a still: {fault}");
                return Finding::warn("camera", said, "mode = \"off\" in [observation]");
            }
            if !is_numbered(&camera.node) {
                return Finding::ok("camera", said);
            }
            let said = said + "; its number may be another camera's after the next start";
            let mend = match lasting_name(Path::new(DEV_DIR), &camera.node) {
                Some(name) => format!("device = \"{}\" in [camera]", name.display()),
                None => "a udev rule that gives it a name: SYMLINK+=\"camera\"".to_owned(),
            };
            Finding::warn("camera", said, mend)
        }
        Err(error) => Finding::fail("camera", error.to_string(), remedy(&error)),
    }
}

fn of_other(config: &Config, camera: &Camera) -> Finding {
    let limits = &config.photo_limits;
    let Some(mut camera) = source::configured(camera, limits, None) else {
        return Finding::ok("camera", "none; requests bring their photograph");
    };
    let asked_at = Instant::now();
    let decoded = camera
        .capture()
        .and_then(|capture| still::decode(&capture.still, limits));
    match decoded {
        Ok(photo) => Finding::ok(
            "camera",
            format!(
                "{}x{} after {:.1} s",
                photo.width_px,
                photo.height_px,
                asked_at.elapsed().as_secs_f32()
            ),
        ),
        Err(error) => Finding::fail("camera", error.to_string(), "correct [camera]"),
    }
}

/// What mends it, as a line to type where there is one.
fn remedy(error: &CameraError) -> String {
    match &error.fault {
        CameraFault::Lost(_) => {
            "look at the cable, lsusb and dmesg; device in [camera] names a node that is there"
                .to_owned()
        }
        CameraFault::Busy(_) => "end that program".to_owned(),
        CameraFault::Denied(_) => {
            let groups = fs::read_to_string("/etc/group").unwrap_or_default();
            access(fs::metadata(&error.node), &groups)
        }
        CameraFault::Unsuitable(_) => "correct [camera]".to_owned(),
        CameraFault::Timeout { .. } => {
            "put it on another port or a hub with a supply of its own; dmesg says more".to_owned()
        }
        CameraFault::Rejected { .. } => {
            "look at lens, light, cable and supply; `zoetrope capture` tries again".to_owned()
        }
        CameraFault::Failed(_) | CameraFault::Unwatched(_) => "dmesg says more".to_owned(),
    }
}

/// The line that lets us open the node: into its group, if that may, or else a
/// rule of udev's.
fn access(node: io::Result<fs::Metadata>, groups: &str) -> String {
    let Ok(node) = node else {
        return UDEV_LINE.to_owned();
    };
    let group = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, gid) = (fields.next()?, fields.nth(1)?);
        (gid.parse() == Ok(node.gid())).then_some(name)
    });
    match group {
        // Group root opens more than a camera.
        Some(group) if node.mode() & 0o060 == 0o060 && node.gid() != 0 => format!(
            "SupplementaryGroups={group} in the unit, or usermod -aG {group} USER and a new login"
        ),
        _ => UDEV_LINE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_group_that_may_is_named_and_otherwise_a_rule_is_given() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let gid = fs::metadata(file.path()).unwrap().gid();
        let groups = format!("daemon:x:1:\nwatchers:x:{gid}:someone\n");
        let mode = |mode| {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            access(fs::metadata(file.path()), &groups)
        };
        assert_eq!(mode(0o600), UDEV_LINE);
        let expected = if gid == 0 { UDEV_LINE } else { "watchers" };
        assert!(mode(0o660).contains(expected));
        assert_eq!(access(Err(io::Error::other("gone")), &groups), UDEV_LINE);
    }

    #[test]
    fn a_number_in_place_of_a_name_is_warned_of_or_wrong() {
        let config = Config::parse("[camera]\ndevice = '/dev/video9999'").unwrap();
        let found = configured(&config);
        assert_eq!(found[0].level, super::super::Level::Fail);
        assert!(found[0].said.contains("lost: "), "{:?}", found[0]);
        let there = there(&config);
        assert!(!there.is_empty());
    }
}
