//! `zoetrope render`: one photograph, one clip, no broker.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::{
    burst::BurstArgs,
    options::{EngineArgs, LookArgs, ShapeArgs},
    progress::Progress,
};
use crate::{
    clip::{Clip, check_replaceable},
    device::{h264, source::FileSource},
    director::Report,
    pipeline::{self, Job, PipelineError},
    request::JobId,
    still::{Limits, Origin},
};

/// Turns one photograph into a clip, without a broker.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// JPEG, PNG or WebP, 64 to 4096 pixels per side.
    pub photo: PathBuf,
    /// The MP4 file to write; replaced only when the new one is complete.
    #[arg(short, long, value_name = "CLIP")]
    pub output: PathBuf,
    /// What was seen just before the photograph.
    #[command(flatten)]
    pub burst: BurstArgs,
    /// The size and length of the clip.
    #[command(flatten)]
    pub shape: ShapeArgs,
    /// How the picture shall move.
    #[command(flatten)]
    pub look: LookArgs,
    /// Threads that draw and encode; the clip does not depend on it [default:
    /// one for each processor].
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Also writes every frame as a PNG to this folder.
    #[arg(long, value_name = "DIR", help_heading = "Inspection")]
    pub frames: Option<PathBuf>,
    /// Also writes what the model saw to this folder: class map, mobility,
    /// flow and depth as pictures and as .npy arrays.
    #[arg(long, value_name = "DIR", help_heading = "Inspection")]
    pub debug: Option<PathBuf>,
    /// Also writes what the director measured, allows and lowered to this file,
    /// as JSON; even if it refuses the clip.
    #[arg(long, value_name = "FILE", help_heading = "Inspection")]
    pub report: Option<PathBuf>,
    /// What runs the model.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// motion.toml of another model than the one built in.
    #[arg(long, value_name = "FILE", help_heading = "Inspection")]
    pub model: Option<PathBuf>,
}

/// Renders and says in one line what came out.
///
/// # Errors
/// Whatever stands in the way, in the order in which it can be known: the
/// output folder, the photograph, the burst, the model, the render itself.
pub fn run(args: &Args) -> anyhow::Result<()> {
    check_output(&args.output)?;
    let limits = Limits::default();
    let photo = FileSource::new(&args.photo, limits.bytes_max).read()?;
    let burst = args.burst.read(&args.photo, &limits)?;
    let progress = Progress::new(args.frames.as_deref(), args.debug.as_deref())?;
    let network = (args.engine).open(args.model.clone(), args.threads)?;
    let job = Job {
        id: &JobId::generate(),
        photo: &photo,
        origin: Origin::File,
        burst: burst.as_ref(),
        burst_fault: None,
        clean_plate: args.burst.clean_plate,
        limits: &limits,
        look: args.look.look(),
        shape: args.shape.shape(),
        clip_path: &args.output,
        clip_bytes_max: None,
        threads: args.threads,
    };
    let rendered = pipeline::render(&network, &h264::boxed, &job, &progress);
    // First, because a frame that was not written is why a render was stopped.
    progress.finish()?;
    let report = match &rendered {
        Ok(clip) => Some(&clip.report),
        Err(PipelineError::Director(refusal)) => Some(&*refusal.report),
        Err(_) => None,
    };
    if let (Some(file), Some(report)) = (&args.report, report) {
        write_report(file, report)?;
    }
    super::print(&summary(&rendered?));
    Ok(())
}

fn write_report(file: &Path, report: &Report) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(report)?;
    fs::write(file, json + "\n")
        .with_context(|| format!("report {}: cannot be written", file.display()))
}

/// Finds out before the work begins whether its result can be kept.
pub(super) fn check_output(clip: &Path) -> anyhow::Result<()> {
    check_replaceable(clip).with_context(|| format!("output {}", clip.display()))?;
    let folder = match clip.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        bail!("output folder {}: does not exist", folder.display());
    }
    tempfile::Builder::new()
        .prefix(".zoetrope-")
        .tempfile_in(folder)
        .with_context(|| format!("output folder {}: cannot be written to", folder.display()))?;
    Ok(())
}

fn summary(clip: &Clip) -> String {
    let watched = match &clip.observation {
        Some(account) => format!("; {account}"),
        None => String::new(),
    };
    format!(
        "{}: {}x{}, {} frames at {} fps, {} bytes, sha256 {}; {}{watched}",
        clip.path.display(),
        clip.width_px,
        clip.height_px,
        clip.frame_count,
        clip.frame_rate,
        clip.size_bytes,
        clip.sha256.get(..12).unwrap_or(&clip.sha256),
        clip.report,
    )
}
