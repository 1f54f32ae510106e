//! What lies between four nodes.

use crate::arch::{
    lanes::Lanes,
    patch::{Corners, Node, Site},
};

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
    pub fn new<S: Site>(cells: [&Corners<'_>; 2], pick: impl Fn(&Node) -> i32) -> Self {
        let [a, b] = [corners(cells[0], &pick), corners(cells[1], &pick)];
        let of_cells = |a: i32, b: i32| match S::CELLS {
            1 => V::splat(a),
            _ => V::halves(a, b),
        };
        let across = V::load(&S::ACROSS);
        let here = of_cells(a[0].wrapping_mul(256), b[0].wrapping_mul(256));
        let right = of_cells(a[1].wrapping_mul(16), b[1].wrapping_mul(16));
        let below = of_cells(a[2].wrapping_mul(16), b[2].wrapping_mul(16));
        let twist = of_cells(a[3], b[3]);
        let a_sixteenth_down = below.add(twist.mul(across));
        let half = V::splat(1 << (RAMP_BITS - 1));
        let top = here.add(right.mul(across)).add(half);
        Self {
            now: top.add(a_sixteenth_down.mul(V::splat(S::DOWN))),
            step: a_sixteenth_down.mul(V::splat(S::STEP)),
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

/// A quantity at the upper left corner, by how much it grows to the right and
/// below, and by how much more in the corner across.
#[inline(always)]
fn corners(cell: &Corners<'_>, pick: &impl Fn(&Node) -> i32) -> [i32; 4] {
    let here = pick(cell[0]);
    let right = pick(cell[1]).wrapping_sub(here);
    let below = pick(cell[2]).wrapping_sub(here);
    let across = pick(cell[3]).wrapping_sub(here);
    [
        here,
        right,
        below,
        across.wrapping_sub(right).wrapping_sub(below),
    ]
}
