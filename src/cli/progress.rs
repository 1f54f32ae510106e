//! What is seen of a render while it runs: a bar on a terminal, plain lines
//! elsewhere; frames and debug pictures in folders when asked for.

use std::{
    fs,
    io::{self, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use image::{
    ExtendedColorType, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use indicatif::{ProgressBar, ProgressStyle};

use super::debug;
use crate::{
    frames::{Frame, Renderer},
    motion::Motion,
    observation::Observation,
    picture::Yuv420,
    pipeline::{Onlooker, Stage},
    scene::Scene,
};

/// Watches one render.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    frames_dir: Option<PathBuf>,
    debug_dir: Option<PathBuf>,
    /// Why the render is to be stopped: the first file that was not written.
    failure: Mutex<Option<anyhow::Error>>,
}

impl Progress {
    /// Writes every frame to `frames_dir` and what was seen to `debug_dir`;
    /// both are created when missing.
    pub(super) fn new(frames_dir: Option<&Path>, debug_dir: Option<&Path>) -> anyhow::Result<Self> {
        for folder in frames_dir.into_iter().chain(debug_dir) {
            fs::create_dir_all(folder)
                .with_context(|| format!("folder {} cannot be created", folder.display()))?;
        }
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:10} {wide_bar} {pos}/{len} {eta:>4}")
                .expect("the template is well-formed");
            ProgressBar::new(0).with_style(style)
        });
        Ok(Self {
            bar,
            frames_dir: frames_dir.map(Path::to_owned),
            debug_dir: debug_dir.map(Path::to_owned),
            failure: Mutex::new(None),
        })
    }

    /// Takes the bar away; tells why frames were not written, if so.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        match self
            .failure
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Remembers the first failure; it ends the render.
    fn note(&self, written: anyhow::Result<()>) {
        if let Err(error) = written {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(error);
        }
    }

    /// Lines go to standard error. Whether they are read is not our business.
    fn say(&self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

impl Onlooker for Progress {
    fn stage(&self, stage: Stage) {
        let name = match stage {
            Stage::Decoding => "decoding",
            Stage::Watching => "watching",
            Stage::Looking => "looking",
            Stage::Rendering => "rendering",
        };
        match &self.bar {
            Some(bar) => bar.set_message(name),
            None => self.say(format_args!("{name}")),
        }
    }

    fn imagined(
        &self,
        scene: &Scene,
        observation: Option<&Observation>,
        motion: &Motion,
        renderer: &Renderer,
    ) {
        if let Some(folder) = &self.debug_dir {
            self.note(
                debug::write(folder, scene, observation, motion, renderer)
                    .with_context(|| format!("debug folder {}", folder.display())),
            );
        }
    }

    fn frame(&self, frame: &Frame, done: u32, count: u32) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(u64::from(count));
                bar.set_position(u64::from(done));
            }
            // Four lines are enough for a log.
            None if (done * 4) / count != ((done - 1) * 4) / count => {
                self.say(format_args!("rendered {done} of {count} frames"));
            }
            None => {}
        }
        if let Some(folder) = &self.frames_dir {
            self.note(write_png(
                &folder.join(format!("frame_{:05}.png", frame.index)),
                &frame.planes,
            ));
        }
    }

    fn is_cancelled(&self) -> bool {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.is_some()
    }
}

fn write_png(path: &Path, planes: &Yuv420) -> anyhow::Result<()> {
    let write = || -> anyhow::Result<()> {
        let rgb = planes.to_rgb();
        let mut file = BufWriter::new(fs::File::create(path)?);
        // Frames are looked at and thrown away: speed before size.
        PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Up)
            .write_image(
                &rgb.bytes,
                rgb.width_px as u32,
                rgb.height_px as u32,
                ExtendedColorType::Rgb8,
            )?;
        Ok(file.flush()?)
    };
    write().with_context(|| format!("frame {} cannot be written", path.display()))
}
