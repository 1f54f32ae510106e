//! The pixel kernels and their tests, compiled by themselves.

#[path = "../../../src/arch/mod.rs"]
pub mod arch;
