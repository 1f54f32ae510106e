//! JPEGs that stand one after another in one string of bytes, as "motion JPEG"
//! is written to a file or a pipe.
//!
//! Nothing is decoded and nothing allocated: markers and the lengths of segments
//! are followed (ITU-T T.81, annex B), so that a thumbnail inside a segment is no
//! picture of its own. Every byte is looked at once.

use std::{iter::FusedIterator, ops::Range};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
/// APP2, where a file of several pictures lists them.
const APP2: u8 = 0xe2;

/// The pictures of `bytes`, in order. Zeros and fill bytes between them are
/// passed over, and so are the further pictures of one file that a picture
/// lists ("multi-picture format": the gain maps and previews of phones). Ends
/// after the first error.
pub fn jpegs(bytes: &[u8]) -> Jpegs<'_> {
    Jpegs {
        bytes,
        at: 0,
        number: 0,
    }
}

/// What [`jpegs`] gives.
#[derive(Clone, Debug)]
pub struct Jpegs<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Pictures that have been given.
    number: usize,
}

/// Bytes that are no JPEGs one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JpegsError {
    /// Something else stands where a picture should begin.
    #[error("byte {at} begins no JPEG, where picture {number} should begin")]
    Start {
        /// Where, from 0.
        at: usize,
        /// Which picture, from 1.
        number: usize,
    },
    /// A picture that does not end before the next, or at all.
    #[error("picture {number}, a JPEG from byte {at} on, has no end")]
    End {
        /// Where it begins, from 0.
        at: usize,
        /// Which picture, from 1.
        number: usize,
    },
}

impl<'a> Iterator for Jpegs<'a> {
    type Item = Result<&'a [u8], JpegsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = start(self.bytes, self.at);
        if at >= self.bytes.len() {
            self.at = at;
            return None;
        }
        self.number += 1;
        let number = self.number;
        let found = match self.bytes[at..] {
            [0xff, START, ..] => picture(self.bytes, at).ok_or(JpegsError::End { at, number }),
            _ => Err(JpegsError::Start { at, number }),
        };
        Some(match found {
            Ok(Picture { range, file_end }) => {
                self.at = file_end;
                Ok(&self.bytes[range])
            }
            Err(error) => {
                self.at = self.bytes.len();
                Err(error)
            }
        })
    }
}

impl FusedIterator for Jpegs<'_> {}

/// The first byte from `at` on that is no filling.
fn start(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at..) {
            Some([0x00, ..] | [0xff, 0xff, ..] | [0xff]) => at += 1,
            _ => return at,
        }
    }
}

struct Picture {
    range: Range<usize>,
    /// Behind it and all that it lists.
    file_end: usize,
}

/// The picture whose start marker stands at `start`.
fn picture(bytes: &[u8], start: usize) -> Option<Picture> {
    let mut at = start + 2;
    let mut listed_end = 0;
    loop {
        let (marker, after) = next_marker(bytes, at)?;
        at = after;
        match marker {
            END => {
                return Some(Picture {
                    range: start..at,
                    file_end: listed_end.clamp(at, bytes.len()),
                });
            }
            START => return None,
            // A stuffed zero, TEM and restart markers stand alone.
            0x00 | 0x01 | 0xd0..=0xd7 => {}
            _ => {
                let length = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
                let end = at.checked_add(usize::from(length))?;
                if marker == APP2 {
                    let segment = bytes.get(at + 2..end).unwrap_or_default();
                    listed_end = listed_end.max(listed(segment, at + 2));
                }
                at = end;
            }
        }
    }
}

/// The next byte that follows 0xff, fill bytes skipped, and the place after it.
fn next_marker(bytes: &[u8], from: usize) -> Option<(u8, usize)> {
    let mut at = from + bytes.get(from..)?.iter().position(|&byte| byte == 0xff)?;
    while *bytes.get(at)? == 0xff {
        at += 1;
    }
    Some((bytes[at], at + 1))
}

/// Where the last of the pictures ends that the segment lists whose content
/// begins at `place`; 0 if it lists none. CIPA DC-007, 5.2: a TIFF header, and
/// in its first directory the entries of all pictures, 16 bytes each.
fn listed(segment: &[u8], place: usize) -> usize {
    const NAME: &[u8] = b"MPF\0";
    const ENTRIES_TAG: u32 = 0xb002;
    const ENTRY_BYTES: usize = 16;

    let find = || -> Option<usize> {
        let tiff = segment.strip_prefix(NAME)?;
        let is_big = match tiff.first_chunk()? {
            b"MM" => true,
            b"II" => false,
            _ => return None,
        };
        let number = |at: usize, bytes: usize| -> Option<u32> {
            let field = tiff.get(at..at.checked_add(bytes)?)?;
            let digit = |number: u32, &byte: &u8| number << 8 | u32::from(byte);
            Some(match is_big {
                true => field.iter().fold(0, digit),
                false => field.iter().rev().fold(0, digit),
            })
        };
        let directory = number(4, 4)? as usize;
        let fields = number(directory, 2)? as usize;
        let field_at = |index: usize| directory.checked_add(2 + 12 * index);
        let entries_field = (0..fields)
            .map_while(field_at)
            .map_while(|at| Some((at, number(at, 2)?)))
            .find(|&(_, tag)| tag == ENTRIES_TAG)?
            .0;
        let count = number(entries_field + 4, 4)? as usize / ENTRY_BYTES;
        let entries = number(entries_field + 8, 4)? as usize;
        let ends = (0..count).map_while(|index| {
            let entry = entries.checked_add(index * ENTRY_BYTES)?;
            let size = number(entry.checked_add(4)?, 4)? as usize;
            let offset = number(entry.checked_add(8)?, 4)? as usize;
            // The first picture is the one that lists, and has no offset.
            Some(match offset {
                0 => 0,
                _ => (place + NAME.len())
                    .saturating_add(offset)
                    .saturating_add(size),
            })
        });
        ends.max()
    };
    find().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A segment with its marker.
    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    }

    /// Something with the structure of a JPEG.
    fn picture_with(segments: &[u8], scan: &[u8]) -> Vec<u8> {
        let head = segment(0xda, &[1, 1, 0, 0, 63, 0]);
        [&[0xff, 0xd8], segments, &head, scan, &[0xff, 0xd9]].concat()
    }

    fn found(bytes: &[u8]) -> Result<Vec<&[u8]>, String> {
        let found: Result<_, JpegsError> = jpegs(bytes).collect();
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn pictures_are_told_apart_by_their_structure() {
        let thumbnail = picture_with(&[], b"small");
        let exif = segment(0xe1, &[&b"Exif\0\0"[..], &thumbnail].concat());
        // Stuffing, restart markers and fill bytes before a marker.
        let scan = [1, 0xff, 0x00, 0xd9, 0xff, 0xd3, 7, 0xff, 0xff];
        let one = picture_with(&exif, &scan);
        let two = picture_with(&[], &[0; 40]);
        let both = [&one[..], &two].concat();
        assert_eq!(found(&both), Ok(vec![&one[..], &two]));
        let filled = [&[0, 0][..], &one, &[0; 9], &[0xff; 3], &two, &[0, 0xff]].concat();
        assert_eq!(found(&filled), Ok(vec![&one[..], &two]));
        assert_eq!(found(b""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_none_is_told_with_its_place() {
        let one = picture_with(&[], b"one");
        let bytes = one.len();
        let said = |rest: &[u8]| found(&[&one[..], rest].concat()).unwrap_err();
        let expected = format!("byte {bytes} begins no JPEG, where picture 2 should begin");
        assert_eq!(said(b"\x89PNG"), expected);
        let expected = format!("picture 2, a JPEG from byte {bytes} on, has no end");
        assert_eq!(said(&one[..bytes - 1]), expected);
        assert_eq!(said(&[0xff, 0xd8, 0xff, 0xe1, 0xff]), expected);
        // One that was cut off before the next.
        assert_eq!(said(&[&one[..bytes - 4], &one].concat()), expected);
        assert_eq!(
            found(b"photo"),
            Err("byte 0 begins no JPEG, where picture 1 should begin".to_owned())
        );
    }

    /// The list of a picture that has another of `size` bytes behind it.
    fn listing(size: u32, offset: u32) -> Vec<u8> {
        let mut list = b"MPF\0MM\0*\0\0\0\x08\0\x01".to_vec();
        list.extend(b"\xb0\x02\0\x07\0\0\0\x20\0\0\0\x16");
        for [size, offset] in [[0, 0], [size, offset]] {
            list.extend([0; 4]);
            list.extend(size.to_be_bytes());
            list.extend(offset.to_be_bytes());
            list.extend([0; 4]);
        }
        segment(0xe2, &list)
    }

    #[test]
    fn what_a_picture_lists_belongs_to_it() {
        let map = picture_with(&[], b"gain map");
        // Both lists have the same length.
        let bytes = picture_with(&listing(0, 0), b"photo").len();
        // Behind the start marker, the segment's marker, its length and its name.
        let offset = (bytes - 10) as u32;
        let photo = picture_with(&listing(map.len() as u32, offset), b"photo");
        let file = [&photo[..], &map].concat();
        assert_eq!(found(&file), Ok(vec![&photo[..]]));
        let two = [&file[..], &file].concat();
        assert_eq!(found(&two), Ok(vec![&photo[..], &photo]));
        // Beyond the end, and before it.
        let beyond = picture_with(&listing(u32::MAX, offset), b"photo");
        let bytes = [&beyond[..], &map].concat();
        assert_eq!(found(&bytes), Ok(vec![&beyond[..]]));
        let before = picture_with(&listing(1, 1), b"photo");
        let bytes = [&before[..], &map].concat();
        assert_eq!(found(&bytes), Ok(vec![&before[..], &map]));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(
            prop_oneof![Just(0xff), Just(0xd8), Just(0xd9), Just(0xda), Just(0), any::<u8>()],
            0..200,
        )) {
            let mut before = 0;
            for jpeg in jpegs(&bytes).flatten() {
                let at = jpeg.as_ptr() as usize - bytes.as_ptr() as usize;
                prop_assert!(at >= before && jpeg.len() >= 4);
                prop_assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]));
                before = at + jpeg.len();
            }
            let errors = jpegs(&bytes).filter(Result::is_err).count();
            prop_assert!(errors <= 1);
        }

        #[test]
        fn what_is_put_together_is_taken_apart(scans in proptest::collection::vec(
            proptest::collection::vec(0u8..=0xfe, 0..30),
            0..9,
        )) {
            let pictures: Vec<_> = scans.iter().map(|scan| picture_with(&[], scan)).collect();
            let bytes = pictures.concat();
            prop_assert_eq!(found(&bytes), Ok(pictures.iter().map(Vec::as_slice).collect()));
        }
    }
}
