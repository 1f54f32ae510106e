//! What was seen before a photograph, from a folder or a file.

use std::{
    cmp::Ordering,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use super::options;
use crate::{
    burst::{self, Burst},
    device::source::FileSource,
    still::Limits,
};

/// Largest burst, in bytes: it is held in memory as a whole.
const BYTES_MAX: usize = 512 << 20;
/// Endings of files that are pictures, whatever their case.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// What was seen just before the photograph.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Burst")]
pub struct BurstArgs {
    /// What the camera saw just before the photograph, in the same framing: a
    /// folder of pictures in the order of their names, or a file of JPEGs one
    /// after another. 10 to 128 pictures that last 1 to 12 s. What moved in them
    /// moves in the clip.
    #[arg(long, value_name = "DIR|FILE", requires = "burst_fps")]
    pub burst: Option<PathBuf>,
    /// Pictures of the burst per second: 5 to 60.
    #[arg(long, value_name = "N", requires = "burst", value_parser = burst_fps)]
    #[arg(allow_negative_numbers = true)]
    pub burst_fps: Option<f32>,
    /// Leaves out of the still whoever passes through the burst.
    #[arg(long, requires = "burst")]
    pub clean_plate: bool,
}

fn burst_fps(text: &str) -> Result<f32, String> {
    let (min, max) = (burst::FRAME_RATE_MIN, burst::FRAME_RATE_MAX);
    Ok(options::number(text, min.into(), max.into())? as f32)
}

impl BurstArgs {
    /// The burst, if one was named; `photo` is no part of it, though it may lie
    /// in the same folder.
    ///
    /// # Errors
    /// What stands in the way, with the folder or file: a
    /// [`burst::BurstError`], a [`crate::still::StillError`] or the disk.
    pub fn read(&self, photo: &Path, limits: &Limits) -> anyhow::Result<Option<Burst>> {
        let (Some(place), Some(fps)) = (&self.burst, self.burst_fps) else {
            return Ok(None);
        };
        let read = if place.is_dir() {
            of_folder(place, fps, photo, limits)
        } else {
            of_file(place, fps)
        };
        let burst = read.with_context(|| format!("burst {}", place.display()))?;
        Ok(Some(burst))
    }
}

fn of_file(file: &Path, fps: f32) -> anyhow::Result<Burst> {
    let bytes = FileSource::new(file, BYTES_MAX).read()?;
    Ok(Burst::of_jpegs(&bytes, fps)?)
}

fn of_folder(folder: &Path, fps: f32, photo: &Path, limits: &Limits) -> anyhow::Result<Burst> {
    let photo = fs::canonicalize(photo).ok();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_photo = photo.is_some() && fs::canonicalize(entry.path()).ok() == photo;
        if is_picture(&name) && !is_photo {
            names.push((name, entry.path()));
        }
    }
    names.sort_by(|(a, _), (b, _)| natural(a, b));
    burst::is_possible(names.len(), fps)?;
    let (mut frames, mut bytes) = (Vec::with_capacity(names.len()), 0);
    for (_, path) in names {
        let frame = FileSource::new(path, limits.bytes_max).read()?;
        bytes += frame.len();
        ensure!(
            bytes <= BYTES_MAX,
            "has more than the allowed {BYTES_MAX} bytes"
        );
        frames.push(frame);
    }
    Ok(Burst::at_rate(frames, fps)?)
}

/// Hidden files are none: some systems lay one beside each picture.
fn is_picture(name: &str) -> bool {
    let ending = Path::new(name).extension().unwrap_or_default();
    !name.starts_with('.') && (ENDINGS.iter()).any(|known| ending.eq_ignore_ascii_case(known))
}

/// The order in which people count: `frame2` before `frame10`.
fn natural(a: &str, b: &str) -> Ordering {
    pieces(a).cmp(&pieces(b)).then_with(|| a.cmp(b))
}

/// A part of a name; numbers of more digits are greater.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Number { digits: usize, value: String },
    Text(String),
}

fn pieces(name: &str) -> Vec<Piece> {
    let letters: Vec<char> = name.chars().collect();
    let pieces = letters.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    pieces
        .map(|piece| {
            let text: String = piece.iter().collect();
            if !piece[0].is_ascii_digit() {
                return Piece::Text(text);
            }
            let value = text.trim_start_matches('0').to_owned();
            Piece::Number {
                digits: value.len(),
                value,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        let ordered = [
            "1.png",
            "frame1.jpg",
            "frame01.jpg",
            "frame2.jpg",
            "frame10.jpg",
            "frame10a.jpg",
            "frame99999999999999999999998.jpg",
            "frame99999999999999999999999.jpg",
            "shot_2_10.jpg",
            "shot_10_9.jpg",
        ];
        for pair in ordered.windows(2) {
            let order = natural(pair[0], pair[1]);
            // Of equal numbers the letters decide, whichever way.
            let is_tie = pair == ["frame1.jpg", "frame01.jpg"];
            assert_eq!(order == Ordering::Less, !is_tie, "{pair:?}");
        }
    }

    #[test]
    fn pictures_are_told_by_their_ending() {
        for name in ["a.jpg", "a.JPEG", "a.b.Png", "ä.webp"] {
            assert!(is_picture(name), "{name}");
        }
        for name in ["a.txt", "jpg", "a.jpg~", "._a.jpg", ".jpg", ""] {
            assert!(!is_picture(name), "{name}");
        }
    }
}
