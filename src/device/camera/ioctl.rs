//! What is asked of the driver, typed.
//!
//! The `v4l` crate's own queries panic on names that are no UTF-8 and on
//! controls of a kind that it does not know, leave out how Y'CbCr is encoded,
//! and its streams cannot go on after a signal; it gives us the structures, the
//! requests and the calls.

use std::{io, mem};

use rustix::io::Errno;
use v4l::{
    device::Handle,
    v4l_sys::{
        v4l2_buffer, v4l2_capability, v4l2_control, v4l2_fmtdesc, v4l2_format, v4l2_frmivalenum,
        v4l2_frmsizeenum, v4l2_query_ext_ctrl, v4l2_requestbuffers,
    },
    v4l2::{self, vidioc},
};

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`: frames of one plane each.
pub(super) const CAPTURE: u32 = 1;

/// Times that a call is made again after a signal.
const INTERRUPTIONS_MAX: u32 = 100;

/// A structure that the driver reads and fills.
///
/// # Safety
/// It is plain data of the kernel's layout, valid with any bits and with none,
/// without pointers that the driver follows in these requests.
pub(super) unsafe trait Argument: Copy {
    fn zeroed() -> Self {
        // SAFETY: valid with no bit set, as every implementor promises.
        unsafe { mem::zeroed() }
    }
}

// SAFETY: integers, arrays and unions of them. Its pointers are those of user
// memory and of planes, neither of which we ask for.
unsafe impl Argument for v4l2_buffer {}
// SAFETY: integers and arrays of them.
unsafe impl Argument for v4l2_capability {}
// SAFETY: integers.
unsafe impl Argument for v4l2_control {}
// SAFETY: integers and arrays of them.
unsafe impl Argument for v4l2_fmtdesc {}
// SAFETY: integers, arrays and unions of them; the pointers are those of
// overlays, which we do not ask for.
unsafe impl Argument for v4l2_format {}
// SAFETY: integers, arrays and unions of them.
unsafe impl Argument for v4l2_frmivalenum {}
// SAFETY: integers, arrays and unions of them.
unsafe impl Argument for v4l2_frmsizeenum {}
// SAFETY: integers and arrays of them.
unsafe impl Argument for v4l2_query_ext_ctrl {}
// SAFETY: integers and arrays of them.
unsafe impl Argument for v4l2_requestbuffers {}
// SAFETY: an integer.
unsafe impl Argument for std::ffi::c_int {}

/// Makes a request, again if a signal comes between.
pub(super) fn ioctl<A: Argument>(
    handle: &Handle,
    request: vidioc::_IOC_TYPE,
    argument: &mut A,
) -> io::Result<()> {
    // linux/ioctl.h: 14 bits of the number are the size of what is filled.
    assert_eq!(
        (request >> 16) as usize & 0x3fff,
        size_of::<A>(),
        "request {request:#x} has another argument"
    );
    for _ in 0..INTERRUPTIONS_MAX {
        // SAFETY: the driver fills as many bytes as the request's number says,
        // which is the size of the argument, and any bits are valid in it.
        let done = unsafe { v4l2::ioctl(handle.fd(), request, (&raw mut *argument).cast()) };
        match done {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
    Err(io::Error::from(io::ErrorKind::Interrupted))
}

/// What the driver tells about index 0, 1, 2, … until it says that there is no
/// more, but no more than `count_max` of them.
pub(super) fn enumerate<A: Argument>(
    handle: &Handle,
    request: vidioc::_IOC_TYPE,
    count_max: u32,
    about: impl Fn(u32) -> A,
) -> io::Result<Vec<A>> {
    let mut found = Vec::new();
    for index in 0..count_max {
        let mut entry = about(index);
        match ioctl(handle, request, &mut entry) {
            Ok(()) => found.push(entry),
            // ENOTTY is the answer of drivers that have no such list.
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::INVAL | Errno::NOTTY) => break,
                _ => return Err(error),
            },
        }
    }
    Ok(found)
}

/// Text of the kernel's, up to its first zero.
pub(super) fn text(bytes: &[u8]) -> String {
    let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_are_those_of_the_kernel() {
        // linux/videodev2.h of 64-bit Linux, computed by a C compiler.
        let requests = [
            (vidioc::VIDIOC_QUERYCAP, 0x8068_5600),
            (vidioc::VIDIOC_ENUM_FMT, 0xc040_5602),
            (vidioc::VIDIOC_S_FMT, 0xc0d0_5605),
            (vidioc::VIDIOC_REQBUFS, 0xc014_5608),
            (vidioc::VIDIOC_QUERYBUF, 0xc058_5609),
            (vidioc::VIDIOC_QBUF, 0xc058_560f),
            (vidioc::VIDIOC_DQBUF, 0xc058_5611),
            (vidioc::VIDIOC_STREAMON, 0x4004_5612),
            (vidioc::VIDIOC_STREAMOFF, 0x4004_5613),
            (vidioc::VIDIOC_S_CTRL, 0xc008_561c),
            (vidioc::VIDIOC_ENUM_FRAMESIZES, 0xc02c_564a),
            (vidioc::VIDIOC_ENUM_FRAMEINTERVALS, 0xc034_564b),
            (vidioc::VIDIOC_QUERY_EXT_CTRL, 0xc0e8_5667),
        ];
        for (ours, kernel) in requests {
            assert_eq!(ours, kernel, "{ours:#x} is not {kernel:#x}");
        }
    }

    #[test]
    fn text_that_was_cut_within_a_letter_is_still_text() {
        assert_eq!(text(b"Kamera\0xx"), "Kamera");
        assert_eq!(text(b"K\xc3"), "K\u{fffd}");
    }
}
