//! What lies between four nodes.

use crate::arch::{
    lanes::Lanes,
    node::Node,
    patch::{Corners, Site},
};

/// Four nodes by how everything grows between them: one subtraction of whole nodes, which
/// is one of a vector, instead of one for each quantity.
pub struct Cell {
    /// The upper left one, in parts of 2^[`RAMP_BITS`].
    here: Node,
    /// By how much it grows to the right and below, in sixteenths.
    right: Node,
    below: Node,
    /// And by how much more in the corner across.
    twist: Node,
}

impl Cell {
    /// Those of a patch; a second one only where it is not the first.
    #[inline(always)]
    pub fn pair<S: Site>(cells: [&Corners<'_>; 2]) -> [Self; 2] {
        // An `array::map` that is not inlined would go through memory.
        [Self::of(cells[0]), Self::of(cells[S::CELLS - 1])]
    }

    #[inline(always)]
    fn of([here, right, below, across]: &Corners<'_>) -> Self {
        let right = right.with(here, i32::wrapping_sub);
        let below = below.with(here, i32::wrapping_sub);
        let across = across.with(here, i32::wrapping_sub);
        let times = |node: Node, factor: i32| node.with(&node, |a, _| a.wrapping_mul(factor));
        Self {
            here: times(**here, 1 << RAMP_BITS),
            right: times(right, 1 << (RAMP_BITS / 2)),
            below: times(below, 1 << (RAMP_BITS / 2)),
            twist: across
                .with(&right, i32::wrapping_sub)
                .with(&below, i32::wrapping_sub),
        }
    }
}

/// A quantity between four nodes, row by row.
#[derive(Clone, Copy)]
pub struct Ramp<V> {
    now: V,
    step: V,
}

/// A quantity is interpolated in this many parts: sixteenths, squared.
const RAMP_BITS: i32 = 8;

impl<V: Lanes> Ramp<V> {
    /// From the first row on.
    #[inline(always)]
    pub fn new<S: Site>(cells: &[Cell; 2], pick: impl Fn(&Node) -> i32) -> Self {
        let of_cells = |part: fn(&Cell) -> &Node| match S::CELLS {
            1 => V::splat(pick(part(&cells[0]))),
            _ => V::halves(pick(part(&cells[0])), pick(part(&cells[1]))),
        };
        let across = V::load(&S::ACROSS);
        let here = of_cells(|cell| &cell.here);
        let right = of_cells(|cell| &cell.right);
        let below = of_cells(|cell| &cell.below);
        let twist = of_cells(|cell| &cell.twist);
        let a_sixteenth_down = below.add(twist.mul(across));
        let half = V::splat(1 << (RAMP_BITS - 1));
        let top = here.add(right.mul(across)).add(half);
        Self {
            now: top.add(a_sixteenth_down.mul(V::splat(S::DOWN))),
            step: a_sixteenth_down.mul(V::splat(S::STEP)),
        }
    }

    /// Where what is displaced so far comes from, as [`Self::next_in_samples`] says; given
    /// where it stands, `own` in parts of a sample and so much farther in each row.
    #[inline(always)]
    pub fn taken_from<S: Site>(self, own: V, a_row: i32) -> Self {
        let parts = V::splat(1 << (RAMP_BITS + S::PITCH_BITS));
        // Less a number that is rounded down is the difference rounded up.
        let rounded = parts.sub(V::splat(1 + (S::PITCH_BITS << RAMP_BITS)));
        Self {
            now: own.mul(parts).sub(self.now).add(rounded),
            step: V::splat(a_row).mul(parts).sub(self.step),
        }
    }

    /// A position in the next row, in parts of a sample.
    #[inline(always)]
    pub fn next_in_samples<S: Site>(&mut self) -> V {
        let now = self.now;
        self.now = now.add(self.step);
        match S::PITCH_BITS {
            0 => now.shifted::<RAMP_BITS>(),
            _ => now.shifted::<{ RAMP_BITS + 1 }>(),
        }
    }

    /// The quantity, and so much more.
    #[inline(always)]
    pub fn raised(self, by: i32) -> Self {
        Self {
            now: self.now.add(V::splat(by << RAMP_BITS)),
            step: self.step,
        }
    }

    /// The quantity in the next row.
    #[inline(always)]
    pub fn next(&mut self) -> V {
        let now = self.now;
        self.now = now.add(self.step);
        now.shifted::<RAMP_BITS>()
    }
}
