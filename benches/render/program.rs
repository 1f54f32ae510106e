//! The program under test: which binary it is, and how it is asked for a clip.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context, ensure};

use crate::child::{self, Usage};

/// Frames per second of every clip that is timed.
pub const FRAME_RATE: u32 = 30;

/// The binary that is timed.
pub struct Program {
    path: PathBuf,
    /// `target/release` or `target/debug`, and why it was taken.
    pub story: String,
    can_set_threads: bool,
}

/// One clip to render.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    pub photo: &'a Path,
    pub width_px: usize,
    pub height_px: usize,
    /// Length of the clip.
    pub clip_s: f64,
    /// Frames per second.
    pub frame_rate: u32,
    /// Threads to use; all cores unless said.
    pub threads: Option<usize>,
}

impl Order<'_> {
    /// Frames of the clip.
    pub fn frames(&self) -> f64 {
        (self.clip_s * f64::from(self.frame_rate)).round()
    }

    /// `1920x1080`.
    pub fn size(&self) -> String {
        format!("{}x{}", self.width_px, self.height_px)
    }

    /// Pixels of a frame.
    pub fn pixels(&self) -> f64 {
        (self.width_px * self.height_px) as f64
    }
}

/// One rendered clip.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub usage: Usage,
    pub file_bytes: u64,
    /// What the program says of the moving part of the picture, 0..=1.
    pub moving_share: f64,
    /// Whether nothing was safe to move, so that it is the camera that moves.
    pub is_breath: bool,
}

impl Program {
    /// The release build where it is at least as new as the sources, else what
    /// cargo has just built; `ZOETROPE_BINARY` names another one.
    ///
    /// # Errors
    /// When it does not run.
    pub fn find() -> anyhow::Result<Self> {
        let built = PathBuf::from(env!("CARGO_BIN_EXE_zoetrope"));
        let target = built.parent().and_then(Path::parent);
        let release = target
            .context("a binary in target/PROFILE")?
            .join("release/zoetrope");
        let (path, why) = if let Some(path) = env::var_os("ZOETROPE_BINARY") {
            (PathBuf::from(path), "named by ZOETROPE_BINARY")
        } else if release == built {
            (release, "built just now")
        } else if changed(&release) > newest_source() {
            (release, "newer than every source")
        } else if release.is_file() {
            (
                built,
                "built just now; the release build is older than a source",
            )
        } else {
            (built, "built just now; there is no release build")
        };
        let help = child::run(Command::new(&path).args(["help", "render"]), None)?;
        let story = format!("{} ({why})", path.display());
        Ok(Self {
            path,
            story,
            can_set_threads: help.stdout.contains("--threads"),
        })
    }

    /// The binary.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renders one clip in a folder of its own.
    ///
    /// # Errors
    /// When it fails, or says nothing of the moving share.
    pub fn render(&self, order: &Order<'_>) -> anyhow::Result<Rendered> {
        let folder = tempfile::tempdir()?;
        let clip = folder.path().join("clip.mp4");
        let mut command = self.command(order.threads)?;
        command
            .arg("render")
            .arg(order.photo)
            .arg("--output")
            .arg(&clip)
            .args(["--size", &order.size()])
            .args(["--seconds", &order.clip_s.to_string()])
            .args(["--fps", &order.frame_rate.to_string()])
            .env_remove("RUST_LOG");
        if let (Some(threads), true) = (order.threads, self.can_set_threads) {
            command.args(["--threads", &threads.to_string()]);
        }
        let usage = child::run(&mut command, Some(folder.path()))?;
        Ok(Rendered {
            moving_share: moving_share(&usage.stdout)
                .with_context(|| format!("what moves, in {:?}", usage.stdout))?,
            is_breath: is_breath(&usage.stdout),
            file_bytes: fs::metadata(&clip)?.len(),
            usage,
        })
    }

    /// The program itself, or where it has no option for that confined to so
    /// many cores.
    fn command(&self, threads: Option<usize>) -> anyhow::Result<Command> {
        let confined = threads.filter(|_| !self.can_set_threads);
        let Some(threads) = confined else {
            return Ok(Command::new(&self.path));
        };
        let cores = allowed_cores()?;
        ensure!(threads <= cores.len(), "{threads} of {} cores", cores.len());
        let list: Vec<String> = cores[..threads].iter().map(usize::to_string).collect();
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", &list.join(",")])
            .arg(&self.path);
        Ok(command)
    }

    /// Whether it can be told how many threads to use.
    pub fn can_set_threads(&self) -> bool {
        self.can_set_threads
    }

    /// Whether the assembly of OpenH264 is in it, as far as that can be known:
    /// a stripped binary has no symbols, then what its build left is asked.
    pub fn assembly(&self) -> &'static str {
        const SYMBOLS: [&[u8]; 2] = [
            b"WelsSampleSatd16x16_sse2",
            b"WelsSampleSatd16x16_AArch64_neon",
        ];
        let has_symbol = SYMBOLS.iter().any(|symbol| contains(&self.path, symbol));
        if has_symbol {
            return "with assembly, by its symbols";
        }
        let objects = self.openh264_objects();
        match objects.as_slice() {
            [] => "not known",
            names if names.iter().any(|name| is_assembled(name)) => {
                "with assembly, by its build folder"
            }
            _ => "without assembly, by its build folder",
        }
    }

    /// Names of the objects in the newest build folder of OpenH264.
    fn openh264_objects(&self) -> Vec<String> {
        let builds = self.path.with_file_name("build");
        let folders = fs::read_dir(builds).into_iter().flatten().flatten();
        let outputs = folders
            .filter(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with("openh264-sys2-")
            })
            .map(|entry| entry.path().join("out"))
            .filter(|path| path.is_dir());
        let Some(newest) = outputs.max_by_key(|path| changed(path)) else {
            return Vec::new();
        };
        let files = fs::read_dir(newest).into_iter().flatten().flatten();
        files
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".o"))
            .collect()
    }
}

/// The assembler's objects keep the name of their source, the C++ compiler's
/// get a prefix.
fn is_assembled(object: &str) -> bool {
    object == "satd_sad.o" || object.contains("pixel_neon") || object.contains("pixel_aarch64")
}

/// Whether a file contains these bytes. It is read in blocks, since all of it
/// in memory would show in what the children are said to use.
fn contains(path: &Path, wanted: &[u8]) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut window = Vec::new();
    loop {
        let block = reader.fill_buf().unwrap_or_default();
        if block.is_empty() {
            return false;
        }
        window.extend_from_slice(block);
        let read = block.len();
        reader.consume(read);
        if window.windows(wanted.len()).any(|bytes| bytes == wanted) {
            return true;
        }
        window.drain(..window.len().saturating_sub(wanted.len()));
    }
}

/// The share of the picture that moves: `30 % of the picture moves`, or all of
/// it where the camera moves.
fn moving_share(said: &str) -> Option<f64> {
    if is_breath(said) {
        return Some(1.0);
    }
    let (before, _) = said.split_once(" % of the picture moves")?;
    let percent = before
        .rsplit(|c: char| c != '.' && !c.is_ascii_digit())
        .next()?;
    Some(percent.parse::<f64>().ok()? / 100.0)
}

fn is_breath(said: &str) -> bool {
    said.contains("the camera breathes")
}

/// The cores that this process may run on.
///
/// # Errors
/// When the system does not tell.
pub fn allowed_cores() -> anyhow::Result<Vec<usize>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .context("no list of cores in /proc/self/status")?;
    let mut cores = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cores.extend(first.parse::<usize>()?..=last.parse()?);
    }
    Ok(cores)
}

/// When a file was last written, or long ago where there is none.
fn changed(path: &Path) -> SystemTime {
    let written = fs::metadata(path).and_then(|metadata| metadata.modified());
    written.unwrap_or(SystemTime::UNIX_EPOCH)
}

fn newest_source() -> SystemTime {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut newest = changed(&root.join("Cargo.lock"));
    let mut paths = vec![
        root.join("src"),
        root.join("models/motion.onnx"),
        root.join("Cargo.toml"),
    ];
    while let Some(path) = paths.pop() {
        newest = newest.max(changed(&path));
        paths.extend(
            fs::read_dir(&path)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path()),
        );
    }
    newest
}
