//! The still's luma, ready to be sampled anywhere, in two bands.
//!
//! Between the pixels a short kernel loses the finest texture, and since the
//! still itself is the first frame, that shows as a flash of sharpness once in
//! every turn. So the luma is doubled once with a long kernel, and the short one
//! samples the doubled plane, where what the picture holds is half as fine.

use std::f32::consts::PI;

use crate::{arch::Padded, frames::mask::box_mean, picture::Plane};

/// Parts of a grey level in the doubled plane.
const PARTS: f32 = 64.0;
/// Half the taps of the kernel that doubles.
const REACH_TAPS: usize = 4;

/// Luma, and luma without its detail.
pub struct Texture {
    /// At twice the resolution, in [`PARTS`] of a grey level.
    luma: Padded<i16>,
    base: Padded<u8>,
    /// How much more contrast the moving part has at the samples of the doubled
    /// plane than half-way between them; 0 for none.
    softening: f32,
}

impl Texture {
    /// Prepares the luma; `mask` says which part of it will move (255).
    pub fn new(luma: &Plane<u8>, mask: &Plane<u8>, border_px: usize) -> Self {
        let base = base_band(luma);
        let base = Padded::new(&base.samples, luma.width_px, border_px);
        let luma = Padded::new(&doubled(luma).samples, 2 * luma.width_px, 2 * border_px);
        Self {
            softening: softening(&luma, mask),
            base,
            luma,
        }
    }

    /// The luma at `N` positions, as base and detail. Sampling between pixels
    /// softens, so the detail is amplified by what is lost there.
    #[inline(always)]
    pub fn bands<const N: usize>(&self, x: &[f32; N], y: &[f32; N]) -> [[f32; N]; 2] {
        let base = self.base.corner(&self.base.places(x, y));
        let twice =
            |position: &[f32; N]| -> [f32; N] { std::array::from_fn(|k| 2.0 * position[k]) };
        let places = self.luma.places(&twice(x), &twice(y));
        let whole = self.luma.cubic(&places);
        let between = places.between();
        let detail = std::array::from_fn(|k| {
            (whole[k] * (1.0 / PARTS) - base[k]) * (1.0 + self.softening * between[k])
        });
        [base, detail]
    }

    /// What a pixel differs from its surroundings by, at the scale of the
    /// finest texture: this is what a cross-fade blurs first.
    pub fn fine_detail(&self, x: f32, y: f32) -> f32 {
        const APART: f32 = 4.0;
        let (x, y) = (2.0 * x + 0.5, 2.0 * y + 0.5);
        let across = [x, x - APART, x + APART, x, x];
        let down = [y, y, y, y - APART, y + APART];
        let [here, around @ ..] = self.luma.corner(&self.luma.places(&across, &down));
        (here - around.iter().sum::<f32>() / 4.0) / PARTS
    }
}

/// The plane at twice the resolution: what is between the pixels by the Lanczos
/// kernel, the pixels themselves exactly.
fn doubled(luma: &Plane<u8>) -> Plane<i16> {
    let taps = half_way();
    let fine = luma.map(|v| f32::from(v) * PARTS);
    let between = |samples: &dyn Fn(isize) -> f32, at: usize| -> f32 {
        let first = at as isize + 1 - REACH_TAPS as isize;
        let taps = taps.iter().enumerate();
        taps.map(|(k, tap)| tap * samples(first + k as isize)).sum()
    };
    let held = |at: isize, length: usize| at.clamp(0, length as isize - 1) as usize;
    let (width, height) = (luma.width_px, luma.height_px);
    let mut wide = Plane::filled(2 * width, height, 0.0);
    for y in 0..height {
        let row = fine.row(y);
        for (x, pair) in wide.row_mut(y).chunks_exact_mut(2).enumerate() {
            pair[0] = row[x];
            pair[1] = between(&|at| row[held(at, width)], x);
        }
    }
    let mut sums = vec![0.0f32; 2 * width];
    let mut doubled = Plane::filled(2 * width, 2 * height, 0i16);
    for y in 0..height {
        sums.fill(0.0);
        for (k, tap) in taps.iter().enumerate() {
            let row = wide.row(held((y + 1 + k) as isize - REACH_TAPS as isize, height));
            for (sum, sample) in sums.iter_mut().zip(row) {
                *sum += tap * sample;
            }
        }
        for (to, from) in doubled.row_mut(2 * y).iter_mut().zip(wide.row(y)) {
            *to = from.round() as i16;
        }
        for (to, from) in doubled.row_mut(2 * y + 1).iter_mut().zip(&sums) {
            *to = from.round() as i16;
        }
    }
    doubled
}

/// Weights of the pixels around a place half-way between two of them: the
/// Lanczos kernel (Duchon 1979), scaled to a sum of 1.
fn half_way() -> [f32; 2 * REACH_TAPS] {
    let reach = REACH_TAPS as f32;
    let kernel: [f32; 2 * REACH_TAPS] = std::array::from_fn(|k| {
        let t = PI * (k as f32 + 0.5 - reach);
        reach * t.sin() * (t / reach).sin() / (t * t)
    });
    let sum: f32 = kernel.iter().sum();
    kernel.map(|weight| weight / sum)
}

/// Measured on the contrast of pixels that stand three apart.
fn softening(luma: &Padded<i16>, mask: &Plane<u8>) -> f32 {
    const SOFTENING_MAX: f32 = 0.3;
    let (mut whole, mut half) = (1.0f32, 1.0f32);
    for y in (0..mask.height_px).step_by(3) {
        for x in (y % 3..mask.width_px).step_by(3) {
            if mask.at(x, y) == u8::MAX {
                let (x, y) = (2.0 * x as f32, 2.0 * y as f32);
                let change = |shift: f32| {
                    let across = [x, x + 6.0, x].map(|x| x + shift);
                    let down = [y, y, y + 6.0].map(|y| y + shift);
                    let [here, right, below] = luma.cubic(&luma.places(&across, &down));
                    (here - right) * (here - right) + (here - below) * (here - below)
                };
                whole += change(0.0);
                half += change(0.5);
            }
        }
    }
    ((whole / half).sqrt() - 1.0).clamp(0.0, SOFTENING_MAX)
}

/// The luma blurred over about a hundred-and-sixtieth of the long side: what is
/// left when the texture is taken away.
fn base_band(luma: &Plane<u8>) -> Plane<u8> {
    let radius = (luma.width_px.max(luma.height_px) / 160).max(2);
    let blurred = box_mean(&box_mean(&luma.map(f32::from), radius), radius);
    blurred.map(|v| (v + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_whole_positions_the_bands_sum_to_the_luma() {
        let luma = Plane::from_fn(40, 30, |x, y| (x * 37 + y * 91) as u8);
        let texture = Texture::new(&luma, &luma.map(|_| 255), 8);
        for (x, y) in [(0, 0), (39, 29), (17, 4)] {
            let [[base], [detail]] = texture.bands(&[x as f32], &[y as f32]);
            assert_eq!(base + detail, f32::from(luma.at(x, y)));
        }
    }

    #[test]
    fn fine_stripes_keep_nine_tenths_of_their_contrast_anywhere() {
        // Three pixels a period, at a third of the sampling rate.
        let wave = |x: f32| 128.0 + 60.0 * (2.0 * PI * x / 3.0).cos();
        let luma = Plane::from_fn(96, 8, |x, _| wave(x as f32).round() as u8);
        let texture = Texture::new(&luma, &luma.map(|_| 255), 8);
        for step in 0..64 {
            let x = 40.0 + step as f32 * 0.13;
            let [[base], [detail]] = texture.bands(&[x], &[4.0]);
            let off = (base + detail - wave(x)).abs();
            assert!(off < 6.0, "{x}: off by {off}");
        }
    }
}
