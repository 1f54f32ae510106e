//! Where the samples of a layer come from.

use std::{array, marker::PhantomData};

use crate::arch::{
    lanes::{LANES, Lanes},
    node::Node,
    padded::{PART_BITS, PARTS, Padded, REACH_MAX, TAPS},
    patch::{Patch, Site},
    ramp::{Cell, Ramp},
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

/// A layer that comes from anywhere, or follows in part.
pub struct Anywhere<V, S, const IS_INSIDE: bool> {
    way: [Ramp<V>; 2],
    own: [V; 2],
    end: [V; 2],
    site: PhantomData<S>,
}

impl<V: Lanes, S: Site, const IS_INSIDE: bool> Anywhere<V, S, IS_INSIDE> {
    #[inline(always)]
    pub fn new<const PLANES: usize>(
        patch: &Patch<'_, PLANES>,
        cells: &[Cell; 2],
        pick: impl Fn(&Node) -> [i32; 2],
    ) -> Self {
        let [left, top] = patch.at.map(|at| V::splat(at as i32 * PARTS));
        Self {
            way: [0, 1].map(|axis| Ramp::new::<S>(cells, |node| pick(node)[axis])),
            own: [left.add(V::load(&COLUMNS)), top],
            end: patch.from[0].end().map(V::splat),
            site: PhantomData,
        }
    }

    /// Where samples that stand at `own` come from.
    #[inline(always)]
    fn source(own: V, way: V, follow: V, end: V) -> V {
        let way = part(false, way, follow);
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

impl<V: Lanes, S: Site, const PLANES: usize, const IS_INSIDE: bool> Layer<V, PLANES>
    for Anywhere<V, S, IS_INSIDE>
{
    const IS_OPEN: bool = false;

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
    /// Where both layers come from, if those are small places in the planes; given that they
    /// follow fully and lie inside the picture. Where one layer is seen the second says
    /// the same as the first.
    #[inline(always)]
    pub fn of_layers<S: Site, const PLANES: usize>(patch: &Patch<'_, PLANES>) -> Option<[Self; 2]> {
        // Between the nodes all is even, so that positions are least and greatest at
        // the nodes, whose distance is sixteen times that of the rows over their step.
        const SIXTEENTHS: i32 = 16;
        let first_node = -PARTS * S::DOWN / S::STEP;
        let distance = SIXTEENTHS * PARTS / S::STEP;
        let (mut least, mut most) = ([i32::MAX; 4], [i32::MIN; 4]);
        for (cell, corners) in patch.cells.iter().enumerate().take(S::CELLS) {
            for (corner, node) in corners.iter().enumerate() {
                let across = first_node + (cell + corner % 2) as i32 * distance;
                let own = [across, 0, across, 0];
                // Rounded as for the samples.
                let ways = node
                    .ways()
                    .map(|way| (way + S::PITCH_BITS) >> S::PITCH_BITS);
                least = array::from_fn(|way| least[way].min(own[way] - ways[way]));
                most = array::from_fn(|way| most[way].max(own[way] - ways[way]));
            }
        }
        let [left, top] = patch.at.map(|at| at as i32 * PARTS);
        let own = [left, top, left, top];
        let first: [i32; 4] = array::from_fn(|way| (own[way] + least[way]) >> PART_BITS);
        let beyond: [i32; 4] =
            array::from_fn(|way| ((own[way] + most[way]) >> PART_BITS) - first[way]);
        let small = |layer: usize| {
            let [column, row] = [first[2 * layer] as usize, first[2 * layer + 1] as usize];
            let rows = TAPS + beyond[2 * layer + 1] as usize;
            let is_small = beyond[2 * layer] <= REACH_MAX && rows <= ROWS_MAX;
            (is_small && patch.from[0].holds(column, row + S::ROWS - 1, ROWS_MAX)).then_some(Self {
                first: [column, row],
                rows,
            })
        };
        let near = small(0)?;
        let far = match patch.is_layered {
            true => small(1)?,
            false => near,
        };
        Some([near, far])
    }
}

/// A layer that follows fully and comes from a [`Window`].
pub struct Within<V, S, const ROWS: usize> {
    /// Where the samples of a row come from, counted from the window's first.
    beyond: [Ramp<V>; 2],
    first: [usize; 2],
    site: PhantomData<S>,
}

impl<V: Lanes, S: Site, const ROWS: usize> Within<V, S, ROWS> {
    #[inline(always)]
    pub fn new<const PLANES: usize>(
        patch: &Patch<'_, PLANES>,
        cells: &[Cell; 2],
        window: Window,
        pick: impl Fn(&Node) -> [i32; 2],
    ) -> Self {
        let [column, row] = window.first.map(|at| at as i32);
        let from_window = [patch.at[0] as i32 - column, patch.at[1] as i32 - row];
        Self {
            beyond: sources::<V, S>(cells, pick, from_window, 0),
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
        let [x, y] = &mut self.beyond;
        let beyond = [x.next_in_samples::<S>(), y.next_in_samples::<S>()];
        let first = self.first;
        self.first[1] += 1;
        // SAFETY: `Window::of` has made sure of it for each row.
        unsafe { V::cubic_within::<PLANES, ROWS>(from, first, beyond) }
    }
}

/// A layer that follows fully and comes from inside the picture, from a larger place than a
/// [`Window`].
pub struct Along<V, S> {
    /// Where the samples of a row come from.
    source: [Ramp<V>; 2],
    /// The same, of which the compiler keeps the ends: in a row all is even between them.
    ends: [Ramp<[i32; LANES]>; 2],
    site: PhantomData<S>,
}

impl<V: Lanes, S: Site> Along<V, S> {
    #[inline(always)]
    pub fn new<const PLANES: usize>(
        patch: &Patch<'_, PLANES>,
        cells: &[Cell; 2],
        pick: impl Fn(&Node) -> [i32; 2],
    ) -> Self {
        let at = patch.at.map(|at| at as i32);
        Self {
            source: sources::<V, S>(cells, &pick, at, PARTS),
            ends: sources::<[i32; LANES], S>(cells, &pick, at, PARTS),
            site: PhantomData,
        }
    }
}

/// Where the samples of a patch come from, row by row, if they follow fully; given where its
/// first one stands, and by how many parts of a sample each row is lower than the one before.
#[inline(always)]
fn sources<V: Lanes, S: Site>(
    cells: &[Cell; 2],
    pick: impl Fn(&Node) -> [i32; 2],
    [left, top]: [i32; 2],
    a_row: i32,
) -> [Ramp<V>; 2] {
    let columns = V::splat(left * PARTS).add(V::load(&COLUMNS));
    let x = Ramp::new::<S>(cells, |node| pick(node)[0]);
    let y = Ramp::new::<S>(cells, |node| pick(node)[1]);
    [
        x.taken_from::<S>(columns, 0),
        y.taken_from::<S>(V::splat(top * PARTS), a_row),
    ]
}

impl<V: Lanes, S: Site, const PLANES: usize> Layer<V, PLANES> for Along<V, S> {
    const IS_OPEN: bool = true;

    #[inline(always)]
    fn next(&mut self, from: &[&Padded; PLANES], _: V) -> [V; PLANES] {
        let [x, y] = &mut self.source;
        let (x, y) = (x.next_in_samples::<S>(), y.next_in_samples::<S>());
        let [columns, rows] = &mut self.ends;
        let extents = [
            between::<S>(columns.next_in_samples::<S>()),
            between::<S>(rows.next_in_samples::<S>()),
        ];
        // SAFETY: `is_inside` has made sure that they lie in the planes; and between the
        // first and the last column of a cell positions grow evenly.
        unsafe { V::cubic_between(from, extents, x, y) }
    }
}

/// The least and the greatest of the columns or rows that positions lie in, which grow evenly
/// within each cell.
#[inline(always)]
fn between<S: Site>(at: [i32; LANES]) -> [i32; 2] {
    const HALF: usize = LANES / 2;
    let mut ends = [at[0].min(at[LANES - 1]), at[0].max(at[LANES - 1])];
    if S::CELLS == 2 {
        ends = [
            ends[0].min(at[HALF - 1].min(at[HALF])),
            ends[1].max(at[HALF - 1].max(at[HALF])),
        ];
    }
    [ends[0] >> PART_BITS, ends[1] >> PART_BITS]
}
