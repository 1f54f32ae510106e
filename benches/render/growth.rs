//! How cost grows with frames, pixels and moving area.

use crate::{
    Bench, bars,
    bars::Scores,
    library::{self, Stages},
    plan::Part,
    program::{FRAME_RATE, Order, Rendered},
    table::{Spread, Table, megabytes},
};

/// Lengths of clips, in seconds.
const LENGTHS_S: [f64; 4] = [2.0, 4.0, 8.0, 16.0];
/// Sizes of clips, in pixels. Bars compare the last with [`FIRST_JUDGED`].
const SIZES_PX: [[usize; 2]; 4] = [[640, 360], [1280, 720], [1920, 1080], [3840, 2160]];
/// 720p: smaller pictures fit into caches that the others do not fit into.
const FIRST_JUDGED: usize = 1;

/// Measures and prints cost and memory against frames.
///
/// # Errors
/// When a render fails.
pub fn with_length(bench: &Bench, scores: &mut Scores) -> anyhow::Result<()> {
    let lengths_s = if bench.plan.is_quick {
        &LENGTHS_S[..2]
    } else {
        &LENGTHS_S
    };
    let order_of = |clip_s: f64| Order {
        photo: &bench.lying().third.path,
        width_px: SIZES_PX[0][0],
        height_px: SIZES_PX[0][1],
        clip_s,
        frame_rate: FRAME_RATE,
        threads: None,
    };
    let runs = bench.plan.rounds(Part::Length, lengths_s, |clip_s| {
        bench.program.render(&order_of(*clip_s))
    })?;
    let cpu_s = |runs: &[Rendered]| Spread::of(runs, |run| run.usage.cpu_s);
    let peak = |runs: &[Rendered]| Spread::of(runs, |run| megabytes(run.usage.peak_rss_bytes));
    let mut table = Table::new(&[
        "clip, s",
        "frames",
        "wall, s",
        "CPU, s",
        "CPU per further frame, ms",
        "peak RSS, MB",
        "runs",
    ]);
    for (at, clip_s) in lengths_s.iter().enumerate() {
        let frames = order_of(*clip_s).frames();
        let further = at.checked_sub(1).map(|before| {
            let added = cpu_s(&runs[at]).min - cpu_s(&runs[before]).min;
            added / (frames - order_of(lengths_s[before]).frames()) * 1e3
        });
        table.row([
            clip_s.to_string(),
            format!("{frames:.0}"),
            Spread::of(&runs[at], |run| run.usage.wall_s).show(2),
            cpu_s(&runs[at]).show(2),
            further.map_or(String::new(), |ms| format!("{ms:.2}")),
            peak(&runs[at]).show(1),
            runs[at].len().to_string(),
        ]);
    }
    let size = order_of(1.0).size();
    table.print(&format!(
        "Growth with frames: whole renders at {size}, a third moving"
    ));
    let (first, last) = (&runs[0], &runs[runs.len() - 1]);
    let longer = lengths_s[lengths_s.len() - 1] / lengths_s[0];
    let costlier = cpu_s(last).min / cpu_s(first).min;
    scores.note(bars::LINEAR_FRAMES, costlier / longer);
    scores.note(bars::RSS_FLAT, peak(last).min / peak(first).min);
    Ok(())
}

/// Measures and prints the cost of the stages against pixels and moving area.
///
/// # Errors
/// When a stage fails.
pub fn with_size(bench: &Bench, scores: &mut Scores) -> anyhow::Result<()> {
    let photos = bench.lying();
    let order_of = |photo, [width_px, height_px]: [usize; 2]| Order {
        photo,
        width_px,
        height_px,
        clip_s: if bench.plan.is_quick { 0.5 } else { 1.0 },
        frame_rate: FRAME_RATE,
        threads: None,
    };
    let by_size = SIZES_PX.map(|size| order_of(&photos.third.path, size));
    let by_area = [&photos.small, &photos.full].map(|photo| order_of(&photo.path, SIZES_PX[2]));
    let contenders = [&by_size[..], &by_area[..]].concat();
    let runs = bench
        .plan
        .rounds(Part::Growth, &contenders, library::measure)?;
    let costs: Vec<Cost> = contenders.iter().zip(&runs).map(Cost::of).collect();
    let (by_size, others) = costs.split_at(SIZES_PX.len());
    let by_area = [others[0], by_size[2], others[1]];
    print("Growth with pixels: a third moving, one thread", by_size);
    print("Growth with moving area: 1080p, one thread", &by_area);
    let (first, last) = (by_size[FIRST_JUDGED], by_size[SIZES_PX.len() - 1]);
    for cost in [
        |cost: &Cost| cost.draw_ns / (cost.pixels * cost.moving_share),
        |cost: &Cost| (cost.draw_ns + cost.encode_ns) / cost.pixels,
    ] {
        scores.note(bars::LINEAR_PIXELS, cost(&last) / cost(&first));
    }
    let per_moving = |cost: Cost| cost.draw_ns / cost.moving_share;
    let (small, full) = (by_area[0], by_area[2]);
    scores.note(bars::LINEAR_AREA, per_moving(full) / per_moving(small));
    Ok(())
}

/// What one frame costs.
#[derive(Clone, Copy)]
struct Cost {
    pixels: f64,
    moving_share: f64,
    prepare_ms: f64,
    draw_ns: f64,
    encode_ns: f64,
}

impl Cost {
    fn of((order, runs): (&Order<'_>, &Vec<Stages>)) -> Self {
        let per_frame_ns = |seconds: f64| seconds / order.frames() * 1e9;
        Self {
            pixels: order.pixels(),
            moving_share: runs[0].moving_share,
            prepare_ms: Spread::of(runs, |run| run.prepare_s).min * 1e3,
            draw_ns: per_frame_ns(Spread::of(runs, |run| run.draw_s).min),
            encode_ns: per_frame_ns(Spread::of(runs, |run| run.encode_s).min),
        }
    }
}

fn print(title: &str, costs: &[Cost]) {
    let mut table = Table::new(&[
        "megapixels",
        "moves, %",
        "preparing, ms",
        "drawing a frame, ms",
        "drawing, ns per moving pixel",
        "encoding a frame, ms",
        "encoding, ns per pixel",
    ]);
    for cost in costs {
        table.row([
            format!("{:.2}", cost.pixels / 1e6),
            format!("{:.1}", cost.moving_share * 100.0),
            format!("{:.0}", cost.prepare_ms),
            format!("{:.2}", cost.draw_ns / 1e6),
            format!("{:.2}", cost.draw_ns / (cost.pixels * cost.moving_share)),
            format!("{:.2}", cost.encode_ns / 1e6),
            format!("{:.2}", cost.encode_ns / cost.pixels),
        ]);
    }
    table.print(title);
}
