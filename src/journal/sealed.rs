//! Files whose every byte is vouched for: frames of bytes, each with a
//! checksum over itself and everything before it.
//!
//! ```text
//! file  = magic, the version in its last byte (8 bytes)  frame…
//! frame = kind (1)  length (8, little-endian)  payload  seal (32)
//! seal  = SHA-256 of the seal before (of the magic for the first frame),
//!         kind, length and payload
//! ```
//!
//! A frame that is torn, altered, moved or missing in between is found; frames
//! that are missing at the end are not, which is what makes appending safe.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom, Write},
};

use sha2::{Digest, Sha256};

const MAGIC: [u8; 8] = *b"zoetrop\x01";
const HEAD_BYTES: u64 = 9;
const SEAL_BYTES: u64 = 32;
/// Size of the pieces in which payloads are read that nobody wants to have.
const PIECE_BYTES: usize = 64 << 10;

/// The checksum that ends a frame.
pub type Seal = [u8; 32];

/// Writes frames.
#[derive(Debug)]
pub struct Sealer<W> {
    out: W,
    seal: Seal,
}

impl<W: Write> Sealer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// What `out` says.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(&MAGIC)?;
        Ok(Self::resume(out, first_seal()))
    }

    /// Goes on behind a frame that ended with this seal.
    pub fn resume(out: W, seal: Seal) -> Self {
        Self { out, seal }
    }

    /// Writes one frame.
    ///
    /// # Errors
    /// What `out` says.
    pub fn frame(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let head = head(kind, payload.len() as u64);
        let mut digest = Sha256::new_with_prefix(self.seal);
        digest.update(head);
        digest.update(payload);
        self.seal = digest.finalize().into();
        self.out.write_all(&head)?;
        self.out.write_all(payload)?;
        self.out.write_all(&self.seal)
    }

    /// Writes one frame whose payload is a JSON document.
    ///
    /// # Errors
    /// What `out` says.
    pub fn json<T: serde::Serialize>(&mut self, kind: u8, document: &T) -> io::Result<()> {
        self.frame(kind, &serde_json::to_vec(document)?)
    }
}

fn first_seal() -> Seal {
    Sha256::digest(MAGIC).into()
}

fn head(kind: u8, length: u64) -> [u8; HEAD_BYTES as usize] {
    let mut head = [kind; HEAD_BYTES as usize];
    head[1..].copy_from_slice(&length.to_le_bytes());
    head
}

/// One frame as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it holds, as its writer said.
    pub kind: u8,
    /// Its bytes; empty where they were not wanted.
    pub payload: Vec<u8>,
    /// Where it ends in the file.
    pub end_bytes: u64,
}

/// What a file holds, up to its end or its first flaw.
#[derive(Debug)]
pub struct Reading {
    /// Frames that are as they were written.
    pub frames: Vec<Frame>,
    /// What is wrong behind them.
    pub flaw: Option<Flaw>,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is no sealed file, or one of another version.
    Magic,
    /// It ends within the frame that begins at this byte.
    Torn(u64),
    /// The frame that begins at this byte is not what was written.
    Altered(u64),
    /// The frame that begins at this byte is larger than it may be.
    TooLarge {
        /// Where it begins.
        at_bytes: u64,
        /// Its size.
        bytes: u64,
        /// Largest allowed size.
        bytes_max: u64,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str("is not of this format"),
            Self::Torn(at) => write!(f, "is torn within what begins at byte {at}"),
            Self::Altered(at) => write!(f, "is altered in what begins at byte {at}"),
            Self::TooLarge {
                at_bytes,
                bytes,
                bytes_max,
            } => write!(
                f,
                "has {bytes} bytes in what begins at byte {at_bytes}, allowed are {bytes_max}"
            ),
        }
    }
}

/// Reads and verifies a whole file. Of each kind of frame, `wanted_bytes_max`
/// says how large a payload may be that is to be had; of 0, payloads of any
/// size are verified and left out.
///
/// # Errors
/// What `file` says; that it is flawed is no error.
pub fn read(
    file: &mut (impl Read + Seek),
    wanted_bytes_max: impl Fn(u8) -> u64,
) -> io::Result<Reading> {
    let size_bytes = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut reading = Reading {
        frames: Vec::new(),
        flaw: None,
    };
    let mut magic = [0; MAGIC.len()];
    if size_bytes < MAGIC.len() as u64 {
        reading.flaw = Some(Flaw::Magic);
        return Ok(reading);
    }
    file.read_exact(&mut magic)?;
    if magic != MAGIC {
        reading.flaw = Some(Flaw::Magic);
        return Ok(reading);
    }
    let mut seal = first_seal();
    let mut at_bytes = MAGIC.len() as u64;
    while at_bytes < size_bytes {
        match frame(file, at_bytes, size_bytes, &mut seal, &wanted_bytes_max)? {
            Ok(frame) => {
                at_bytes = frame.end_bytes;
                reading.frames.push(frame);
            }
            Err(flaw) => {
                reading.flaw = Some(flaw);
                break;
            }
        }
    }
    Ok(reading)
}

fn frame(
    file: &mut impl Read,
    at_bytes: u64,
    size_bytes: u64,
    seal: &mut Seal,
    wanted_bytes_max: impl Fn(u8) -> u64,
) -> io::Result<Result<Frame, Flaw>> {
    let left_bytes = size_bytes - at_bytes;
    if left_bytes < HEAD_BYTES + SEAL_BYTES {
        return Ok(Err(Flaw::Torn(at_bytes)));
    }
    let mut head = [0; HEAD_BYTES as usize];
    file.read_exact(&mut head)?;
    let kind = head[0];
    let mut length = [0; 8];
    length.copy_from_slice(&head[1..]);
    let bytes = u64::from_le_bytes(length);
    if bytes > left_bytes - HEAD_BYTES - SEAL_BYTES {
        return Ok(Err(Flaw::Torn(at_bytes)));
    }
    let bytes_max = wanted_bytes_max(kind);
    if bytes_max > 0 && bytes > bytes_max {
        return Ok(Err(Flaw::TooLarge {
            at_bytes,
            bytes,
            bytes_max,
        }));
    }
    let mut digest = Sha256::new_with_prefix(*seal);
    digest.update(head);
    let mut payload = Vec::new();
    if bytes_max > 0 {
        payload.resize(bytes as usize, 0);
        file.read_exact(&mut payload)?;
        digest.update(&payload);
    } else {
        let mut piece = vec![0; PIECE_BYTES.min(bytes as usize)];
        let mut to_come = bytes as usize;
        while to_come > 0 {
            let length = to_come.min(piece.len());
            file.read_exact(&mut piece[..length])?;
            digest.update(&piece[..length]);
            to_come -= length;
        }
    }
    let expected: Seal = digest.finalize().into();
    file.read_exact(seal)?;
    if *seal != expected {
        return Ok(Err(Flaw::Altered(at_bytes)));
    }
    Ok(Ok(Frame {
        kind,
        payload,
        end_bytes: at_bytes + HEAD_BYTES + bytes + SEAL_BYTES,
    }))
}

/// The seal of the last frame of a file that is known to be whole.
///
/// # Errors
/// What `file` says, also that it is too short.
pub fn last_seal(file: &mut (impl Read + Seek)) -> io::Result<Seal> {
    file.seek(SeekFrom::End(-(SEAL_BYTES as i64)))?;
    let mut seal = Seal::default();
    file.read_exact(&mut seal)?;
    Ok(seal)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn file() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut sealer = Sealer::begin(&mut bytes).unwrap();
        sealer.frame(1, b"request").unwrap();
        sealer.frame(2, &[7; 100]).unwrap();
        let seal = last_seal(&mut Cursor::new(&bytes)).unwrap();
        Sealer::resume(&mut bytes, seal).frame(3, b"").unwrap();
        bytes
    }

    fn reading(bytes: &[u8]) -> Reading {
        read(
            &mut Cursor::new(bytes),
            |kind| if kind == 2 { 0 } else { 50 },
        )
        .unwrap()
    }

    #[test]
    fn what_was_written_is_read_and_what_is_unwanted_is_left_out() {
        let reading = reading(&file());
        assert_eq!(reading.flaw, None);
        let kinds: Vec<_> = reading.frames.iter().map(|frame| frame.kind).collect();
        assert_eq!(kinds, [1, 2, 3]);
        assert_eq!(reading.frames[0].payload, b"request");
        assert!(reading.frames[1].payload.is_empty());
        let large = read(&mut Cursor::new(file()), |_| 50).unwrap();
        assert_eq!(
            large.flaw.unwrap().to_string(),
            "has 100 bytes in what begins at byte 56, allowed are 50"
        );
    }

    #[test]
    fn every_flipped_bit_and_every_tear_is_found_and_costs_nothing_before_it() {
        let whole = file();
        let ends = reading(&whole).frames;
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let left = reading(&flipped);
            assert!(left.flaw.is_some(), "bit {bit}");
            let before = ends.iter().filter(|end| end.end_bytes as usize <= bit / 8);
            let before = if bit < 64 { 0 } else { before.count() };
            assert_eq!(left.frames, ends[..before], "bit {bit}");
        }
        let boundaries: Vec<_> = ends.iter().map(|frame| frame.end_bytes as usize).collect();
        for length in 0..whole.len() {
            let is_boundary = length == MAGIC.len() || boundaries.contains(&length);
            let torn = reading(&whole[..length]);
            assert_eq!(torn.flaw.is_none(), is_boundary, "{length} bytes");
        }
    }

    #[test]
    fn frames_cannot_change_places() {
        let mut bytes = Vec::new();
        let mut sealer = Sealer::begin(&mut bytes).unwrap();
        sealer.frame(1, b"one").unwrap();
        sealer.frame(1, b"two").unwrap();
        let (head, frames) = bytes.split_at(MAGIC.len());
        let (one, two) = frames.split_at(frames.len() / 2);
        let swapped = [head, two, one].concat();
        assert_eq!(reading(&swapped).flaw, Some(Flaw::Altered(8)));
    }
}
