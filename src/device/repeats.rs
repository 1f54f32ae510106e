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
    /// Counts the photograph and hands it on, unless it is the same for the
    /// `limit`th time in a row; 0 is no limit.
    ///
    /// # Errors
    /// [`StillError::Frozen`] with the count.
    pub fn checked(&mut self, photo: Vec<u8>, limit: u32) -> Result<Vec<u8>, StillError> {
        if limit == 0 {
            return Ok(photo);
        }
        let digest = Sha256::digest(&photo).into();
        self.count = if self.last == Some(digest) {
            self.count.saturating_add(1)
        } else {
            1
        };
        self.last = Some(digest);
        if self.count < limit {
            return Ok(photo);
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
            let checked = repeats.checked(photo.as_bytes().to_vec(), limit);
            checked
                .map(|photo| photo.len())
                .map_err(|error| error.to_string())
        };
        assert_eq!(look("one", 3), Ok(3));
        assert_eq!(look("one", 3), Ok(3));
        let said = "camera: frozen: 3 photographs in a row are identical";
        assert_eq!(look("one", 3), Err(said.to_owned()));
        assert!(look("one", 3).is_err());
        assert_eq!(look("other", 3), Ok(5));
        assert_eq!(look("one", 3), Ok(3));
        for _ in 0..9 {
            assert_eq!(look("one", 0), Ok(3), "no limit");
        }
    }
}
