//! The MP4 file: one video track, index first (faststart), constant frame rate.
//!
//! Samples stream into the file as they come, behind room that is kept free for
//! the index, so memory does not grow with the clip.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    num::NonZeroU32,
    path::Path,
};

use shiguredo_mp4::{
    TrackKind,
    bitstream::h264::{
        H264SampleEntryConfig, LengthSize, annexb_to_length_prefixed, build_avc1_box_from_annexb,
    },
    boxes::SampleEntry,
    codec_string,
    mux::{Mp4FileMuxer, Mp4FileMuxerOptions, Sample, estimate_maximum_moov_box_size},
};
use tempfile::NamedTempFile;

use crate::clip::{ClipError, EncodedFrame, check_replaceable};

/// An MP4 file under way: a temporary file beside its destination.
pub struct Mp4Writer {
    muxer: Mp4FileMuxer,
    file: NamedTempFile,
    frame_rate: NonZeroU32,
    position_bytes: u64,
    codecs: Option<String>,
}

impl Mp4Writer {
    /// Begins a file that will stand at `destination`.
    ///
    /// # Errors
    /// [`ClipError::Write`] when the folder cannot be written, or what stands at
    /// `destination` is no file.
    pub fn create(
        destination: &Path,
        frame_rate: NonZeroU32,
        frame_count: u32,
    ) -> Result<Self, ClipError> {
        let folder = match destination.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let muxer = Mp4FileMuxer::with_options(Mp4FileMuxerOptions {
            reserved_moov_box_size: estimate_maximum_moov_box_size(&[frame_count as usize]),
            ..Mp4FileMuxerOptions::default()
        })
        .map_err(|error| ClipError::Container(error.to_string()))?;
        let write_error = |error| ClipError::write(destination, error);
        check_replaceable(destination).map_err(write_error)?;
        let mut file = tempfile::Builder::new()
            .prefix(".zoetrope-")
            .suffix(".mp4")
            .tempfile_in(folder)
            .map_err(write_error)?;
        let head = muxer.initial_boxes_bytes();
        file.write_all(head).map_err(write_error)?;
        Ok(Self {
            position_bytes: head.len() as u64,
            muxer,
            file,
            frame_rate,
            codecs: None,
        })
    }

    /// Appends the next frame.
    ///
    /// # Errors
    /// [`ClipError::Container`] when the stream is not H.264,
    /// [`ClipError::Write`] when the disk is full.
    pub fn append(&mut self, frame: &EncodedFrame) -> Result<(), ClipError> {
        let container = |error: shiguredo_mp4::Error| ClipError::Container(error.to_string());
        let mut sample_entry = None;
        if self.codecs.is_none() {
            let config = H264SampleEntryConfig {
                length_size: LengthSize::FourBytes,
            };
            let entry = SampleEntry::Avc1(
                build_avc1_box_from_annexb(&frame.annex_b, &config).map_err(container)?,
            );
            self.codecs = Some(codec_string::from_sample_entry(&entry).map_err(container)?);
            sample_entry = Some(entry);
        }
        let data =
            annexb_to_length_prefixed(&frame.annex_b, LengthSize::FourBytes).map_err(container)?;
        let path = self.file.path().to_owned();
        self.file
            .write_all(&data)
            .map_err(|error| ClipError::write(&path, error))?;
        self.muxer
            .append_sample(&Sample {
                track_kind: TrackKind::Video,
                sample_entry,
                keyframe: frame.is_keyframe,
                timescale: self.frame_rate,
                duration: 1,
                composition_time_offset: None,
                data_offset: self.position_bytes,
                data_size: data.len(),
            })
            .map_err(|error| ClipError::Container(error.to_string()))?;
        self.position_bytes += data.len() as u64;
        Ok(())
    }

    /// Size of the finished file if nothing is appended any more.
    pub fn size_bytes(&self) -> u64 {
        self.position_bytes
    }

    /// Writes the index, makes the file durable and puts it at `destination`
    /// in one step; returns its codec string.
    ///
    /// # Errors
    /// [`ClipError::Container`] without a frame or when the index does not fit
    /// in front, [`ClipError::Write`] when the file cannot be completed.
    pub fn finish(mut self, destination: &Path) -> Result<String, ClipError> {
        let codecs = self
            .codecs
            .ok_or_else(|| ClipError::Container("the clip has no frame".to_owned()))?;
        let boxes = self
            .muxer
            .finalize()
            .map_err(|error| ClipError::Container(error.to_string()))?;
        if !boxes.is_faststart_enabled() {
            let reason = format!("the index of {} bytes has no room", boxes.moov_box_size());
            return Err(ClipError::Container(reason));
        }
        let write_error = |error| ClipError::write(destination, error);
        for (offset, bytes) in boxes.offset_and_bytes_pairs() {
            self.file
                .seek(SeekFrom::Start(offset))
                .map_err(write_error)?;
            self.file.write_all(bytes).map_err(write_error)?;
        }
        self.file.as_file().sync_all().map_err(write_error)?;
        readable_by_all(self.file.as_file()).map_err(write_error)?;
        self.file
            .persist(destination)
            .map_err(|error| ClipError::write(destination, error.error))?;
        Ok(codecs)
    }
}

/// A temporary file is private; a clip is for whoever may read its folder.
fn readable_by_all(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
