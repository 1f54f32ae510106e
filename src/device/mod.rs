//! Everything that touches the world, each behind a small trait of a stage.

pub mod h264;

pub mod assembly;

pub mod memory;

pub mod http;

pub mod camera;

pub mod repeats;

pub mod source;

pub mod model;

pub mod tract;

pub mod inference;

pub mod thermal;

pub mod fetch;

pub mod mqtt;

pub mod broker;

pub mod display;
