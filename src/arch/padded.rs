//! A plane that can be sampled between its samples, anywhere up to its edges.
//!
//! A sample is the cubic convolution of the sixteen around it (Keys 1981), in whole
//! numbers. Bilinear samples take a quarter of the arithmetic, but lose so much of
//! the finest texture that the still, which is the first frame, is a flash of
//! sharpness once in every turn of the loop; of a plane that is refined four times
//! before, they lose as little as these, but that has 32 times the bytes, and to
//! fetch them takes longer than to compute.

/// Longest side of a plane: positions in it are interpolated in whole numbers, in up to
/// 2^9 times their parts.
pub const SIDE_MAX: usize = 1 << 13;
/// Parts of a sample in which positions are measured.
pub const PARTS: i32 = 1 << PART_BITS;
/// The same, as a shift.
pub const PART_BITS: i32 = 8;
/// Samples that a cubic sample is made of, in each direction.
pub const TAPS: usize = 4;
/// Parts of a grey level in which cubic samples are measured.
pub const GREY_PARTS: i32 = 1 << 7;
/// Parts of 1 of the weights down, as a shift.
pub const DOWN_BITS: i32 = 14;
/// Parts of 1 of the weights across, as a shift: with a sign they fit a byte.
pub const ACROSS_BITS: i32 = 6;
/// From the weights of both to [`GREY_PARTS`].
pub const SAMPLE_BITS: i32 = DOWN_BITS + ACROSS_BITS - GREY_PARTS.ilog2() as i32;
/// What the sum of weighted samples begins with: half a part, so that the shift rounds,
/// less mid-grey.
pub const SUM_START: i32 = (1 << (SAMPLE_BITS - 1)) - ((128 * GREY_PARTS) << SAMPLE_BITS);
/// Columns that samples may be apart for their taps to lie in one window.
pub const REACH_MAX: i32 = (WINDOW_BYTES - TAPS) as i32;
/// Slope at a sample over the difference of its neighbours, in parts of 2^15. One
/// half is the smoothest curve. This keeps the texture of 3 and more pixels a period
/// as it is on average over all positions, so that the still, in which nothing is
/// between samples, is as sharp as the frames beside it: at the seam of the sample
/// photographs the second difference is at most 1.17 times the usual one. With 0.6
/// it is up to 1.32, with 0.75 up to 1.21.
pub const SLOPE: i16 = (0.85 * 32768.0) as i16;

/// Rows and columns that repeat the edge before the first and after the last.
const BEFORE: usize = 1;
const AFTER: usize = 2;
/// Bytes that may be read from the first of four samples on.
pub const WINDOW_BYTES: usize = 16;

/// The plane.
#[derive(Clone, Debug)]
pub struct Padded {
    width: usize,
    height: usize,
    samples: Vec<u8>,
}

impl Padded {
    /// A plane with these samples, row by row.
    ///
    /// # Panics
    /// If there are none, if they are no whole number of rows, or if a side is
    /// longer than [`SIDE_MAX`].
    pub fn of(samples: &[u8], width: usize) -> Self {
        let rows = samples.chunks_exact(width.max(1));
        assert!(rows.remainder().is_empty(), "the last row is not full");
        let height = rows.len();
        assert!(
            width.min(height) > 0 && width.max(height) <= SIDE_MAX,
            "no plane can have {width}x{height} samples"
        );
        let mut padded = Self {
            width,
            height,
            samples: Vec::new(),
        };
        let count = padded.stride() * (BEFORE + height + AFTER) + WINDOW_BYTES;
        padded.samples.reserve_exact(count);
        for y in 0..BEFORE + height + AFTER {
            let row = &samples[y.saturating_sub(BEFORE).min(height - 1) * width..][..width];
            let repeated = |sample: u8, times: usize| std::iter::repeat_n(sample, times);
            padded.samples.extend(repeated(row[0], BEFORE));
            padded.samples.extend_from_slice(row);
            padded.samples.extend(repeated(row[width - 1], AFTER));
        }
        padded.samples.resize(count, 0);
        padded
    }

    /// Samples per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Bytes from one row to the next.
    pub fn stride(&self) -> usize {
        BEFORE + self.width + AFTER
    }

    /// The last position in x and in y, in [`PARTS`] of a sample.
    pub fn end(&self) -> [i32; 2] {
        [self.width, self.height].map(|side| (side as i32 - 1) * PARTS)
    }

    /// The samples from the first tap on of what lies at column and row or up to
    /// one sample to the right and below; there are [`WINDOW_BYTES`] at least, and
    /// as many in each of the next three rows.
    #[inline(always)]
    pub fn window(&self, column: usize, row: usize) -> &[u8] {
        // The samples before the first are those by which the taps begin earlier.
        &self.samples[row * self.stride() + column..]
    }

    /// Whether so many rows can be read from a window on.
    #[inline(always)]
    pub fn holds(&self, column: usize, row: usize, rows: usize) -> bool {
        let last = (row + rows - 1) * self.stride() + column;
        last + WINDOW_BYTES <= self.samples.len()
    }

    /// The cubic sample at a position between 0 and [`Padded::end`], in
    /// [`GREY_PARTS`] from mid-grey.
    #[inline(always)]
    pub fn cubic(&self, x: i32, y: i32) -> i32 {
        let (across, down) = (across(x % PARTS), weights(y % PARTS));
        let window = self.window((x / PARTS) as usize, (y / PARTS) as usize);
        let mut sum = SUM_START;
        for (row, down) in window.chunks(self.stride()).zip(down) {
            let mut of_row = 0;
            for (sample, across) in row.iter().zip(across) {
                of_row += i32::from(*sample) * across;
            }
            sum += of_row * down;
        }
        sum >> SAMPLE_BITS
    }
}

/// Weights of the four taps for what lies so many [`PARTS`] behind the second, in
/// parts of 2^[`DOWN_BITS`].
#[inline(always)]
fn weights(part: i32) -> [i32; TAPS] {
    // Every product is rounded, as the one instruction for it does on processors.
    let times = |a: i32, b: i32| (a * b + (1 << 14)) >> 15;
    let (part, of_15) = (part << (DOWN_BITS - PART_BITS), part << (15 - PART_BITS));
    let squared = times(part, of_15);
    let both = part - squared;
    let late = times(both, of_15);
    let early = both - late;
    let slope = i32::from(SLOPE);
    let (first, last) = (-times(early, slope), -times(late, slope));
    let third = squared + 2 * late - first;
    [first, (1 << DOWN_BITS) - first - third - last, third, last]
}

/// The same in parts of 2^[`ACROSS_BITS`].
#[inline(always)]
fn across(part: i32) -> [i32; TAPS] {
    const COARSER: i32 = DOWN_BITS - ACROSS_BITS;
    let rounded = weights(part).map(|weight| (weight + (1 << (COARSER - 1))) >> COARSER);
    let [first, _, third, last] = rounded;
    [
        first,
        (1 << ACROSS_BITS) - first - third - last,
        third,
        last,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::PI;

    #[test]
    fn at_whole_positions_stand_the_samples_themselves() {
        for (width, height) in [(1, 1), (7, 3), (40, 30), (33, 17)] {
            let samples: Vec<u8> = (0..width * height).map(|at| (at * 37) as u8).collect();
            let padded = Padded::of(&samples, width);
            assert_eq!((padded.width(), padded.height()), (width, height));
            for (at, sample) in samples.iter().enumerate() {
                let [x, y] = [at % width, at / width].map(|at| at as i32 * PARTS);
                let exact = (i32::from(*sample) - 128) * GREY_PARTS;
                assert_eq!(padded.cubic(x, y), exact);
            }
        }
    }

    #[test]
    fn weights_are_those_of_the_convolution_and_add_up() {
        for part in 0..PARTS {
            let t = part as f32 / PARTS as f32;
            let slope = f32::from(SLOPE) / 32768.0;
            let [a, b, c, d] = weights(part);
            assert_eq!(a + b + c + d, 1 << DOWN_BITS);
            assert_eq!(across(part).iter().sum::<i32>(), 1 << ACROSS_BITS);
            let exact = [
                slope * (-t + 2.0 * t * t - t * t * t),
                1.0 + (slope - 3.0) * t * t + (2.0 - slope) * t * t * t,
                slope * t + (3.0 - 2.0 * slope) * t * t + (slope - 2.0) * t * t * t,
                slope * (t * t * t - t * t),
            ];
            for ((exact, down), across) in exact.iter().zip([a, b, c, d]).zip(across(part)) {
                assert!((exact * 16384.0 - down as f32).abs() < 6.0, "{t}: {down}");
                assert!((exact * 64.0 - across as f32).abs() < 1.6, "{t}: {across}");
            }
        }
    }

    #[test]
    fn even_areas_stay_as_they_are_and_slopes_rise() {
        let ramp: Vec<u8> = (0..30 * 9).map(|at| 4 * (at % 30) as u8).collect();
        let padded = Padded::of(&ramp, 30);
        for x in PARTS..28 * PARTS {
            let exact = 4 * GREY_PARTS * x / PARTS - 128 * GREY_PARTS;
            let off = (padded.cubic(x, 3 * PARTS + 99) - exact).abs();
            assert!(off <= 4 * GREY_PARTS / 8, "{x}: {off}");
        }
        let even = Padded::of(&[201; 9 * 9], 9);
        for at in 0..8 * PARTS {
            assert_eq!(even.cubic(at, 8 * PARTS - at), (201 - 128) * GREY_PARTS);
        }
    }

    #[test]
    fn texture_keeps_its_contrast_at_all_positions_on_average() {
        // Pixels of a period, and the least and the most that may be left.
        for (period, least) in [(3.0, 0.88), (4.0, 0.97), (6.0, 0.99), (10.0, 0.99)] {
            let wave = |x: f32| 60.0 * (2.0 * PI * x / period).cos();
            let luma: Vec<u8> = (0..800)
                .map(|at| (128.0 + wave((at % 200) as f32)).round() as u8)
                .collect();
            let padded = Padded::of(&luma, 200);
            let (mut power, mut kept) = (0.0, 0.0);
            for step in 0..2_000 {
                let x = 40.0 + step as f32 * 0.0513;
                power += wave(x).powi(2);
                let sample = padded.cubic((x * PARTS as f32) as i32, PARTS);
                kept += (sample as f32 / GREY_PARTS as f32).powi(2);
            }
            let kept = (kept / power).sqrt();
            assert!((least..1.05).contains(&kept), "{period} px: {kept}");
        }
    }
}
