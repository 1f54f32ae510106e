//! Exposure, white balance and whatever else a camera lets one set.

use std::collections::BTreeMap;

use rustix::io::Errno;
use v4l::{
    v4l_sys::{v4l2_control, v4l2_query_ext_ctrl},
    v4l2::vidioc,
};

use super::{
    fault::CameraFault,
    ioctl::{Argument, ioctl, text},
    node::Node,
};

/// Controls that are looked at; cameras have two dozen.
const LIST_MAX: usize = 512;

/// linux/videodev2.h, `enum v4l2_ctrl_type`: those that are one number.
const BOOLEAN: u32 = 2;
const MENU: u32 = 3;
const NUMBERS: [u32; 5] = [1, BOOLEAN, MENU, 8, 9];

/// linux/videodev2.h, `V4L2_CTRL_FLAG_…`.
const DISABLED: u32 = 0x01;
const GRABBED: u32 = 0x02;
const READ_ONLY: u32 = 0x04;
const INACTIVE: u32 = 0x10;

/// What the driver says about a control.
#[derive(Clone, Debug)]
struct Control {
    id: u32,
    /// As `v4l2-ctl` shows it.
    name: String,
    kind: u32,
    min: i64,
    max: i64,
    step: u64,
    flags: u32,
}

/// Sets the controls, each within what the driver says it may be. Switches and
/// choices come first: they decide which numbers can be set.
pub(super) fn set(node: &Node, wanted: &BTreeMap<String, i64>) -> Result<(), CameraFault> {
    if wanted.is_empty() {
        return Ok(());
    }
    for is_choice in [true, false] {
        let controls = list(node)?;
        for (name, &value) in wanted {
            let control = find(&controls, name).map_err(CameraFault::Unsuitable)?;
            if is_choice != matches!(control.kind, BOOLEAN | MENU) {
                continue;
            }
            check(control, value).map_err(CameraFault::Unsuitable)?;
            let mut setting = v4l2_control {
                id: control.id,
                value: value as i32,
            };
            ioctl(&node.handle(), vidioc::VIDIOC_S_CTRL, &mut setting).map_err(|error| {
                node.failed(&format!("it refuses {value} for control {name}"), &error)
            })?;
        }
    }
    Ok(())
}

fn list(node: &Node) -> Result<Vec<Control>, CameraFault> {
    /// `V4L2_CTRL_FLAG_NEXT_CTRL`: the one after the given.
    const NEXT: u32 = 0x8000_0000;

    let mut controls = Vec::new();
    let mut id = 0;
    while controls.len() < LIST_MAX {
        let mut found = v4l2_query_ext_ctrl {
            id: id | NEXT,
            ..v4l2_query_ext_ctrl::zeroed()
        };
        match ioctl(&node.handle(), vidioc::VIDIOC_QUERY_EXT_CTRL, &mut found) {
            Ok(()) if found.id > id => {}
            Ok(()) => break,
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::INVAL | Errno::NOTTY) => break,
                _ => return Err(node.failed("it does not list its controls", &error)),
            },
        }
        id = found.id;
        controls.push(Control {
            id,
            name: key_of(&text(&found.name.map(|letter| letter as u8))),
            kind: found.type_,
            min: found.minimum,
            max: found.maximum,
            step: found.step,
            flags: found.flags,
        });
    }
    Ok(controls)
}

/// `White Balance, Automatic` as `v4l2-ctl` writes it:
/// `white_balance_automatic`.
fn key_of(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("_")
}

fn find<'a>(controls: &'a [Control], name: &str) -> Result<&'a Control, String> {
    let settable = || {
        let is_settable =
            |control: &&Control| NUMBERS.contains(&control.kind) && control.flags & DISABLED == 0;
        controls.iter().filter(is_settable)
    };
    if let Some(control) = settable().find(|control| control.name == name) {
        return Ok(control);
    }
    let nearest = settable().max_by(|a, b| {
        let near = |control: &Control| strsim::jaro_winkler(name, &control.name);
        near(a).total_cmp(&near(b))
    });
    Err(match nearest {
        Some(nearest) => {
            let nearest = &nearest.name;
            format!("control {name:?} does not exist, the nearest that does is {nearest:?}")
        }
        None => format!("control {name:?} does not exist, the camera has none"),
    })
}

fn check(control: &Control, value: i64) -> Result<(), String> {
    let (name, min, max) = (&control.name, control.min, control.max);
    if control.flags & READ_ONLY != 0 {
        return Err(format!("control {name} can only be read"));
    }
    if control.flags & GRABBED != 0 {
        return Err(format!("control {name} cannot be set at the moment"));
    }
    if control.flags & INACTIVE != 0 {
        return Err(format!(
            "control {name} has no effect: an automatic control of the camera governs it"
        ));
    }
    let is_within = (min..=max).contains(&value) && i32::try_from(value).is_ok();
    if !is_within {
        return Err(format!(
            "control {name} is {value}, the driver allows {min} to {max}"
        ));
    }
    let step = control.step.max(1);
    if !value.abs_diff(min).is_multiple_of(step) {
        return Err(format!(
            "control {name} is {value}, the driver allows {min} to {max} in steps of {step}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(name: &str, flags: u32) -> Control {
        Control {
            id: 1,
            name: key_of(name),
            kind: 1,
            min: -64,
            max: 64,
            step: 2,
            flags,
        }
    }

    #[test]
    fn names_are_those_of_v4l2_ctl() {
        for (name, key) in [
            ("Brightness", "brightness"),
            ("White Balance, Automatic", "white_balance_automatic"),
            ("Exposure Time, Absolute", "exposure_time_absolute"),
            ("Power Line Frequency ", "power_line_frequency"),
        ] {
            assert_eq!(key_of(name), key);
        }
    }

    #[test]
    fn values_are_within_what_the_driver_reports() {
        let gain = control("Gain", 0);
        assert_eq!(check(&gain, 64), Ok(()));
        assert_eq!(check(&gain, -62), Ok(()));
        let said = |control: &Control, value| check(control, value).unwrap_err();
        assert_eq!(
            said(&gain, 65),
            "control gain is 65, the driver allows -64 to 64"
        );
        assert_eq!(
            said(&gain, -63),
            "control gain is -63, the driver allows -64 to 64 in steps of 2"
        );
        assert_eq!(
            said(&control("Gain", READ_ONLY), 0),
            "control gain can only be read"
        );
        assert!(said(&control("Gain", INACTIVE), 0).contains("automatic control"));
        assert!(said(&control("Gain", GRABBED), 0).contains("at the moment"));
    }

    #[test]
    fn an_unknown_control_is_answered_with_the_nearest() {
        let controls = [
            control("Gain", 0),
            control("Brightness", 0),
            control("Bright", DISABLED),
        ];
        assert_eq!(find(&controls, "gain").unwrap().name, "gain");
        assert_eq!(
            find(&controls, "brightnes").unwrap_err(),
            "control \"brightnes\" does not exist, the nearest that does is \"brightness\""
        );
        assert_eq!(
            find(&[], "gain").unwrap_err(),
            "control \"gain\" does not exist, the camera has none"
        );
    }
}
