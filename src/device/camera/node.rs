//! An open camera: what it is, what it offers, and what it has agreed to.

use std::{
    io,
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::io::{FdFlags, fcntl_setfd};
use v4l::{
    Device,
    device::Handle,
    v4l_sys::{v4l2_capability, v4l2_fmtdesc, v4l2_format, v4l2_frmivalenum, v4l2_frmsizeenum},
    v4l2::vidioc,
};

use super::{
    choice::Offer,
    fault::CameraFault,
    ioctl::{Argument, CAPTURE, enumerate, ioctl, text},
    layout::{Coding, Layout},
};

/// Formats of a camera, sizes of a format and rates of a size that are looked
/// at; drivers have a dozen.
const LIST_MAX: u32 = 128;
/// Longest side that is asked of drivers which scale to any size, in pixels.
const SCALED_SIDE_PX_MAX: u32 = 4096;

/// A camera that is open. It closes, and its light goes out, when this and
/// everything made of it is dropped.
pub(super) struct Node {
    path: PathBuf,
    handle: Arc<Handle>,
    /// What the driver calls it.
    pub(super) card: String,
    /// `uvcvideo`, for example.
    pub(super) driver: String,
}

impl Node {
    pub(super) fn open(path: &Path) -> Result<Self, CameraFault> {
        let failed = |doing: &str, error: &io::Error| CameraFault::of(path, doing, error);
        // Looked at first, because it takes any path where opening panics.
        path.metadata()
            .map_err(|error| failed("the node is not there", &error))?;
        let device =
            Device::with_path(path).map_err(|error| failed("it cannot be opened", &error))?;
        let handle = device.handle();
        // SAFETY: the handle keeps the descriptor open beyond this block.
        let descriptor = unsafe { BorrowedFd::borrow_raw(handle.fd()) };
        // A program that is started meanwhile must not keep the camera open.
        fcntl_setfd(descriptor, FdFlags::CLOEXEC)
            .map_err(|error| failed("it cannot be opened", &error.into()))?;
        let mut about = v4l2_capability::zeroed();
        ioctl(&handle, vidioc::VIDIOC_QUERYCAP, &mut about)
            .map_err(|error| failed("it does not say what it is", &error))?;
        let node = Self {
            path: path.to_owned(),
            handle,
            card: text(&about.card),
            driver: text(&about.driver),
        };
        node.check(&about)?;
        Ok(node)
    }

    fn check(&self, about: &v4l2_capability) -> Result<(), CameraFault> {
        // linux/videodev2.h, `V4L2_CAP_…`.
        const VIDEO_CAPTURE: u32 = 0x0000_0001;
        const VIDEO_CAPTURE_MPLANE: u32 = 0x0000_1000;
        const STREAMING: u32 = 0x0400_0000;
        const DEVICE_CAPS: u32 = 0x8000_0000;

        let has = match about.capabilities & DEVICE_CAPS {
            0 => about.capabilities,
            _ => about.device_caps,
        };
        let card = &self.card;
        if has & VIDEO_CAPTURE == 0 {
            return Err(CameraFault::Unsuitable(match has & VIDEO_CAPTURE_MPLANE {
                0 => format!("{card} gives no pictures at this node"),
                _ => format!(
                    "{card} speaks the multi-planar API alone, which is not supported; \
                     use camera.command"
                ),
            }));
        }
        if has & STREAMING == 0 {
            return Err(CameraFault::Unsuitable(format!("{card} does not stream")));
        }
        Ok(())
    }

    pub(super) fn handle(&self) -> Arc<Handle> {
        Arc::clone(&self.handle)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn failed(&self, doing: &str, error: &io::Error) -> CameraFault {
        CameraFault::of(&self.path, doing, error)
    }

    /// Everything that it offers in a format that we understand, rates
    /// included.
    pub(super) fn offers(&self) -> Result<Vec<Offer>, CameraFault> {
        let listed = |error: io::Error| self.failed("it does not list its formats", &error);
        let formats = enumerate(&self.handle, vidioc::VIDIOC_ENUM_FMT, LIST_MAX, |index| {
            v4l2_fmtdesc {
                index,
                type_: CAPTURE,
                ..v4l2_fmtdesc::zeroed()
            }
        })
        .map_err(listed)?;
        let mut offers = Vec::new();
        for format in formats {
            let code = format.pixelformat;
            let Some(coding) = Coding::of(code) else {
                continue;
            };
            for size_px in self.sizes(code).map_err(listed)? {
                offers.push(Offer {
                    code,
                    coding,
                    size_px,
                    fps: self.fps(code, size_px).map_err(listed)?,
                });
            }
        }
        Ok(offers)
    }

    /// Sizes of a format; of a range of sizes the largest that we would take.
    fn sizes(&self, code: u32) -> io::Result<Vec<[u32; 2]>> {
        const DISCRETE: u32 = 1;

        let request = vidioc::VIDIOC_ENUM_FRAMESIZES;
        let found = enumerate(&self.handle, request, LIST_MAX, |index| v4l2_frmsizeenum {
            index,
            pixel_format: code,
            ..v4l2_frmsizeenum::zeroed()
        })?;
        Ok(found
            .iter()
            .map(|size| {
                if size.type_ == DISCRETE {
                    // SAFETY: the driver says that this is what it has filled.
                    let size = unsafe { size.__bindgen_anon_1.discrete };
                    return [size.width, size.height];
                }
                // SAFETY: as above; the other two kinds share the structure.
                let range = unsafe { size.__bindgen_anon_1.stepwise };
                [
                    largest(range.min_width, range.max_width, range.step_width),
                    largest(range.min_height, range.max_height, range.step_height),
                ]
            })
            .collect())
    }

    /// Most frames per second of a size.
    fn fps(&self, code: u32, [width, height]: [u32; 2]) -> io::Result<Option<f64>> {
        let request = vidioc::VIDIOC_ENUM_FRAMEINTERVALS;
        let found = enumerate(&self.handle, request, LIST_MAX, |index| v4l2_frmivalenum {
            index,
            pixel_format: code,
            width,
            height,
            ..v4l2_frmivalenum::zeroed()
        })?;
        let rates = found.iter().map(|rate| {
            // SAFETY: integers whatever they mean, and where the driver gives a
            // range its first member is the shortest interval.
            let interval = unsafe { rate.__bindgen_anon_1.discrete };
            f64::from(interval.denominator) / f64::from(interval.numerator)
        });
        Ok(rates.filter(|fps| fps.is_finite()).max_by(f64::total_cmp))
    }

    /// Makes the driver send what is offered.
    pub(super) fn agree(&self, offer: &Offer) -> Result<Layout, CameraFault> {
        /// Says that the fields behind it are filled (`V4L2_PIX_FMT_PRIV_MAGIC`).
        const EXTENDED: u32 = 0xfeed_cafe;
        const FIELD_NONE: u32 = 1;

        let mut format = v4l2_format {
            type_: CAPTURE,
            ..v4l2_format::zeroed()
        };
        format.fmt.pix.width = offer.size_px[0];
        format.fmt.pix.height = offer.size_px[1];
        format.fmt.pix.pixelformat = offer.code;
        format.fmt.pix.field = FIELD_NONE;
        format.fmt.pix.priv_ = EXTENDED;
        ioctl(&self.handle, vidioc::VIDIOC_S_FMT, &mut format)
            .map_err(|error| self.failed(&format!("it refuses {offer}"), &error))?;
        // SAFETY: frames of one plane were asked for, and plain integers they are.
        let agreed = unsafe { format.fmt.pix };
        let layout = Layout::of(&agreed).filter(|layout| {
            agreed.pixelformat == offer.code
                && [layout.width_px, layout.height_px] == offer.size_px.map(|side| side as usize)
        });
        let layout = layout.ok_or_else(|| {
            let code = agreed.pixelformat.to_le_bytes();
            CameraFault::Unsuitable(format!(
                "wrong size: {offer} was asked for, the driver would send {} {}x{}",
                code.escape_ascii(),
                agreed.width,
                agreed.height
            ))
        })?;
        check_field(agreed.field)?;
        Ok(layout)
    }
}

/// A whole picture in each frame, or both its fields in one.
fn check_field(field: u32) -> Result<(), CameraFault> {
    // linux/videodev2.h, `enum v4l2_field`: any, none, interlaced, and that
    // with either field first.
    match field {
        0 | 1 | 4 | 8 | 9 => Ok(()),
        other => Err(CameraFault::Unsuitable(format!(
            "it sends half pictures (field order {other})"
        ))),
    }
}

/// The largest of a range that we would take.
fn largest(min: u32, max: u32, step: u32) -> u32 {
    let top = max.min(SCALED_SIDE_PX_MAX).max(min);
    top - (top - min) % step.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_a_range() {
        assert_eq!(largest(48, 3840, 4), 3840);
        assert_eq!(largest(48, 1001, 4), 1000);
        assert_eq!(largest(2, u32::MAX, 3), 4094);
        assert_eq!(largest(8000, 9000, 0), 8000);
    }

    #[test]
    fn half_pictures_are_refused() {
        assert!(check_field(1).is_ok() && check_field(4).is_ok());
        let said = check_field(7).unwrap_err().to_string();
        assert_eq!(said, "unsuitable: it sends half pictures (field order 7)");
    }

    #[test]
    fn what_is_no_camera_is_said() {
        let said = |path: &str| Node::open(Path::new(path)).err().unwrap().to_string();
        assert!(said("/dev/none").starts_with("lost: the node is not there: No such file"));
        assert!(said("/dev/a\0b").starts_with("failed: the node is not there"));
        assert!(said("/dev/null").starts_with("unsuitable: it does not say what it is"));
        let folder = tempfile::tempdir().unwrap();
        assert!(said(folder.path().to_str().unwrap()).starts_with("failed: it cannot be opened"));
    }
}
