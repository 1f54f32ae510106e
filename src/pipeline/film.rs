//! The pieces of a clip: drawn, watched and encoded by workers that share
//! nothing but what they read.
//!
//! A frame is a function of its phase and a piece begins with the still as its
//! reference ([`VideoEncoder`]), so each worker makes its own pieces with its
//! own encoder on its own frame; no frame crosses a thread. Pieces have a fixed
//! length: the bytes do not depend on the number of workers. What rests is
//! copied from the one key frame in all of them, so no border is seen there.
//!
//! [`VideoEncoder`]: crate::clip::VideoEncoder

use std::{
    num::{NonZeroU32, NonZeroUsize},
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use super::{
    Job, Onlooker, PipelineError,
    rate::{self, Trial},
    reel::{Join, Reel},
};
use crate::{
    clip::{ClipError, EncodedFrame, NewEncoder, Quantiser, VideoEncoder, mp4::Mp4Writer},
    director::{Director, Seen},
    frames::Renderer,
    picture::Yuv420,
};

/// Frames of a piece. Fewer keep more processors busy, but what moves is
/// predicted from the still at each border: where nearly all of the picture
/// moves, pieces of 20, 10 and 5 frames make a clip 2, 4 and 8 % larger than
/// pieces of 40. At 10 a clip of 4 s gives six processors two pieces each.
const PIECE_FRAMES: u32 = 10;
/// Renders at most: one as fine as the picture deserves, one that the byte
/// budget asks for, one correction of it.
const ATTEMPTS: usize = 3;
/// Pieces after which the size of the whole is predicted, and the excess at
/// which the rest of the first attempt is not worth making.
const FORECAST_PIECES: usize = 2;
const FORECAST_EXCESS: f64 = 1.2;

/// A clip to be shot.
pub(super) struct Film<'a> {
    pub(super) renderer: &'a Renderer,
    pub(super) director: &'a Director<'a>,
    pub(super) still: &'a Yuv420,
    pub(super) new_encoder: &'a NewEncoder,
    pub(super) job: &'a Job<'a>,
    pub(super) workers: NonZeroUsize,
    pub(super) onlooker: &'a dyn Onlooker,
}

/// A piece, encoded and watched.
struct Piece {
    frames: Vec<EncodedFrame>,
    seen: Seen,
}

impl Film<'_> {
    /// Makes the film, as fine as the picture deserves or as the budget allows;
    /// returns it, not yet a file, and what was seen of it.
    pub(super) fn shoot_within_budget(
        &self,
        trial: Trial,
    ) -> Result<(Mp4Writer, Seen), PipelineError> {
        let bytes_max = rate::bytes_max(self.job.clip_bytes_max, self.job.shape);
        let (mut quantiser, mut encoders) = trial;
        let mut attempt = 1;
        loop {
            let still_bytes = encoders[0].still().frame.annex_b.len() as u64;
            match self.shoot(quantiser, encoders, bytes_max, attempt == 1) {
                Err(PipelineError::Clip(ClipError::Budget { bytes, .. }))
                    if attempt < ATTEMPTS && quantiser < Quantiser::COARSEST =>
                {
                    quantiser = rate::fitting(quantiser, still_bytes, bytes, bytes_max);
                    encoders = vec![self.encoder(quantiser)?];
                    attempt += 1;
                }
                ended => return ended,
            }
        }
    }

    fn encoder(&self, quantiser: Quantiser) -> Result<Box<dyn VideoEncoder>, ClipError> {
        (self.new_encoder)(self.still, self.job.shape.frame_rate, quantiser)
    }

    fn shoot(
        &self,
        quantiser: Quantiser,
        mut encoders: Vec<Box<dyn VideoEncoder>>,
        bytes_max: u64,
        gives_up_early: bool,
    ) -> Result<(Mp4Writer, Seen), PipelineError> {
        let count = self.renderer.frame_count();
        let key_frame = encoders[0].still().frame.clone();
        let rate = NonZeroU32::new(self.job.shape.frame_rate).expect("a validated rate is not 0");
        let mut writer = Mp4Writer::create(self.job.clip_path, rate, count)?;
        writer.append(&key_frame)?;
        let mut cutter = Cutter {
            key_frame_end_bytes: writer.size_bytes(),
            writer,
            count,
            joined_frames: 1,
            joined_pieces: 0,
            bytes_max,
            gives_up_early,
            seen: Seen::default(),
        };
        if self.renderer.moving_tiles().next().is_none() {
            cutter.join(Piece {
                frames: self.hold(encoders[0].as_mut())?,
                seen: Seen::of_the_still(),
            })?;
        } else {
            let workers = self.workers.get();
            let reel = Reel::new(pieces_of(count), workers, cutter);
            let ready = Mutex::new(encoders);
            let done = AtomicU32::new(0);
            thread::scope(|scope| {
                for worker in 0..workers {
                    let work = || {
                        reel.run(|| {
                            let ready = ready.lock().unwrap_or_else(PoisonError::into_inner).pop();
                            let mut encoder = match ready {
                                Some(encoder) => encoder,
                                None => self.encoder(quantiser)?,
                            };
                            if encoder.still().frame != key_frame {
                                let reason = "two encoders encode the still differently";
                                return Err(ClipError::Encoder(reason.to_owned()).into());
                            }
                            self.work(&reel, encoder.as_mut(), &done)
                        });
                    };
                    let spawned = thread::Builder::new()
                        .name(format!("film-{worker}"))
                        .spawn_scoped(scope, work);
                    if let Err(error) = spawned {
                        reel.run(|| Err(ClipError::Encoder(format!("no thread: {error}")).into()));
                    }
                }
            });
            cutter = reel.into_joined()?;
        }
        Ok((cutter.writer, cutter.seen))
    }

    /// Makes pieces until there are none left.
    fn work(
        &self,
        reel: &Reel<Piece, Cutter>,
        encoder: &mut dyn VideoEncoder,
        done: &AtomicU32,
    ) -> Result<(), PipelineError> {
        let count = self.renderer.frame_count();
        let mut frame = self.renderer.blank();
        while let Some(piece) = reel.take() {
            let mut watcher = self.director.watcher();
            let mut frames = Vec::new();
            encoder.begin_piece();
            for index in frames_of(piece, count) {
                if reel.is_over() {
                    return Ok(());
                }
                if self.onlooker.is_cancelled() {
                    return Err(PipelineError::Cancelled);
                }
                self.renderer.draw(index, &mut frame);
                watcher.watch(&frame);
                // The first frame is the still, which is in the file.
                if index > 0 {
                    frames.push(encoder.encode(index, &frame.planes)?);
                }
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                self.onlooker.frame(&frame, done, count);
            }
            let seen = watcher.seen();
            reel.deliver(piece, Piece { frames, seen });
        }
        Ok(())
    }

    /// All frames of a clip in which nothing moves.
    fn hold(&self, encoder: &mut dyn VideoEncoder) -> Result<Vec<EncodedFrame>, PipelineError> {
        let count = self.renderer.frame_count();
        let frames = encoder.hold(1..count, self.still)?;
        let mut frame = self.renderer.blank();
        for index in 0..count {
            if self.onlooker.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            self.renderer.draw(index, &mut frame);
            self.onlooker.frame(&frame, index + 1, count);
        }
        Ok(frames)
    }
}

/// Workers for a clip of `count` frames: as many as there are threads and pieces.
pub(super) fn workers_for(count: u32, threads: NonZeroUsize) -> NonZeroUsize {
    NonZeroUsize::new(pieces_of(count)).map_or(threads, |pieces| threads.min(pieces))
}

fn pieces_of(count: u32) -> usize {
    count.div_ceil(PIECE_FRAMES) as usize
}

fn frames_of(piece: usize, count: u32) -> Range<u32> {
    let first = piece as u32 * PIECE_FRAMES;
    first..(first + PIECE_FRAMES).min(count)
}

/// Joins the pieces to the file and what was seen of them, and keeps to the
/// budget.
struct Cutter {
    writer: Mp4Writer,
    key_frame_end_bytes: u64,
    count: u32,
    joined_frames: u32,
    joined_pieces: usize,
    bytes_max: u64,
    /// Whether a forecast is enough to end this attempt.
    gives_up_early: bool,
    seen: Seen,
}

impl Join<Piece> for Cutter {
    fn join(&mut self, piece: Piece) -> Result<(), PipelineError> {
        for frame in &piece.frames {
            self.writer.append(frame)?;
        }
        self.joined_frames += piece.frames.len() as u32;
        self.joined_pieces += 1;
        self.seen = std::mem::take(&mut self.seen).followed_by(piece.seen);
        let forecast = self.forecast_bytes();
        let is_hopeless = self.gives_up_early
            && self.joined_pieces >= FORECAST_PIECES
            && forecast as f64 > FORECAST_EXCESS * self.bytes_max as f64;
        if is_hopeless || self.writer.size_bytes() > self.bytes_max {
            return Err(PipelineError::Clip(ClipError::Budget {
                bytes: forecast,
                bytes_max: self.bytes_max,
            }));
        }
        Ok(())
    }
}

impl Cutter {
    /// Size of the whole, if the rest is as what there is.
    fn forecast_bytes(&self) -> u64 {
        let moving = self.writer.size_bytes() - self.key_frame_end_bytes;
        let (joined, all) = (u64::from(self.joined_frames - 1), u64::from(self.count - 1));
        self.key_frame_end_bytes + moving * all / joined.max(1)
    }
}
