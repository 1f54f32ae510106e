//! Eight lanes in one register of AVX2.

mod bytes;

use std::arch::x86_64::*;

use self::bytes::gathered;
use crate::arch::{
    lanes::{LANES, Lanes},
    padded::{
        ACROSS_BITS, DOWN_BITS, PART_BITS, PARTS, Padded, REACH_MAX, SAMPLE_BITS, SLOPE, SUM_START,
        TAPS,
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
        // SAFETY: as the caller promises.
        unsafe { Self::cubic_between(planes, extents(x, y), x, y) }
    }

    #[inline(always)]
    unsafe fn cubic_between<const PLANES: usize>(
        planes: &[&Padded; PLANES],
        [[column, last_column], [row, last_row]]: [[i32; 2]; 2],
        x: Self,
        y: Self,
    ) -> [Self; PLANES] {
        let place = Place {
            first: [column as usize, row as usize],
            beyond: [
                x.sub(Self::splat(column << PART_BITS)).0,
                y.sub(Self::splat(row << PART_BITS)).0,
            ],
        };
        // SAFETY: AVX2 is there as above; the caller promises that all positions lie
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
        let [x, y] = beyond;
        let place = Place {
            first,
            beyond: [x.0, y.0],
        };
        // SAFETY: AVX2 is there as above; the rest as the caller promises.
        unsafe { place.cubic::<PLANES, ROWS>(planes) }
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

/// Where eight samples come from, and how.
///
/// Neighbours come from neighbours: the taps of all eight lie, in each row, in one
/// window, so that one load and one shuffle bring what would take eight loads.
struct Place {
    /// The least column and row, or lesser ones.
    first: [usize; 2],
    /// Positions, counted from them.
    beyond: [__m256i; 2],
}

impl Place {
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
    ) -> [Wide; PLANES] {
        let (across, down) = Self::weights(self.beyond);
        let taps = avx2!({
            // The second byte of each lane, four times: the column.
            let of_lanes = _mm256_setr_epi8(
                1, 1, 1, 1, 5, 5, 5, 5, 9, 9, 9, 9, 13, 13, 13, 13, 1, 1, 1, 1, 5, 5, 5, 5, 9, 9,
                9, 9, 13, 13, 13, 13,
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
                let [column, row] = self.first;
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
                let mut sum = _mm256_set1_epi32(SUM_START);
                let mut tap = 0;
                while tap < TAPS {
                    let mut of_row = rows[tap];
                    let mut lower = 1;
                    while lower + TAPS <= ROWS {
                        let above = _mm256_set1_epi32(((lower as i32) << PART_BITS) - 1);
                        let is_lower = _mm256_cmpgt_epi32(self.beyond[1], above);
                        of_row = _mm256_blendv_epi8(of_row, rows[tap + lower], is_lower);
                        lower += 1;
                    }
                    sum = with_tap(sum, tap, _mm256_madd_epi16(of_row, down[tap]));
                    tap += 1;
                }
                _mm256_srai_epi32::<SAMPLE_BITS>(sum)
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
        let rest = _mm256_set1_epi32(PARTS - 1);
        let parts = self.beyond.map(|at| _mm256_and_si256(at, rest));
        let (across, down) = Self::weights(parts);
        let mut samples = [Wide::splat(0); PLANES];
        let mut plane = 0;
        while plane < PLANES {
            let stride = planes[plane].stride();
            let window = planes[plane].window(self.first[0], self.first[1]).as_ptr();
            // SAFETY: AVX2 is there as above; there are four bytes at the first tap of
            // any place in a plane, and in the rows below.
            samples[plane] = Wide(unsafe {
                let [column, row] = self.beyond.map(|at| _mm256_srai_epi32::<PART_BITS>(at));
                let rows = _mm256_mullo_epi32(row, _mm256_set1_epi32(stride as i32));
                let index = _mm256_add_epi32(rows, column);
                let mut sum = _mm256_set1_epi32(SUM_START);
                let mut tap = 0;
                while tap < TAPS {
                    let bytes = gathered(window.add(tap * stride), index);
                    let of_row = _mm256_maddubs_epi16(bytes, across);
                    sum = with_tap(sum, tap, _mm256_madd_epi16(of_row, down[tap]));
                    tap += 1;
                }
                _mm256_srai_epi32::<SAMPLE_BITS>(sum)
            });
            plane += 1;
        }
        samples
    }

    /// Weights of the taps: across four bytes in each lane, down twice in each lane a
    /// word of which the first and the last have the other sign.
    #[inline(always)]
    fn weights([x, y]: [__m256i; 2]) -> (__m256i, [__m256i; TAPS]) {
        avx2!({
            // Across in the first half of each half, down in the second.
            let both = _mm256_packus_epi32(x, y);
            let of_16 = _mm256_slli_epi16::<{ 16 - PART_BITS }>(both);
            let of_15 = _mm256_srli_epi16::<1>(of_16);
            let part = _mm256_srli_epi16::<{ 16 - DOWN_BITS }>(of_16);
            let squared = _mm256_mulhrs_epi16(part, of_15);
            let both = _mm256_sub_epi16(part, squared);
            let late = _mm256_mulhrs_epi16(both, of_15);
            let early = _mm256_sub_epi16(both, late);
            let slope = _mm256_set1_epi16(SLOPE);
            let less_first = _mm256_mulhrs_epi16(early, slope);
            let less_last = _mm256_mulhrs_epi16(late, slope);
            let third = _mm256_add_epi16(_mm256_add_epi16(late, late), less_first);
            let third = _mm256_add_epi16(third, squared);
            let outer = _mm256_add_epi16(less_first, less_last);
            let inner = _mm256_add_epi16(outer, _mm256_set1_epi16(1 << DOWN_BITS));
            let second = _mm256_sub_epi16(inner, third);
            let down = [
                _mm256_unpackhi_epi16(less_first, less_first),
                _mm256_unpackhi_epi16(second, second),
                _mm256_unpackhi_epi16(third, third),
                _mm256_unpackhi_epi16(less_last, less_last),
            ];
            (across(less_first, third, less_last), down)
        })
    }
}

/// A sum and one more tap down, of which the first and the last have the other sign.
#[inline(always)]
fn with_tap(sum: __m256i, tap: usize, weighted: __m256i) -> __m256i {
    avx2!(match tap {
        0 | 3 => _mm256_sub_epi32(sum, weighted),
        _ => _mm256_add_epi32(sum, weighted),
    })
}

/// The least and the greatest column, and so for rows.
#[inline(always)]
fn extents(x: Wide, y: Wide) -> [[i32; 2]; 2] {
    avx2!({
        let column = _mm256_srai_epi32::<PART_BITS>(x.0);
        let row = _mm256_srai_epi32::<PART_BITS>(y.0);
        // Sides of planes fit 16 bits.
        let both = _mm256_packus_epi32(column, row);
        let both = _mm256_permute4x64_epi64::<0b11_01_10_00>(both);
        let columns = _mm256_castsi256_si128(both);
        let rows = _mm256_extracti128_si256::<1>(both);
        let all = _mm_set1_epi16(-1);
        let [column, row] = [least(columns), least(rows)];
        let last_column = 0xffff - least(_mm_xor_si128(columns, all));
        let last_row = 0xffff - least(_mm_xor_si128(rows, all));
        [[column, last_column], [row, last_row]]
    })
}

/// The least of eight words.
#[inline(always)]
fn least(words: __m128i) -> i32 {
    avx2!(_mm_cvtsi128_si32(_mm_minpos_epu16(words)) & 0xffff)
}

/// Four bytes in each lane, from the lower words of the weights; the second is what
/// the others leave of the sum of all.
#[inline(always)]
fn across(less_first: __m256i, third: __m256i, less_last: __m256i) -> __m256i {
    // Products of this and more are rounded shifts.
    const COARSER: i16 = 1 << (15 - (DOWN_BITS - ACROSS_BITS));
    avx2!({
        let negative = _mm256_set1_epi16(-COARSER);
        let first = _mm256_mulhrs_epi16(less_first, negative);
        let third = _mm256_mulhrs_epi16(third, _mm256_set1_epi16(COARSER));
        let last = _mm256_mulhrs_epi16(less_last, negative);
        let rest = _mm256_sub_epi16(_mm256_set1_epi16(1 << ACROSS_BITS), first);
        let second = _mm256_sub_epi16(rest, _mm256_add_epi16(third, last));
        let early = _mm256_packs_epi16(first, second);
        let late = _mm256_packs_epi16(third, last);
        let of_early = _mm256_setr_epi8(
            0, 8, -1, -1, 1, 9, -1, -1, 2, 10, -1, -1, 3, 11, -1, -1, 0, 8, -1, -1, 1, 9, -1, -1,
            2, 10, -1, -1, 3, 11, -1, -1,
        );
        let of_late = _mm256_setr_epi8(
            -1, -1, 0, 8, -1, -1, 1, 9, -1, -1, 2, 10, -1, -1, 3, 11, -1, -1, 0, 8, -1, -1, 1, 9,
            -1, -1, 2, 10, -1, -1, 3, 11,
        );
        let early = _mm256_shuffle_epi8(early, of_early);
        _mm256_or_si256(early, _mm256_shuffle_epi8(late, of_late))
    })
}
