//! Eight lanes in plain Rust: what the operations mean.

use std::array;

use crate::arch::{
    lanes::{LANES, Lanes},
    padded::{PART_BITS, PARTS, Padded, REACH_MAX, TAPS},
    patch::{self, Canvas, Chroma, Luma, Patch},
};

/// Draws a patch of luma.
pub fn luma(patch: &Patch<'_, 1>, out: &mut Canvas<'_>) {
    patch::draw::<[i32; LANES], Luma, 1>(patch, &mut [out]);
}

/// Draws a patch of blue and red difference.
pub fn chroma(patch: &Patch<'_, 2>, out: &mut [Canvas<'_>; 2]) {
    patch::draw::<[i32; LANES], Chroma, 2>(patch, &mut out.each_mut());
}

impl Lanes for [i32; LANES] {
    #[inline(always)]
    fn splat(value: i32) -> Self {
        [value; LANES]
    }

    #[inline(always)]
    fn halves(low: i32, high: i32) -> Self {
        [low, low, low, low, high, high, high, high]
    }

    #[inline(always)]
    fn load(values: &[i32; LANES]) -> Self {
        *values
    }

    #[inline(always)]
    fn load_bytes(bytes: &[u8; LANES]) -> Self {
        bytes.map(i32::from)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        array::from_fn(|k| self[k].wrapping_add(other[k]))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        array::from_fn(|k| self[k].wrapping_sub(other[k]))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        array::from_fn(|k| self[k].wrapping_mul(other[k]))
    }

    #[inline(always)]
    fn shifted<const BITS: i32>(self) -> Self {
        self.map(|value| value >> BITS)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        array::from_fn(|k| self[k] & other[k])
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.map(i32::wrapping_abs)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        array::from_fn(|k| Ord::min(self[k], other[k]))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        array::from_fn(|k| Ord::max(self[k], other[k]))
    }

    #[inline(always)]
    unsafe fn cubic<const PLANES: usize>(
        planes: &[&Padded; PLANES],
        x: Self,
        y: Self,
    ) -> [Self; PLANES] {
        planes.map(|plane| array::from_fn(|k| plane.cubic(x[k], y[k])))
    }

    #[inline(always)]
    unsafe fn cubic_between<const PLANES: usize>(
        planes: &[&Padded; PLANES],
        extents: [[i32; 2]; 2],
        x: Self,
        y: Self,
    ) -> [Self; PLANES] {
        for (extent, at) in extents.into_iter().zip([x, y]) {
            let places = at.map(|at| at >> PART_BITS);
            debug_assert_eq!(
                extent.map(Some),
                [places.into_iter().min(), places.into_iter().max()]
            );
        }
        // SAFETY: as the caller promises.
        unsafe { Self::cubic(planes, x, y) }
    }

    #[inline(always)]
    unsafe fn cubic_within<const PLANES: usize, const ROWS: usize>(
        planes: &[&Padded; PLANES],
        first: [usize; 2],
        beyond: [Self; 2],
    ) -> [Self; PLANES] {
        let [columns, rows] = beyond.map(|at| at.map(|at| at >> PART_BITS));
        debug_assert!(
            columns
                .iter()
                .all(|column| (0..=REACH_MAX).contains(column))
        );
        debug_assert!(
            rows.iter()
                .all(|row| (0..=(ROWS - TAPS) as i32).contains(row))
        );
        let [x, y] = [0, 1].map(|axis| beyond[axis].map(|at| at + first[axis] as i32 * PARTS));
        // SAFETY: as the caller promises.
        unsafe { Self::cubic(planes, x, y) }
    }

    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; LANES]) {
        *to = self.map(|value| value.clamp(0, 255) as u8);
    }
}
