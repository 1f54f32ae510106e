//! Throws mutated input at everything that reads what others have written.
//!
//! ```sh
//! cargo test --test fuzz                            # every target for a moment
//! cargo test --test fuzz -- --seconds 600           # every target for ten minutes
//! cargo test --test fuzz -- config --seconds 600    # one target
//! ```
//!
//! Needs no tool and no other compiler. Inputs are mutated from
//! `tests/fuzz/corpus/<target>/` and from whatever has given an answer that was
//! not seen before. Without `--seconds` every run throws the same inputs. What
//! makes a target panic is left in the folder for temporary files and named;
//! put into the corpus, it is tried first for ever after.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mutate;
mod requests;
mod targets;

use std::{
    collections::HashSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use mutate::Mutator;
use targets::{TARGETS, Target};

/// Mutations of each target when no time is given.
const INPUTS: u64 = 3_000;
/// Inputs that are kept because their answer was new.
const KEPT_MAX: usize = 4_096;

/// How long one target is run.
#[derive(Clone, Copy)]
enum Patience {
    Inputs(u64),
    Time(Duration),
}

fn main() -> ExitCode {
    let mut names = Vec::new();
    let mut patience = Patience::Inputs(INPUTS);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => {
                let seconds = arguments.next().and_then(|text| text.parse().ok());
                let seconds = seconds.expect("--seconds is followed by a number of seconds");
                patience = Patience::Time(Duration::from_secs(seconds));
            }
            // What is meant for the other test binaries of the same call.
            option if option.starts_with('-') => {}
            name => names.push(name.to_owned()),
        }
    }
    let wanted = |target: &&Target| {
        names.is_empty() || names.iter().any(|name| target.name.contains(name.as_str()))
    };
    let failed = TARGETS
        .iter()
        .filter(wanted)
        .filter(|target| !run(target, patience));
    if failed.count() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether the target has taken everything.
fn run(target: &Target, patience: Patience) -> bool {
    let mut try_one = (target.open)();
    let mut kept: Vec<Vec<u8>> = corpus(target.name);
    assert!(!kept.is_empty(), "{} has no corpus", target.name);
    let mut seen = HashSet::new();
    let mut takes = |input: &[u8]| {
        let tried = catch_unwind(AssertUnwindSafe(|| try_one(input)));
        match tried {
            Ok(answer) => Some(seen.insert(answer)),
            Err(_) => {
                report(target.name, input);
                None
            }
        }
    };
    for seed in &kept {
        if takes(seed).is_none() {
            return false;
        }
    }
    let mut mutator = Mutator::new(match patience {
        Patience::Inputs(_) => 1,
        Patience::Time(_) => fastrand::u64(..),
    });
    let started = Instant::now();
    let mut count = 0;
    let is_over = |count: u64| match patience {
        Patience::Inputs(inputs) => count >= inputs,
        Patience::Time(time) => started.elapsed() >= time,
    };
    while !is_over(count) {
        let input = mutator.mutate(&kept, target.words);
        count += 1;
        match takes(&input) {
            None => return false,
            Some(true) if kept.len() < KEPT_MAX => kept.push(input),
            Some(_) => {}
        }
    }
    println!(
        "fuzz {:<12} ok, {count} inputs, {} kinds of answer",
        target.name,
        seen.len()
    );
    true
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn report(name: &str, input: &[u8]) {
    let path = std::env::temp_dir().join(format!("zoetrope-fuzz-{name}-{:08x}", hash(input)));
    fs::write(&path, input).unwrap();
    println!(
        "fuzz {name:<12} FAILED, the input is in {}, {} bytes: {}",
        path.display(),
        input.len(),
        input[..input.len().min(200)].escape_ascii()
    );
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
