//! Everything that touches the world, each behind a small trait of a stage.

pub mod source;

pub mod tract;
