//! What must be read and changed in slices: their number, and what they refer
//! to. Clause numbers are those of ITU-T H.264.

/// A coded slice whose `frame_num` can be set.
pub(super) struct Slice {
    /// The NAL unit without start code and without emulation prevention.
    rbsp: Vec<u8>,
    /// Where `frame_num` stands, in bits from the start.
    frame_num_at: usize,
    frame_num_bits: usize,
}

impl Slice {
    /// Reads the head of an access unit of one P slice in Annex B form; `None`
    /// if it is anything else.
    pub(super) fn read(annex_b: &[u8], frame_num_bits: usize) -> Option<Self> {
        let unit = annex_b.strip_prefix(&[0, 0, 0, 1])?;
        let rbsp = unescaped(unit);
        let is_coded_slice = rbsp.first()? & 0x1f == 1;
        let mut bits = Bits {
            bytes: &rbsp,
            at: 8,
        };
        let (first_macroblock, slice_type) = (bits.exp_golomb()?, bits.exp_golomb()?);
        bits.exp_golomb()?;
        let frame_num_at = bits.at;
        let is_whole_picture = first_macroblock == 0 && slice_type % 5 == 0;
        (is_coded_slice && is_whole_picture).then_some(Self {
            frame_num_at,
            frame_num_bits,
            rbsp,
        })
    }

    /// Whether its only reference is a long-term one (7.3.3.1).
    pub(super) fn refers_to_long_term(&self) -> bool {
        let first = || {
            let mut bits = Bits {
                bytes: &self.rbsp,
                at: self.frame_num_at + self.frame_num_bits,
            };
            let references = match bits.bit()? {
                true => bits.exp_golomb()? + 1,
                false => 1,
            };
            let is_modified = bits.bit()?;
            Some((references, is_modified, bits.exp_golomb()?))
        };
        first() == Some((1, true, 2))
    }

    /// The access unit in Annex B form with this `frame_num`.
    pub(super) fn numbered(&mut self, frame_num: u32) -> Vec<u8> {
        for (place, at) in (0..self.frame_num_bits).rev().zip(self.frame_num_at..) {
            let mask = 0x80 >> (at % 8);
            if frame_num >> place & 1 == 1 {
                self.rbsp[at / 8] |= mask;
            } else {
                self.rbsp[at / 8] &= !mask;
            }
        }
        let mut annex_b = vec![0, 0, 0, 1];
        escape(&self.rbsp, &mut annex_b);
        annex_b
    }
}

/// Length of `frame_num` in bits, from the sequence parameter set (7.3.2.1.1)
/// at the start of an access unit in Annex B form; `None` unless pictures are
/// shown in the order in which they are coded (`pic_order_cnt_type` 2), since
/// then nothing but `frame_num` says where a picture belongs.
pub(super) fn frame_num_bits(annex_b: &[u8]) -> Option<usize> {
    let unit = annex_b.strip_prefix(&[0, 0, 0, 1])?;
    let rbsp = unescaped(unit.get(..unit.len().min(32))?);
    let [0x67, profile, _, _, ..] = rbsp[..] else {
        return None;
    };
    let mut bits = Bits {
        bytes: &rbsp,
        at: 32,
    };
    bits.exp_golomb()?;
    if profile == 100 {
        let chroma_format = bits.exp_golomb()?;
        let depths = [bits.exp_golomb()?, bits.exp_golomb()?];
        let flags = [bits.bit()?, bits.bit()?];
        if chroma_format != 1 || depths != [0, 0] || flags != [false, false] {
            return None;
        }
    }
    let frame_num_bits = bits.exp_golomb()? as usize + 4;
    (bits.exp_golomb()? == 2).then_some(frame_num_bits)
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte << (self.at % 8) & 0x80 != 0;
        self.at += 1;
        Some(bit)
    }

    /// An unsigned Exp-Golomb code (9.1) of at most 32 bits.
    fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
        }
        if zeros > 15 {
            return None;
        }
        let mut code = 1;
        for _ in 0..zeros {
            code = code << 1 | u32::from(self.bit()?);
        }
        Some(code - 1)
    }
}

/// Takes out the emulation prevention bytes (7.4.1).
fn unescaped(unit: &[u8]) -> Vec<u8> {
    let mut rbsp = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        rbsp.push(byte);
    }
    rbsp
}

/// Puts emulation prevention bytes in.
fn escape(rbsp: &[u8], unit: &mut Vec<u8>) {
    unit.reserve(rbsp.len() + 16);
    let mut zeros = 0;
    for &byte in rbsp {
        if zeros >= 2 && byte <= 3 {
            unit.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        unit.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_is_undone_and_leaves_no_start_code() {
        let mut rng = fastrand::Rng::with_seed(7);
        for length in 0..200 {
            // Mostly zeros, since only they need care.
            let rbsp: Vec<u8> = (0..length)
                .map(|_| rng.u8(..).saturating_sub(251))
                .collect();
            let mut unit = Vec::new();
            escape(&rbsp, &mut unit);
            assert_eq!(unescaped(&unit), rbsp);
            assert!(
                unit.windows(3)
                    .all(|three| three > &[0, 0, 2][..] || three[..2] != [0, 0])
            );
        }
    }

    #[test]
    fn a_slice_takes_any_number_and_keeps_the_rest() {
        // first_mb 0, slice_type 5, pps 0, frame_num of 15 bits, one reference
        // by override, long-term picture 0.
        let bits = "1 00110 1 000000000000001 1 1 1 011 1 00100 0000000";
        let bits: String = bits.split(' ').collect();
        let head: Vec<u8> = (0..bits.len() / 8)
            .map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).expect("binary"))
            .collect();
        let unit = [&[0, 0, 0, 1, 0x61][..], &head, &[0x5a, 0xff]].concat();
        let mut slice = Slice::read(&unit, 15).expect("a slice");
        assert!(slice.refers_to_long_term());
        assert_eq!(slice.numbered(1), unit);
        for number in [0, 2, 64, 3599, 32767] {
            let numbered = slice.numbered(number);
            let mut again = Slice::read(&numbered, 15).expect("a slice");
            assert_eq!(again.numbered(1), unit);
        }
        assert!(Slice::read(&[0, 0, 0, 1, 0x65, 0x88], 15).is_none());
        assert!(Slice::read(&unit[..5], 15).is_none());
    }
}
