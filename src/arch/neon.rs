//! Eight lanes in two registers of NEON.

#![allow(unused_unsafe, reason = "NEON belongs to most targets")]

use std::arch::aarch64::*;

use crate::arch::{
    lanes::{LANES, Lanes},
    padded::{
        ACROSS_BITS, DOWN_BITS, PART_BITS, PARTS, Padded, REACH_MAX, SAMPLE_BITS, SLOPE, TAPS,
    },
    patch::{self, Canvas, Chroma, Luma, Patch},
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
        unsafe { $operation }
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
    unsafe fn cubic<const PLANES: usize>(
        planes: &[&Padded; PLANES],
        x: Self,
        y: Self,
    ) -> [Self; PLANES] {
        let extents = [x, y].map(|at| extent(at.shifted::<PART_BITS>()));
        // SAFETY: as the caller promises.
        unsafe { Self::cubic_between(planes, extents, x, y) }
    }

    #[inline(always)]
    unsafe fn cubic_between<const PLANES: usize>(
        planes: &[&Padded; PLANES],
        [[column, last_column], [row, last_row]]: [[i32; 2]; 2],
        x: Self,
        y: Self,
    ) -> [Self; PLANES] {
        let place = Place::of(
            [column as usize, row as usize],
            [
                x.sub(Self::splat(column << PART_BITS)),
                y.sub(Self::splat(row << PART_BITS)),
            ],
        );
        // SAFETY: NEON is there as above; the caller promises that all positions lie
        // in the planes, and what is read by each way the arms say.
        unsafe {
            match (last_column - column, last_row - row) {
                (0..=REACH_MAX, 0) => place.cubic::<PLANES, 4>(planes),
                (0..=REACH_MAX, 1) => place.cubic::<PLANES, 5>(planes),
                (0..=REACH_MAX, 2) => place.cubic::<PLANES, 6>(planes),
                (0..=REACH_MAX, 3) => place.cubic::<PLANES, 7>(planes),
                _ => place.apart(planes),
            }
        }
    }

    #[inline(always)]
    unsafe fn cubic_within<const PLANES: usize, const ROWS: usize>(
        planes: &[&Padded; PLANES],
        first: [usize; 2],
        beyond: [Self; 2],
    ) -> [Self; PLANES] {
        // SAFETY: NEON is there as above; the rest as the caller promises.
        unsafe { Place::of(first, beyond).cubic::<PLANES, ROWS>(planes) }
    }

    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; LANES]) {
        neon!({
            let words = vqmovn_high_s32(vqmovn_s32(self.0), self.1);
            vst1_u8(to.as_mut_ptr(), vqmovun_s16(words));
        });
    }
}

/// Where eight samples come from, and how.
///
/// Neighbours come from neighbours: the taps of all eight lie, in each row, in one
/// window, so that one load and two look-ups bring what would take eight loads.
struct Place {
    /// The least column and row, or lesser ones.
    first: [usize; 2],
    /// Columns and rows, counted from them.
    beyond: [Pair; 2],
    /// Weights of the taps across, four bytes for each sample.
    across: [int8x16_t; 2],
    /// Weights of the taps down.
    down: [Pair; TAPS],
}

impl Place {
    /// Given the positions, counted from the first column and row.
    #[inline(always)]
    fn of(first: [usize; 2], beyond: [Pair; 2]) -> Self {
        let rest = Pair::splat(PARTS - 1);
        let [across_part, down_part] = beyond.map(|at| words(at.and(rest)));
        let down = weights(down_part);
        Self {
            first,
            beyond: beyond.map(Pair::shifted::<PART_BITS>),
            across: across(across_part),
            down: [wide(down[0]), wide(down[1]), wide(down[2]), wide(down[3])],
        }
    }

    /// The samples, whose taps lie in `ROWS` rows.
    ///
    /// # Safety
    /// The place lies in the planes, no column is farther than [`REACH_MAX`] beyond
    /// the first and no row farther than `ROWS - TAPS`, and the planes hold so many
    /// rows there.
    #[inline(always)]
    unsafe fn cubic<const PLANES: usize, const ROWS: usize>(
        &self,
        planes: &[&Padded; PLANES],
    ) -> [Pair; PLANES] {
        let taps = [self.beyond[0].0, self.beyond[0].1].map(|column| {
            neon!(vreinterpretq_u8_s32(vmlaq_n_s32(
                vdupq_n_s32(0x0302_0100),
                column,
                0x0101_0101
            )))
        });
        let mut samples = [Pair::splat(0); PLANES];
        for (plane, samples) in planes.iter().zip(&mut samples) {
            let stride = plane.stride();
            let [column, row] = self.first;
            debug_assert!(plane.holds(column, row, ROWS));
            let window = plane.window(column, row).as_ptr();
            let mut rows = [Pair::splat(0); ROWS];
            for (row, of_row) in rows.iter_mut().enumerate() {
                // SAFETY: NEON is there as above; behind the first tap of any place in
                // a plane there are as many bytes as a window has, in each row.
                let bytes = unsafe { vld1q_u8(window.add(row * stride)) };
                *of_row = neon!(Pair(
                    weighted(vqtbl1q_u8(bytes, taps[0]), self.across[0]),
                    weighted(vqtbl1q_u8(bytes, taps[1]), self.across[1]),
                ));
            }
            let mut sum = Pair::splat(1 << (SAMPLE_BITS - 1));
            for tap in 0..TAPS {
                let mut of_row = rows[tap];
                for lower in 1..=ROWS - TAPS {
                    let is_lower = |beyond: int32x4_t, lower_row: int32x4_t, row: int32x4_t| {
                        neon!(vbslq_s32(
                            vceqq_s32(beyond, vdupq_n_s32(lower as i32)),
                            lower_row,
                            row
                        ))
                    };
                    of_row = Pair(
                        is_lower(self.beyond[1].0, rows[tap + lower].0, of_row.0),
                        is_lower(self.beyond[1].1, rows[tap + lower].1, of_row.1),
                    );
                }
                sum = sum.add(of_row.mul(self.down[tap]));
            }
            *samples = sum.shifted::<SAMPLE_BITS>();
        }
        samples
    }

    /// The samples, wherever their taps lie.
    ///
    /// # Safety
    /// The place lies in the planes.
    unsafe fn apart<const PLANES: usize>(&self, planes: &[&Padded; PLANES]) -> [Pair; PLANES] {
        let mut samples = [Pair::splat(0); PLANES];
        for (plane, samples) in planes.iter().zip(&mut samples) {
            let stride = plane.stride();
            let window = plane.window(self.first[0], self.first[1]).as_ptr();
            let index = self.beyond[1]
                .mul(Pair::splat(stride as i32))
                .add(self.beyond[0]);
            let mut sum = Pair::splat(1 << (SAMPLE_BITS - 1));
            for tap in 0..TAPS {
                // SAFETY: there are four bytes at the first tap of any place in a
                // plane, and in the rows below.
                let bytes = unsafe {
                    let row = window.add(tap * stride);
                    [four(row, index.0), four(row, index.1)]
                };
                let of_row = Pair(
                    weighted(bytes[0], self.across[0]),
                    weighted(bytes[1], self.across[1]),
                );
                sum = sum.add(of_row.mul(self.down[tap]));
            }
            *samples = sum.shifted::<SAMPLE_BITS>();
        }
        samples
    }
}

/// The least and the greatest of eight numbers.
#[inline(always)]
fn extent(numbers: Pair) -> [i32; 2] {
    let Pair(a, b) = numbers;
    neon!([vminvq_s32(vminq_s32(a, b)), vmaxvq_s32(vmaxq_s32(a, b))])
}

#[inline(always)]
fn words(numbers: Pair) -> int16x8_t {
    neon!(vmovn_high_s32(vmovn_s32(numbers.0), numbers.1))
}

#[inline(always)]
fn wide(words: int16x8_t) -> Pair {
    neon!(Pair(vmovl_s16(vget_low_s16(words)), vmovl_high_s16(words)))
}

/// As `weights` of the plane.
#[inline(always)]
fn weights(part: int16x8_t) -> [int16x8_t; TAPS] {
    neon!({
        let of_15 = vshlq_n_s16::<{ 15 - PART_BITS }>(part);
        let part = vshlq_n_s16::<{ DOWN_BITS - PART_BITS }>(part);
        let squared = vqrdmulhq_s16(part, of_15);
        let both = vsubq_s16(part, squared);
        let late = vqrdmulhq_s16(both, of_15);
        let early = vsubq_s16(both, late);
        let first = vnegq_s16(vqrdmulhq_n_s16(early, SLOPE));
        let last = vnegq_s16(vqrdmulhq_n_s16(late, SLOPE));
        let third = vsubq_s16(vaddq_s16(squared, vaddq_s16(late, late)), first);
        [
            first,
            second(1 << DOWN_BITS, first, third, last),
            third,
            last,
        ]
    })
}

/// As `across` of the plane: four bytes for each sample.
#[inline(always)]
fn across(part: int16x8_t) -> [int8x16_t; 2] {
    const COARSER: i32 = DOWN_BITS - ACROSS_BITS;
    let [first, _, third, last] = weights(part);
    neon!({
        let first = vrshrq_n_s16::<COARSER>(first);
        let third = vrshrq_n_s16::<COARSER>(third);
        let last = vrshrq_n_s16::<COARSER>(last);
        let second = second(1 << ACROSS_BITS, first, third, last);
        let bytes = |words| vmovn_s16(words);
        let (first, second) = (bytes(first), bytes(second));
        let (third, last) = (bytes(third), bytes(last));
        let joined = |early: int8x8_t, late: int8x8_t| {
            let (early, late) = (vreinterpret_s16_s8(early), vreinterpret_s16_s8(late));
            let four = vcombine_s16(vzip1_s16(early, late), vzip2_s16(early, late));
            vreinterpretq_s8_s16(four)
        };
        [
            joined(vzip1_s8(first, second), vzip1_s8(third, last)),
            joined(vzip2_s8(first, second), vzip2_s8(third, last)),
        ]
    })
}

/// What the others leave of the sum of all weights.
#[inline(always)]
fn second(sum: i16, first: int16x8_t, third: int16x8_t, last: int16x8_t) -> int16x8_t {
    neon!(vsubq_s16(
        vsubq_s16(vdupq_n_s16(sum), first),
        vaddq_s16(third, last)
    ))
}

/// Sums of four weighted samples each, counted from mid-grey.
#[inline(always)]
fn weighted(samples: uint8x16_t, weights: int8x16_t) -> int32x4_t {
    neon!({
        let centred = vreinterpretq_s8_u8(veorq_u8(samples, vdupq_n_u8(0x80)));
        let low = vmull_s8(vget_low_s8(centred), vget_low_s8(weights));
        let high = vmull_high_s8(centred, weights);
        vpaddlq_s16(vpaddq_s16(low, high))
    })
}

/// Four bytes at each of four indices behind `start`.
///
/// # Safety
/// There are four bytes at each.
#[inline(always)]
unsafe fn four(start: *const u8, index: int32x4_t) -> uint8x16_t {
    // SAFETY: NEON is there as above; the rest as the caller promises.
    unsafe {
        let bytes = vdupq_n_u32(at(start, vgetq_lane_s32::<0>(index)));
        let bytes = vsetq_lane_u32::<1>(at(start, vgetq_lane_s32::<1>(index)), bytes);
        let bytes = vsetq_lane_u32::<2>(at(start, vgetq_lane_s32::<2>(index)), bytes);
        let bytes = vsetq_lane_u32::<3>(at(start, vgetq_lane_s32::<3>(index)), bytes);
        vreinterpretq_u8_u32(bytes)
    }
}

/// The four bytes at an index.
///
/// # Safety
/// As [`four`].
#[inline(always)]
unsafe fn at(start: *const u8, index: i32) -> u32 {
    // SAFETY: as the caller promises.
    unsafe { start.add(index as usize).cast::<u32>().read_unaligned() }
}
