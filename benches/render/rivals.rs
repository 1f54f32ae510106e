//! What one would do without this program, on the same photograph, at the same
//! size, for as many frames.

use std::{env, ffi::OsString, fs, path::Path, process::Command};

use crate::{
    Bench, bars,
    bars::{Bar, Scores},
    child::{self, Usage},
    plan::Part,
    program::Order,
    table::{Spread, Table, megabytes},
};

/// A way to make a clip.
enum Way {
    Ours,
    /// ffmpeg's `zoompan` into this encoder.
    Zoompan(&'static [&'static str]),
    /// OpenCV's `remap` in Python.
    Remap(OsString),
}

struct Rival {
    name: &'static str,
    way: Way,
    cpu: Option<Bar>,
    bytes: Option<Bar>,
}

/// Measures and prints ours and theirs in turn.
///
/// # Errors
/// When one of them fails.
pub fn measure(bench: &Bench, scores: &mut Scores) -> anyhow::Result<()> {
    let order = bench.standard_order();
    let rivals = present();
    let runs = bench
        .plan
        .rounds(Part::Rivals, &rivals, |rival| run(bench, rival, &order))?;
    let cpu_s = |runs: &[Made]| Spread::of(runs, |made| made.usage.cpu_s);
    let ours = &runs[0];
    let mut table = Table::new(&[
        "way",
        "wall, s",
        "CPU, s",
        "CPU over ours",
        "peak RSS, MB",
        "file, MB",
        "ours over its file",
    ]);
    for (rival, runs) in rivals.iter().zip(&runs) {
        let dearer = cpu_s(runs).min / cpu_s(ours).min;
        let smaller = ours[0].file_bytes as f64 / runs[0].file_bytes as f64;
        table.row([
            rival.name.to_owned(),
            Spread::of(runs, |made| made.usage.wall_s).show(2),
            cpu_s(runs).show(2),
            format!("{dearer:.2}"),
            format!(
                "{:.0}",
                Spread::of(runs, |made| megabytes(made.usage.peak_rss_bytes)).min
            ),
            format!("{:.2}", megabytes(runs[0].file_bytes)),
            format!("{smaller:.2}"),
        ]);
        for (bar, figure) in [(rival.cpu, dearer), (rival.bytes, smaller)] {
            if let Some(bar) = bar {
                scores.note(bar, figure);
            }
        }
    }
    table.print(&format!(
        "Side by side: {:.0} frames of {}, {} runs",
        order.frames(),
        order.size(),
        ours.len()
    ));
    for (rival, runs) in rivals.iter().zip(&runs) {
        if let Way::Remap(_) = rival.way {
            println!("\nOpenCV: {}", runs[0].usage.stdout.trim());
        }
    }
    Ok(())
}

/// Those that are installed; the others are named.
fn present() -> Vec<Rival> {
    let mut rivals = vec![Rival {
        name: "zoetrope render",
        way: Way::Ours,
        cpu: None,
        bytes: None,
    }];
    let skipped = |name: &str, want: &str| println!("\n{name}: SKIPPED for want of {want}");
    let encoders = child::run(
        Command::new("ffmpeg").args(["-v", "error", "-encoders"]),
        None,
    );
    let encoders = encoders.map_or(String::new(), |usage| usage.stdout);
    let zooms = [
        Rival {
            name: "ffmpeg zoompan, x264 veryfast",
            way: Way::Zoompan(&["libx264", "-preset", "veryfast"]),
            cpu: Some(bars::ZOOMPAN_OVER_OURS),
            bytes: Some(bars::OURS_OVER_ZOOMPAN_BYTES),
        },
        Rival {
            name: "ffmpeg zoompan, openh264",
            way: Way::Zoompan(&["libopenh264"]),
            cpu: None,
            bytes: None,
        },
    ];
    for rival in zooms {
        let Way::Zoompan([encoder, ..]) = rival.way else {
            continue;
        };
        if encoders.split_whitespace().any(|word| word == *encoder) {
            rivals.push(rival);
        } else {
            skipped(rival.name, &format!("an ffmpeg with {encoder}"));
        }
    }
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let has_opencv = child::run(
        Command::new(&python).args(["-c", "import cv2, numpy"]),
        None,
    );
    let name = "OpenCV remap, H.264";
    if has_opencv.is_ok() {
        rivals.push(Rival {
            name,
            way: Way::Remap(python),
            cpu: Some(bars::REMAP_OVER_OURS),
            bytes: None,
        });
    } else {
        skipped(
            name,
            "a Python with cv2 and numpy (PYTHON names another one)",
        );
    }
    rivals
}

/// A clip that was made one way or another.
struct Made {
    usage: Usage,
    file_bytes: u64,
}

fn run(bench: &Bench, rival: &Rival, order: &Order<'_>) -> anyhow::Result<Made> {
    let folder = tempfile::tempdir()?;
    let clip = folder.path().join("clip.mp4");
    let mut command = match &rival.way {
        Way::Ours => {
            let rendered = bench.program.render(order)?;
            return Ok(Made {
                file_bytes: rendered.file_bytes,
                usage: rendered.usage,
            });
        }
        Way::Zoompan(encoder) => zoompan(order, encoder, &clip),
        Way::Remap(python) => remap(order, python, &clip),
    };
    Ok(Made {
        usage: child::run(&mut command, None)?,
        file_bytes: fs::metadata(&clip)?.len(),
    })
}

/// One turn in and out by a twentieth; the photograph is decoded once.
fn zoompan(order: &Order<'_>, encoder: &[&str], clip: &Path) -> Command {
    let frames = order.frames();
    let filter = format!(
        "zoompan=z='1.05-0.05*cos(2*PI*on/{frames})':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2'\
         :d={frames}:s={}:fps={},format=yuv420p",
        order.size(),
        order.frame_rate
    );
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-v", "error", "-loop", "1", "-i"])
        .arg(order.photo)
        .args(["-vf", &filter, "-frames:v", &frames.to_string(), "-c:v"])
        .args(encoder)
        .args(["-movflags", "+faststart"])
        .arg(clip);
    command
}

fn remap(order: &Order<'_>, python: &OsString, clip: &Path) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/remap.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(order.photo)
        .arg(clip)
        .args([order.width_px, order.height_px].map(|side| side.to_string()))
        .args([order.frames().to_string(), order.frame_rate.to_string()]);
    command
}
