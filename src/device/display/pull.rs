//! Fetching a clip in chunks, when it does not come as one message.

use serde_json::json;

use crate::publication::{
    CHUNK_BYTES, ChunkLayout, ClipDigest, ClipNotice, Fault, Publication, Topics,
};

/// Chunks that are asked for at a time: 2 MiB.
const WINDOW_CHUNKS: usize = 32;
/// Largest clip that is fetched, in bytes: the largest MQTT packet.
const CLIP_BYTES_MAX: u64 = 256 << 20;
/// Silences without a new chunk after which a fetch is given up.
const SILENCES_MAX: u32 = 6;
/// Marks the answers to our requests for chunks.
pub(super) const MARK: &[u8] = b"chunks";

/// A clip of which some chunks are here.
pub(super) struct Pull {
    sha256: ClipDigest,
    bytes: Vec<u8>,
    missing: Vec<bool>,
    /// End of the chunks that have been asked for.
    asked_end: usize,
    silences: u32,
}

impl Pull {
    /// The fetch of the clip that is announced, if it can be had in chunks and
    /// in no other way.
    pub(super) fn of(notice: &ClipNotice) -> Option<Self> {
        let layout = notice.chunks.filter(|_| !notice.inline)?;
        if layout != ChunkLayout::of(notice.bytes) || !(1..=CLIP_BYTES_MAX).contains(&notice.bytes)
        {
            log::warn!(
                "clip of {} bytes in {} chunks of {}, allowed are {CLIP_BYTES_MAX} bytes in \
                 chunks of {CHUNK_BYTES}",
                notice.bytes,
                layout.count,
                layout.chunk_bytes
            );
            return None;
        }
        Some(Self {
            sha256: notice.sha256.parse().ok()?,
            bytes: vec![0; notice.bytes as usize],
            missing: vec![true; layout.count as usize],
            asked_end: 0,
            silences: 0,
        })
    }

    /// The clip that is fetched.
    pub(super) fn sha256(&self) -> &ClipDigest {
        &self.sha256
    }

    /// The next request, once what was asked for before is here.
    pub(super) fn ask(&mut self, topics: &Topics, answers: &str) -> Option<Publication> {
        let first = self.missing.iter().position(|is_missing| *is_missing)?;
        if first < self.asked_end {
            return None;
        }
        let count = (self.missing[first..].iter())
            .take(WINDOW_CHUNKS)
            .take_while(|is_missing| **is_missing)
            .count();
        self.asked_end = first + count;
        let document = json!({ "v": 1, "first": first, "count": count });
        let mut publication = Publication::json(topics.clip_get(&self.sha256), &document);
        publication.properties.response_topic = Some(answers.to_owned());
        publication.properties.correlation_data = Some(MARK.to_vec());
        Some(publication)
    }

    /// Takes a chunk over, whoever has asked for it.
    pub(super) fn take(&mut self, index: u32, chunk: &[u8]) {
        let index = index as usize;
        let place = index * CHUNK_BYTES as usize;
        let end = (place + CHUNK_BYTES as usize).min(self.bytes.len());
        if self.missing.get(index) == Some(&true) && chunk.len() == end - place {
            self.bytes[place..end].copy_from_slice(chunk);
            self.missing[index] = false;
            self.silences = 0;
        }
    }

    /// Whether every chunk is here.
    pub(super) fn is_complete(&self) -> bool {
        !self.missing.contains(&true)
    }

    /// All bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Nothing has come for a while: what is missing is asked for again, until
    /// it has been often enough.
    ///
    /// # Errors
    /// What is to be told then.
    pub(super) fn silence(&mut self) -> Result<(), Fault> {
        self.silences += 1;
        self.asked_end = 0;
        if self.silences < SILENCES_MAX {
            return Ok(());
        }
        let missing = self.missing.iter().filter(|missing| **missing).count();
        Err(Fault {
            code: "no_chunks".to_owned(),
            message: format!(
                "{missing} of {} chunks of the clip did not come",
                self.missing.len()
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(bytes: u64) -> ClipNotice {
        ClipNotice {
            job_id: "a".to_owned(),
            sha256: "0a".repeat(32),
            bytes,
            url: None,
            inline: false,
            chunks: Some(ChunkLayout::of(bytes)),
        }
    }

    fn asked(pull: &mut Pull) -> Option<String> {
        let publication = pull.ask(&Topics::new("hall"), "answers")?;
        Some(String::from_utf8(publication.payload.to_vec()).unwrap())
    }

    #[test]
    fn chunks_come_in_any_order_and_more_than_once() {
        let whole = CHUNK_BYTES as usize;
        let mut pull = Pull::of(&notice(2 * u64::from(CHUNK_BYTES) + 3)).unwrap();
        assert_eq!(asked(&mut pull).unwrap(), r#"{"count":3,"first":0,"v":1}"#);
        assert_eq!(asked(&mut pull), None);
        pull.take(2, b"end");
        pull.take(9, b"end");
        pull.take(1, b"short");
        pull.take(0, &vec![1; whole]);
        pull.take(0, &vec![9; whole]);
        assert!(!pull.is_complete());
        pull.silence().unwrap();
        assert_eq!(asked(&mut pull).unwrap(), r#"{"count":1,"first":1,"v":1}"#);
        pull.take(1, &vec![2; whole]);
        assert!(pull.is_complete());
        let bytes = pull.into_bytes();
        assert_eq!(
            (bytes[0], bytes[whole], &bytes[2 * whole..]),
            (1, 2, &b"end"[..])
        );
    }

    #[test]
    fn a_long_clip_is_asked_for_in_windows() {
        let mut pull = Pull::of(&notice(40 * u64::from(CHUNK_BYTES))).unwrap();
        assert_eq!(asked(&mut pull).unwrap(), r#"{"count":32,"first":0,"v":1}"#);
        let chunk = vec![0; CHUNK_BYTES as usize];
        (0..32).for_each(|index| pull.take(index, &chunk));
        assert_eq!(asked(&mut pull).unwrap(), r#"{"count":8,"first":32,"v":1}"#);
        for _ in 1..SILENCES_MAX {
            pull.silence().unwrap();
        }
        let said = pull.silence().unwrap_err().message;
        assert_eq!(said, "8 of 40 chunks of the clip did not come");
    }

    #[test]
    fn what_cannot_be_fetched_is_not_begun() {
        assert!(Pull::of(&notice(0)).is_none());
        assert!(Pull::of(&notice(CLIP_BYTES_MAX + 1)).is_none());
        let mut inline = notice(5);
        inline.inline = true;
        assert!(Pull::of(&inline).is_none());
        let mut strange = notice(5);
        strange.sha256 = "../etc".to_owned();
        assert!(Pull::of(&strange).is_none());
        let mut strange = notice(5);
        strange.chunks = Some(ChunkLayout::of(u64::from(CHUNK_BYTES) * 3));
        assert!(Pull::of(&strange).is_none());
    }
}
