//! The still's luma, ready to be sampled anywhere, in two bands.

use crate::{
    arch::{Padded, bands},
    frames::mask::box_mean,
    picture::Plane,
};

/// Luma, and luma without its detail.
pub struct Texture {
    luma: Padded<f32>,
    base: Padded<u8>,
    /// How much more contrast the moving part has at its pixels than half-way
    /// between them; 0 for none.
    softening: f32,
}

impl Texture {
    /// Prepares the luma; `mask` says which part of it will move (255).
    pub fn new(luma: &Plane<u8>, mask: &Plane<u8>, border_px: usize) -> Self {
        let base = base_band(luma);
        let base = Padded::new(&base.samples, luma.width_px, border_px);
        let luma = Padded::new(&luma.map(f32::from).samples, luma.width_px, border_px);
        Self {
            softening: softening(&luma, &base, mask),
            base,
            luma,
        }
    }

    /// The luma at a position, as base and detail. Sampling between pixels
    /// softens, so the detail is amplified by what is lost there.
    #[inline(always)]
    pub fn bands(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let seen = bands(&self.luma, &self.base, x, y);
        let gain = 1.0 + self.softening * seen.between;
        (seen.base, (seen.whole - seen.base) * gain)
    }

    /// What a pixel differs from its surroundings by, at the scale of the
    /// finest texture: this is what a cross-fade blurs first.
    pub fn fine_detail(&self, x: f32, y: f32) -> f32 {
        const APART_PX: f32 = 2.0;
        let luma = |x, y| self.luma.nearest(x, y);
        let around = luma(x - APART_PX, y)
            + luma(x + APART_PX, y)
            + luma(x, y - APART_PX)
            + luma(x, y + APART_PX);
        luma(x, y) - around / 4.0
    }
}

/// Measured on the contrast of pixels that stand three apart.
fn softening(luma: &Padded<f32>, base: &Padded<u8>, mask: &Plane<u8>) -> f32 {
    const SOFTENING_MAX: f32 = 0.3;
    let (mut whole, mut half) = (1.0f32, 1.0f32);
    for y in (0..mask.height_px).step_by(3) {
        for x in (y % 3..mask.width_px).step_by(3) {
            if mask.at(x, y) == u8::MAX {
                let (x, y) = (x as f32, y as f32);
                let change = |sample: &dyn Fn(f32, f32) -> f32, x: f32, y: f32| {
                    let here = sample(x, y);
                    (here - sample(x + 3.0, y)).powi(2) + (here - sample(x, y + 3.0)).powi(2)
                };
                whole += change(&|x, y| luma.nearest(x, y), x, y);
                half += change(&|x, y| bands(luma, base, x, y).whole, x + 0.5, y + 0.5);
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
        assert!(texture.softening > 0.0, "noise softens between pixels");
        for (x, y) in [(0, 0), (39, 29), (17, 4)] {
            let (base, detail) = texture.bands((x as f32, y as f32));
            assert_eq!(base + detail, f32::from(luma.at(x, y)));
        }
    }
}
