//! Where the samples of a layer come from.

use std::marker::PhantomData;

use crate::arch::{
    lanes::{LANES, Lanes},
    padded::{PART_BITS, PARTS, Padded, REACH_MAX, TAPS},
    patch::{Node, Patch, Site},
    ramp::Ramp,
};

/// Most rows of a [`Window`].
pub const ROWS_MAX: usize = TAPS + 2;

/// Where the columns of a patch stand from its first one on.
const COLUMNS: [i32; LANES] = [
    0,
    PARTS,
    2 * PARTS,
    3 * PARTS,
    4 * PARTS,
    5 * PARTS,
    6 * PARTS,
    7 * PARTS,
];

/// A quantity of which a share in parts of 256 is meant; all of it where all samples
/// follow fully.
#[inline(always)]
pub fn part<V: Lanes>(is_open: bool, quantity: V, share: V) -> V {
    if is_open {
        return quantity;
    }
    quantity.mul(share).add(V::splat(128)).shifted::<8>()
}

/// A displacement in parts of a sample, given it in parts of a pixel of luma.
#[inline(always)]
fn in_samples<V: Lanes, S: Site>(way: V) -> V {
    match S::PITCH_BITS {
        0 => way,
        _ => way.add(V::splat(1)).shifted::<1>(),
    }
}

/// How the samples of one layer are found, row by row.
pub trait Layer<V: Lanes, const PLANES: usize> {
    /// Whether all of them follow the motion fully.
    const IS_OPEN: bool;
    /// The samples of the next row, in [`GREY_PARTS`](super::padded::GREY_PARTS) from
    /// mid-grey.
    fn next(&mut self, from: &[&Padded; PLANES], follow: V) -> [V; PLANES];
}

/// A layer that comes from anywhere.
pub struct Anywhere<V, S, const IS_OPEN: bool, const IS_INSIDE: bool> {
    way: [Ramp<V>; 2],
    own: [V; 2],
    end: [V; 2],
    site: PhantomData<S>,
}

impl<V: Lanes, S: Site, const IS_OPEN: bool, const IS_INSIDE: bool>
    Anywhere<V, S, IS_OPEN, IS_INSIDE>
{
    #[inline(always)]
    pub fn new<const PLANES: usize>(
        patch: &Patch<'_, PLANES>,
        pick: impl Fn(&Node) -> [i32; 2],
    ) -> Self {
        let [left, top] = patch.at.map(|at| V::splat(at as i32 * PARTS));
        Self {
            way: [0, 1].map(|axis| Ramp::new::<S>(patch.cells, |node| pick(node)[axis])),
            own: [left.add(V::load(&COLUMNS)), top],
            end: patch.from[0].end().map(V::splat),
            site: PhantomData,
        }
    }

    /// Where samples that stand at `own` come from.
    #[inline(always)]
    fn source(own: V, way: V, follow: V, end: V) -> V {
        let way = part(IS_OPEN, way, follow);
        let from = own.sub(in_samples::<V, S>(way));
        if IS_INSIDE {
            return from;
        }
        // A mirror at either edge, and whatever is farther away held at one.
        let right_of_start = from.abs();
        let mirrored = end.sub(end.sub(right_of_start).abs());
        mirrored.max(V::splat(0)).min(end)
    }
}

impl<V: Lanes, S: Site, const PLANES: usize, const IS_OPEN: bool, const IS_INSIDE: bool>
    Layer<V, PLANES> for Anywhere<V, S, IS_OPEN, IS_INSIDE>
{
    const IS_OPEN: bool = IS_OPEN;

    #[inline(always)]
    fn next(&mut self, from: &[&Padded; PLANES], follow: V) -> [V; PLANES] {
        let [x, y] = &mut self.way;
        let x = Self::source(self.own[0], x.next(), follow, self.end[0]);
        let y = Self::source(self.own[1], y.next(), follow, self.end[1]);
        self.own[1] = self.own[1].add(V::splat(PARTS));
        // SAFETY: `source` holds both coordinates between 0 and the last of the first
        // plane, or `is_inside` has made sure that they are; and `draw` that all planes
        // have its size.
        unsafe { V::cubic(from, x, y) }
    }
}

/// Where all samples of a layer come from, if that is a small place.
#[derive(Clone, Copy)]
pub struct Window {
    /// Column and row of its first sample, for the first row of the patch; for the
    /// next it is one lower.
    first: [usize; 2],
    /// Rows that the taps lie in.
    pub rows: usize,
}

impl Window {
    /// Where a layer comes from, if that is a small place in the planes; given that it
    /// follows fully and lies inside the picture.
    #[inline(always)]
    pub fn of<S: Site, const PLANES: usize>(
        patch: &Patch<'_, PLANES>,
        pick: impl Fn(&Node) -> [i32; 2],
    ) -> Option<Self> {
        // Between the nodes all is even, so that positions are least and greatest at
        // the nodes, whose distance is sixteen times that of the rows over their step.
        const SIXTEENTHS: i32 = 16;
        let first_node = -PARTS * S::DOWN / S::STEP;
        let distance = SIXTEENTHS * PARTS / S::STEP;
        let mut span = [[i32::MAX, i32::MIN]; 2];
        for (cell, corners) in patch.cells.iter().enumerate().take(S::CELLS) {
            for (corner, node) in corners.iter().enumerate() {
                // Rounded as for the samples.
                let [x, y] = pick(node).map(|way| (way + S::PITCH_BITS) >> S::PITCH_BITS);
                let across = first_node + (cell + corner % 2) as i32 * distance;
                for ([least, most], at) in span.iter_mut().zip([across - x, -y]) {
                    (*least, *most) = ((*least).min(at), (*most).max(at));
                }
            }
        }
        let mut first = [0; 2];
        let mut beyond = [0; 2];
        for (axis, [least, most]) in span.into_iter().enumerate() {
            let own = patch.at[axis] as i32 * PARTS;
            let at = (own + least) >> PART_BITS;
            first[axis] = at as usize;
            beyond[axis] = ((own + most) >> PART_BITS) - at;
        }
        let rows = TAPS + beyond[1] as usize;
        let is_small = beyond[0] <= REACH_MAX && rows <= ROWS_MAX;
        let [column, row] = first;
        (is_small && patch.from[0].holds(column, row + S::ROWS - 1, ROWS_MAX))
            .then_some(Self { first, rows })
    }
}

/// A layer that follows fully and comes from a [`Window`].
pub struct Within<V, S, const ROWS: usize> {
    way: [Ramp<V>; 2],
    /// Where the samples of a row stand, counted from the window's first.
    own: [V; 2],
    first: [usize; 2],
    site: PhantomData<S>,
}

impl<V: Lanes, S: Site, const ROWS: usize> Within<V, S, ROWS> {
    #[inline(always)]
    pub fn new<const PLANES: usize>(
        patch: &Patch<'_, PLANES>,
        window: Window,
        pick: impl Fn(&Node) -> [i32; 2],
    ) -> Self {
        let [x, y] = [0, 1].map(|axis| {
            let beyond = patch.at[axis] as i32 - window.first[axis] as i32;
            V::splat(beyond * PARTS)
        });
        Self {
            way: [0, 1].map(|axis| Ramp::new::<S>(patch.cells, |node| pick(node)[axis])),
            own: [x.add(V::load(&COLUMNS)), y],
            first: window.first,
            site: PhantomData,
        }
    }
}

impl<V: Lanes, S: Site, const PLANES: usize, const ROWS: usize> Layer<V, PLANES>
    for Within<V, S, ROWS>
{
    const IS_OPEN: bool = true;

    #[inline(always)]
    fn next(&mut self, from: &[&Padded; PLANES], _: V) -> [V; PLANES] {
        // An `array::map` of vectors that is not inlined would go through memory.
        let [x, y] = &mut self.way;
        let beyond = [
            self.own[0].sub(in_samples::<V, S>(x.next())),
            self.own[1].sub(in_samples::<V, S>(y.next())),
        ];
        let first = self.first;
        self.first[1] += 1;
        // SAFETY: `Window::of` has made sure of it for each row.
        unsafe { V::cubic_within::<PLANES, ROWS>(from, first, beyond) }
    }
}
