//! The driver's buffers, mapped, and the frames that come in them.

use std::{
    io, slice,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use v4l::{
    device::Handle,
    v4l_sys::{v4l2_buffer, v4l2_requestbuffers},
    v4l2::{self, vidioc},
};

use super::{
    fault::CameraFault,
    ioctl::{Argument, CAPTURE, ioctl},
    node::Node,
    settle::{Frame, Frames},
};

/// Enough that the driver never waits for us while a frame is looked at.
const BUFFERS: u32 = 4;
/// `V4L2_MEMORY_MMAP`.
const MAPPED: u32 = 1;
/// `V4L2_BUF_FLAG_ERROR`: the data may be corrupted.
const FLAG_ERROR: u32 = 0x40;
/// Time that a camera has to vanish altogether after its first error.
const VANISHING: Duration = Duration::from_millis(500);
const VANISHING_LOOK: Duration = Duration::from_millis(20);

/// A camera that streams, until this is dropped.
pub(super) struct Queue<'a> {
    node: &'a Node,
    handle: Arc<Handle>,
    buffers: Vec<Mapping>,
    frame_timeout: Duration,
    started_at: Instant,
    seen: u32,
}

impl<'a> Queue<'a> {
    pub(super) fn start(node: &'a Node, frame_timeout: Duration) -> Result<Self, CameraFault> {
        let mut queue = Self {
            node,
            handle: node.handle(),
            buffers: Vec::new(),
            frame_timeout,
            started_at: Instant::now(),
            seen: 0,
        };
        let started = queue.begin();
        started.map_err(|error| queue.node.failed("it does not stream", &error))?;
        Ok(queue)
    }

    fn begin(&mut self) -> io::Result<()> {
        let count = self.request(BUFFERS)?;
        for index in 0..count {
            let mut buffer = described(index);
            ioctl(&self.handle, vidioc::VIDIOC_QUERYBUF, &mut buffer)?;
            self.buffers.push(Mapping::of(&self.handle, &buffer)?);
        }
        for index in 0..count {
            ioctl(&self.handle, vidioc::VIDIOC_QBUF, &mut described(index))?;
        }
        let mut kind = CAPTURE as std::ffi::c_int;
        ioctl(&self.handle, vidioc::VIDIOC_STREAMON, &mut kind)
    }

    /// Has the driver hold that many buffers; as many as it has then.
    fn request(&self, count: u32) -> io::Result<u32> {
        let mut request = v4l2_requestbuffers {
            count,
            type_: CAPTURE,
            memory: MAPPED,
            ..v4l2_requestbuffers::zeroed()
        };
        ioctl(&self.handle, vidioc::VIDIOC_REQBUFS, &mut request)?;
        Ok(request.count.min(BUFFERS * 8))
    }

    /// Waits for a frame; `false` if none came in time.
    fn wait(&self, deadline: Instant) -> io::Result<bool> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // Rounded up, or the last millisecond would be spent spinning.
            let left_ms = left.as_millis() as i32 + i32::from(!left.is_zero());
            match self.handle.poll(libc::POLLIN, left_ms) {
                Ok(0) if left.is_zero() => return Ok(false),
                Ok(0) => {}
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self) -> io::Result<v4l2_buffer> {
        let mut buffer = described(0);
        ioctl(&self.handle, vidioc::VIDIOC_DQBUF, &mut buffer)?;
        self.seen += 1;
        if buffer.index as usize >= self.buffers.len() {
            return Err(io::Error::other(
                "it hands out a buffer that it does not have",
            ));
        }
        Ok(buffer)
    }

    fn give_back(&self, buffer: &v4l2_buffer) -> io::Result<()> {
        ioctl(
            &self.handle,
            vidioc::VIDIOC_QBUF,
            &mut described(buffer.index),
        )
    }

    fn newest_buffer(&mut self, deadline: Instant) -> io::Result<Option<v4l2_buffer>> {
        if !self.wait(deadline)? {
            return Ok(None);
        }
        let mut newest = self.take()?;
        // What waited in the queue is from before; bounded, because a camera
        // may be faster than we are.
        for _ in 1..self.buffers.len() {
            if !self.wait(Instant::now())? {
                break;
            }
            self.give_back(&newest)?;
            newest = self.take()?;
        }
        Ok(Some(newest))
    }

    /// What went wrong while frames were fetched. The first error of a camera
    /// that is pulled out is an odd one; it vanishes in a moment.
    fn broken(&self, error: &io::Error) -> CameraFault {
        let deadline = Instant::now() + VANISHING;
        loop {
            let mut about = v4l::v4l_sys::v4l2_capability::zeroed();
            let asked = ioctl(&self.handle, vidioc::VIDIOC_QUERYCAP, &mut about);
            if asked.is_err() || !self.node.path().exists() {
                return CameraFault::Lost(format!("it went away while it streamed: {error}"));
            }
            if Instant::now() >= deadline {
                return self.node.failed("it stopped streaming", error);
            }
            thread::sleep(VANISHING_LOOK);
        }
    }
}

impl Frames for Queue<'_> {
    fn newest(&mut self, deadline: Instant) -> Result<Frame, CameraFault> {
        let asked_at = Instant::now();
        let until = deadline.min(asked_at + self.frame_timeout);
        let fetched = self.newest_buffer(until);
        let buffer = match fetched.map_err(|error| self.broken(&error))? {
            Some(buffer) => buffer,
            None if !self.node.path().exists() => {
                return Err(CameraFault::Lost(
                    "it went away while it streamed".to_owned(),
                ));
            }
            None => {
                return Err(CameraFault::Timeout {
                    waited_ms: asked_at.elapsed().as_millis(),
                    seen: self.seen,
                });
            }
        };
        let mapped = self.buffers[buffer.index as usize].bytes();
        let used = (buffer.bytesused as usize).min(mapped.len());
        let frame = Frame {
            bytes: mapped[..used].to_vec(),
            is_damaged: buffer.flags & FLAG_ERROR != 0,
            taken_at: stamp_of(&buffer).unwrap_or_else(|| self.started_at.elapsed()),
        };
        self.give_back(&buffer)
            .map_err(|error| self.broken(&error))?;
        Ok(frame)
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        let mut kind = CAPTURE as std::ffi::c_int;
        // All of it happens anyway when the device is closed, which it is at
        // once; a camera that has gone answers with an error.
        let _ = ioctl(&self.handle, vidioc::VIDIOC_STREAMOFF, &mut kind);
        self.buffers.clear();
        let _ = self.request(0);
    }
}

/// When the kernel saw the frame, by one of its clocks; some drivers leave it at
/// zero.
fn stamp_of(buffer: &v4l2_buffer) -> Option<Duration> {
    let seconds = u64::try_from(buffer.timestamp.tv_sec).ok()?;
    let micros = u64::try_from(buffer.timestamp.tv_usec).ok()?;
    let stamp = Duration::from_secs(seconds).checked_add(Duration::from_micros(micros))?;
    (!stamp.is_zero()).then_some(stamp)
}

fn described(index: u32) -> v4l2_buffer {
    v4l2_buffer {
        index,
        type_: CAPTURE,
        memory: MAPPED,
        ..v4l2_buffer::zeroed()
    }
}

/// A buffer of the driver's in our memory.
struct Mapping {
    start: *mut std::ffi::c_void,
    length_bytes: usize,
}

impl Mapping {
    fn of(handle: &Handle, buffer: &v4l2_buffer) -> io::Result<Self> {
        let length_bytes = buffer.length as usize;
        // SAFETY: of mapped buffers the offset is what is filled; a new mapping
        // of a length that the driver has given touches nothing of ours.
        let start = unsafe {
            v4l2::mmap(
                std::ptr::null_mut(),
                length_bytes,
                libc::PROT_READ,
                libc::MAP_SHARED,
                handle.fd(),
                libc::off_t::from(buffer.m.offset),
            )
        }?;
        Ok(Self {
            start,
            length_bytes,
        })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for reading with this length until this is dropped.
        // The driver writes only into buffers that are queued, and this is read
        // between dequeuing and queuing it.
        unsafe { slice::from_raw_parts(self.start.cast::<u8>(), self.length_bytes) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: ours alone, and borrowed by nobody any more.
        let unmapped = unsafe { v4l2::munmap(self.start, self.length_bytes) };
        if let Err(error) = unmapped {
            log::error!("a camera's buffer stays mapped: {error}");
        }
    }
}
