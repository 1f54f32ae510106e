//! Whole renders, as they are asked for on the command line.

use anyhow::Context;

use crate::{
    Bench, Oriented, bars,
    bars::{Bar, Scores},
    plan::Part,
    program::{FRAME_RATE, Order, Rendered},
    table::{Spread, Table, megabytes},
};

/// A size of clips, and the bar for its memory.
struct Format {
    name: &'static str,
    long_px: usize,
    short_px: usize,
    peak_rss: Bar,
    /// Length of a clip: large frames are costly, and some tell as much.
    clip_s: f64,
}

const FORMATS: [Format; 3] = [
    Format {
        name: "720p",
        long_px: 1280,
        short_px: 720,
        peak_rss: bars::RSS_720P,
        clip_s: 2.0,
    },
    Format {
        name: "1080p",
        long_px: 1920,
        short_px: 1080,
        peak_rss: bars::RSS_1080P,
        clip_s: 2.0,
    },
    Format {
        name: "4K",
        long_px: 3840,
        short_px: 2160,
        peak_rss: bars::RSS_4K,
        clip_s: 1.0,
    },
];

struct Contender<'a> {
    format: &'a Format,
    photo: &'a str,
    order: Order<'a>,
}

/// Measures and prints every size and moving share, lying.
///
/// # Errors
/// When a render fails.
pub fn lying(bench: &Bench, scores: &mut Scores) -> anyhow::Result<()> {
    let title = "Whole renders, landscape";
    measure(bench, bench.lying.as_ref(), Part::Whole, title, scores)
}

/// Measures and prints every size and moving share, upright.
///
/// # Errors
/// When a render fails.
pub fn upright(bench: &Bench, scores: &mut Scores) -> anyhow::Result<()> {
    let title = "Whole renders, portrait";
    measure(bench, bench.upright.as_ref(), Part::Portrait, title, scores)
}

fn measure(
    bench: &Bench,
    oriented: Option<&Oriented>,
    part: Part,
    title: &str,
    scores: &mut Scores,
) -> anyhow::Result<()> {
    let oriented = oriented.context("photographs are judged for every part")?;
    let photos = &oriented.photos;
    let mut contenders = Vec::new();
    for format in &FORMATS {
        let [width_px, height_px] = oriented.turned([format.long_px, format.short_px]);
        // A quick run tells of one photograph what a full one tells of three.
        let photos = if bench.plan.is_quick {
            &photos.all()[1..2]
        } else {
            &photos.all()[..]
        };
        contenders.extend(photos.iter().map(|photo| Contender {
            format,
            photo: &photo.name,
            order: Order {
                photo: &photo.path,
                width_px,
                height_px,
                clip_s: if bench.plan.is_quick {
                    0.5
                } else {
                    format.clip_s
                },
                frame_rate: FRAME_RATE,
                threads: None,
            },
        }));
    }
    let runs = bench.plan.rounds(part, &contenders, |contender| {
        bench.program.render(&contender.order)
    })?;
    let mut table = Table::new(&[
        "size",
        "photograph",
        "moves, %",
        "frames",
        "wall, s",
        "CPU, s",
        "peak RSS, MB",
        "file, MB",
        "frames per CPU s",
        "first picture on disk, s",
        "runs",
    ]);
    for (contender, runs) in contenders.iter().zip(&runs) {
        let peak = Spread::of(runs, |run| megabytes(run.usage.peak_rss_bytes));
        let cpu_s = Spread::of(runs, |run| run.usage.cpu_s);
        let first_picture_s = Spread::of(runs, first_picture_s);
        scores.note(contender.format.peak_rss, peak.min);
        if contender.format.name == "720p" {
            scores.note(bars::FIRST_PICTURE, first_picture_s.min);
        }
        table.row([
            format!("{}, {}", contender.format.name, contender.order.size()),
            contender.photo.to_owned(),
            format!("{:.0}", runs[0].moving_share * 100.0),
            format!("{:.0}", contender.order.frames()),
            Spread::of(runs, |run| run.usage.wall_s).show(2),
            cpu_s.show(2),
            peak.show(0),
            format!("{:.2}", megabytes(runs[0].file_bytes)),
            format!("{:.1}", contender.order.frames() / cpu_s.min),
            first_picture_s.show(2),
            runs.len().to_string(),
        ]);
    }
    table.print(title);
    Ok(())
}

/// When the first picture was seen on disk; at the latest it is there when the
/// program has ended.
fn first_picture_s(run: &Rendered) -> f64 {
    run.usage.first_picture_s.unwrap_or(run.usage.wall_s)
}
