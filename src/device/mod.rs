//! Everything that touches the world, each behind a small trait of a stage.

pub mod broker;

pub mod display;

pub mod mqtt;

pub mod tract;
