//! The still, ready to be sampled anywhere.
//!
//! A bilinear sample between the pixels loses the finest texture, and since the
//! still itself is the first frame, that shows as a flash of sharpness once in
//! every turn. So the luma is refined once with longer kernels, and the bilinear
//! sample is taken from the refined plane, where what the picture holds is a
//! quarter as fine.
//!
//! Of a plane that was only doubled the second difference at the seam was up to 1.6
//! times the usual one, of this one it is up to 1.18. Cubic samples of the doubled
//! plane had 1.10, and would take four loads for each pixel instead of one.

use std::ops::Range;

use crate::{
    arch::Quads,
    frames::{TILE_PX, mask::box_mean},
    picture::{Plane, Yuv420},
};

/// How much finer the luma is made, in each direction.
const FINENESS: usize = 4;
/// Taps on one side of a kernel.
const TAPS: usize = 4;
/// Parts of the kernels' weights.
const PARTS: i16 = 128;
/// Weights of the pixels around a place a quarter, a half and three quarters of
/// the way between two: of all kernels of eight taps those whose response is
/// closest to `cos(pi f / 4)^-0.6` up to 0.38 cycles per pixel, with errors counted
/// by the spectrum of photographs, 1/f. The power gives in excess at these places
/// what a bilinear sample between them loses.
const KERNELS: [[i16; 2 * TAPS]; FINENESS - 1] = [
    [-2, 7, -20, 115, 38, -14, 6, -2],
    [-2, 9, -23, 80, 80, -23, 9, -2],
    [-2, 6, -14, 38, 115, -20, 7, -2],
];
/// Side of a cell of the base band, in pixels.
const BASE_PX: usize = 8;

/// The planes to draw from.
pub struct Texture {
    /// At [`FINENESS`] times the resolution.
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
            luma: refined(luma, is_needed),
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
fn spans(is_needed: &[bool], width: usize) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for (column, _) in is_needed.iter().enumerate().filter(|(_, needed)| **needed) {
        let (from, to) = (column * TILE_PX, ((column + 1) * TILE_PX).min(width));
        match spans.last_mut() {
            Some(last) if last.end == from => last.end = to,
            _ => spans.push(from..to),
        }
    }
    spans
}

/// The plane at [`FINENESS`] times the resolution, from the first to the last pixel:
/// the pixels themselves exactly, and what is between them by the kernels.
fn refined(luma: &Plane<u8>, is_needed: &Plane<bool>) -> Quads {
    let (width, height) = (luma.width_px, luma.height_px);
    let side = |length: usize| FINENESS * (length - 1) + 1;
    let mut quads = Quads::new(side(width), side(height));
    let mut across = Across::new(luma);
    for tile_row in 0..is_needed.height_px {
        for span in spans(is_needed.row(tile_row), width) {
            let rows = tile_row * TILE_PX..((tile_row + 1) * TILE_PX).min(height);
            across.fill(
                rows.start.saturating_sub(TAPS)..(rows.end + TAPS).min(height),
                span.clone(),
            );
            let count = side(width).min(FINENESS * span.end) - FINENESS * span.start;
            let mut here = vec![0; FINENESS * span.len()];
            let mut below = here.clone();
            across.row(rows.start, 0, &span, &mut here);
            for y in rows {
                for part in 0..FINENESS {
                    if part + 1 < FINENESS {
                        across.row(y, part + 1, &span, &mut below);
                    } else {
                        across.row((y + 1).min(height - 1), 0, &span, &mut below);
                    }
                    let row = FINENESS * y + part;
                    if row < side(height) {
                        let left = FINENESS * span.start;
                        quads.fill(left, row, &here[..count], &below[..count]);
                    }
                    std::mem::swap(&mut here, &mut below);
                }
            }
        }
    }
    quads
}

/// The luma refined across, one plane for each part of a pixel.
struct Across<'a> {
    luma: &'a Plane<u8>,
    /// The parts after the first, which is the luma itself.
    between: [Plane<u8>; FINENESS - 1],
    /// A row that is being worked on.
    row: Vec<u8>,
}

impl<'a> Across<'a> {
    fn new(luma: &'a Plane<u8>) -> Self {
        Self {
            between: [(); FINENESS - 1].map(|()| Plane::filled(luma.width_px, luma.height_px, 0)),
            row: Vec::new(),
            luma,
        }
    }

    /// Fills a part of what is between.
    fn fill(&mut self, rows: Range<usize>, span: Range<usize>) {
        let width = self.luma.width_px;
        for y in rows {
            let luma = self.luma.row(y);
            // The span and what a kernel reaches beside it, held at the edges.
            let inner = span.start.saturating_sub(TAPS - 1)..(span.end + TAPS).min(width);
            let before = TAPS - 1 - (span.start - inner.start);
            let after = span.end + TAPS - inner.end;
            self.row.clear();
            self.row.extend(std::iter::repeat_n(luma[0], before));
            self.row.extend_from_slice(&luma[inner]);
            self.row.extend(std::iter::repeat_n(luma[width - 1], after));
            let taps = std::array::from_fn(|tap| &self.row[tap..tap + span.len()]);
            for (kernel, plane) in KERNELS.iter().zip(&mut self.between) {
                filtered(kernel, taps, &mut plane.row_mut(y)[span.clone()]);
            }
        }
    }

    /// A part of the row that lies so many parts below row `y`.
    fn row(&mut self, y: usize, part: usize, span: &Range<usize>, to: &mut [u8]) {
        let end = self.luma.height_px - 1;
        let held = |tap: usize| (y + 1 + tap).saturating_sub(TAPS).min(end);
        self.row.resize(span.len(), 0);
        let planes = std::iter::once(self.luma).chain(&self.between);
        for (k, plane) in planes.enumerate() {
            let samples = if part == 0 {
                &plane.row(y)[span.clone()]
            } else {
                let taps = std::array::from_fn(|tap| &plane.row(held(tap))[span.clone()]);
                filtered(&KERNELS[part - 1], taps, &mut self.row);
                &self.row
            };
            for (group, sample) in to.chunks_exact_mut(FINENESS).zip(samples) {
                group[k] = *sample;
            }
        }
    }
}

/// What is between the middle two of eight rows.
fn filtered(kernel: &[i16; 2 * TAPS], taps: [&[u8]; 2 * TAPS], to: &mut [u8]) {
    let count = to.len();
    let [a, b, c, d, e, f, g, h] = taps.map(|row| &row[..count]);
    for (k, to) in to.iter_mut().enumerate() {
        // Counted from mid-grey, so that no sum leaves the range of its type.
        let part = |tap: usize, row: &[u8]| kernel[tap] * (i16::from(row[k]) - 128);
        let sum = part(0, a) + part(1, b) + part(2, c) + part(3, d);
        let sum = sum + part(4, e) + part(5, f) + part(6, g) + part(7, h);
        *to = (((sum + PARTS / 2) >> PARTS.ilog2()) + 128).clamp(0, 255) as u8;
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

    /// Bilinear sample of the refined plane.
    fn sample(quads: &Quads, x: f32, y: f32) -> f32 {
        let [x, y] = [x, y].map(|at| FINENESS as f32 * at);
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (x.fract(), y.fract());
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
            let quads = refined(&luma, &everywhere(&luma));
            for y in 0..height {
                for x in 0..width {
                    assert_eq!(sample(&quads, x as f32, y as f32), f32::from(luma.at(x, y)));
                }
            }
        }
    }

    #[test]
    fn a_part_is_refined_as_the_whole_is() {
        let luma = Plane::from_fn(80, 48, |x, y| (x * x * 3 + y * 91 + x * y) as u8);
        let mut needed = everywhere(&luma).map(|_| false);
        needed.row_mut(1)[2..4].fill(true);
        let (whole, part) = (refined(&luma, &everywhere(&luma)), refined(&luma, &needed));
        for row in 16 * FINENESS..32 * FINENESS {
            for column in 32 * FINENESS..63 * FINENESS {
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
            let quads = refined(&luma, &everywhere(&luma));
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
