//! The command line: what is said there, and which exit code it ends with.
//!
//! One file per subcommand; what several of them take stands in `options`.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{ArgAction, Parser, Subcommand};

use crate::{
    burst::BurstError,
    config::ConfigError,
    device::{camera::CameraError, memory},
    request::RequestError,
};

pub mod asyncapi;
pub mod bench_model;
pub mod burst;
pub mod capture;
pub mod check;
pub mod debug;
pub mod demo;
pub mod doctor;
pub mod engine;
pub mod options;
pub mod render;
pub mod request;
pub mod run;
pub mod warm_up;
pub mod watch;

mod log;
mod progress;

/// Brings a still photograph to life: a photo in, a seamless motion loop out.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration."
)]
pub struct Cli {
    /// Says more on standard error; twice says everything. RUST_LOG overrides it.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Turns one photograph into a clip, without a broker.
    Render(render::Args),
    /// Shows it all at once: a broker, the daemon, a display and a clip.
    Demo(demo::Args),
    /// Takes a still with a camera and writes it as a JPEG.
    Capture(capture::Args),
    /// Runs the daemon: requests come in and clips go out over MQTT.
    Run(run::Args),
    /// Asks a daemon for a clip over MQTT, waits and saves it.
    Request(request::Args),
    /// Keeps the newest clip of a daemon in a folder, as a display does.
    Watch(watch::Args),
    /// Checks a configuration file and says what is wrong with it.
    Check(check::Args),
    /// Looks at the board as the daemon will find it, and says what is open.
    Doctor(doctor::Args),
    /// Prepares what the daemon would prepare in the background: tries out and
    /// measures what can run the model, and has TensorRT build its engine.
    WarmUp(warm_up::Args),
    /// Measures the model with every engine that works here.
    BenchModel(bench_model::Args),
    /// Runs the model for the process that has started this one.
    #[command(hide = true)]
    Engine(engine::Args),
    /// Prints the MQTT API as an AsyncAPI 3 document.
    Asyncapi(asyncapi::Args),
}

/// Reads the command line, does what it says and tells how it ended: 0 done,
/// 1 failed, 2 wrong usage or configuration. Errors go to standard error.
pub fn run() -> ExitCode {
    // Ends the process with 2 if the usage is wrong, and with 0 after --help.
    let cli = Cli::parse();
    // The demo tells its story itself, on standard output.
    let ordinary = match cli.command {
        Command::Demo(_) => "warn",
        _ => "warn,zoetrope=info",
    };
    log::start(ordinary, cli.verbose);
    memory::return_pictures();
    let done = match cli.command {
        Command::Render(args) => render::run(&args),
        Command::Demo(args) => demo::run(args),
        Command::Capture(args) => capture::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Request(args) => request::run(args),
        Command::Watch(args) => watch::run(args),
        Command::Check(args) => check::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::WarmUp(args) => warm_up::run(&args),
        Command::BenchModel(args) => bench_model::run(&args),
        Command::Engine(args) => engine::run(&args),
        Command::Asyncapi(args) => asyncapi::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", log::escaped(&format!("{error:#}")));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Writes a result to standard output. That its reader has gone away, as
/// `| head` does, is no failure of ours.
fn print(result: &str) {
    let _ = writeln!(io::stdout(), "{result}");
}

/// Whoever typed the command can mend what ends with 2.
fn exit_code(error: &anyhow::Error) -> u8 {
    let is_usage = error.downcast_ref::<ConfigError>().is_some()
        || error.downcast_ref::<RequestError>().is_some()
        || error.downcast_ref::<BurstError>().is_some()
        || (error.downcast_ref::<CameraError>())
            .is_some_and(|error| error.fault.is_of_configuration());
    if is_usage { 2 } else { 1 }
}
