//! The still, ready to be sampled anywhere.
//!
//! A bilinear sample between the pixels loses the finest texture, and since the
//! still itself is the first frame, that shows as a flash of sharpness once in
//! every turn. So the luma is doubled once with a longer kernel, and the bilinear
//! sample is taken from the doubled plane, where what the picture holds is half
//! as fine. What that still loses at a quarter and three quarters of a pixel, the
//! kernel gives in excess half-way, so that over all positions nothing is lost.

use crate::{
    arch::Quads,
    frames::{TILE_PX, mask::box_mean},
    picture::{Plane, Yuv420},
};

/// Taps on one side of the kernel that doubles.
const TAPS: usize = 4;
/// Parts of the kernel's weights.
const PARTS: i16 = 64;
/// Weights of the pixels half a pixel, one and a half and so on away: the
/// symmetric kernel of eight taps whose gain is closest to `cos(pi f / 2)^-0.8`
/// up to 0.38 cycles per pixel. A quarter of a pixel away from a sample of the
/// doubled plane the gain is then 0.93 to 1.00 up to a third of a cycle per pixel,
/// half-way it is 1.02 to 1.15. The kernel of Lanczos, which has no excess, leaves
/// 0.87 there and 1.00 half-way; cubic samples of its plane cost four times the
/// loads.
const KERNEL: [i16; TAPS] = [42, -14, 6, -2];
/// Side of a cell of the base band, in pixels.
const BASE_PX: usize = 8;

/// The planes to draw from.
pub struct Texture {
    /// At twice the resolution.
    pub luma: Quads,
    /// Blue and red difference.
    pub chroma: [Quads; 2],
    /// Luma without its detail, in grey levels from mid-grey, in cells.
    base: Plane<f32>,
}

impl Texture {
    /// Prepares the planes where `is_needed` says so, for each tile.
    pub fn new(still: &Yuv420, is_needed: &Plane<bool>) -> Self {
        let luma = &still.y;
        let chroma = |plane: &Plane<u8>| Quads::of(&plane.samples, plane.width_px);
        Self {
            luma: doubled(luma, is_needed),
            chroma: [chroma(&still.u), chroma(&still.v)],
            base: base_band(luma),
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
    for tile_row in 0..is_needed.height_px {
        for span in spans(is_needed.row(tile_row), width) {
            let inner = span.start.max(APART)..span.end.min(width - APART);
            for y in tile_row * TILE_PX..((tile_row + 1) * TILE_PX).min(height) {
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
    }
    detail
}

/// Runs of needed tiles in a row of tiles, in pixels.
fn spans(is_needed: &[bool], width: usize) -> Vec<std::ops::Range<usize>> {
    let mut spans: Vec<std::ops::Range<usize>> = Vec::new();
    for (column, _) in is_needed.iter().enumerate().filter(|(_, needed)| **needed) {
        let (from, to) = (column * TILE_PX, ((column + 1) * TILE_PX).min(width));
        match spans.last_mut() {
            Some(last) if last.end == from => last.end = to,
            _ => spans.push(from..to),
        }
    }
    spans
}

/// The plane at twice the resolution, from the first to the last pixel: the pixels
/// themselves exactly, and what is between them by the kernel.
fn doubled(luma: &Plane<u8>, is_needed: &Plane<bool>) -> Quads {
    let (width, height) = (luma.width_px, luma.height_px);
    let mut quads = Quads::new(2 * width - 1, 2 * height - 1);
    let mut right = RightOf::new(luma);
    for tile_row in 0..is_needed.height_px {
        for span in spans(is_needed.row(tile_row), width) {
            let rows = tile_row * TILE_PX..((tile_row + 1) * TILE_PX).min(height);
            let first = rows.start.saturating_sub(TAPS);
            let last = (rows.end + TAPS).min(height);
            right.fill(first..last, span.clone());
            let mut even = vec![0; 2 * span.len()];
            let mut next = even.clone();
            let mut odd = even.clone();
            right.row(rows.start, &span, &mut even);
            for y in rows {
                right.row_below(y, &span, &mut odd);
                right.row((y + 1).min(height - 1), &span, &mut next);
                let count = even.len().min(2 * (width - span.start) - 1);
                quads.fill(2 * span.start, 2 * y, &even[..count], &odd[..count]);
                if y + 1 < height {
                    quads.fill(2 * span.start, 2 * y + 1, &odd[..count], &next[..count]);
                }
                std::mem::swap(&mut even, &mut next);
            }
        }
    }
    quads
}

/// The luma, and half a pixel to the right of each of its pixels.
struct RightOf<'a> {
    luma: &'a Plane<u8>,
    between: Plane<u8>,
    /// Sums of a row, kept for the next one.
    row: Vec<u8>,
}

impl<'a> RightOf<'a> {
    fn new(luma: &'a Plane<u8>) -> Self {
        Self {
            between: Plane::filled(luma.width_px, luma.height_px, 0),
            row: Vec::new(),
            luma,
        }
    }

    /// Fills a part of what is between.
    fn fill(&mut self, rows: std::ops::Range<usize>, span: std::ops::Range<usize>) {
        let end = self.luma.width_px as isize - 1;
        for y in rows {
            let luma = self.luma.row(y);
            // The span and what the kernel reaches beside it, held at the edges.
            self.row.clear();
            let from = span.start as isize + 1 - TAPS as isize;
            let to = (span.end + TAPS) as isize;
            let (inner_from, inner_to) = (from.max(0), to.min(end + 1));
            self.row.extend((from..inner_from).map(|_| luma[0]));
            self.row
                .extend_from_slice(&luma[inner_from as usize..inner_to as usize]);
            self.row.extend((inner_to..to).map(|_| luma[end as usize]));
            let taps = std::array::from_fn(|tap| &self.row[tap..tap + span.len()]);
            half_way(taps, &mut self.between.row_mut(y)[span.clone()]);
        }
    }

    /// A part of row `y` at twice the resolution.
    fn row(&self, y: usize, span: &std::ops::Range<usize>, to: &mut [u8]) {
        let pixels = self.luma.row(y)[span.clone()].iter();
        let between = &self.between.row(y)[span.clone()];
        for ((pair, pixel), between) in to.chunks_exact_mut(2).zip(pixels).zip(between) {
            pair[0] = *pixel;
            pair[1] = *between;
        }
    }

    /// The same half a pixel below it.
    fn row_below(&mut self, y: usize, span: &std::ops::Range<usize>, to: &mut [u8]) {
        let held = |tap: usize| {
            (y + 1 + tap)
                .saturating_sub(TAPS)
                .min(self.luma.height_px - 1)
        };
        self.row.resize(2 * span.len(), 0);
        let (pixels, between) = self.row.split_at_mut(span.len());
        for (plane, half) in [(self.luma, pixels), (&self.between, between)] {
            let taps = std::array::from_fn(|tap| &plane.row(held(tap))[span.clone()]);
            half_way(taps, half);
        }
        let (pixels, between) = self.row.split_at(span.len());
        for ((pair, pixel), between) in to.chunks_exact_mut(2).zip(pixels).zip(between) {
            pair[0] = *pixel;
            pair[1] = *between;
        }
    }
}

/// What is half-way between the middle two of eight rows.
fn half_way(taps: [&[u8]; 2 * TAPS], to: &mut [u8]) {
    let count = to.len();
    let [a, b, c, d, e, f, g, h] = taps.map(|row| &row[..count]);
    for (k, to) in to.iter_mut().enumerate() {
        let pair = |low: &[u8], high: &[u8]| i16::from(low[k]) + i16::from(high[k]);
        // At most 24 480, at least -8 160.
        let sum = KERNEL[0] * pair(d, e)
            + KERNEL[1] * pair(c, f)
            + KERNEL[2] * pair(b, g)
            + KERNEL[3] * pair(a, h);
        *to = ((sum + PARTS / 2) / PARTS).clamp(0, 255) as u8;
    }
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
    use std::f32::consts::PI;

    fn everywhere(luma: &Plane<u8>) -> Plane<bool> {
        let tiles = |length: usize| length.div_ceil(TILE_PX);
        Plane::filled(tiles(luma.width_px), tiles(luma.height_px), true)
    }

    /// Bilinear sample of the doubled plane.
    fn sample(quads: &Quads, x: f32, y: f32) -> f32 {
        let (column, row) = ((2.0 * x) as usize, (2.0 * y) as usize);
        let (fx, fy) = ((2.0 * x).fract(), (2.0 * y).fract());
        let [a, below, right, across] = quads
            .quad(row * quads.width() + column)
            .map(|v| f32::from(v) + 128.0);
        let left = a + (below - a) * fy;
        left + (right + (across - right) * fy - left) * fx
    }

    #[test]
    fn at_whole_positions_stands_the_luma_itself() {
        for (width, height) in [(1, 1), (7, 3), (40, 30), (33, 17)] {
            let luma = Plane::from_fn(width, height, |x, y| (x * 37 + y * 91) as u8);
            let quads = doubled(&luma, &everywhere(&luma));
            for y in 0..height {
                for x in 0..width {
                    assert_eq!(sample(&quads, x as f32, y as f32), f32::from(luma.at(x, y)));
                }
            }
        }
    }

    #[test]
    fn a_part_is_doubled_as_the_whole_is() {
        let luma = Plane::from_fn(80, 48, |x, y| (x * x * 3 + y * 91 + x * y) as u8);
        let mut needed = everywhere(&luma).map(|_| false);
        needed.row_mut(1)[2..4].fill(true);
        let (whole, part) = (doubled(&luma, &everywhere(&luma)), doubled(&luma, &needed));
        for row in 32..63 {
            for column in 64..127 {
                let at = row * whole.width() + column;
                assert_eq!(whole.quad(at), part.quad(at), "{column},{row}");
            }
        }
        assert_eq!(part.quad(0), [0; 4]);
    }

    #[test]
    fn texture_keeps_its_contrast_at_all_positions_on_average() {
        // 3 to 10 pixels a period.
        for period in [3.0, 4.0, 6.0, 10.0] {
            let wave = |x: f32| 60.0 * (2.0 * PI * x / period).cos();
            let luma = Plane::from_fn(200, 4, |x, _| (128.0 + wave(x as f32)).round() as u8);
            let quads = doubled(&luma, &everywhere(&luma));
            let (mut power, mut kept) = (0.0, 0.0);
            for step in 0..2_000 {
                let x = 40.0 + step as f32 * 0.0513;
                power += wave(x).powi(2);
                kept += (sample(&quads, x, 1.0) - 128.0).powi(2);
            }
            let kept = (kept / power).sqrt();
            assert!((0.96..1.05).contains(&kept), "{period} px: {kept}");
        }
    }

    #[test]
    fn means_of_blocks_end_at_the_edge() {
        let plane = Plane::from_fn(5, 3, |x, y| (10 * x + y) as u8);
        let means = block_means(&plane, 4);
        assert_eq!((means.width_px, means.height_px), (2, 1));
        assert_eq!((means.at(0, 0), means.at(1, 0)), (16.0, 41.0));
    }
}
