//! Whether a source gives the same photograph again and again.
//!
//! A program that drives a camera may report success and hand out the last
//! picture for ever: NVIDIA's Argus does, when its sensor no longer answers.

use sha2::{Digest, Sha256};

use crate::still::StillError;

/// Remembers what came last.
#[derive(Debug, Default)]
pub struct Repeats {
    last: Option<[u8; 32]>,
    count: u32,
}

impl Repeats {
    /// Counts the photograph; 0 is no limit.
    ///
    /// # Errors
    /// [`StillError::Frozen`] with the count, when it is the same for the
    /// `limit`th time in a row.
    pub fn check(&mut self, photo: &[u8], limit: u32) -> Result<(), StillError> {
        if limit == 0 {
            return Ok(());
        }
        let digest = Sha256::digest(photo).into();
        self.count = if self.last == Some(digest) {
            self.count.saturating_add(1)
        } else {
            1
        };
        self.last = Some(digest);
        if self.count < limit {
            return Ok(());
        }
        Err(StillError::Frozen(format!(
            "camera: frozen: {} photographs in a row are identical",
            self.count
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_photograph_is_taken_until_it_is_the_limit() {
        let mut repeats = Repeats::default();
        let mut look = |photo: &str, limit| {
            let checked = repeats.check(photo.as_bytes(), limit);
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(look("one", 3), Ok(()));
        assert_eq!(look("one", 3), Ok(()));
        let said = "camera: frozen: 3 photographs in a row are identical";
        assert_eq!(look("one", 3), Err(said.to_owned()));
        assert!(look("one", 3).is_err());
        assert_eq!(look("other", 3), Ok(()));
        assert_eq!(look("one", 3), Ok(()));
        for _ in 0..9 {
            assert_eq!(look("one", 0), Ok(()), "no limit");
        }
    }
}
