//! `zoetrope bench-model`: every engine that works here, side by side.

use std::{num::NonZeroU32, path::PathBuf, time::Instant};

use anyhow::Context;

use crate::{
    config::{Config, EngineChoice},
    device::inference::{
        Engines,
        parity::Difference,
        test_picture,
        worker::{THIS_PROGRAM, Worker},
    },
    scene::{Engine, Network, NetworkOutput},
};

/// Measures the model with every engine that works here: time for one picture,
/// memory, and how far its answers are from those of tract, as a part of their
/// range. Each runs in a process of its own.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file [default: as if it were empty].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// libonnxruntime.so [default: as configured, or in the usual places].
    #[arg(long, value_name = "FILE")]
    pub library: Option<PathBuf>,
    /// Pictures that are measured.
    #[arg(long, value_name = "N", default_value = "30")]
    pub runs: NonZeroU32,
}

/// Measures and prints a table.
///
/// # Errors
/// [`crate::config::ConfigError`] for a configuration that is wrong, when the model
/// cannot be used, or when not even tract runs it.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut config = Config::read_if_any(args.config.as_deref())?;
    // All of them, whatever is configured.
    config.inference.engine = EngineChoice::Auto;
    if let Some(library) = &args.library {
        config.inference.library_file = Some(library.clone());
    }
    let engines = Engines::configured(&config, THIS_PROGRAM.into())?;
    let card = engines.card();
    let profile = engines.profiles()[0];
    super::print(&format!(
        "{}, {}x{}, {} pictures, memory of the process without that of a GPU",
        card.name, profile.width_px, profile.height_px, args.runs
    ));
    super::print(&format!(
        "{:<16} {:<5} {:>9} {:>9} {:>8}  {}",
        "engine", "", "median", "p95", "memory", "difference from tract"
    ));
    let worker = engines.start(Engine::Tract, false);
    let worker = worker.map_err(|error| anyhow::anyhow!("tract does not run: {error}"))?;
    let expected = measured(Engine::Tract, &worker, args.runs, None)?;
    for engine in engines.candidates().into_iter().rev() {
        let told = match engines.start(engine, false) {
            Ok(worker) => measured(engine, &worker, args.runs, Some(&expected)).map(drop),
            Err(error) => Err(anyhow::anyhow!("{error}")),
        };
        if let Err(error) = told {
            super::print(&format!("{:<16} {error:#}", engine.name()));
        }
    }
    Ok(())
}

/// Prints the row of an engine; its answer.
fn measured(
    engine: Engine,
    worker: &Worker,
    runs: NonZeroU32,
    expected: Option<&NetworkOutput>,
) -> anyhow::Result<NetworkOutput> {
    let input = test_picture(worker.profiles()[0]);
    // The network is read and optimised for the first one.
    let answer = worker.infer(&input)?;
    let mut times_ms = Vec::new();
    for _ in 0..runs.get() {
        let asked_at = Instant::now();
        worker.infer(&input)?;
        times_ms.push(asked_at.elapsed().as_secs_f32() * 1e3);
    }
    times_ms.sort_by(f32::total_cmp);
    let percentile = |percent: usize| times_ms[(times_ms.len() - 1) * percent / 100];
    let memory = worker.memory_bytes_max().context("no memory is told")?;
    let difference = match expected {
        Some(expected) => Difference::between(&answer, expected).to_string(),
        None => "0".to_owned(),
    };
    super::print(&format!(
        "{:<16} {:<5} {:>6.1} ms {:>6.1} ms {:>4} MiB  {difference}",
        engine.name(),
        engine.precision(),
        percentile(50),
        percentile(95),
        memory >> 20,
    ));
    Ok(answer)
}
