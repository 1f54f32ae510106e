//! Eight whole numbers that are worked on at once.

use crate::arch::Padded;

/// How many numbers stand side by side.
pub const LANES: usize = 8;

/// Eight `i32`, and what the kernels do with them. Whatever leaves the range of
/// an `i32` wraps around, the same in every instruction set.
pub trait Lanes: Copy {
    /// The same number in all lanes.
    fn splat(value: i32) -> Self;
    /// One number in the first four lanes and another in the last four.
    fn halves(low: i32, high: i32) -> Self;
    /// The given numbers.
    fn load(values: &[i32; LANES]) -> Self;
    /// The given bytes, 0..=255.
    fn load_bytes(bytes: &[u8; LANES]) -> Self;
    /// Sum.
    fn add(self, other: Self) -> Self;
    /// Difference.
    fn sub(self, other: Self) -> Self;
    /// Product.
    fn mul(self, other: Self) -> Self;
    /// Arithmetic shift to the right: division, rounded down.
    fn shifted<const BITS: i32>(self) -> Self;
    /// The bits that are set in both.
    fn and(self, other: Self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The smaller one.
    fn min(self, other: Self) -> Self;
    /// The larger one.
    fn max(self, other: Self) -> Self;
    /// Cubic samples of planes of one size at positions in
    /// [`PARTS`](super::padded::PARTS) of a sample: what [`Padded::cubic`] says.
    ///
    /// # Safety
    /// Every position lies between 0 and [`Padded::end`] of every plane.
    unsafe fn cubic<const PLANES: usize>(
        planes: &[&Padded; PLANES],
        x: Self,
        y: Self,
    ) -> [Self; PLANES];
    /// The same where the least and the greatest column and row that positions lie in are
    /// known.
    ///
    /// # Safety
    /// As for [`Self::cubic`]; and they are the least and the greatest.
    unsafe fn cubic_between<const PLANES: usize>(
        planes: &[&Padded; PLANES],
        extents: [[i32; 2]; 2],
        x: Self,
        y: Self,
    ) -> [Self; PLANES];
    /// The same where all positions are known to lie in a small window: `beyond` so
    /// many parts to the right of, and below, the sample at column and row `first` of
    /// the planes.
    ///
    /// # Safety
    /// As for [`Self::cubic`]; every position lies no more than
    /// [`REACH_MAX`](super::padded::REACH_MAX) columns and `ROWS` less
    /// [`TAPS`](super::padded::TAPS) rows, rounded down, beyond the first sample, and
    /// every plane [holds](Padded::holds) a window of `ROWS` rows there.
    unsafe fn cubic_within<const PLANES: usize, const ROWS: usize>(
        planes: &[&Padded; PLANES],
        first: [usize; 2],
        beyond: [Self; 2],
    ) -> [Self; PLANES];
    /// The numbers as bytes, those outside 0..=255 held at the nearest.
    fn store_bytes(self, to: &mut [u8; LANES]);
}
