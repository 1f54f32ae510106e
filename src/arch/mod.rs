//! Pixel kernels: the only place where speed decides how code is written.
//!
//! [`scalar`] holds the definition of every kernel; a faster version for an
//! instruction set must give the same answer.

pub mod scalar;

pub use scalar::{Padded, Places};
