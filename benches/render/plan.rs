//! What is measured, how often, and how long it may take.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// One table, or a pair of tables, of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Whole renders of every size and moving share, lying.
    Whole,
    /// The same, upright.
    Portrait,
    /// Drawing alone, encoding alone, and both together.
    Stages,
    /// One thread to as many as there are cores.
    Threads,
    /// Cost against frames.
    Length,
    /// Cost against pixels and moving area.
    Growth,
    /// What one would do without this program.
    Rivals,
    /// From exec to a daemon that is ready; size of the binary.
    Daemon,
}

impl Part {
    const ALL: [Self; 8] = [
        Self::Whole,
        Self::Portrait,
        Self::Stages,
        Self::Threads,
        Self::Length,
        Self::Growth,
        Self::Rivals,
        Self::Daemon,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Portrait => "portrait",
            Self::Stages => "stages",
            Self::Threads => "threads",
            Self::Length => "length",
            Self::Growth => "growth",
            Self::Rivals => "rivals",
            Self::Daemon => "daemon",
        }
    }

    /// Time after which no further round begins; one round always runs. On two
    /// free cores all parts together take some six minutes, in a quick run one.
    fn time(self, is_quick: bool) -> Duration {
        let (full_s, quick_s) = match self {
            Self::Whole => (60, 14),
            Self::Portrait => (50, 10),
            Self::Stages => (35, 5),
            Self::Threads => (35, 6),
            Self::Length => (30, 6),
            Self::Growth => (30, 6),
            Self::Rivals => (60, 8),
            Self::Daemon => (10, 2),
        };
        Duration::from_secs(if is_quick { quick_s } else { full_s })
    }
}

/// What was asked for on the command line.
#[derive(Debug)]
pub struct Plan {
    /// Shorter clips, fewer of them, each once.
    pub is_quick: bool,
    parts: Vec<Part>,
}

/// Rounds of each part, time permitting.
const ROUNDS: usize = 3;

impl Plan {
    /// Reads `--quick` and `--only PART[,PART…]`; cargo adds `--bench`.
    ///
    /// # Errors
    /// A word that is neither.
    pub fn read(words: &[String]) -> anyhow::Result<Self> {
        let mut plan = Self {
            is_quick: std::env::var_os("BENCH_QUICK").is_some_and(|value| value != "0"),
            parts: Part::ALL.to_vec(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--bench" => {}
                "--quick" => plan.is_quick = true,
                "--only" => {
                    let names = words.next().context("--only needs names of parts")?;
                    plan.parts = names.split(',').map(part).collect::<Result<_, _>>()?;
                }
                _ => bail!("{word:?} is not understood; there are --quick and --only PART,PART"),
            }
        }
        Ok(plan)
    }

    /// Whether this part was asked for.
    pub fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Whether any part wants photographs in landscape.
    pub fn has_lying(&self) -> bool {
        let others = [Part::Portrait, Part::Daemon];
        self.parts.iter().any(|part| !others.contains(part))
    }

    /// Length of an ordinary clip, in seconds.
    pub fn clip_s(&self) -> f64 {
        if self.is_quick { 1.0 } else { 4.0 }
    }

    /// Runs every contender in turn, and that again and again, so that what
    /// else the machine does meets them all alike. Returns the results of each
    /// contender: as many as rounds fit into the time of this part, at least one.
    ///
    /// # Errors
    /// The first error of `run`.
    pub fn rounds<C, T>(
        &self,
        part: Part,
        contenders: &[C],
        mut run: impl FnMut(&C) -> anyhow::Result<T>,
    ) -> anyhow::Result<Vec<Vec<T>>> {
        let mut results: Vec<Vec<T>> = contenders.iter().map(|_| Vec::new()).collect();
        let rounds = if self.is_quick { 1 } else { ROUNDS };
        let start = Instant::now();
        for round in 1..=rounds {
            for (contender, results) in contenders.iter().zip(&mut results) {
                results.push(run(contender)?);
            }
            let mean_round = start.elapsed() / round as u32;
            if start.elapsed() + mean_round > part.time(self.is_quick) {
                break;
            }
        }
        Ok(results)
    }
}

fn part(name: &str) -> anyhow::Result<Part> {
    let found = Part::ALL.into_iter().find(|part| part.name() == name);
    found.with_context(|| {
        let names = Part::ALL.map(Part::name).join(", ");
        format!("there is no part {name:?}; there are {names}")
    })
}
