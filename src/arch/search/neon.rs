//! Eight numbers in two registers of NEON.

use std::arch::aarch64::*;

use super::{
    Found, Pair, Votes,
    floats::{Floats, LANES},
};

/// See [`Isa::search`](crate::arch::Isa::search).
#[target_feature(enable = "neon")]
pub fn search(pair: &Pair<'_>, corner: [usize; 2], starts: &[[f32; 2]], steps: usize) -> Found {
    super::search::<Halves>(pair, corner, starts, steps)
}

/// See [`Isa::vote`](crate::arch::Isa::vote).
#[target_feature(enable = "neon")]
pub fn vote(pair: &Pair<'_>, corner: [usize; 2], flow: [f32; 2], votes: &mut Votes) {
    super::vote::<Halves>(pair, corner, flow, votes);
}

/// Private, so that only the two functions above work with it.
#[derive(Clone, Copy)]
struct Halves(float32x4_t, float32x4_t);

/// An operation that the two functions above are compiled for.
macro_rules! neon {
    ($operation:expr) => {
        // SAFETY: only the functions of this file that are compiled for NEON use
        // `Halves`, so whoever called them has it; nothing here touches memory
        // but through references to as many numbers as it loads or stores.
        unsafe { $operation }
    };
}

impl Floats for Halves {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        neon!(Self(vdupq_n_f32(value), vdupq_n_f32(value)))
    }

    #[inline(always)]
    fn load(values: &[f32; LANES]) -> Self {
        neon!(Self(
            vld1q_f32(values.as_ptr()),
            vld1q_f32(values.as_ptr().add(LANES / 2))
        ))
    }

    #[inline(always)]
    fn store(self, values: &mut [f32; LANES]) {
        neon!({
            vst1q_f32(values.as_mut_ptr(), self.0);
            vst1q_f32(values.as_mut_ptr().add(LANES / 2), self.1);
        });
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        neon!(Self(vaddq_f32(self.0, other.0), vaddq_f32(self.1, other.1)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        neon!(Self(vsubq_f32(self.0, other.0), vsubq_f32(self.1, other.1)))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        neon!(Self(vmulq_f32(self.0, other.0), vmulq_f32(self.1, other.1)))
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        neon!(Self(vdivq_f32(self.0, other.0), vdivq_f32(self.1, other.1)))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        neon!(Self(vmaxq_f32(self.0, other.0), vmaxq_f32(self.1, other.1)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        neon!(Self(vabsq_f32(self.0), vabsq_f32(self.1)))
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        neon!({
            let four = vaddq_f32(self.0, self.1);
            let two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
            vget_lane_f32::<0>(two) + vget_lane_f32::<1>(two)
        })
    }
}
