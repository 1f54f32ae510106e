//! The one algorithm that draws: eight columns of a few rows from the still.
//!
//! Between four nodes everything is bilinear and kept as a running sum that one
//! addition carries to the next row. A displacement is scaled by how far the
//! pixel follows, the position is mirrored at the edges of the picture, one
//! cubic sample is taken for each of the one or two layers, and these are mixed,
//! lit, dithered and written in the same pass.

use std::array;

use crate::arch::{
    dither::thresholds,
    lanes::{LANES, Lanes},
    layer::{Along, Anywhere, Layer, ROWS_MAX, Window, Within, part},
    node::{Node, WEIGHT_PARTS},
    padded::{GREY_PARTS, PARTS, Padded},
    ramp::{Cell, Ramp},
};

/// Where samples of a plane stand between the nodes, which are 8 luma pixels
/// apart, and what is done to them.
pub trait Site {
    /// Rows between two nodes.
    const ROWS: usize;
    /// Cells side by side in a patch.
    const CELLS: usize;
    /// Position of every column, in sixteenths of the way to the next node.
    const ACROSS: [i32; LANES];
    /// Position of the first row, in sixteenths.
    const DOWN: i32;
    /// Distance of the rows, in sixteenths.
    const STEP: i32;
    /// Pixels of luma from one sample to the next, as a shift.
    const PITCH_BITS: i32;
    /// Whether the detail has a weight of its own.
    const HAS_DETAIL: bool;
    /// What light leaves as it is, in grey levels from mid-grey.
    const PIVOT: i32;
}

/// Luma.
pub struct Luma;

/// Chroma, two cells wide, in the middle of four pixels of luma.
pub struct Chroma;

impl Site for Luma {
    const ROWS: usize = 8;
    const CELLS: usize = 1;
    const ACROSS: [i32; LANES] = [0, 2, 4, 6, 8, 10, 12, 14];
    const DOWN: i32 = 0;
    const STEP: i32 = 2;
    const PITCH_BITS: i32 = 0;
    const HAS_DETAIL: bool = true;
    // Black in limited range; brightness is scaled above it.
    const PIVOT: i32 = 16 - 128;
}

impl Site for Chroma {
    const ROWS: usize = 4;
    const CELLS: usize = 2;
    const ACROSS: [i32; LANES] = [1, 5, 9, 13, 1, 5, 9, 13];
    const DOWN: i32 = 1;
    const STEP: i32 = 4;
    const PITCH_BITS: i32 = 1;
    const HAS_DETAIL: bool = false;
    const PIVOT: i32 = 0;
}

/// The nodes around a square: upper left, upper right, lower left, lower right.
pub type Corners<'a> = [&'a Node; 4];

/// How far the samples of a patch follow the motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// None of them at all: what is drawn is what stands there.
    Not,
    /// Each as the mask says.
    Partly,
    /// All of them fully.
    Fully,
}

impl Follow {
    /// What a mask says: 0 is not at all, 255 fully.
    pub fn of(mask: impl IntoIterator<Item = u8>) -> Self {
        let ends = |(least, most): (u8, u8), mask: u8| (least.min(mask), most.max(mask));
        match mask.into_iter().fold((u8::MAX, 0), ends) {
            (_, 0) => Self::Not,
            (255, _) => Self::Fully,
            _ => Self::Partly,
        }
    }
}

/// Eight columns to be drawn, of one plane or of two that move alike.
pub struct Patch<'a, const PLANES: usize> {
    /// What is drawn from.
    pub from: [&'a Padded; PLANES],
    /// The nodes around the first four columns, and around the last four.
    pub cells: [&'a Corners<'a>; 2],
    /// Column and row of the first sample.
    pub at: [usize; 2],
    /// How far each sample follows the motion, 0..=255, from the first one on.
    pub mask: &'a [u8],
    /// Samples of the mask per row.
    pub mask_stride: usize,
    /// What that mask comes to.
    pub follow: Follow,
    /// Whether a second layer is seen.
    pub is_layered: bool,
    /// Whether the light changes.
    pub is_lit: bool,
}

/// Where a patch is drawn to.
pub struct Canvas<'a> {
    /// From the first sample on.
    pub samples: &'a mut [u8],
    /// Samples per row.
    pub stride: usize,
}

/// How far the samples of a row follow, in parts of 256.
#[inline(always)]
fn follow<V: Lanes>(mask: V) -> V {
    // 255 must be all the way.
    mask.add(mask.shifted::<7>())
}

/// Draws a patch.
///
/// # Panics
/// If mask or canvas are too small for it, or its planes not of one size.
#[inline(always)]
pub fn draw<V: Lanes, S: Site, const PLANES: usize>(
    patch: &Patch<'_, PLANES>,
    out: &mut [&mut Canvas<'_>; PLANES],
) {
    let size = |plane: &Padded| (plane.width(), plane.height());
    assert!(
        patch
            .from
            .iter()
            .all(|plane| size(plane) == size(patch.from[0])),
        "planes that move alike are of one size"
    );
    let is_inside = patch.is_inside::<S>();
    // The cells are made where they are used: made here for all ways, they would go through
    // memory. Most patches follow fully and come from a small place inside the picture: then
    // half of the work has no effect.
    if patch.follow == Follow::Fully && is_inside {
        if let Some(windows) = Window::of_layers::<S, PLANES>(patch) {
            return match windows[0].rows.max(windows[1].rows) {
                4 => draw_within::<V, S, PLANES, 4>(patch, windows, out),
                5 => draw_within::<V, S, PLANES, 5>(patch, windows, out),
                _ => draw_within::<V, S, PLANES, ROWS_MAX>(patch, windows, out),
            };
        }
        let cells = &Cell::pair::<S>(patch.cells);
        let near = Along::<V, S>::new(patch, cells, |node| node.near);
        let far = Along::new(patch, cells, |node| node.far);
        return draw_layers::<V, S, _, PLANES>(patch, cells, [near, far], out);
    }
    match is_inside {
        true => draw_from_anywhere::<V, S, PLANES, true>(patch, out),
        false => draw_from_anywhere::<V, S, PLANES, false>(patch, out),
    }
}

#[inline(always)]
fn draw_within<V: Lanes, S: Site, const PLANES: usize, const ROWS: usize>(
    patch: &Patch<'_, PLANES>,
    windows: [Window; 2],
    out: &mut [&mut Canvas<'_>; PLANES],
) {
    let cells = &Cell::pair::<S>(patch.cells);
    let near = Within::<V, S, ROWS>::new(patch, cells, windows[0], |node| node.near);
    let far = Within::new(patch, cells, windows[1], |node| node.far);
    draw_layers::<V, S, _, PLANES>(patch, cells, [near, far], out);
}

#[inline(always)]
fn draw_from_anywhere<V: Lanes, S: Site, const PLANES: usize, const IS_INSIDE: bool>(
    patch: &Patch<'_, PLANES>,
    out: &mut [&mut Canvas<'_>; PLANES],
) {
    let cells = &Cell::pair::<S>(patch.cells);
    let near = Anywhere::<V, S, IS_INSIDE>::new(patch, cells, |node| node.near);
    let far = Anywhere::new(patch, cells, |node| node.far);
    draw_layers::<V, S, _, PLANES>(patch, cells, [near, far], out);
}

#[inline(always)]
fn draw_layers<V: Lanes, S: Site, L: Layer<V, PLANES>, const PLANES: usize>(
    patch: &Patch<'_, PLANES>,
    cells: &[Cell; 2],
    layers: [L; 2],
    out: &mut [&mut Canvas<'_>; PLANES],
) {
    match patch.is_layered {
        true => draw_rows::<V, S, L, PLANES, true>(patch, cells, layers, out),
        false => draw_rows::<V, S, L, PLANES, false>(patch, cells, layers, out),
    }
}

impl<const PLANES: usize> Patch<'_, PLANES> {
    /// Whether everything comes from inside the picture, at either layer.
    #[inline(always)]
    fn is_inside<S: Site>(&self) -> bool {
        let mut farthest = [0; 4];
        for corners in &self.cells[..S::CELLS] {
            for node in *corners {
                let ways = node.ways().map(i32::unsigned_abs);
                farthest = array::from_fn(|way| farthest[way].max(ways[way]));
            }
        }
        let [a, b, c, d] = farthest;
        let farthest = a.max(b).max(c.max(d));
        // Between the nodes nothing is displaced farther than at them, but for a
        // rounding; and what is displaced so little wraps around nowhere.
        let reach = i64::from(farthest) + i64::from(PARTS);
        // Patches of chroma have fewer rows.
        let sides = [LANES, Luma::ROWS];
        let end = self.from[0].end();
        farthest < 1 << 20
            && (0..2).all(|axis| {
                let first = self.at[axis] as i64 * i64::from(PARTS);
                let last = first + sides[axis] as i64 * i64::from(PARTS);
                first >= reach && last + reach <= i64::from(end[axis])
            })
    }
}

/// The whole and a part of what exceeds it, which has the whole in it where all samples
/// follow fully.
#[inline(always)]
fn whole_and<V: Lanes>(is_open: bool, excess: V, follow: V) -> V {
    match is_open {
        true => excess,
        false => part(false, excess, follow).add(V::splat(WEIGHT_PARTS)),
    }
}

/// Samples that were multiplied by weights, in [`GREY_PARTS`] again.
#[inline(always)]
fn weighted<V: Lanes>(samples: V) -> V {
    samples.add(V::splat(WEIGHT_PARTS / 2)).shifted::<14>()
}

#[inline(always)]
fn draw_rows<
    V: Lanes,
    S: Site,
    L: Layer<V, PLANES>,
    const PLANES: usize,
    const IS_LAYERED: bool,
>(
    patch: &Patch<'_, PLANES>,
    cells: &[Cell; 2],
    [mut near, mut far]: [L; 2],
    out: &mut [&mut Canvas<'_>; PLANES],
) {
    // What follows fully has its share of the whole in its weight from the start.
    let whole = if L::IS_OPEN { WEIGHT_PARTS } else { 0 };
    let mut far_share = Ramp::<V>::new::<S>(cells, |node| node.far_share);
    let mut near_excess = Ramp::<V>::new::<S>(cells, |node| node.near_excess).raised(whole);
    let mut far_excess = Ramp::<V>::new::<S>(cells, |node| node.far_excess);
    let mut base = Ramp::<V>::new::<S>(cells, |node| node.base);
    let mut light = Ramp::<V>::new::<S>(cells, |node| node.light);
    for row in 0..S::ROWS {
        let follow = match L::IS_OPEN {
            true => V::splat(256),
            false => {
                let mask = patch.mask[row * patch.mask_stride..].first_chunk();
                follow(V::load_bytes(
                    mask.expect("the mask is as large as the patch"),
                ))
            }
        };
        let mut mixed = near.next(&patch.from, follow);
        if IS_LAYERED {
            let far = far.next(&patch.from, follow);
            // Where the mask fades, both layers approach the still and so each
            // other, and their weights the shares.
            let far_share = far_share.next();
            let (mut near_weight, mut far_weight) = (V::splat(WEIGHT_PARTS), far_share);
            if S::HAS_DETAIL {
                near_weight = whole_and(L::IS_OPEN, near_excess.next(), follow);
                far_weight = far_weight.add(part(L::IS_OPEN, far_excess.next(), follow));
            }
            near_weight = near_weight.sub(far_share);
            let mut plane = 0;
            while plane < PLANES {
                let near = mixed[plane].mul(near_weight);
                mixed[plane] = weighted(near.add(far[plane].mul(far_weight)));
                plane += 1;
            }
        } else if S::HAS_DETAIL {
            let weight = whole_and(L::IS_OPEN, near_excess.next(), follow);
            mixed[0] = weighted(mixed[0].mul(weight));
        }
        if S::HAS_DETAIL {
            mixed[0] = mixed[0].add(part(L::IS_OPEN, base.next(), follow));
        }
        let light = light.next();
        let thresholds = V::load(thresholds(patch.at[0], patch.at[1] + row));
        let mut plane = 0;
        while plane < PLANES {
            let mut grey = mixed[plane];
            if patch.is_lit {
                let above = grey.sub(V::splat(S::PIVOT * GREY_PARTS));
                grey = grey.add(above.mul(light).shifted::<15>());
            }
            let from = row * out[plane].stride;
            let to = out[plane].samples[from..].first_chunk_mut();
            let to = to.expect("the canvas is as large as the patch");
            grey.add(thresholds).shifted::<7>().store_bytes(to);
            plane += 1;
        }
    }
}
