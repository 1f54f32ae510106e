//! `zoetrope capture`: one still from the camera, no broker and no network.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, bail};
use rustix::io::Errno;

use super::render::check_output;
use crate::{
    burst::Burst,
    config::{Camera, Config, DeviceCamera, Watch},
    device::{
        camera::{CameraSource, Picture, survey},
        display::replace,
        source,
    },
    still::{self, Capture, Limits},
};

/// Takes a still with a camera and writes it as a JPEG. Ends with 2 if the
/// configuration asks for what the camera does not have.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The JPEG file to write; replaced only when the new one is complete.
    #[arg(short, long, value_name = "STILL")]
    pub output: PathBuf,
    /// The camera's node, such as one in /dev/v4l/by-id [default: the
    /// configured camera, or the only one there is].
    #[arg(long, value_name = "NODE")]
    pub device: Option<PathBuf>,
    /// Also watches before the still, and writes what was seen to this folder as
    /// pictures for "render --burst".
    #[arg(long, value_name = "DIR")]
    pub burst: Option<PathBuf>,
    /// The configuration file whose [camera], [observation] and [photo] hold.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Takes the still and says in one line what came out.
///
/// # Errors
/// A [`crate::config::ConfigError`], a camera's
/// [`CameraError`](crate::device::camera::CameraError), or what stands in the
/// way of the file.
pub fn run(args: &Args) -> anyhow::Result<()> {
    check_output(&args.output)?;
    let config = Config::read_if_any(args.config.as_deref())?;
    let limits = config.photo_limits;
    let asked_at = Instant::now();
    let watch = args.burst.as_ref().map(|_| config.observation.watch);
    let (picture, how, burst) = match chosen(args, config.camera)? {
        Camera::Device(camera) => {
            let shot = CameraSource::new(camera, limits).watching(watch).take()?;
            (shot.picture, shot.offer.to_string(), shot.burst)
        }
        other => from_elsewhere(&other, &limits, watch)?,
    };
    let took_s = asked_at.elapsed().as_secs_f32();
    let jpeg = picture.into_jpeg()?;
    let bytes = jpeg.len();
    let output = args.output.display();
    replace(&args.output, &jpeg)?;
    let seen = match (&args.burst, burst) {
        (Some(folder), Some(burst)) => written(folder, &burst.map_err(anyhow::Error::msg)?)?,
        (Some(_), None) => bail!("this camera cannot be watched"),
        (None, _) => String::new(),
    };
    super::print(&format!(
        "{output}: {how}, {bytes} bytes, in {took_s:.1} s{seen}"
    ));
    Ok(())
}

/// Puts the pictures into the folder and tells how they were taken.
fn written(folder: &Path, burst: &Burst) -> anyhow::Result<String> {
    let place = || format!("burst {}", folder.display());
    fs::create_dir_all(folder).with_context(place)?;
    let mut last = (0, 0.0);
    for (index, (jpeg, time_s)) in burst.frames().enumerate() {
        fs::write(folder.join(format!("burst_{index:03}.jpg")), jpeg).with_context(place)?;
        last = (index, time_s);
    }
    let (steps, span_s) = last;
    let fps = steps as f32 / span_s;
    Ok(format!(
        "; {} pictures of {span_s:.2} s before it, --burst-fps {fps:.2}",
        steps + 1
    ))
}

/// The camera that the command line names, or else the configuration, or else
/// the only one there is.
fn chosen(args: &Args, configured: Camera) -> anyhow::Result<Camera> {
    let camera = match (&args.device, configured) {
        (Some(node), Camera::Device(camera)) => Camera::Device(DeviceCamera {
            node: node.clone(),
            ..camera
        }),
        (Some(node), _) => Camera::Device(DeviceCamera::at(node)),
        (None, Camera::None) => Camera::Device(DeviceCamera::at(only_one()?)),
        (None, configured) => configured,
    };
    Ok(camera)
}

fn only_one() -> anyhow::Result<PathBuf> {
    let mut found = survey(Path::new("/dev"));
    let names = |found: &[crate::device::camera::Found]| {
        let names: Vec<String> = (found.iter())
            .map(|camera| camera.name.display().to_string())
            .collect();
        names.join(", ")
    };
    match found.len() {
        0 => bail!("no camera is there, and --device and --config name none"),
        1 => Ok(found.remove(0).name),
        _ => bail!("{} are there: name one with --device", names(&found)),
    }
}

/// A picture, how it was taken and what was seen before it.
type Taken = (Picture, String, Option<Result<Burst, String>>);

/// What a file or a command gives, JPEGs as they are.
fn from_elsewhere(camera: &Camera, limits: &Limits, watch: Option<Watch>) -> anyhow::Result<Taken> {
    let mut source = source::configured(camera, limits, watch).ok_or(Errno::NODEV)?;
    let Capture {
        still: photo,
        burst,
        burst_fault,
    } = source.capture()?;
    let burst = burst.map(Ok).or(burst_fault.map(Err));
    let pixels = still::decode(&photo, limits)?;
    let how = format!("{}x{}", pixels.width_px, pixels.height_px);
    let is_jpeg = photo.starts_with(&[0xff, 0xd8]);
    let picture = if is_jpeg {
        Picture::Jpeg(photo)
    } else {
        Picture::Pixels(pixels)
    };
    Ok((picture, how, burst))
}
