//! The part of the bench that calls the library: drawing and encoding, each
//! alone, and the moving shares.
//!
//! It runs in a process of its own, in which the bench starts itself again:
//! there its memory and time are its own. One thread draws and encodes.

use std::{
    fs,
    hint::black_box,
    num::NonZeroUsize,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
};

use anyhow::Context;
use cpu_time::ProcessTime;
use zoetrope::{
    clip::{Quantiser, VideoEncoder},
    device::{
        h264::{self, H264Encoder},
        tract::TractNetwork,
    },
    director::{Director, Script, Seen},
    frames::Renderer,
    motion::Motion,
    picture::Yuv420,
    pipeline::{self, Job, Onlooker},
    request::{JobId, Look, Shape, Size},
    scene::Scene,
    still::{Limits, Origin, Still, decode},
};

use crate::{
    child,
    program::{FRAME_RATE, Order},
};

/// First word of the command line of such a process.
const WORD: &str = "stages-alone";
/// Frames that are drawn before they are encoded, as many as the pipeline's
/// pieces have.
const PIECE: usize = 10;

/// What one clip cost, stage by stage.
#[derive(Clone, Copy, Debug)]
pub struct Stages {
    /// Process start to the first frame: network, decoding, looking, motion,
    /// rehearsal, preparation of the renderer; CPU seconds.
    pub prepare_s: f64,
    /// Directing: what the rehearsal takes beyond the preparation of the renderer,
    /// watching every frame, judging; CPU seconds.
    pub direct_s: f64,
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
    let [
        prepare_s,
        direct_s,
        draw_s,
        encode_s,
        stream_bytes,
        moving_share,
    ] = figures[..]
    else {
        anyhow::bail!("six figures were expected, not {said:?}");
    };
    Ok(Stages {
        prepare_s,
        direct_s,
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
            "{} {} {} {} {} {}",
            stages.prepare_s,
            stages.direct_s,
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
        duration_ms: Some((order.clip_s * 1000.0) as u32),
        frame_rate: order.frame_rate,
    };
    let network = TractNetwork::built_in()?;
    let photo = fs::read(order.photo)?;
    let scene = scene(&network, &photo, shape)?;
    let look = Look::default();
    let motion = Motion::imagine(&scene, shape.period_s(), &look);
    let mut script = Script::new(&scene, motion, shape, look);
    let rehearsing = ProcessTime::now();
    let renderer = script.rehearse()?;
    let rehearse_s = rehearsing.elapsed().as_secs_f64();
    let prepare_s = ProcessTime::now().as_duration().as_secs_f64();
    let preparing = ProcessTime::now();
    drop(Renderer::new(&scene, script.motion(), shape));
    let still = Arc::clone(&scene.still.planes);
    let mut stages = Stages {
        prepare_s,
        direct_s: (rehearse_s - preparing.elapsed().as_secs_f64()).max(0.0),
        draw_s: 0.0,
        encode_s: 0.0,
        stream_bytes: 0.0,
        moving_share: renderer.moving_tiles().count() as f64
            / renderer.active_tiles().samples.len() as f64,
    };
    let director = Director::new(&still, &renderer);
    let mut seen = Seen::default();
    let quantiser = quantiser(&network, &photo, shape)?;
    let encoding = ProcessTime::now();
    let mut encoder = H264Encoder::new(&still, order.frame_rate, quantiser)?;
    stages.encode_s += encoding.elapsed().as_secs_f64();
    stages.stream_bytes += encoder.still().frame.annex_b.len() as f64;
    let mut frame = renderer.blank();
    // Frame 0 is the still, which is encoded.
    let indices: Vec<u32> = (1..renderer.frame_count()).collect();
    for piece in indices.chunks(PIECE) {
        let mut watcher = director.watcher();
        encoder.begin_piece();
        for index in piece {
            let drawing = ProcessTime::now();
            renderer.draw(*index, &mut frame);
            let watching = ProcessTime::now();
            watcher.watch(&frame);
            let encoding = ProcessTime::now();
            let encoded = encoder.encode(*index, &frame.planes)?;
            stages.encode_s += encoding.elapsed().as_secs_f64();
            stages.direct_s += encoding.duration_since(watching).as_secs_f64();
            stages.draw_s += watching.duration_since(drawing).as_secs_f64();
            stages.stream_bytes += encoded.annex_b.len() as f64;
        }
        let joining = ProcessTime::now();
        seen = seen.followed_by(watcher.seen());
        stages.direct_s += joining.elapsed().as_secs_f64();
    }
    let judging = ProcessTime::now();
    black_box(director.judge(seen));
    stages.direct_s += judging.elapsed().as_secs_f64();
    Ok(stages)
}

fn scene(network: &TractNetwork, photo: &[u8], shape: Shape) -> anyhow::Result<Scene> {
    let photo = decode(photo, &Limits::default())?;
    let size = shape.size.context("a size is always given")?;
    let still = Still::compose(&photo, size, Origin::File);
    Ok(Scene::look(network, still, &Look::default())?)
}

/// The quantiser that the pipeline chooses, learnt from a clip of a few frames.
fn quantiser(network: &TractNetwork, photo: &[u8], shape: Shape) -> anyhow::Result<Quantiser> {
    struct Nobody;
    impl Onlooker for Nobody {}
    let folder = tempfile::tempdir()?;
    let chosen = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&chosen);
    let new_encoder = move |still: &Yuv420, frame_rate, quantiser| {
        *noted.lock().expect("noting does not panic") = Some(quantiser);
        h264::boxed(still, frame_rate, quantiser)
    };
    let job = Job {
        id: &JobId::generate(),
        photo,
        origin: Origin::File,
        burst: None,
        burst_fault: None,
        clean_plate: false,
        limits: &Limits::default(),
        look: Look::default(),
        shape: Shape {
            duration_ms: Some(500),
            frame_rate: 5,
            ..shape
        },
        clip_path: &folder.path().join("clip.mp4"),
        clip_bytes_max: None,
        // One thread, so that the encoder of the last attempt is the last one.
        threads: Some(NonZeroUsize::MIN),
    };
    pipeline::render(network, &new_encoder, &job, &Nobody)?;
    let chosen = *chosen.lock().expect("noting does not panic");
    chosen.context("a clip without an encoder")
}
