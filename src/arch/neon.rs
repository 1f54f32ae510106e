//! Eight lanes in two registers of NEON.

use std::arch::aarch64::*;

use crate::arch::{
    lanes::{LANES, Lanes},
    patch::{self, Canvas, Chroma, Luma, Patch},
    quads::{PARTS, Quads},
};

/// Draws a patch of luma.
#[target_feature(enable = "neon")]
pub fn luma(patch: &Patch<'_, 1>, out: &mut Canvas<'_>) {
    patch::draw::<Pair, Luma, 1>(patch, &mut [out]);
}

/// Draws a patch of blue and red difference.
#[target_feature(enable = "neon")]
pub fn chroma(patch: &Patch<'_, 2>, out: &mut [Canvas<'_>; 2]) {
    patch::draw::<Pair, Chroma, 2>(patch, &mut out.each_mut());
}

/// Private, so that only the two functions above work with it.
#[derive(Clone, Copy)]
struct Pair(int32x4_t, int32x4_t);

/// An operation that the two functions above are compiled for.
macro_rules! neon {
    ($operation:expr) => {
        // SAFETY: only the functions of this file that are compiled for NEON use
        // `Pair`, so whoever called them has it; nothing here touches memory but
        // through references to as many bytes as it loads or stores.
        #[allow(unused_unsafe, reason = "NEON belongs to most targets")]
        unsafe {
            $operation
        }
    };
}

/// The same operation on both registers.
macro_rules! both {
    ($operation:ident, $a:expr, $b:expr) => {
        neon!(Pair($operation($a.0, $b.0), $operation($a.1, $b.1)))
    };
}

impl Lanes for Pair {
    #[inline(always)]
    fn splat(value: i32) -> Self {
        Self::halves(value, value)
    }

    #[inline(always)]
    fn halves(low: i32, high: i32) -> Self {
        neon!(Self(vdupq_n_s32(low), vdupq_n_s32(high)))
    }

    #[inline(always)]
    fn load(values: &[i32; LANES]) -> Self {
        let (low, high) = values.split_at(LANES / 2);
        neon!(Self(vld1q_s32(low.as_ptr()), vld1q_s32(high.as_ptr())))
    }

    #[inline(always)]
    fn load_bytes(bytes: &[u8; LANES]) -> Self {
        neon!({
            let words = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(bytes.as_ptr())));
            Self(vmovl_s16(vget_low_s16(words)), vmovl_high_s16(words))
        })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        both!(vaddq_s32, self, other)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        both!(vsubq_s32, self, other)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        both!(vmulq_s32, self, other)
    }

    #[inline(always)]
    fn shifted<const BITS: i32>(self) -> Self {
        neon!(Self(
            vshrq_n_s32::<BITS>(self.0),
            vshrq_n_s32::<BITS>(self.1)
        ))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        both!(vandq_s32, self, other)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        neon!(Self(vabsq_s32(self.0), vabsq_s32(self.1)))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        both!(vminq_s32, self, other)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        both!(vmaxq_s32, self, other)
    }

    #[inline(always)]
    unsafe fn bilinear(quads: &Quads, index: Self, right: Self, down: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe {
            Self(
                four(quads, index.0, right.0, down.0),
                four(quads, index.1, right.1, down.1),
            )
        }
    }

    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; LANES]) {
        neon!({
            let words = vqmovn_high_s32(vqmovn_s32(self.0), self.1);
            vst1_u8(to.as_mut_ptr(), vqmovun_s16(words));
        });
    }
}

/// Four bilinear samples.
///
/// # Safety
/// As [`Lanes::bilinear`].
#[inline(always)]
unsafe fn four(quads: &Quads, index: int32x4_t, right: int32x4_t, down: int32x4_t) -> int32x4_t {
    let start = quads.start();
    // SAFETY: NEON is there as above; the caller promises that the indices are
    // those of quads, of which each is two bytes on and four bytes long. A load of
    // a lane needs no alignment.
    unsafe {
        let quad = vdupq_n_u32(at(start, vgetq_lane_s32::<0>(index)));
        let one = at(start, vgetq_lane_s32::<1>(index));
        let two = at(start, vgetq_lane_s32::<2>(index));
        let three = at(start, vgetq_lane_s32::<3>(index));
        let quad = vsetq_lane_u32::<1>(one, quad);
        let quad = vsetq_lane_u32::<2>(two, quad);
        let quad = vsetq_lane_u32::<3>(three, quad);
        let quad = vreinterpretq_s8_u32(quad);
        let (down, right) = (pairs(down), pairs(right));
        // Each sample's pair twice, for its own column and the one beside it.
        let doubled = vreinterpretq_s32_s16(down);
        let low = vreinterpretq_s16_s32(vzip1q_s32(doubled, doubled));
        let high = vreinterpretq_s16_s32(vzip2q_s32(doubled, doubled));
        let low = vmulq_s16(vmovl_s8(vget_low_s8(quad)), low);
        let high = vmulq_s16(vmovl_high_s8(quad), high);
        let columns = vpaddq_s16(low, high);
        let low = vmull_s16(vget_low_s16(columns), vget_low_s16(right));
        let high = vmull_high_s16(columns, right);
        vpaddq_s32(low, high)
    }
}

/// The four bytes at an index.
///
/// # Safety
/// As [`Lanes::bilinear`].
#[inline(always)]
unsafe fn at(start: *const u8, index: i32) -> u32 {
    // SAFETY: as the caller promises.
    unsafe { start.add(2 * index as usize).cast::<u32>().read_unaligned() }
}

/// Words `128 - fraction, fraction` for each sample.
#[inline(always)]
fn pairs(fraction: int32x4_t) -> int16x8_t {
    neon!({
        let shifted = vshlq_n_s32::<16>(fraction);
        let pairs = vaddq_s32(vsubq_s32(shifted, fraction), vdupq_n_s32(PARTS));
        vreinterpretq_s16_s32(pairs)
    })
}
