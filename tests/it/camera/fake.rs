//! A camera that is a file, for the program as it is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::{
    photos,
    support::{Folder, Outcome, missing_tool, repository, zoetrope_with},
};

/// Size of what it shows, in pixels.
pub const WIDTH_PX: usize = 160;
pub const HEIGHT_PX: usize = 120;

/// The library that is preloaded; made once.
fn shim() -> Option<&'static Path> {
    static SHIM: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let made = SHIM.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("shim.so");
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let compiled = Command::new(compiler)
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(repository("tests/it/camera/shim.c"))
            .arg("-ldl")
            .output();
        let Ok(compiled) = compiled else {
            missing_tool("cc", "install a C compiler");
            return None;
        };
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{said}");
        Some((folder, library))
    });
    made.as_ref().map(|(_, library)| library.as_path())
}

/// A fake camera, its node and everything that belongs to it in one folder.
pub struct Camera {
    pub folder: Folder,
    shim: &'static Path,
}

/// What the camera shows: a wide range of colours, none of them extreme.
pub fn scene() -> image::RgbImage {
    image::RgbImage::from_fn(WIDTH_PX as u32, HEIGHT_PX as u32, |x, y| {
        image::Rgb([(40 + x) as u8, (60 + y) as u8, (200 - x / 2 - y / 2) as u8])
    })
}

/// The scene as JPEG, each with its own grain.
pub fn jpegs(count: u64) -> Vec<Vec<u8>> {
    (0..count)
        .map(|seed| photos::encoded(&grained(seed, 4).into(), image::ImageFormat::Jpeg))
        .collect()
}

/// The scene with noise of at most `grain` levels.
pub fn grained(seed: u64, grain: i16) -> image::RgbImage {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut picture = scene();
    for sample in picture.iter_mut() {
        *sample = sample.saturating_add_signed(rng.i16(-grain..=grain) as i8);
    }
    picture
}

impl Camera {
    /// A camera that shows `frames` in turn; `None` where it cannot be made.
    pub fn new(format: &str, frames: &[Vec<u8>], more: &str) -> Option<Self> {
        let camera = Self {
            folder: Folder::new(),
            shim: shim()?,
        };
        camera.shows(format, frames, more);
        Some(camera)
    }

    pub fn node(&self) -> PathBuf {
        self.folder.path("camera")
    }

    /// Changes what it is and shows, without a new node; or plugs it in again.
    pub fn shows(&self, format: &str, frames: &[Vec<u8>], more: &str) {
        let folder = self.folder.path("frames");
        fs::create_dir_all(&folder).unwrap();
        for (index, frame) in frames.iter().enumerate() {
            fs::write(folder.join(index.to_string()), frame).unwrap();
        }
        let about = format!(
            "format {format}\nwidth {WIDTH_PX}\nheight {HEIGHT_PX}\nframes {}\ncount {}\n{more}\n",
            folder.display(),
            frames.len()
        );
        fs::write(self.node(), about).unwrap();
    }

    /// Gives it a second size besides, in which it shows `frames`.
    pub fn shows_more(&self, size_px: [u32; 2], frames: &[Vec<u8>]) {
        let folder = self.folder.path("more");
        fs::create_dir_all(&folder).unwrap();
        for (index, frame) in frames.iter().enumerate() {
            fs::write(folder.join(index.to_string()), frame).unwrap();
        }
        let [width_px, height_px] = size_px;
        let about = fs::read_to_string(self.node()).unwrap();
        let more = format!(
            "more_width {width_px}\nmore_height {height_px}\nmore_frames {}\n",
            folder.display()
        );
        fs::write(self.node(), about + &more).unwrap();
    }

    pub fn unplug(&self) {
        fs::remove_file(self.node()).unwrap();
    }

    /// Lets a program see it.
    pub fn connect<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("LD_PRELOAD", self.shim)
            .env("FAKE_CAMERA", self.node())
    }

    /// The keys of `[camera]` with which a test takes no longer than it must.
    pub fn section(&self, more: &str) -> String {
        format!(
            "[camera]\ndevice = \"{}\"\nwarmup_s = 0.3\nframe_timeout_s = 0.3\n{more}\n",
            self.node().display()
        )
    }

    /// `zoetrope capture` with these keys of `[camera]` besides.
    pub fn capture(&self, more: &str) -> Outcome {
        self.capture_with(more, &[])
    }

    /// As [`Self::capture`], and what it saw before goes to [`Self::burst`].
    pub fn watch(&self, more: &str) -> Outcome {
        self.capture_with(more, &[Path::new("--burst"), &self.burst()])
    }

    fn capture_with(&self, more: &str, options: &[&Path]) -> Outcome {
        let config = self.folder.file("zoetrope.toml", self.section(more));
        let still = self.still();
        let [capture, with, o] = ["capture", "--config", "-o"].map(Path::new);
        let args = [capture, with, &config, o, &still];
        let args = args.iter().chain(options);
        zoetrope_with(args, |command| self.connect(command))
    }

    /// Where [`Self::watch`] puts what it saw.
    pub fn burst(&self) -> PathBuf {
        self.folder.path("burst")
    }

    /// Where [`Self::capture`] puts the still.
    pub fn still(&self) -> PathBuf {
        self.folder.path("still.jpg")
    }

    /// The still, decoded.
    pub fn picture(&self) -> image::RgbImage {
        let still = fs::read(self.still()).unwrap();
        let format = image::ImageFormat::Jpeg;
        image::load_from_memory_with_format(&still, format)
            .unwrap()
            .into_rgb8()
    }
}

/// Mean square error of all samples.
pub fn error(a: &image::RgbImage, b: &image::RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let square = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b)).powi(2);
    let sum: f64 = a.as_raw().iter().zip(b.as_raw()).map(square).sum();
    sum / a.as_raw().len() as f64
}
