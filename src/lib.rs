//! Zoetrope brings a still photograph to life.

pub mod picture;

pub mod request;

pub mod still;

pub mod director;

pub mod clip;

pub mod config;
