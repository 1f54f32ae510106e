//! Makes new inputs from old ones.

/// Longest input, in bytes.
const BYTES_MAX: usize = 1 << 16;
/// Numbers at which things go wrong.
const NUMBERS: [u64; 10] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

pub struct Mutator(fastrand::Rng);

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// One of `kept`, changed in one to six places.
    pub fn mutate(&mut self, kept: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
        let mut input = self.0.choice(kept).cloned().unwrap_or_default();
        for _ in 0..self.0.usize(1..=6) {
            self.change(&mut input, kept, words);
        }
        input.truncate(BYTES_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, kept: &[Vec<u8>], words: &[&str]) {
        let at = self.0.usize(0..=input.len());
        let end = self.0.usize(at..=input.len().min(at + 64));
        match self.0.u8(0..9) {
            0 if at < input.len() => input[at] ^= 1 << self.0.u8(0..8),
            1 if at < input.len() => input[at] = self.0.u8(..),
            2 => drop(input.drain(at..end)),
            3 => {
                let part = input[at..end].to_vec();
                input.splice(at..at, part);
            }
            4 => {
                let word = self.0.choice(words).copied().unwrap_or_default();
                input.splice(at..end, word.bytes());
            }
            5 => {
                let word = self.0.choice(words).copied().unwrap_or_default();
                input.splice(at..at, word.bytes());
            }
            6 => {
                let bytes = self.0.choice(NUMBERS).unwrap_or_default().to_be_bytes();
                let width = 1 << self.0.usize(0..=3);
                let mut bytes = bytes[8 - width..].to_vec();
                if self.0.bool() {
                    bytes.reverse();
                }
                let end = input.len().min(at + width);
                input.splice(at..end, bytes);
            }
            7 => {
                let number = self.0.choice(NUMBERS).unwrap_or_default().to_string();
                input.splice(at..end, number.bytes());
            }
            8 => {
                let other = self.0.choice(kept).map_or(&[][..], Vec::as_slice);
                let from = self.0.usize(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => input.truncate(at),
        }
    }
}
