//! Integration tests, one binary:
//!
//! - `bad_input`: everything a person or a network can get wrong, and what is
//!   said about it
//! - `cli`: help, exit codes, what goes to which stream
//! - `tidy`: the rules of style that can be checked by reading the sources

mod bad_input;
mod cli;
mod photos;
mod support;
mod tidy;
