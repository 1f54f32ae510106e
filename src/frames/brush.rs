//! Draws one tile of a frame from the still, given how its nodes move.

use std::{array, sync::Arc};

use crate::{
    arch::Padded,
    frames::{
        TILE_PX,
        cell::{Cell, Run},
        field::{NODE_STRIDE_PX, NodeState},
        texture::Texture,
        tiles::{open_tiles, reach},
    },
    picture::{Plane, Yuv420},
};

/// Black in limited range; brightness is scaled above it.
const BLACK: f32 = 16.0;
/// Neutral chroma; colour is scaled around it.
const GREY: f32 = 128.0;
/// Cells along the side of a tile.
const CELLS: usize = TILE_PX / NODE_STRIDE_PX;
/// Chroma samples along the side of a cell.
const CHROMA_SIDE_PX: usize = NODE_STRIDE_PX / 2;

/// The still, ready to be drawn from.
pub struct Brush {
    still: Arc<Yuv420>,
    /// The luma to draw from.
    pub texture: Texture,
    blue: Padded<u8>,
    red: Padded<u8>,
    /// How far every pixel follows the motion, 0..=255.
    pub mask: Plane<u8>,
    /// The mask, for looking up where a pixel comes from.
    reach: Padded<u8>,
    /// Tiles around which everything moves freely.
    open: Plane<bool>,
}

/// Pixels in a row that follow their motion by a share, 0..=1 each.
struct Pixels<const N: usize> {
    x: [f32; N],
    y: [f32; N],
    share: [f32; N],
    /// Whether nothing that rests is near, so that no way must be shortened.
    are_open: bool,
}

impl Brush {
    /// Mirrors the still's planes as far as any pixel is displaced.
    pub fn new(still: Arc<Yuv420>, mask: Plane<u8>, border_px: usize) -> Self {
        let chroma =
            |plane: &Plane<u8>| Padded::new(&plane.samples, plane.width_px, border_px / 2 + 1);
        Self {
            texture: Texture::new(&still.y, &mask, border_px),
            blue: chroma(&still.u),
            red: chroma(&still.v),
            open: open_tiles(&mask, border_px),
            reach: Padded::new(&reach(&mask).samples, mask.width_px, border_px),
            mask,
            still,
        }
    }

    /// Draws the tile at a column and row of tiles.
    pub fn draw_tile(
        &self,
        (column, row): (usize, usize),
        states: &Plane<NodeState>,
        planes: &mut Yuv420,
    ) {
        let are_open = self.open.at(column, row);
        for cell_row in row * CELLS..(row + 1) * CELLS {
            for cell_column in column * CELLS..(column + 1) * CELLS {
                let cell = Cell::new(states, cell_column, cell_row);
                let at = (cell_column, cell_row);
                self.draw_luma(&cell, at, are_open, &mut planes.y);
                self.draw_chroma(&cell, at, are_open, planes);
            }
        }
    }

    /// The displacement of the pixels of a row, in luma pixels in x and in y: of
    /// the layer that has the larger share in each.
    pub fn displacement(
        &self,
        states: &Plane<NodeState>,
        cell_column: usize,
        y: usize,
    ) -> [[f32; NODE_STRIDE_PX]; 2] {
        let cell = Cell::new(states, cell_column, y / NODE_STRIDE_PX);
        let run: Run<NODE_STRIDE_PX> = cell.run((0.0, (y % NODE_STRIDE_PX) as f32), 1.0);
        let pixels: Pixels<NODE_STRIDE_PX> = self.pixels(cell_column * NODE_STRIDE_PX, y, false);
        let pick = |axis: usize| -> [f32; NODE_STRIDE_PX] {
            array::from_fn(|k| {
                let layers = [run.near[axis][k], run.far[axis][k]];
                layers[usize::from(run.far_share[k] > 0.5)]
            })
        };
        let [x, y] = self.source(&pixels, &[pick(0), pick(1)]);
        [
            array::from_fn(|k| pixels.x[k] - x[k]),
            array::from_fn(|k| pixels.y[k] - y[k]),
        ]
    }

    fn draw_luma(
        &self,
        cell: &Cell,
        (column, row): (usize, usize),
        are_open: bool,
        plane: &mut Plane<u8>,
    ) {
        let (left, top) = (column * NODE_STRIDE_PX, row * NODE_STRIDE_PX);
        if left >= plane.width_px {
            return;
        }
        let span = left..(left + NODE_STRIDE_PX).min(plane.width_px);
        for y in top..(top + NODE_STRIDE_PX).min(plane.height_px) {
            let run: Run<NODE_STRIDE_PX> = cell.run((0.0, (y - top) as f32), 1.0);
            let pixels = self.pixels(left, y, are_open);
            let still = padded(&self.still.y.row(y)[span.clone()]);
            let moved = if pixels.rest() {
                still
            } else {
                pixels.or_still(&self.luma_at(&pixels, &run, cell.is_layered), &still)
            };
            let lit: [f32; NODE_STRIDE_PX] =
                array::from_fn(|k| BLACK + (moved[k] - BLACK) * run.light_gain[k]);
            put(
                &mut plane.row_mut(y)[span.clone()],
                &lit,
                thresholds(left, y),
            );
        }
    }

    #[inline(always)]
    fn luma_at<const N: usize>(
        &self,
        pixels: &Pixels<N>,
        run: &Run<N>,
        is_layered: bool,
    ) -> [f32; N] {
        let share = &pixels.share;
        let [x, y] = self.source(pixels, &run.near);
        let [near_base, near] = self.texture.bands(&x, &y);
        if !is_layered {
            return array::from_fn(|k| {
                near_base[k] + near[k] * (1.0 + (run.near_detail[k] - 1.0) * share[k])
            });
        }
        let [x, y] = self.source(pixels, &run.far);
        let [far_base, far] = self.texture.bands(&x, &y);
        // Where the mask fades, both layers approach the still and so each other.
        array::from_fn(|k| {
            let far_share = run.far_share[k];
            let near_share = 1.0 - far_share;
            let near_detail = near_share + (run.near_detail[k] - near_share) * share[k];
            let far_detail = far_share + (run.far_detail[k] - far_share) * share[k];
            near_base[k] * near_share
                + far_base[k] * far_share
                + near[k] * near_detail
                + far[k] * far_detail
        })
    }

    /// Where in the still the pixels come from, in x and in y. A way that leads
    /// to something that rests is shortened, so that no edge of it is carried
    /// along.
    #[inline(always)]
    fn source<const N: usize>(
        &self,
        pixels: &Pixels<N>,
        [dx, dy]: &[[f32; N]; 2],
    ) -> [[f32; N]; 2] {
        let Pixels { x, y, share, .. } = pixels;
        let back = |share: &[f32; N], rounding: f32| {
            [
                array::from_fn(|k| x[k] - dx[k] * share[k] + rounding),
                array::from_fn(|k| y[k] - dy[k] * share[k] + rounding),
            ]
        };
        if pixels.are_open {
            return back(share, 0.0);
        }
        let [from_x, from_y] = back(share, 0.5);
        let there = self.reach.corner(&self.reach.places(&from_x, &from_y));
        back(
            &array::from_fn(|k| share[k] * there[k] * (1.0 / 255.0)),
            0.0,
        )
    }

    fn draw_chroma(
        &self,
        cell: &Cell,
        (column, row): (usize, usize),
        are_open: bool,
        planes: &mut Yuv420,
    ) {
        const SIDE: usize = CHROMA_SIDE_PX;
        let (width, height) = (planes.u.width_px, planes.u.height_px);
        let (left, top) = (column * SIDE, row * SIDE);
        if left >= width {
            return;
        }
        let span = left..(left + SIDE).min(width);
        for y in top..(top + SIDE).min(height) {
            // Chroma samples stand between luma samples: 2x + 1/2.
            let run: Run<SIDE> = cell.run((0.5, (2 * (y - top)) as f32 + 0.5), 2.0);
            let pixels = self.chroma_pixels(left, y, are_open);
            let still = [&self.still.u, &self.still.v]
                .map(|plane| padded::<SIDE>(&plane.row(y)[span.clone()]));
            let moved = if pixels.rest() {
                still
            } else {
                let moved = self.chroma_at(&pixels, &run, cell.is_layered);
                array::from_fn(|plane| pixels.or_still(&moved[plane], &still[plane]))
            };
            for (plane, moved) in [&mut planes.u, &mut planes.v].into_iter().zip(&moved) {
                let lit: [f32; SIDE] =
                    array::from_fn(|k| GREY + (moved[k] - GREY) * run.light_gain[k]);
                put(
                    &mut plane.row_mut(y)[span.clone()],
                    &lit,
                    thresholds(left, y),
                );
            }
        }
    }

    /// Blue and red difference.
    #[inline(always)]
    fn chroma_at<const N: usize>(
        &self,
        pixels: &Pixels<N>,
        run: &Run<N>,
        is_layered: bool,
    ) -> [[f32; N]; 2] {
        let at = |displacement| {
            let [x, y] = self.source(pixels, displacement);
            let halved = |luma: [f32; N]| -> [f32; N] { array::from_fn(|k| (luma[k] - 0.5) * 0.5) };
            let places = self.blue.places(&halved(x), &halved(y));
            [self.blue.bilinear(&places), self.red.bilinear(&places)]
        };
        let near = at(&run.near);
        if !is_layered {
            return near;
        }
        let far = at(&run.far);
        array::from_fn(|plane| {
            let (near, far) = (&near[plane], &far[plane]);
            array::from_fn(|k| near[k] + (far[k] - near[k]) * run.far_share[k])
        })
    }

    /// The luma pixels of a row from column `left` on.
    #[inline(always)]
    fn pixels<const N: usize>(&self, left: usize, y: usize, are_open: bool) -> Pixels<N> {
        let right = (left + N).min(self.mask.width_px);
        let mask: [f32; N] = padded(&self.mask.row(y)[left..right]);
        Pixels {
            x: array::from_fn(|k| left as f32 + k as f32),
            y: [y as f32; N],
            share: array::from_fn(|k| mask[k] * (1.0 / 255.0)),
            are_open,
        }
    }

    /// The chroma samples of a row, in luma pixels. Each follows as far as the
    /// four pixels that it colours do on average, and not at all where all four
    /// rest.
    #[inline(always)]
    fn chroma_pixels<const N: usize>(&self, left: usize, y: usize, are_open: bool) -> Pixels<N> {
        let span = 2 * left..(2 * (left + N)).min(self.mask.width_px);
        let above = self.mask.row(2 * y)[span.clone()].chunks_exact(2);
        let below = self.mask.row(2 * y + 1)[span].chunks_exact(2);
        let mut share = [0.0; N];
        for ((share, above), below) in share.iter_mut().zip(above).zip(below) {
            let sum: u16 = above.iter().chain(below).map(|m| u16::from(*m)).sum();
            *share = f32::from(sum) * (1.0 / (4.0 * 255.0));
        }
        Pixels {
            x: array::from_fn(|k| (2 * left) as f32 + 0.5 + 2.0 * k as f32),
            y: [(2 * y) as f32 + 0.5; N],
            share,
            are_open,
        }
    }
}

impl<const N: usize> Pixels<N> {
    /// Whether none of them follows.
    #[inline(always)]
    fn rest(&self) -> bool {
        self.share == [0.0; N]
    }

    /// The still, exactly, for those that do not follow.
    #[inline(always)]
    fn or_still(&self, moved: &[f32; N], still: &[f32; N]) -> [f32; N] {
        array::from_fn(|k| {
            if self.share[k] == 0.0 {
                still[k]
            } else {
                moved[k]
            }
        })
    }
}

/// `N` samples; at the edge of the picture they are filled up with zeros.
#[inline(always)]
fn padded<const N: usize>(samples: &[u8]) -> [f32; N] {
    match samples.first_chunk::<N>() {
        Some(samples) => array::from_fn(|k| f32::from(samples[k])),
        None => array::from_fn(|k| samples.get(k).map_or(0.0, |sample| f32::from(*sample))),
    }
}

/// Rounds to the plane's samples.
#[inline(always)]
fn put<const N: usize>(to: &mut [u8], values: &[f32; N], thresholds: &[f32; N]) {
    let rounded: [u8; N] = array::from_fn(|k| (values[k] + thresholds[k]) as u8);
    let count = to.len();
    to.copy_from_slice(&rounded[..count]);
}

/// The thresholds of `N` pixels in a row from column `left` on, a multiple of `N`.
#[inline(always)]
fn thresholds<const N: usize>(left: usize, y: usize) -> &'static [f32; N] {
    DITHER[y % 16][left % 16..]
        .first_chunk()
        .expect("N divides the side of the pattern")
}

/// Rounding thresholds, different from pixel to pixel and the same in every
/// frame: a whole value keeps its value, and a change of a fraction of a grey
/// level shows on that fraction of the pixels. Rounding at one half everywhere
/// would swallow the first small steps away from the still.
static DITHER: [[f32; 16]; 16] = dither();

/// Interleaved gradient noise (Jimenez 2014), held within 1/32..31/32.
const fn dither() -> [[f32; 16]; 16] {
    let mut thresholds = [[0.0; 16]; 16];
    let mut y = 0;
    while y < 16 {
        let mut x = 0;
        while x < 16 {
            let inner = 0.067_110_56 * x as f32 + 0.005_837_15 * y as f32;
            let outer = 52.982_918 * (inner - inner as u32 as f32);
            let noise = outer - outer as u32 as f32;
            thresholds[y][x] = (1.0 + 30.0 * noise) / 32.0;
            x += 1;
        }
        y += 1;
    }
    thresholds
}
