//! A plane stored so that one load of four bytes brings a sample and its three
//! neighbours to the right and below.
//!
//! A row of the plane is stored together with the next one, column by column.
//! That takes twice the memory, but no more of it is read: of a refined plane a
//! frame passes over most rows. Two loads from a plain plane instead of one take
//! longer, since it is the number of loads that counts. The gather of AVX2, where
//! it is microcode, takes twice as long as single loads do.

/// Parts of a sample in which positions are measured.
pub const PARTS: i32 = 1 << PART_BITS;
/// The same, as a shift.
pub const PART_BITS: i32 = 7;
/// What is subtracted from a sample, so that it fits a signed byte.
const CENTRE: u8 = 0x80;

/// The plane. Pages that are never filled never cost memory.
#[derive(Clone, Debug)]
pub struct Quads {
    width: usize,
    height: usize,
    /// Sample and the one below it, less 128 each, column by column, row by row,
    /// and one pair more, for loads at the very last one.
    pairs: Vec<[i8; 2]>,
}

impl Quads {
    /// A plane of 128, to be filled.
    ///
    /// # Panics
    /// If it is empty, or larger than 2^28 samples.
    pub fn new(width: usize, height: usize) -> Self {
        let count = width * height;
        assert!(
            count > 0 && count <= 1 << 28,
            "no plane can have {width}x{height} samples"
        );
        Self {
            width,
            height,
            pairs: vec![[0; 2]; count + 1],
        }
    }

    /// A plane with these samples, row by row.
    ///
    /// # Panics
    /// As [`Quads::new`], or if it is no whole number of rows.
    pub fn of(samples: &[u8], width: usize) -> Self {
        let rows = samples.chunks_exact(width.max(1));
        assert!(rows.remainder().is_empty(), "the last row is not full");
        let mut quads = Self::new(width, rows.len());
        let below = rows.clone().skip(1).chain(rows.clone().last());
        for (y, (row, below)) in rows.zip(below).enumerate() {
            quads.fill(0, y, row, below);
        }
        quads
    }

    /// Fills a part of row `y` from column `x` on with these samples and those of
    /// the row below it.
    ///
    /// # Panics
    /// If it does not lie inside the plane.
    pub fn fill(&mut self, x: usize, y: usize, row: &[u8], below: &[u8]) {
        assert!(x + row.len() <= self.width, "the part is too long");
        let from = y * self.width + x;
        let pairs = &mut self.pairs[from..from + row.len()];
        for ((pair, here), below) in pairs.iter_mut().zip(row).zip(below) {
            *pair = [(here ^ CENTRE) as i8, (below ^ CENTRE) as i8];
        }
    }

    /// Samples per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.pairs.len() - 1
    }

    /// The last position in x and in y, in [`PARTS`] of a sample.
    pub fn end(&self) -> [i32; 2] {
        [self.width, self.height].map(|side| (side as i32 - 1) * PARTS)
    }

    /// A sample, the one below, and their neighbours to the right, less 128.
    #[inline(always)]
    pub fn quad(&self, index: usize) -> [i8; 4] {
        let [[here, below], [right, across]] = [self.pairs[index], self.pairs[index + 1]];
        [here, below, right, across]
    }

    /// Where the quads begin; each index is two bytes on, and there are two bytes
    /// more behind the last.
    #[inline(always)]
    pub fn start(&self) -> *const u8 {
        self.pairs.as_ptr().cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quad_is_a_sample_and_its_neighbours() {
        let quads = Quads::of(&[128, 129, 130, 131, 132, 133], 3);
        assert_eq!((quads.count(), quads.end()), (6, [256, 128]));
        assert_eq!(quads.quad(0), [0, 3, 1, 4]);
        assert_eq!(quads.quad(1), [1, 4, 2, 5]);
        // Behind the last row stands that row again.
        assert_eq!(quads.quad(3), [3, 3, 4, 4]);
    }
}
