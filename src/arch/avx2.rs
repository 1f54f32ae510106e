//! Eight lanes in one register of AVX2.

mod bytes;

use std::arch::x86_64::*;

use self::bytes::gathered;
use crate::arch::{
    lanes::{LANES, Lanes},
    padded::{
        ACROSS_BITS, DOWN_BITS, GREY_PARTS, PART_BITS, PARTS, Padded, SAMPLE_BITS, SLOPE, TAPS,
        WINDOW_BYTES,
    },
    patch::{self, Canvas, Chroma, Luma, Patch},
};

/// Draws a patch of luma.
#[target_feature(enable = "avx2")]
pub fn luma(patch: &Patch<'_, 1>, out: &mut Canvas<'_>) {
    patch::draw::<Wide, Luma, 1>(patch, &mut [out]);
}

/// Draws a patch of blue and red difference.
#[target_feature(enable = "avx2")]
pub fn chroma(patch: &Patch<'_, 2>, out: &mut [Canvas<'_>; 2]) {
    patch::draw::<Wide, Chroma, 2>(patch, &mut out.each_mut());
}

/// Private, so that only the two functions above work with it.
#[derive(Clone, Copy)]
struct Wide(__m256i);

/// An operation that the two functions above are compiled for.
macro_rules! avx2 {
    ($operation:expr) => {
        // SAFETY: only the functions of this file that are compiled for AVX2 use
        // `Wide`, so whoever called them has it; nothing here touches memory but
        // through references to as many bytes as it loads or stores.
        unsafe { $operation }
    };
}

impl Lanes for Wide {
    #[inline(always)]
    fn splat(value: i32) -> Self {
        Self(avx2!(_mm256_set1_epi32(value)))
    }

    #[inline(always)]
    fn halves(low: i32, high: i32) -> Self {
        Self(avx2!(_mm256_set_m128i(
            _mm_set1_epi32(high),
            _mm_set1_epi32(low)
        )))
    }

    #[inline(always)]
    fn load(values: &[i32; LANES]) -> Self {
        Self(avx2!(_mm256_loadu_si256(values.as_ptr().cast())))
    }

    #[inline(always)]
    fn load_bytes(bytes: &[u8; LANES]) -> Self {
        Self(avx2!(_mm256_cvtepu8_epi32(_mm_loadl_epi64(
            bytes.as_ptr().cast()
        ))))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(avx2!(_mm256_add_epi32(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(avx2!(_mm256_sub_epi32(self.0, other.0)))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(avx2!(_mm256_mullo_epi32(self.0, other.0)))
    }

    #[inline(always)]
    fn shifted<const BITS: i32>(self) -> Self {
        Self(avx2!(_mm256_srai_epi32::<BITS>(self.0)))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(avx2!(_mm256_and_si256(self.0, other.0)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(avx2!(_mm256_abs_epi32(self.0)))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(avx2!(_mm256_min_epi32(self.0, other.0)))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(avx2!(_mm256_max_epi32(self.0, other.0)))
    }

    #[inline(always)]
    unsafe fn cubic<const PLANES: usize>(
        planes: &[&Padded; PLANES],
        x: Self,
        y: Self,
    ) -> [Self; PLANES] {
        let place = Place::of(x, y);
        // SAFETY: AVX2 is there as above; the caller promises that all positions lie
        // in the planes, and what is read by each way the arms say.
        unsafe {
            match (place.reach, place.descent) {
                (0..=REACH_MAX, 0) => place.cubic::<PLANES, 4>(planes),
                (0..=REACH_MAX, 1) => place.cubic::<PLANES, 5>(planes),
                (0..=REACH_MAX, 2) => place.cubic::<PLANES, 6>(planes),
                (0..=REACH_MAX, 3) => place.cubic::<PLANES, 7>(planes),
                _ => place.apart(planes),
            }
        }
    }

    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; LANES]) {
        avx2!({
            let low = _mm256_castsi256_si128(self.0);
            let words = _mm_packs_epi32(low, _mm256_extracti128_si256::<1>(self.0));
            _mm_storel_epi64(to.as_mut_ptr().cast(), _mm_packus_epi16(words, words));
        });
    }
}

/// Columns that eight samples may be apart for their taps to lie in one window.
const REACH_MAX: i32 = (WINDOW_BYTES - TAPS) as i32;

/// Where eight samples come from, and how.
///
/// Neighbours come from neighbours: the taps of all eight lie, in each row, in one
/// window, so that one load and one shuffle bring what would take eight loads.
struct Place {
    /// The least column and row, and how far the others are beyond them.
    first: [i32; 2],
    reach: i32,
    descent: i32,
    /// Columns and rows, counted from the first.
    beyond: [__m256i; 2],
    /// Parts of a sample, in each lane across and, above that, down.
    part: __m256i,
}

impl Place {
    #[inline(always)]
    fn of(x: Wide, y: Wide) -> Self {
        avx2!({
            let column = _mm256_srai_epi32::<PART_BITS>(x.0);
            let row = _mm256_srai_epi32::<PART_BITS>(y.0);
            // Sides of planes fit 16 bits.
            let both = _mm256_packus_epi32(column, row);
            let both = _mm256_permute4x64_epi64::<0b11_01_10_00>(both);
            let columns = _mm256_castsi256_si128(both);
            let rows = _mm256_extracti128_si256::<1>(both);
            let first = [least(columns), least(rows)];
            let all = _mm_set1_epi16(-1);
            let reach = 0xffff - least(_mm_xor_si128(columns, all)) - first[0];
            let descent = 0xffff - least(_mm_xor_si128(rows, all)) - first[1];
            let rest = _mm256_set1_epi32(PARTS - 1);
            let (right, below) = (_mm256_and_si256(x.0, rest), _mm256_and_si256(y.0, rest));
            Self {
                first,
                reach,
                descent,
                beyond: [
                    _mm256_sub_epi32(column, _mm256_set1_epi32(first[0])),
                    _mm256_sub_epi32(row, _mm256_set1_epi32(first[1])),
                ],
                part: _mm256_or_si256(right, _mm256_slli_epi32::<16>(below)),
            }
        })
    }

    /// The samples, whose taps lie in `ROWS` rows.
    ///
    /// # Safety
    /// The place lies in the planes, no column is farther than [`REACH_MAX`] beyond
    /// the first, and the last row exactly `ROWS - TAPS`: one more would lie below
    /// the planes.
    #[inline(always)]
    unsafe fn cubic<const PLANES: usize, const ROWS: usize>(
        &self,
        planes: &[&Padded; PLANES],
    ) -> [Wide; PLANES] {
        let (across, down) = weights(self.part);
        let taps = avx2!({
            // The first byte of each lane, four times.
            let of_lanes = _mm256_setr_epi8(
                0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12, 0, 0, 0, 0, 4, 4, 4, 4, 8, 8,
                8, 8, 12, 12, 12, 12,
            );
            let first = _mm256_shuffle_epi8(self.beyond[0], of_lanes);
            _mm256_add_epi32(first, _mm256_set1_epi32(0x0302_0100))
        });
        let mut samples = [Wide::splat(0); PLANES];
        let mut plane = 0;
        while plane < PLANES {
            // SAFETY: AVX2 is there as above; behind the first tap of any place in a
            // plane there are as many bytes as a window has, in each row.
            samples[plane] = Wide(unsafe {
                let stride = planes[plane].stride();
                let [column, row] = [self.first[0] as usize, self.first[1] as usize];
                debug_assert!(planes[plane].holds(column, row, ROWS));
                let window = planes[plane].window(column, row).as_ptr();
                let mut rows = [_mm256_setzero_si256(); ROWS];
                let mut row = 0;
                while row < ROWS {
                    let bytes = _mm_loadu_si128(window.add(row * stride).cast());
                    let of_all = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), taps);
                    rows[row] = _mm256_maddubs_epi16(of_all, across);
                    row += 1;
                }
                let mut sum = _mm256_set1_epi32(1 << (SAMPLE_BITS - 1));
                let mut tap = 0;
                while tap < TAPS {
                    let mut of_row = rows[tap];
                    let mut lower = 1;
                    while lower + TAPS <= ROWS {
                        let is_lower =
                            _mm256_cmpeq_epi32(self.beyond[1], _mm256_set1_epi32(lower as i32));
                        of_row = _mm256_blendv_epi8(of_row, rows[tap + lower], is_lower);
                        lower += 1;
                    }
                    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(of_row, down[tap]));
                    tap += 1;
                }
                centred(sum)
            });
            plane += 1;
        }
        samples
    }

    /// The samples, wherever their taps lie.
    ///
    /// # Safety
    /// The place lies in the planes, and this machine has AVX2.
    #[target_feature(enable = "avx2")]
    unsafe fn apart<const PLANES: usize>(&self, planes: &[&Padded; PLANES]) -> [Wide; PLANES] {
        let (across, down) = weights(self.part);
        let mut samples = [Wide::splat(0); PLANES];
        let mut plane = 0;
        while plane < PLANES {
            let stride = planes[plane].stride();
            let window = planes[plane]
                .window(self.first[0] as usize, self.first[1] as usize)
                .as_ptr();
            // SAFETY: AVX2 is there as above; there are four bytes at the first tap of
            // any place in a plane, and in the rows below.
            samples[plane] = Wide(unsafe {
                let rows = _mm256_mullo_epi32(self.beyond[1], _mm256_set1_epi32(stride as i32));
                let index = _mm256_add_epi32(rows, self.beyond[0]);
                let mut sum = _mm256_set1_epi32(1 << (SAMPLE_BITS - 1));
                let mut tap = 0;
                while tap < TAPS {
                    let bytes = gathered(window.add(tap * stride), index);
                    let of_row = _mm256_maddubs_epi16(bytes, across);
                    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(of_row, down[tap]));
                    tap += 1;
                }
                centred(sum)
            });
            plane += 1;
        }
        samples
    }
}

/// A sum of weighted samples in [`GREY_PARTS`] from mid-grey.
#[inline(always)]
fn centred(sum: __m256i) -> __m256i {
    avx2!(_mm256_sub_epi32(
        _mm256_srai_epi32::<SAMPLE_BITS>(sum),
        _mm256_set1_epi32(128 * GREY_PARTS)
    ))
}

/// The least of eight words.
#[inline(always)]
fn least(words: __m128i) -> i32 {
    avx2!(_mm_cvtsi128_si32(_mm_minpos_epu16(words)) & 0xffff)
}

/// As `across` of the plane of the lower parts, four bytes in each lane, and as its
/// `weights` of the upper ones, twice in each lane.
#[inline(always)]
fn weights(part: __m256i) -> (__m256i, [__m256i; TAPS]) {
    let both = weights_of_both(part);
    let down = avx2!({
        // The upper word of each lane, twice.
        let upper = _mm256_setr_epi8(
            2, 3, 2, 3, 6, 7, 6, 7, 10, 11, 10, 11, 14, 15, 14, 15, 2, 3, 2, 3, 6, 7, 6, 7, 10, 11,
            10, 11, 14, 15, 14, 15,
        );
        let [first, second, third, last] = both;
        [
            _mm256_shuffle_epi8(first, upper),
            _mm256_shuffle_epi8(second, upper),
            _mm256_shuffle_epi8(third, upper),
            _mm256_shuffle_epi8(last, upper),
        ]
    });
    (across(both), down)
}

/// As `weights` of the plane, for each word by itself.
#[inline(always)]
fn weights_of_both(part: __m256i) -> [__m256i; TAPS] {
    avx2!({
        let of_15 = _mm256_slli_epi16::<{ 15 - PART_BITS }>(part);
        let part = _mm256_slli_epi16::<{ DOWN_BITS - PART_BITS }>(part);
        let squared = _mm256_mulhrs_epi16(part, of_15);
        let both = _mm256_sub_epi16(part, squared);
        let late = _mm256_mulhrs_epi16(both, of_15);
        let early = _mm256_sub_epi16(both, late);
        let slope = _mm256_set1_epi16(SLOPE);
        let zero = _mm256_setzero_si256();
        let first = _mm256_sub_epi16(zero, _mm256_mulhrs_epi16(early, slope));
        let last = _mm256_sub_epi16(zero, _mm256_mulhrs_epi16(late, slope));
        let third = _mm256_add_epi16(squared, _mm256_add_epi16(late, late));
        let third = _mm256_sub_epi16(third, first);
        [
            first,
            second(1 << DOWN_BITS, first, third, last),
            third,
            last,
        ]
    })
}

/// As `across` of the plane: four bytes in each lane, from the lower words.
#[inline(always)]
fn across([first, _, third, last]: [__m256i; TAPS]) -> __m256i {
    const COARSER: i32 = DOWN_BITS - ACROSS_BITS;
    avx2!({
        let half = _mm256_set1_epi16(1 << (COARSER - 1));
        let first = _mm256_srai_epi16::<COARSER>(_mm256_add_epi16(first, half));
        let third = _mm256_srai_epi16::<COARSER>(_mm256_add_epi16(third, half));
        let last = _mm256_srai_epi16::<COARSER>(_mm256_add_epi16(last, half));
        let second = second(1 << ACROSS_BITS, first, third, last);
        let third = _mm256_slli_epi32::<16>(third);
        let last = _mm256_slli_epi32::<16>(last);
        let even = _mm256_blend_epi16::<0b1010_1010>(first, third);
        let odd = _mm256_blend_epi16::<0b1010_1010>(second, last);
        let even = _mm256_and_si256(even, _mm256_set1_epi16(0xff));
        _mm256_or_si256(even, _mm256_slli_epi16::<8>(odd))
    })
}

/// What the others leave of the sum of all weights.
#[inline(always)]
fn second(sum: i16, first: __m256i, third: __m256i, last: __m256i) -> __m256i {
    avx2!({
        let rest = _mm256_sub_epi16(_mm256_set1_epi16(sum), first);
        _mm256_sub_epi16(rest, _mm256_add_epi16(third, last))
    })
}
