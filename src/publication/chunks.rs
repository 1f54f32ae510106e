//! Clips in pieces, for displays that get none as one message.

use serde::{Deserialize, Serialize};

/// Size of every chunk but the last, in bytes: small enough for the least
/// packet limit that is met in practice, 128 KiB.
pub const CHUNK_BYTES: u32 = 64 << 10;

/// How a clip is cut: chunk `n` is the bytes from `n * chunk_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ChunkLayout {
    /// Size of every chunk but the last, in bytes.
    pub chunk_bytes: u32,
    /// Number of chunks.
    pub count: u32,
}

impl ChunkLayout {
    /// The layout of a clip of so many bytes.
    pub fn of(clip_bytes: u64) -> Self {
        let count = clip_bytes.div_ceil(u64::from(CHUNK_BYTES));
        Self {
            chunk_bytes: CHUNK_BYTES,
            count: u32::try_from(count).unwrap_or(u32::MAX),
        }
    }
}

/// What was sent after a `get`, and told when the last chunk is with the broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pulled {
    /// The clip.
    pub sha256: String,
    /// The first chunk that was sent.
    pub first: u32,
    /// How many chunks were sent.
    pub count: u32,
    /// Size of the whole clip, in bytes.
    pub bytes: u64,
    /// How the whole clip is cut.
    pub chunks: ChunkLayout,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_chunk_may_be_short_but_is_not_empty() {
        let count = |bytes| ChunkLayout::of(bytes).count;
        let whole = u64::from(CHUNK_BYTES);
        assert_eq!([count(0), count(1), count(whole)], [0, 1, 1]);
        assert_eq!([count(whole + 1), count(3 * whole)], [2, 3]);
    }
}
