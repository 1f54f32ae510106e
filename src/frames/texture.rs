//! The still's luma, ready to be sampled anywhere, in two bands.

use crate::{arch::Padded, frames::mask::box_mean, picture::Plane};

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
            softening: softening(&luma, mask),
            base,
            luma,
        }
    }

    /// The luma at `N` positions, as base and detail. Sampling between pixels
    /// softens, so the detail is amplified by what is lost there.
    #[inline(always)]
    pub fn bands<const N: usize>(&self, x: &[f32; N], y: &[f32; N]) -> [[f32; N]; 2] {
        let places = self.luma.places(x, y);
        let base = self.base.corner(&places);
        let whole = self.luma.cubic(&places);
        let between = places.between();
        let detail =
            std::array::from_fn(|k| (whole[k] - base[k]) * (1.0 + self.softening * between[k]));
        [base, detail]
    }

    /// What a pixel differs from its surroundings by, at the scale of the
    /// finest texture: this is what a cross-fade blurs first.
    pub fn fine_detail(&self, x: f32, y: f32) -> f32 {
        const APART_PX: f32 = 2.0;
        let (x, y) = (x + 0.5, y + 0.5);
        let across = [x, x - APART_PX, x + APART_PX, x, x];
        let down = [y, y, y, y - APART_PX, y + APART_PX];
        let [here, around @ ..] = self.luma.corner(&self.luma.places(&across, &down));
        here - around.iter().sum::<f32>() / 4.0
    }
}

/// Measured on the contrast of pixels that stand three apart.
fn softening(luma: &Padded<f32>, mask: &Plane<u8>) -> f32 {
    const SOFTENING_MAX: f32 = 0.3;
    let (mut whole, mut half) = (1.0f32, 1.0f32);
    for y in (0..mask.height_px).step_by(3) {
        for x in (y % 3..mask.width_px).step_by(3) {
            if mask.at(x, y) == u8::MAX {
                let (x, y) = (x as f32, y as f32);
                let change = |shift: f32| {
                    let across = [x, x + 3.0, x].map(|x| x + shift);
                    let down = [y, y, y + 3.0].map(|y| y + shift);
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
        assert!(texture.softening > 0.0, "noise softens between pixels");
        for (x, y) in [(0, 0), (39, 29), (17, 4)] {
            let [[base], [detail]] = texture.bands(&[x as f32], &[y as f32]);
            assert_eq!(base + detail, f32::from(luma.at(x, y)));
        }
    }
}
