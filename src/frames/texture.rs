//! The still, ready to be sampled anywhere.

use crate::{
    arch::Padded,
    frames::{TILE_PX, tiles::runs},
    picture::{Plane, Yuv420, box_mean},
};

/// Side of a cell of the base band, in pixels.
const BASE_PX: usize = 8;

/// The planes to draw from.
pub struct Texture {
    /// Brightness.
    pub luma: Padded,
    /// Blue and red difference.
    pub chroma: [Padded; 2],
    /// Luma without its detail, in grey levels from mid-grey, in cells.
    base: Plane<f32>,
}

impl Texture {
    /// Prepares the planes.
    pub fn new(still: &Yuv420) -> Self {
        let padded = |plane: &Plane<u8>| Padded::of(&plane.samples, plane.width_px);
        Self {
            luma: padded(&still.y),
            chroma: [padded(&still.u), padded(&still.v)],
            base: base_band(&still.y),
        }
    }

    /// The luma without its detail at a position, in grey levels from mid-grey.
    pub fn base(&self, x: f32, y: f32) -> f32 {
        let cell = |position: f32| (position + 0.5) * (1.0 / BASE_PX as f32) - 0.5;
        self.base.bilinear(cell(x), cell(y))
    }
}

/// What every pixel differs from its surroundings by, at the scale of the finest
/// texture, in parts of a grey level: this is what a cross-fade blurs first. Zero
/// in tiles that are not needed.
pub fn fine_detail(luma: &Plane<u8>, is_needed: &Plane<bool>) -> Plane<i16> {
    const APART: usize = 2;
    let (width, height) = (luma.width_px, luma.height_px);
    let mut detail = Plane::filled(width, height, 0);
    for run in runs(is_needed) {
        let [columns, rows] = run.samples(luma, TILE_PX);
        let inner = columns.start.max(APART)..columns.end.min(width - APART);
        for y in rows {
            let above = &luma.row(y.saturating_sub(APART))[inner.clone()];
            let below = &luma.row((y + APART).min(height - 1))[inner.clone()];
            let left = &luma.row(y)[inner.start - APART..];
            let right = &luma.row(y)[inner.start + APART..];
            let here = &luma.row(y)[inner.clone()];
            let to = &mut detail.row_mut(y)[inner.clone()];
            for (k, to) in to.iter_mut().enumerate() {
                let around = [above[k], below[k], left[k], right[k]].map(i16::from);
                *to = 4 * i16::from(here[k]) - around.iter().sum::<i16>();
            }
        }
    }
    detail
}

/// The luma blurred over about an eightieth of the long side: what is left when
/// the texture is taken away.
fn base_band(luma: &Plane<u8>) -> Plane<f32> {
    let radius = luma.width_px.max(luma.height_px) / 160 / BASE_PX;
    let cells = block_means(luma, BASE_PX).map(|mean| mean - 128.0);
    box_mean(&box_mean(&cells, radius), radius)
}

/// Means of squares of `side` samples, in grey levels; at the right and at the
/// bottom of what there is of them.
pub fn block_means(plane: &Plane<u8>, side: usize) -> Plane<f32> {
    let columns = plane.width_px.div_ceil(side);
    let rows = plane.height_px.div_ceil(side);
    let mut means = Plane::filled(columns, rows, 0.0);
    let mut sums = vec![0u32; columns];
    for row in 0..rows {
        let lines = row * side..((row + 1) * side).min(plane.height_px);
        let count = lines.len();
        sums.fill(0);
        for y in lines {
            for (sum, block) in sums.iter_mut().zip(plane.row(y).chunks(side)) {
                *sum += block.iter().map(|sample| u32::from(*sample)).sum::<u32>();
            }
        }
        for (column, (mean, sum)) in means.row_mut(row).iter_mut().zip(&sums).enumerate() {
            let across = side.min(plane.width_px - column * side);
            *mean = *sum as f32 / (across * count) as f32;
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_blocks_end_at_the_edge() {
        let plane = Plane::from_fn(5, 3, |x, y| (10 * x + y) as u8);
        let means = block_means(&plane, 4);
        assert_eq!((means.width_px, means.height_px), (2, 1));
        assert_eq!((means.at(0, 0), means.at(1, 0)), (16.0, 41.0));
    }
}
