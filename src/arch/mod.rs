//! Pixel kernels: the only place where speed decides how code is written.
//!
//! [`patch`] holds the one algorithm, written over eight [`lanes`] of integers;
//! the files of the instruction sets say only what an operation on eight lanes
//! is there. All arithmetic is on whole numbers, so every instruction set gives
//! the same bytes, and [`scalar`], which is always there, says which. [`search`], which
//! measures how far things have gone, is written over eight numbers in floating point
//! in the same way, with every sum in one order: the same bits there, too.
//!
//! What was tried on the way, on one core of an AMD EPYC (Zen 4), in nanoseconds of
//! processor time for each pixel of luma: cubic convolution in floating point, left
//! to the compiler, 21; bilinear samples of a plane refined four times by the gather
//! of AVX2 3.7 for each layer, by single loads of four bytes 1.5 where the plane is
//! in the cache and 4.2 where it is not, as at 1080p with its 66 MB. Cubic samples
//! of the still itself, whose taps for eight pixels are picked from one load a row,
//! stay in the cache. Looking once for the window of a whole patch, by its nodes, and
//! no more for that of each row, by its positions, took on one of the first generation,
//! whose vector units have 128 bits, 6.8 to 4.9 for one layer and 12.3 to 9.2 for two.
//! There the weights take a third of that: with constant ones it is 3.4. Working them out
//! one row ahead of the samples (5.5), or for a whole patch beforehand (9.7), fills what
//! one row waits for, but all that is ready goes through memory.
//! On Zen 4, what is worked out once for a patch took a tenth of a picture's 3.6 ms and more
//! until nodes were subtracted whole. Two rows at once in the registers of AVX-512 take as
//! long there for one layer (3.26 instead of 3.17 ms) and 5 % less for two; 32 registers,
//! masks and sums of products of AVX-512 for one row, 3.46. Both were left out.
//! The window of a whole patch takes 5 % less than the places of its rows, found from their
//! ends, for one layer and 12 % less for two.
//! `benches/kernels.rs` prints the figures of the machine at hand.

pub mod lanes;

pub mod padded;

mod dither;

mod ramp;

mod layer;

pub mod node;

pub mod patch;

pub mod search;

pub mod scalar;

#[cfg(target_arch = "x86_64")]
mod avx2;

#[cfg(target_arch = "aarch64")]
mod neon;

#[cfg(test)]
mod tests;

pub use node::Node;
pub use padded::Padded;
pub use patch::{Luma, Patch};

/// An instruction set. Holding one proves that this machine has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Isa {
    /// What every machine has.
    pub const SCALAR: Self = Self(Kind::Scalar);

    /// The fastest that this machine has.
    pub fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self(Kind::Avx2);
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Self(Kind::Neon);
        }
        Self::SCALAR
    }

    /// As it is called in tables.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
        }
    }

    /// Draws a patch of luma.
    #[inline]
    pub fn luma(self, patch: &Patch<'_, 1>, out: &mut patch::Canvas<'_>) {
        match self.0 {
            Kind::Scalar => scalar::luma(patch, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` of this kind is made only where AVX2 was found.
            Kind::Avx2 => unsafe { avx2::luma(patch, out) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: an `Isa` of this kind is made only where NEON was found.
            Kind::Neon => unsafe { neon::luma(patch, out) },
        }
    }

    /// Draws a patch of blue and red difference.
    #[inline]
    pub fn chroma(self, patch: &Patch<'_, 2>, out: &mut [patch::Canvas<'_>; 2]) {
        match self.0 {
            Kind::Scalar => scalar::chroma(patch, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` of this kind is made only where AVX2 was found.
            Kind::Avx2 => unsafe { avx2::chroma(patch, out) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: an `Isa` of this kind is made only where NEON was found.
            Kind::Neon => unsafe { neon::chroma(patch, out) },
        }
    }

    /// Seeks a patch of one picture in another: from the best of the `starts` on,
    /// of which there is at least one, in at most so many steps.
    #[inline]
    pub fn search(
        self,
        pair: &search::Pair<'_>,
        corner: [usize; 2],
        starts: &[[f32; 2]],
        steps: usize,
    ) -> search::Found {
        match self.0 {
            Kind::Scalar => search::scalar::search(pair, corner, starts, steps),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` of this kind is made only where AVX2 was found.
            Kind::Avx2 => unsafe { search::avx2::search(pair, corner, starts, steps) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: an `Isa` of this kind is made only where NEON was found.
            Kind::Neon => unsafe { search::neon::search(pair, corner, starts, steps) },
        }
    }

    /// Lets a patch vote for its flow.
    #[inline]
    pub fn vote(
        self,
        pair: &search::Pair<'_>,
        corner: [usize; 2],
        flow: [f32; 2],
        votes: &mut search::Votes,
    ) {
        match self.0 {
            Kind::Scalar => search::scalar::vote(pair, corner, flow, votes),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` of this kind is made only where AVX2 was found.
            Kind::Avx2 => unsafe { search::avx2::vote(pair, corner, flow, votes) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: an `Isa` of this kind is made only where NEON was found.
            Kind::Neon => unsafe { search::neon::vote(pair, corner, flow, votes) },
        }
    }
}
