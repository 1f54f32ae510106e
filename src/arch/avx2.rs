//! Eight lanes in one register of AVX2.

use std::arch::x86_64::*;

use crate::arch::{
    lanes::{LANES, Lanes},
    patch::{self, Canvas, Chroma, Luma, Patch},
    quads::Quads,
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
    unsafe fn bilinear(quads: &Quads, index: Self, right: Self, down: Self) -> Self {
        // SAFETY: AVX2 is there as above; the caller promises that the indices
        // are those of quads, of which each is two bytes on and four bytes long.
        unsafe {
            let quad = gathered(quads, index.0);
            // Bytes `128 - down, down` twice, and words `128 - right, right`.
            let down = _mm256_sub_epi32(_mm256_slli_epi32::<8>(down.0), down.0);
            let down = _mm256_add_epi32(down, _mm256_set1_epi32(128));
            let down = _mm256_or_si256(down, _mm256_slli_epi32::<16>(down));
            let right = _mm256_sub_epi32(_mm256_slli_epi32::<16>(right.0), right.0);
            let right = _mm256_add_epi32(right, _mm256_set1_epi32(128));
            Self(_mm256_madd_epi16(_mm256_maddubs_epi16(down, quad), right))
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

/// Four bytes wherever they stand. Reading through this, unlike `read_unaligned`,
/// costs no checks in a build with debug assertions.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Unaligned(i32);

/// Four bytes at each index, by single loads.
///
/// # Safety
/// As [`Lanes::bilinear`].
#[inline(always)]
unsafe fn gathered(quads: &Quads, index: __m256i) -> __m256i {
    let start = quads.start();
    // SAFETY: as in `bilinear`; the loads need no alignment.
    unsafe {
        let low = _mm256_castsi256_si128(index);
        let high = _mm256_extracti128_si256::<1>(index);
        // Two tiles on to the right, which is soon enough and not too soon: without
        // this a third more time goes by, with one tile or four a tenth.
        let first = _mm_cvtsi128_si32(low) as usize;
        _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(2 * first + 256).cast());
        _mm256_set_m128i(four(start, high), four(start, low))
    }
}

/// Four bytes at each of four indices.
///
/// # Safety
/// As [`Lanes::bilinear`].
#[inline(always)]
unsafe fn four(start: *const u8, index: __m128i) -> __m128i {
    // SAFETY: as the caller promises.
    unsafe {
        let first = _mm_cvtsi128_si64(index) as u64;
        let last = _mm_extract_epi64::<1>(index) as u64;
        let quads = _mm_cvtsi32_si128(at(start, first & 0xffff_ffff));
        let quads = _mm_insert_epi32::<1>(quads, at(start, first >> 32));
        let quads = _mm_insert_epi32::<2>(quads, at(start, last & 0xffff_ffff));
        _mm_insert_epi32::<3>(quads, at(start, last >> 32))
    }
}

/// The four bytes at an index.
///
/// # Safety
/// As [`Lanes::bilinear`].
#[inline(always)]
unsafe fn at(start: *const u8, index: u64) -> i32 {
    let place = start.wrapping_add(2 * index as usize).cast::<Unaligned>();
    // SAFETY: as the caller promises.
    unsafe { (*place).0 }
}
