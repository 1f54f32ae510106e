//! Whole renders, timed from outside as a person would run them: see README.md
//! beside this folder for the method and for what every column means.
//!
//! `cargo bench --bench render [-- --quick] [-- --only whole,rivals]`

mod bars;
mod child;
mod daemon;
mod growth;
mod library;
mod photos;
mod plan;
mod program;
mod rivals;
mod stages;
mod table;
mod threads;
mod whole;

use std::{env, process::ExitCode, time::Instant};

use tempfile::TempDir;

use crate::{
    bars::Scores,
    photos::Photos,
    plan::{Part, Plan},
    program::{FRAME_RATE, Order, Program},
};

/// The photographs for one orientation of the picture.
struct Oriented {
    is_portrait: bool,
    photos: Photos,
}

impl Oriented {
    fn judge(program: &Program, is_portrait: bool, folder: &TempDir) -> anyhow::Result<Self> {
        Ok(Self {
            is_portrait,
            photos: Photos::judge(program, is_portrait, folder)?,
        })
    }

    /// Width and height from the long and the short side.
    fn turned(&self, [long_px, short_px]: [usize; 2]) -> [usize; 2] {
        if self.is_portrait {
            [short_px, long_px]
        } else {
            [long_px, short_px]
        }
    }
}

/// What every part of the bench needs.
struct Bench {
    plan: Plan,
    program: Program,
    lying: Option<Oriented>,
    upright: Option<Oriented>,
}

impl Bench {
    /// Photographs for landscape.
    fn lying(&self) -> &Photos {
        let lying = self.lying.as_ref().expect("judged for every part but two");
        &lying.photos
    }

    /// 1080p with a third of the picture moving, which most bars are about.
    fn standard_order(&self) -> Order<'_> {
        Order {
            photo: &self.lying().third.path,
            width_px: 1920,
            height_px: 1080,
            clip_s: self.plan.clip_s(),
            frame_rate: FRAME_RATE,
            threads: None,
        }
    }
}

/// Measures a part, prints it, and notes what there are bars for.
type Measure = fn(&Bench, &mut Scores) -> anyhow::Result<()>;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let done = match library::answer(&words) {
        Some(answered) => answered,
        // Started by a test runner: nothing is timed there.
        None if !words.iter().any(|word| word == "--bench") => Ok(()),
        None => run(&words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> anyhow::Result<()> {
    let start = Instant::now();
    let plan = Plan::read(words)?;
    let program = Program::find()?;
    println!("# Rendering\n");
    println!("- binary: {}", program.story);
    println!("- OpenH264: {}", program.assembly());
    println!(
        "- drawing and encoding alone: library built with{} debug assertions",
        if cfg!(debug_assertions) { "" } else { "out" }
    );
    println!("- cores: {}", program::allowed_cores()?.len());
    let folder = tempfile::tempdir()?;
    let judged = |is_wanted: bool, is_portrait| {
        is_wanted
            .then(|| Oriented::judge(&program, is_portrait, &folder))
            .transpose()
    };
    let lying = judged(plan.has_lying(), false)?;
    let upright = judged(plan.has(Part::Portrait), true)?;
    let bench = Bench {
        plan,
        program,
        lying,
        upright,
    };
    let mut scores = Scores::default();
    let parts: [(Part, Measure); 8] = [
        (Part::Whole, whole::lying),
        (Part::Portrait, whole::upright),
        (Part::Stages, stages::measure),
        (Part::Threads, threads::measure),
        (Part::Length, growth::with_length),
        (Part::Growth, growth::with_size),
        (Part::Rivals, rivals::measure),
        (Part::Daemon, daemon::measure),
    ];
    for (part, measure) in parts {
        if bench.plan.has(part) {
            measure(&bench, &mut scores)?;
        }
    }
    scores.print();
    println!("\nAll of this took {:.0} s.", start.elapsed().as_secs_f64());
    Ok(())
}
