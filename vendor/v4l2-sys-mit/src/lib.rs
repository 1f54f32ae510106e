//! What `linux/videodev2.h` says, as Rust.

#![allow(clippy::all)]
#![allow(deref_nullptr)]
#![allow(missing_docs)]
#![allow(non_camel_case_types)]
#![allow(non_snake_case)]
#![allow(non_upper_case_globals)]

#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little"
)))]
compile_error!("these bindings are those of 64-bit little-endian Linux, see their README.md");

mod bindings;

pub use bindings::*;
