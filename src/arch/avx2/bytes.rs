//! Four bytes at eight places.

use std::arch::x86_64::*;

/// Four bytes wherever they stand. Reading through this, unlike `read_unaligned`,
/// costs no checks in a build with debug assertions.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Unaligned(i32);

/// Four bytes at each index behind `start`, by single loads: the gather of AVX2,
/// where it is microcode, takes twice as long.
///
/// # Safety
/// There are four bytes at each, and this machine has AVX2.
#[inline(always)]
pub(super) unsafe fn gathered(start: *const u8, index: __m256i) -> __m256i {
    // SAFETY: as the caller promises.
    unsafe {
        let low = four(start, _mm256_castsi256_si128(index));
        let high = four(start, _mm256_extracti128_si256::<1>(index));
        _mm256_set_m128i(high, low)
    }
}

/// Four bytes at each of four indices.
///
/// # Safety
/// As [`gathered`].
#[inline(always)]
unsafe fn four(start: *const u8, index: __m128i) -> __m128i {
    // SAFETY: as the caller promises.
    unsafe {
        let first = _mm_cvtsi128_si64(index) as u64;
        let last = _mm_extract_epi64::<1>(index) as u64;
        let bytes = _mm_cvtsi32_si128(at(start, first & 0xffff_ffff));
        let bytes = _mm_insert_epi32::<1>(bytes, at(start, first >> 32));
        let bytes = _mm_insert_epi32::<2>(bytes, at(start, last & 0xffff_ffff));
        _mm_insert_epi32::<3>(bytes, at(start, last >> 32))
    }
}

/// The four bytes at an index.
///
/// # Safety
/// As [`gathered`].
#[inline(always)]
unsafe fn at(start: *const u8, index: u64) -> i32 {
    let place = start.wrapping_add(index as usize).cast::<Unaligned>();
    // SAFETY: as the caller promises.
    unsafe { (*place).0 }
}
