//! The one algorithm that draws: eight columns of a few rows from the still.
//!
//! Between four nodes everything is bilinear and kept as a running sum that one
//! addition carries to the next row. A displacement is scaled by how far the
//! pixel follows, the position is mirrored at the edges of the picture, one
//! cubic sample is taken for each of the one or two layers, and these are mixed,
//! lit, dithered and written in the same pass.

use crate::arch::{
    dither::thresholds,
    lanes::{LANES, Lanes},
    layer::{Anywhere, Layer, ROWS_MAX, Window, Within, part},
    padded::{GREY_PARTS, PARTS, Padded},
    ramp::Ramp,
};

/// Parts of a pixel of luma in which displacements are measured.
pub const WAY_PARTS: i32 = PARTS;
/// Parts of 1 in which shares and weights are measured.
pub const WEIGHT_PARTS: i32 = 1 << 14;
/// Parts of 1 in which the change of light is measured.
pub const LIGHT_PARTS: i32 = 1 << 15;

/// What moves at one node at one moment, in whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Displacement of the first layer, in [`WAY_PARTS`] of a luma pixel.
    pub near: [i32; 2],
    /// Displacement of the second layer.
    pub far: [i32; 2],
    /// Share of the second layer, in [`WEIGHT_PARTS`]; the first has the rest.
    pub far_share: i32,
    /// What the weight of the first layer's detail exceeds its share by.
    pub near_excess: i32,
    /// What the weight of the second layer's detail exceeds its share by.
    pub far_excess: i32,
    /// What that adds to the base band and must be taken away, in
    /// [`GREY_PARTS`], counted from mid-grey.
    pub base: i32,
    /// Change of the light, in [`LIGHT_PARTS`]; 0 is none.
    pub light: i32,
}

impl Node {
    /// What stays as it is.
    pub const RESTING: Self = Self {
        near: [0; 2],
        far: [0; 2],
        far_share: 0,
        near_excess: 0,
        far_excess: 0,
        base: 0,
        light: 0,
    };
}

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
    let is_open = patch.follow == Follow::Fully;
    let is_inside = patch.is_inside();
    // Most patches follow fully and come from a small place inside the picture: then
    // half of the work has no effect.
    if is_open && is_inside {
        let near = Window::of::<S, PLANES>(patch, |node| node.near);
        let far = match patch.is_layered {
            true => Window::of::<S, PLANES>(patch, |node| node.far),
            false => near,
        };
        if let (Some(near), Some(far)) = (near, far) {
            match near.rows.max(far.rows) {
                4 => return draw_within::<V, S, PLANES, 4>(patch, [near, far], out),
                5 => return draw_within::<V, S, PLANES, 5>(patch, [near, far], out),
                _ => return draw_within::<V, S, PLANES, ROWS_MAX>(patch, [near, far], out),
            }
        }
    }
    match (is_open, is_inside) {
        (true, true) => draw_from_anywhere::<V, S, PLANES, true, true>(patch, out),
        (false, true) => draw_from_anywhere::<V, S, PLANES, false, true>(patch, out),
        (_, false) => draw_from_anywhere::<V, S, PLANES, false, false>(patch, out),
    }
}

#[inline(always)]
fn draw_within<V: Lanes, S: Site, const PLANES: usize, const ROWS: usize>(
    patch: &Patch<'_, PLANES>,
    [near, far]: [Window; 2],
    out: &mut [&mut Canvas<'_>; PLANES],
) {
    let layers = [
        Within::<V, S, ROWS>::new(patch, near, |node| node.near),
        Within::<V, S, ROWS>::new(patch, far, |node| node.far),
    ];
    draw_layers::<V, S, _, PLANES>(patch, layers, out);
}

#[inline(always)]
fn draw_from_anywhere<
    V: Lanes,
    S: Site,
    const PLANES: usize,
    const IS_OPEN: bool,
    const IS_INSIDE: bool,
>(
    patch: &Patch<'_, PLANES>,
    out: &mut [&mut Canvas<'_>; PLANES],
) {
    let layers = [
        Anywhere::<V, S, IS_OPEN, IS_INSIDE>::new(patch, |node| node.near),
        Anywhere::<V, S, IS_OPEN, IS_INSIDE>::new(patch, |node| node.far),
    ];
    draw_layers::<V, S, _, PLANES>(patch, layers, out);
}

#[inline(always)]
fn draw_layers<V: Lanes, S: Site, L: Layer<V, PLANES>, const PLANES: usize>(
    patch: &Patch<'_, PLANES>,
    layers: [L; 2],
    out: &mut [&mut Canvas<'_>; PLANES],
) {
    match patch.is_layered {
        true => draw_rows::<V, S, L, PLANES, true>(patch, layers, out),
        false => draw_rows::<V, S, L, PLANES, false>(patch, layers, out),
    }
}

impl<const PLANES: usize> Patch<'_, PLANES> {
    /// Whether everything comes from inside the picture, at either layer.
    #[inline(always)]
    fn is_inside(&self) -> bool {
        let mut farthest = 0;
        for node in self.cells[0].iter().chain(self.cells[1]) {
            for way in [node.near[0], node.near[1], node.far[0], node.far[1]] {
                farthest = farthest.max(way.unsigned_abs());
            }
        }
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

#[inline(always)]
fn draw_rows<
    V: Lanes,
    S: Site,
    L: Layer<V, PLANES>,
    const PLANES: usize,
    const IS_LAYERED: bool,
>(
    patch: &Patch<'_, PLANES>,
    [mut near, mut far]: [L; 2],
    out: &mut [&mut Canvas<'_>; PLANES],
) {
    let cells = patch.cells;
    let mut far_share = Ramp::<V>::new::<S>(cells, |node| node.far_share);
    let mut near_excess = Ramp::<V>::new::<S>(cells, |node| node.near_excess);
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
            let mut near_weight = V::splat(WEIGHT_PARTS).sub(far_share);
            let mut far_weight = far_share;
            let mut rest = V::splat(WEIGHT_PARTS / 2);
            if S::HAS_DETAIL {
                near_weight = near_weight.add(part(L::IS_OPEN, near_excess.next(), follow));
                far_weight = far_weight.add(part(L::IS_OPEN, far_excess.next(), follow));
                let base = part(L::IS_OPEN, base.next(), follow);
                rest = rest.add(base.mul(V::splat(WEIGHT_PARTS)));
            }
            let mut plane = 0;
            while plane < PLANES {
                let near = mixed[plane].mul(near_weight);
                let both = near.add(far[plane].mul(far_weight));
                mixed[plane] = both.add(rest).shifted::<14>();
                plane += 1;
            }
        } else if S::HAS_DETAIL {
            let weight = V::splat(WEIGHT_PARTS).add(part(L::IS_OPEN, near_excess.next(), follow));
            let rest = part(L::IS_OPEN, base.next(), follow).mul(V::splat(WEIGHT_PARTS));
            let rest = rest.add(V::splat(WEIGHT_PARTS / 2));
            mixed[0] = mixed[0].mul(weight).add(rest).shifted::<14>();
        }
        let light = light.next();
        let thresholds = thresholds(patch.at[0], patch.at[1] + row);
        let thresholds = V::load_bytes(thresholds).add(V::splat(128 * GREY_PARTS));
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
