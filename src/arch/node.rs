//! What moves where.

use crate::arch::padded::PARTS;

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
    /// [`GREY_PARTS`](super::padded::GREY_PARTS), counted from mid-grey.
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

    /// Both displacements, across and down.
    #[inline(always)]
    pub(super) fn ways(&self) -> [i32; 4] {
        [self.near[0], self.near[1], self.far[0], self.far[1]]
    }

    /// Every quantity of two nodes made one.
    #[inline(always)]
    pub(super) fn with(&self, other: &Self, made: impl Fn(i32, i32) -> i32) -> Self {
        let both = |a: [i32; 2], b: [i32; 2]| [made(a[0], b[0]), made(a[1], b[1])];
        Self {
            near: both(self.near, other.near),
            far: both(self.far, other.far),
            far_share: made(self.far_share, other.far_share),
            near_excess: made(self.near_excess, other.near_excess),
            far_excess: made(self.far_excess, other.far_excess),
            base: made(self.base, other.base),
            light: made(self.light, other.light),
        }
    }
}
