//! Rounding that shows fractions of a grey level.

use crate::arch::{lanes::LANES, padded::GREY_PARTS};

/// The thresholds of the pixels in a row from column `left` on, with mid-grey added.
#[inline(always)]
pub fn thresholds(left: usize, y: usize) -> &'static [i32; LANES] {
    let from = left % 16 / LANES * LANES;
    DITHER[y % 16][from..]
        .first_chunk()
        .expect("half a row of the pattern")
}

/// Rounding thresholds in parts of 128 of a grey level, different from pixel to pixel and the
/// same in every frame: a whole value keeps its value, and a change of a fraction
/// of a grey level shows on that fraction of the pixels. Rounding at one half
/// everywhere would swallow the first small steps away from the still.
static DITHER: [[i32; 16]; 16] = dither();

/// Interleaved gradient noise (Jimenez 2014), held within 1/32..31/32, so that
/// what is off by a rounding of the weights still gives a whole value.
const fn dither() -> [[i32; 16]; 16] {
    let mut thresholds = [[0; 16]; 16];
    let mut y = 0;
    while y < 16 {
        let mut x = 0;
        while x < 16 {
            let inner = 0.067_110_56 * x as f32 + 0.005_837_15 * y as f32;
            let outer = 52.982_918 * (inner - inner as u32 as f32);
            let noise = outer - outer as u32 as f32;
            thresholds[y][x] = 128 * GREY_PARTS + (4.0 + 120.0 * noise + 0.5) as i32;
            x += 1;
        }
        y += 1;
    }
    thresholds
}
