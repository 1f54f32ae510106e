//! Zoetrope brings a still photograph to life: a photograph goes in, a short
//! seamless loop comes out, on a board with no fan and no internet.
//!
//! ```text
//! request ─► still ─► scene ─► motion ─► frames ─► clip ─► publication
//!    │          │        │        │         │        │          │
//!  MQTT or    camera,  what is  how each  the loop, H.264    MQTT messages,
//!  command    command, where    thing     from the  in MP4   kiosk page
//!  line       payload  (network) moves    original
//!               burst ─► observation ─┘     ▲
//!                what moved just before  director: measures every frame,
//!                                        calms or refuses
//! ```
//!
//! Every stage is a module named after what it produces. The principles:
//!
//! 1. **Every frame is drawn from the still.** A frame is a pure function of
//!    its phase; phase 0 is the still and phase 1 is phase 0. Nothing drifts,
//!    nothing depends on the number of threads, the loop has no seam.
//! 2. **When in doubt, it stays still.** Things move only where the network is
//!    sure, and what does not move is the still, bit by bit.
//! 3. **Stages know no device.** Cameras, networks, encoders and brokers stand
//!    behind small traits of the stage that needs them and live in [`device`].
//! 4. **One direction of flow.** A module names only modules above it in this
//!    file; the order below is the order to read in. A test proves it.
//! 5. **Every fault is somebody's.** Stages have one error type each, with the
//!    value and the limit in the message; [`pipeline::Blame`] says whether the
//!    requester or the device is told.

pub mod picture;

pub mod moment;

pub mod arch;

pub mod request;

pub mod burst;

pub mod still;

pub mod scene;

pub mod flow;

pub mod observation;

pub mod motion;

pub mod frames;

pub mod director;

pub mod clip;

pub mod publication;

pub mod journal;

pub mod config;

pub mod device;

pub mod pipeline;

pub mod daemon;

pub mod demo;

pub mod cli;
