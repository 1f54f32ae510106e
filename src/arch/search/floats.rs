//! Eight numbers in floating point that are worked on together.

/// How many.
pub const LANES: usize = 8;

/// Eight numbers; every operation is IEEE 754's, for each of them alone.
pub trait Floats: Copy {
    /// The same eight times.
    fn splat(value: f32) -> Self;
    /// From memory.
    fn load(values: &[f32; LANES]) -> Self;
    /// To memory.
    fn store(self, values: &mut [f32; LANES]);
    /// Sums.
    fn add(self, other: Self) -> Self;
    /// Differences.
    fn sub(self, other: Self) -> Self;
    /// Products.
    fn mul(self, other: Self) -> Self;
    /// Quotients.
    fn div(self, other: Self) -> Self;
    /// The greater of each two.
    fn max(self, other: Self) -> Self;
    /// Sizes without signs.
    fn abs(self) -> Self;
    /// The sum of all eight: halves are added, then halves of the sum, then the
    /// two that are left.
    fn sum(self) -> f32;
}
