//! Integration tests, one binary:
//!
//! - `bad_photos`: photographs that are none, and odd ones that are
//! - `bad_input`: options, configurations, places and models that are wrong
//! - `cli`: help, exit codes, what goes to which stream
//! - `tidy`: the rules of style that can be checked by reading the sources

mod bad_input;
mod bad_photos;
mod cli;
mod photos;
mod support;
mod tidy;
