//! The part of the bench that calls the library: drawing and encoding, each
//! alone, and the moving shares.
//!
//! It runs in a process of its own, in which the bench starts itself again:
//! there its memory and time are its own. One thread draws and encodes.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use cpu_time::ProcessTime;
use zoetrope::{
    clip::VideoEncoder,
    device::{h264::H264Encoder, tract::TractNetwork},
    frames::Renderer,
    motion::Motion,
    request::{Look, Shape, Size},
    scene::Scene,
    still::{Limits, Origin, Still, decode},
};

use crate::{
    child,
    program::{FRAME_RATE, Order},
};

/// First word of the command line of such a process.
const WORD: &str = "stages-alone";
/// Frames that are drawn before they are encoded: enough to tell the two apart,
/// few enough to hold them in memory.
const BATCH: u32 = 15;

/// What one clip cost, stage by stage.
#[derive(Clone, Copy, Debug)]
pub struct Stages {
    /// Process start to the first frame: network, decoding, looking, motion,
    /// preparation of the renderer; CPU seconds.
    pub prepare_s: f64,
    /// Drawing every frame, CPU seconds.
    pub draw_s: f64,
    /// Encoding every frame, CPU seconds.
    pub encode_s: f64,
    /// Size of the stream.
    pub stream_bytes: f64,
    /// The moving part of the picture, 0..=1.
    pub moving_share: f64,
}

/// Measures one clip in another process.
///
/// # Errors
/// What went wrong there.
pub fn measure(order: &Order<'_>) -> anyhow::Result<Stages> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg(WORD)
        .arg(order.photo)
        .args([order.width_px, order.height_px].map(|side| side.to_string()))
        .arg(order.clip_s.to_string());
    let said = child::run(&mut command, None)?.stdout;
    let figures: Vec<f64> = said.split_whitespace().flat_map(str::parse).collect();
    let [prepare_s, draw_s, encode_s, stream_bytes, moving_share] = figures[..] else {
        anyhow::bail!("five figures were expected, not {said:?}");
    };
    Ok(Stages {
        prepare_s,
        draw_s,
        encode_s,
        stream_bytes,
        moving_share,
    })
}

/// Does the work if this process was started for it.
pub fn answer(words: &[String]) -> Option<anyhow::Result<()>> {
    let [word, photo, width, height, clip_s] = words else {
        return None;
    };
    (word == WORD).then(|| {
        let order = Order {
            photo: &PathBuf::from(photo),
            width_px: width.parse()?,
            height_px: height.parse()?,
            clip_s: clip_s.parse()?,
            frame_rate: FRAME_RATE,
            threads: None,
        };
        let stages = run(&order)?;
        println!(
            "{} {} {} {} {}",
            stages.prepare_s,
            stages.draw_s,
            stages.encode_s,
            stages.stream_bytes,
            stages.moving_share
        );
        Ok(())
    })
}

fn run(order: &Order<'_>) -> anyhow::Result<Stages> {
    let shape = Shape {
        size: Some(Size::new(order.width_px, order.height_px)?),
        duration_ms: (order.clip_s * 1000.0) as u32,
        frame_rate: order.frame_rate,
    };
    let renderer = renderer(order.photo, shape)?;
    let mut encoder = H264Encoder::new(order.width_px, order.height_px, order.frame_rate)?;
    let mut frames: Vec<_> = (0..BATCH).map(|_| renderer.blank()).collect();
    let tiles = &renderer.active_tiles().samples;
    let mut stages = Stages {
        prepare_s: ProcessTime::now().as_duration().as_secs_f64(),
        draw_s: 0.0,
        encode_s: 0.0,
        stream_bytes: 0.0,
        moving_share: renderer.moving_tiles().count() as f64 / tiles.len() as f64,
    };
    let indices: Vec<u32> = (0..renderer.frame_count()).collect();
    for batch in indices.chunks(BATCH as usize) {
        let drawing = ProcessTime::now();
        for (index, frame) in batch.iter().zip(&mut frames) {
            renderer.draw(*index, frame);
        }
        let encoding = ProcessTime::now();
        for (_, frame) in batch.iter().zip(&frames) {
            let encoded = encoder.encode(&frame.planes)?;
            stages.stream_bytes += encoded.annex_b.len() as f64;
        }
        stages.draw_s += encoding.duration_since(drawing).as_secs_f64();
        stages.encode_s += encoding.elapsed().as_secs_f64();
    }
    Ok(stages)
}

fn renderer(photo: &Path, shape: Shape) -> anyhow::Result<Renderer> {
    let network = TractNetwork::built_in()?;
    let photo = decode(&std::fs::read(photo)?, &Limits::default())?;
    let size = shape.size.context("a size is always given")?;
    let look = Look::default();
    let scene = Scene::look(&network, Still::compose(&photo, size, Origin::File), &look)?;
    let motion = Motion::imagine(&scene, shape.period_s(), &look);
    Ok(Renderer::new(&scene, &motion, shape))
}
