//! The bars: what is promised, and whether it is kept.

use crate::table::Table;

/// A promise about one figure.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    what: &'static str,
    limit: Limit,
    unit: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

const fn at_most(what: &'static str, limit: f64, unit: &'static str) -> Bar {
    Bar {
        what,
        limit: Limit::AtMost(limit),
        unit,
    }
}

const fn at_least(what: &'static str, limit: f64, unit: &'static str) -> Bar {
    Bar {
        what,
        limit: Limit::AtLeast(limit),
        unit,
    }
}

/// Drawing and everything else costs at most half of what encoding costs.
pub const WHOLE_OVER_ENCODER: Bar = at_most(
    "CPU of a whole render of 4 s of 1080p30, a third moving, over the encoder alone",
    1.5,
    "x",
);
/// A clip is ready long before it has been played once.
pub const WALL_OVER_PLAYED: Bar = at_most("its wall time over the time it plays", 0.6, "x");
/// A mere zoom by the usual tools costs more than our motion.
pub const ZOOMPAN_OVER_OURS: Bar =
    at_least("CPU of ffmpeg zoompan + x264 veryfast over ours", 1.5, "x");
/// That is not bought with bytes.
pub const OURS_OVER_ZOOMPAN_BYTES: Bar =
    at_most("our file over the one of zoompan + x264", 1.0, "x");
/// A warp by the usual library costs more than ours.
pub const REMAP_OVER_OURS: Bar = at_least("CPU of OpenCV remap + its H.264 over ours", 2.5, "x");
/// The second core is used.
pub const TWO_THREADS: Bar = at_least("speed of two threads over one", 1.8, "x");
/// Peak of the resident set, model included.
pub const RSS_720P: Bar = at_most("peak RSS at 720p", 120.0, "MB");
/// Peak of the resident set, model included.
pub const RSS_1080P: Bar = at_most("peak RSS at 1080p", 180.0, "MB");
/// Peak of the resident set, model included.
pub const RSS_4K: Bar = at_most("peak RSS at 4K", 450.0, "MB");
/// Memory does not grow with the clip; the rest is the allocator's mood.
pub const RSS_FLAT: Bar = at_most("peak RSS of the longest clip over the shortest", 1.05, "x");
/// Always on, so it must cost next to nothing.
pub const DIRECTOR_SHARE: Bar = at_most("director, of the CPU time of a whole render", 5.0, "%");
/// A display may begin to fetch early.
pub const FIRST_PICTURE: Bar = at_most(
    "request to the first picture in the MP4 on disk, 720p",
    1.0,
    "s",
);
/// Linear or better, with a tenth for the caches.
pub const LINEAR_PIXELS: Bar =
    at_most("growth of cost over growth of pixels, 720p to 4K", 1.1, "x");
/// Linear or better, with a tenth for the noise of timing.
pub const LINEAR_FRAMES: Bar = at_most("growth of cost over growth of frames", 1.1, "x");
/// Linear or better, with a tenth for the noise of timing.
pub const LINEAR_AREA: Bar = at_most("growth of drawing over growth of moving area", 1.1, "x");
/// What has to be copied to a board.
pub const BINARY: Bar = at_most("binary, stripped, with model", 45.0, "MB");
/// A board is there soon after it has power.
pub const READY: Bar = at_most("start of the daemon to ready", 300.0, "ms");

/// In the order in which they are printed.
const ALL: [Bar; 17] = [
    WHOLE_OVER_ENCODER,
    WALL_OVER_PLAYED,
    DIRECTOR_SHARE,
    ZOOMPAN_OVER_OURS,
    OURS_OVER_ZOOMPAN_BYTES,
    REMAP_OVER_OURS,
    TWO_THREADS,
    RSS_720P,
    RSS_1080P,
    RSS_4K,
    RSS_FLAT,
    FIRST_PICTURE,
    LINEAR_PIXELS,
    LINEAR_FRAMES,
    LINEAR_AREA,
    BINARY,
    READY,
];

/// What has been measured so far.
#[derive(Debug, Default)]
pub struct Scores(Vec<(&'static str, f64)>);

impl Scores {
    /// Notes a figure. Of several for one bar the worst counts.
    pub fn note(&mut self, bar: Bar, measured: f64) {
        self.0.push((bar.what, measured));
    }

    fn worst(&self, bar: Bar) -> Option<f64> {
        let figures = self.0.iter().filter(|(what, _)| *what == bar.what);
        figures.map(|(_, figure)| *figure).reduce(match bar.limit {
            Limit::AtMost(_) => f64::max,
            Limit::AtLeast(_) => f64::min,
        })
    }

    /// Prints every bar with what was measured for it.
    pub fn print(&self) {
        let mut table = Table::new(&["what", "bar", "measured", "met"]);
        for bar in ALL {
            let (sign, limit, is_met): (_, _, fn(f64, f64) -> bool) = match bar.limit {
                Limit::AtMost(limit) => ("≤", limit, |measured, limit| measured <= limit),
                Limit::AtLeast(limit) => ("≥", limit, |measured, limit| measured >= limit),
            };
            let measured = self.worst(bar);
            table.row([
                bar.what.to_owned(),
                format!("{sign} {limit} {}", bar.unit),
                measured.map_or("not measured".to_owned(), |figure| {
                    format!("{figure:.2} {}", bar.unit)
                }),
                measured
                    .map_or(
                        "",
                        |figure| if is_met(figure, limit) { "yes" } else { "NO" },
                    )
                    .to_owned(),
            ]);
        }
        table.print("Bars");
        println!(
            "\nOf repeated figures the smallest was taken. The gather kernel has its bar in the bench `kernels`."
        );
    }
}
