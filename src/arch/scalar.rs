//! Kernels in plain Rust, written so that the compiler can vectorise them.

/// A plane with a mirrored border, so that a displaced sample needs no test of
/// bounds: whatever leaves the picture finds its reflection.
#[derive(Clone, Debug)]
pub struct Padded<T> {
    stride: usize,
    border_px: usize,
    /// Largest column and row that may be sampled, in pixels of the picture.
    reach: [f32; 2],
    samples: Vec<T>,
}

/// Taps that the kernel reads before the sampled pixel and after it.
const TAPS_BEFORE: usize = 1;
const TAPS_AFTER: usize = 2;
/// Keys' parameter. -0.5 is Catmull-Rom, which loses about 4 % of the contrast
/// of fine texture between whole positions; this loses half of that and does
/// not ring visibly.
const SHARPNESS: f32 = -0.6;

impl<T: Copy + Into<f32>> Padded<T> {
    /// Copies a picture of `width_px` columns and mirrors `border_px` pixels
    /// around it; the border is as wide as anything may be displaced.
    ///
    /// # Panics
    /// If `samples` is empty or not a whole number of rows.
    pub fn new(samples: &[T], width_px: usize, border_px: usize) -> Self {
        assert!(
            width_px > 0 && !samples.is_empty() && samples.len().is_multiple_of(width_px),
            "{} samples are no picture of width {width_px}",
            samples.len()
        );
        let height_px = samples.len() / width_px;
        let pad = border_px + TAPS_BEFORE + TAPS_AFTER;
        let columns: Vec<usize> = (0..width_px + 2 * pad)
            .map(|x| mirrored(x as isize - pad as isize, width_px))
            .collect();
        let mut padded = Vec::with_capacity(columns.len() * (height_px + 2 * pad));
        for y in 0..height_px + 2 * pad {
            let from = mirrored(y as isize - pad as isize, height_px) * width_px;
            padded.extend(columns.iter().map(|x| samples[from + x]));
        }
        Self {
            stride: columns.len(),
            border_px: pad,
            reach: [
                (width_px - 1 + border_px) as f32,
                (height_px - 1 + border_px) as f32,
            ],
            samples: padded,
        }
    }

    /// Positions in pixels of the picture, held inside picture and border.
    #[inline(always)]
    pub fn places<const N: usize>(&self, x: &[f32; N], y: &[f32; N]) -> Places<N> {
        let shift = self.border_px as f32;
        let low = (TAPS_BEFORE + TAPS_AFTER) as f32;
        let high = self.reach.map(|reach| reach + shift);
        // Written so that a NaN becomes the lower bound instead of an index.
        let held = |position: f32, high: f32| {
            let from_low = if position > low { position } else { low };
            if from_low < high { from_low } else { high }
        };
        let mut places = Places {
            at: [0; N],
            x: [0.0; N],
            y: [0.0; N],
        };
        let stride = self.stride as i32;
        for k in 0..N {
            let (x, y) = (held(x[k] + shift, high[0]), held(y[k] + shift, high[1]));
            // SAFETY: `held` returns a number between the finite bounds of a
            // picture, which an `i32` holds.
            let (column, row): (i32, i32) = unsafe { (x.to_int_unchecked(), y.to_int_unchecked()) };
            places.at[k] = row * stride + column;
            places.x[k] = x - column as f32;
            places.y[k] = y - row as f32;
        }
        places
    }

    /// The sample above and to the left of every place.
    #[inline(always)]
    pub fn corner<const N: usize>(&self, places: &Places<N>) -> [f32; N] {
        std::array::from_fn(|k| self.samples[places.at[k] as usize].into())
    }

    /// Bilinear samples.
    #[inline(always)]
    pub fn bilinear<const N: usize>(&self, places: &Places<N>) -> [f32; N] {
        let mut corners = [[0.0f32; N]; 4];
        for (k, at) in places.at.iter().enumerate() {
            let at = *at as usize;
            let (above, below) = (&self.samples[at..at + 2], &self.samples[at + self.stride..]);
            corners[0][k] = above[0].into();
            corners[1][k] = above[1].into();
            corners[2][k] = below[0].into();
            corners[3][k] = below[1].into();
        }
        std::array::from_fn(|k| {
            let above = corners[0][k] + (corners[1][k] - corners[0][k]) * places.x[k];
            let below = corners[2][k] + (corners[3][k] - corners[2][k]) * places.x[k];
            above + (below - above) * places.y[k]
        })
    }

    /// Samples by cubic convolution (Keys 1981), exact at whole positions. It
    /// keeps far more of the fine detail than a bilinear sample, which is what
    /// makes moving texture stay crisp.
    #[inline(always)]
    pub fn cubic<const N: usize>(&self, places: &Places<N>) -> [f32; N] {
        let (across, down) = (weights(&places.x), weights(&places.y));
        let mut columns = [[0.0f32; N]; 4];
        for k in 0..N {
            let first = places.at[k] as usize - TAPS_BEFORE * (self.stride + 1);
            let mut sums = [0.0f32; 4];
            for (tap, weight) in down.iter().enumerate() {
                let at = first + tap * self.stride;
                let line = &self.samples[at..at + 4];
                for (sum, sample) in sums.iter_mut().zip(line) {
                    *sum += weight[k] * (*sample).into();
                }
            }
            for (column, sum) in columns.iter_mut().zip(sums) {
                column[k] = sum;
            }
        }
        std::array::from_fn(|k| {
            columns[0][k] * across[0][k]
                + columns[1][k] * across[1][k]
                + columns[2][k] * across[2][k]
                + columns[3][k] * across[3][k]
        })
    }
}

/// Positions of `N` samples in planes of one size and border.
#[derive(Clone, Copy, Debug)]
pub struct Places<const N: usize> {
    /// Index of the sample above and to the left.
    at: [i32; N],
    /// How far right of it the position is, 0..1.
    x: [f32; N],
    /// How far below it the position is, 0..1.
    y: [f32; N],
}

impl<const N: usize> Places<N> {
    /// How far each place is from the pixels: 0 at one, 1 amid four.
    #[inline(always)]
    pub fn between(&self) -> [f32; N] {
        std::array::from_fn(|k| {
            2.0 * (self.x[k] * (1.0 - self.x[k]) + self.y[k] * (1.0 - self.y[k]))
        })
    }
}

/// The column or row that a mirror at the picture's edge shows at `at`.
fn mirrored(at: isize, length: usize) -> usize {
    let turn = 2 * length as isize;
    let folded = at.rem_euclid(turn);
    folded.min(turn - 1 - folded) as usize
}

#[inline(always)]
fn weights<const N: usize>(position: &[f32; N]) -> [[f32; N]; 4] {
    let mut weights = [[0.0; N]; 4];
    for (k, t) in position.iter().enumerate() {
        let rest = 1.0 - t;
        weights[0][k] = SHARPNESS * t * rest * rest;
        weights[1][k] = 1.0 + t * t * ((SHARPNESS + 2.0) * t - (SHARPNESS + 3.0));
        weights[2][k] = t * (-SHARPNESS + t * (2.0 * SHARPNESS + 3.0 - (SHARPNESS + 2.0) * t));
        weights[3][k] = SHARPNESS * t * t * rest;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..width * height)
            .map(|at| (10 + 3 * (at % width) + 2 * (at / width)) as u8)
            .collect()
    }

    fn exact(picture: &[u8], width_px: usize, border_px: usize) -> Padded<f32> {
        let picture: Vec<f32> = picture.iter().map(|v| f32::from(*v)).collect();
        Padded::new(&picture, width_px, border_px)
    }

    /// Cubic, bilinear and nearest sample at one position.
    fn seen(exact: &Padded<f32>, plane: &Padded<u8>, x: f32, y: f32) -> [f32; 3] {
        let [cubic] = exact.cubic(&exact.places(&[x], &[y]));
        let [bilinear] = plane.bilinear(&plane.places(&[x], &[y]));
        let [nearest] = plane.corner(&plane.places(&[x + 0.5], &[y + 0.5]));
        [cubic, bilinear, nearest]
    }

    #[test]
    fn whole_positions_return_the_sample_itself() {
        for (width, height) in [(1, 1), (3, 2), (7, 5)] {
            let picture = ramp(width, height);
            let plane = Padded::new(&picture, width, 4);
            let exact = exact(&picture, width, 4);
            for y in 0..height {
                for x in 0..width {
                    let sample = f32::from(picture[y * width + x]);
                    assert_eq!(seen(&exact, &plane, x as f32, y as f32), [sample; 3]);
                }
            }
        }
    }

    #[test]
    fn a_ramp_is_reproduced_between_the_samples() {
        let plane = Padded::new(&ramp(9, 9), 9, 2);
        let picture = exact(&ramp(9, 9), 9, 2);
        for (x, y) in [(3.25, 4.5), (4.9, 3.1), (2.5, 5.75)] {
            let wanted = 10.0 + 3.0 * x + 2.0 * y;
            let [cubic, bilinear, _] = seen(&picture, &plane, x, y);
            assert!((cubic - wanted).abs() < 0.1);
            assert!((bilinear - wanted).abs() < 1e-3);
        }
    }

    #[test]
    fn positions_outside_find_the_reflection_or_the_last_of_the_border() {
        let plane = Padded::new(&[1u8, 2, 3, 4], 2, 8);
        let exact = exact(&[1, 2, 3, 4], 2, 8);
        let nearest = |x, y| seen(&exact, &plane, x, y)[2];
        assert_eq!(nearest(-1.0, 0.0), 1.0);
        assert_eq!(nearest(2.0, 0.0), 2.0);
        assert_eq!(nearest(0.0, -2.0), 3.0);
        for far in [f32::NAN, f32::INFINITY, -1e30, 1e30] {
            let [cubic, bilinear, _] = seen(&exact, &plane, far, -far);
            assert!(cubic.is_finite() && (1.0..=4.0).contains(&bilinear));
        }
    }
}
