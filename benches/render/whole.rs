//! Whole renders, as they are asked for on the command line.

use crate::{
    Bench, bars,
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
    is_portrait: bool,
    photo: &'a str,
    order: Order<'a>,
}

/// Measures and prints every size, proportion and moving share.
///
/// # Errors
/// When a render fails.
pub fn measure(bench: &Bench, scores: &mut Scores) -> anyhow::Result<()> {
    let mut contenders = Vec::new();
    for format in &FORMATS {
        for photos in [Some(&bench.lying), bench.upright.as_ref()]
            .into_iter()
            .flatten()
        {
            for photo in photos.photos.all() {
                let sides = [format.long_px, format.short_px];
                let [width_px, height_px] = photos.turned(sides);
                contenders.push(Contender {
                    format,
                    is_portrait: photos.is_portrait,
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
                });
            }
        }
    }
    let runs = bench.plan.rounds(Part::Whole, &contenders, |contender| {
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
        let proportions = if contender.is_portrait {
            " portrait"
        } else {
            ""
        };
        table.row([
            format!("{}{proportions}", contender.format.name),
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
    table.print("Whole renders");
    Ok(())
}

/// When the first picture was seen on disk; at the latest it is there when the
/// program has ended.
pub fn first_picture_s(run: &Rendered) -> f64 {
    run.usage.first_picture_s.unwrap_or(run.usage.wall_s)
}
