//! Tests of the whole against real partners, in one binary.
//!
//! | module | what, against whom |
//! |---|---|
//! | `loops` | the sample stills through the pipeline, read back by other decoders |
//! | `pieces` | clips made by several threads, joined without a trace, within a budget |
//! | `faults` | motion fields of every bad kind, caught and mended or refused |
//! | `browser` | the kiosk page in Chromium, steered by chromedriver |
//! | `asyncapi` | the description of the MQTT API against the types |
//! | `mqtt` | the daemon at the in-process broker and at mosquitto |
//! | `endurance` | the daemon killed at any moment, and on demand for long: killed a thousand times, under load, for hours |
//! | `engines` | what runs the network: ONNX Runtime, real and broken in every way, against tract |
//! | `network` | our engine against what ONNX Runtime answered |
//! | `camera` | the program with a V4L2 camera that a preloaded library plays |
//! | `manual` | the manual pages and completions against the command line |
//! | `profiles` | the profiles of boards, read by the program |
//! | `cli` | help, exit codes, what goes to which stream |
//! | `burst` | what was seen before a photograph, on the command line |
//! | `bad_photos` | photographs that are none, and odd ones that are |
//! | `bad_input` | options, configurations, places and models that are wrong |
//! | `tidy` | the rules of style that can be checked by reading the sources |

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asyncapi;
mod bad_input;
mod bad_photos;
mod browser;
mod burst;
mod camera;
mod cli;
mod endurance;
mod engines;
mod faults;
mod loops;
mod manual;
mod mqtt;
mod network;
mod photos;
mod pieces;
mod playback;
mod profiles;
mod support;
mod tidy;

mod watching;
