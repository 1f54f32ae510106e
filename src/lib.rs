//! Zoetrope brings a still photograph to life.

pub mod picture;

pub mod request;

pub mod still;

pub mod scene;

pub mod director;

pub mod clip;

pub mod publication;

pub mod config;

pub mod device;

pub mod pipeline;

pub mod daemon;

pub mod demo;
