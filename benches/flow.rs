//! Dense optical flow and what is made of it: `cargo bench --bench flow`.
//!
//! The pictures are samples of ours that waves of known size run through, or, with
//! `ZOETROPE_FRAMES=DIR`, those of every folder below it that holds PNGs. If `PYTHON`
//! (or `python3`) has OpenCV, its Dense Inverse Search (medium preset, one thread)
//! works on the same pairs in the same run. Compare figures of one run.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, ensure};
use rayon::prelude::*;
use zoetrope::{
    flow::{FINEST_SCALE, Pyramid},
    observation,
    picture::Plane,
    still::{self, Limits},
};

const WIDTH: usize = 384;
const HEIGHT: usize = 216;
const FRAMES: usize = 30;
const FRAME_RATE: f32 = 12.0;
/// Pairs of each sequence that are compared.
const PAIRS: usize = 6;
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    let sequences = match env::var_os("ZOETROPE_FRAMES") {
        Some(folder) => recorded(Path::new(&folder))?,
        None => samples()?,
    };
    ensure!(!sequences.is_empty(), "there are no pictures to look at");
    let times = of_pairs(&sequences[0]);
    println!(
        "pyramid of a picture of {WIDTH}x{HEIGHT}: {:.2} ms",
        times[0]
    );
    println!("flow of a pair, one thread:          {:.2} ms", times[1]);
    of_burst(&sequences[0])?;
    against_opencv(&sequences, times[0] + times[1])
}

/// Milliseconds for a pyramid and for the flow of a pair, medians.
fn of_pairs(frames: &[Plane<f32>]) -> [f64; 2] {
    let pools = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pools.expect("one thread");
    let mut rounds = [Vec::new(), Vec::new()];
    pool.install(|| {
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let pyramids: Vec<Pyramid> = frames.iter().map(Pyramid::of).collect();
            rounds[0].push(start.elapsed().as_secs_f64() * 1e3 / frames.len() as f64);
            let start = Instant::now();
            for pair in pyramids.windows(2) {
                std::hint::black_box(pair[0].flow(&pair[1]));
            }
            rounds[1].push(start.elapsed().as_secs_f64() * 1e3 / (frames.len() - 1) as f64);
        }
    });
    rounds.map(|mut round| {
        round.sort_by(f64::total_cmp);
        round[ROUNDS / 2]
    })
}

/// A whole burst, on two threads, with what it needs at most.
fn of_burst(frames: &[Plane<f32>]) -> anyhow::Result<()> {
    let frames: Vec<Plane<f32>> = frames.iter().cycle().take(FRAMES).cloned().collect();
    let times_s: Vec<f32> = (0..FRAMES)
        .map(|index| (index as f32 - FRAMES as f32) / FRAME_RATE)
        .collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
    let before = peak_mb()?;
    let start = Instant::now();
    std::hint::black_box(pool.install(|| {
        let pyramids: Vec<Pyramid> = frames.par_iter().map(Pyramid::of).collect();
        observation::measure(&pyramids, &times_s, 0.0)
    }));
    println!(
        "{FRAMES} pictures analysed, two threads:    {:.2} s, {:.0} MB more at the peak",
        start.elapsed().as_secs_f64(),
        peak_mb()? - before
    );
    Ok(())
}

fn peak_mb() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.context("no VmHWM")?.parse::<f64>()? / 1e3)
}

/// Prints how far our flow is from OpenCV's, and the ratio of the times.
fn against_opencv(sequences: &[Vec<Plane<f32>>], ours_ms: f64) -> anyhow::Result<()> {
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let probe = Command::new(&python).args(["-c", "import cv2"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        println!(
            "OpenCV: not compared, {} cannot import cv2",
            python.display()
        );
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    for (index, frames) in sequences.iter().enumerate() {
        let pairs = PAIRS.min(frames.len() - 1);
        let mut bytes = Vec::new();
        for side in [pairs, HEIGHT, WIDTH, FINEST_SCALE] {
            bytes.extend((side as u32).to_le_bytes());
        }
        for frame in &frames[..=pairs] {
            bytes.extend(frame.samples.iter().map(|level| level.round() as u8));
        }
        for pair in frames[..=pairs].windows(2) {
            // What OpenCV is given has no fractions of levels either.
            let [from, to] = [&pair[0], &pair[1]].map(|frame| Pyramid::of(&frame.map(f32::round)));
            for way in from.flow(&to).samples.into_iter().flatten() {
                bytes.extend(way.to_le_bytes());
            }
        }
        fs::write(folder.path().join(format!("{index:03}.flow")), bytes)?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/flow.py");
    let status = Command::new(&python)
        .arg(script)
        .arg(folder.path())
        .arg(format!("{ours_ms}"))
        .status()?;
    ensure!(status.success(), "flow.py ended with {status}");
    Ok(())
}

/// Sample photographs with a wave running through each.
fn samples() -> anyhow::Result<Vec<Vec<Plane<f32>>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/samples");
    let photos = ["waterfall", "meadow_under_clouds", "street_with_flags"];
    photos
        .iter()
        .map(|name| {
            let photo = luma(&folder.join(format!("{name}.jpg")))?;
            Ok((0..FRAMES).map(|index| waved(&photo, index)).collect())
        })
        .collect()
}

/// The picture a while later: waves of up to 3 pixels over most of it.
fn waved(photo: &Plane<f32>, index: usize) -> Plane<f32> {
    let angle = 0.5 * index as f32;
    Plane::from_fn(WIDTH, HEIGHT, |x, y| {
        let (u, v) = (x as f32, y as f32);
        let right = 3.0 * (0.02 * u + 0.03 * v + angle).sin();
        let down = 1.5 * (0.03 * u - 0.02 * v + 0.7 * angle).sin();
        photo.bilinear(u + right, v + down)
    })
}

/// The PNGs of every folder below one, in the order of their names.
fn recorded(folder: &Path) -> anyhow::Result<Vec<Vec<Plane<f32>>>> {
    let mut sequences = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut pictures: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "png") {
                pictures.push(path);
            }
        }
        pictures.sort();
        if pictures.len() > PAIRS {
            let taken = pictures.iter().take(FRAMES);
            sequences.push(
                taken
                    .map(|path| luma(path))
                    .collect::<anyhow::Result<_>>()?,
            );
        }
    }
    Ok(sequences)
}

fn luma(path: &Path) -> anyhow::Result<Plane<f32>> {
    let photo = still::decode(&fs::read(path)?, &Limits::default())
        .with_context(|| path.display().to_string())?;
    let levels = photo.bytes.chunks_exact(3).map(|pixel| {
        let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
        (0.299 * red + 0.587 * green + 0.114 * blue).round() as u8
    });
    let plane = Plane {
        width_px: photo.width_px,
        height_px: photo.height_px,
        samples: levels.collect(),
    };
    Ok(plane.shrunk(WIDTH, HEIGHT))
}
