//! Eight numbers in one register of AVX2.

use std::arch::x86_64::*;

use super::{
    Found, Pair, Votes,
    floats::{Floats, LANES},
};

/// See [`Isa::search`](crate::arch::Isa::search).
#[target_feature(enable = "avx2")]
pub fn search(pair: &Pair<'_>, corner: [usize; 2], starts: &[[f32; 2]], steps: usize) -> Found {
    super::search::<Wide>(pair, corner, starts, steps)
}

/// See [`Isa::vote`](crate::arch::Isa::vote).
#[target_feature(enable = "avx2")]
pub fn vote(pair: &Pair<'_>, corner: [usize; 2], flow: [f32; 2], votes: &mut Votes) {
    super::vote::<Wide>(pair, corner, flow, votes);
}

/// Private, so that only the two functions above work with it.
#[derive(Clone, Copy)]
struct Wide(__m256);

/// An operation that the two functions above are compiled for.
macro_rules! avx2 {
    ($operation:expr) => {
        // SAFETY: only the functions of this file that are compiled for AVX2 use
        // `Wide`, so whoever called them has it; nothing here touches memory but
        // through references to as many numbers as it loads or stores.
        unsafe { $operation }
    };
}

impl Floats for Wide {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(avx2!(_mm256_set1_ps(value)))
    }

    #[inline(always)]
    fn load(values: &[f32; LANES]) -> Self {
        Self(avx2!(_mm256_loadu_ps(values.as_ptr())))
    }

    #[inline(always)]
    fn store(self, values: &mut [f32; LANES]) {
        avx2!(_mm256_storeu_ps(values.as_mut_ptr(), self.0));
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(avx2!(_mm256_add_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(avx2!(_mm256_sub_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(avx2!(_mm256_mul_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(avx2!(_mm256_div_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(avx2!(_mm256_max_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(avx2!(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0)))
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        avx2!({
            let (low, high) = (
                _mm256_castps256_ps128(self.0),
                _mm256_extractf128_ps::<1>(self.0),
            );
            let four = _mm_add_ps(low, high);
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        })
    }
}
