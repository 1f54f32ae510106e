//! `zoetrope doctor`: looks at the board as the daemon will find it.
//!
//! Nothing is changed. Each finding says what was looked at, whether it is as
//! it should be, and if not, what mends it.

mod board;

mod camera;

mod network;

mod secrets;

use std::path::PathBuf;

use super::log::escaped;
use crate::config::Config;

/// Looks at everything that the daemon needs or opens: listeners, secrets,
/// broker, camera, model, encoder, folders, temperature. Ends with 1 if
/// something is wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file [default: as if it were empty].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    what: &'static str,
    said: String,
    /// What to do about it.
    mend: Option<String>,
}

impl Finding {
    fn ok(what: &'static str, said: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            what,
            said: said.into(),
            mend: None,
        }
    }

    fn warn(what: &'static str, said: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Warn,
            what,
            said: said.into(),
            mend: Some(mend.into()),
        }
    }

    fn fail(what: &'static str, said: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Fail,
            ..Self::warn(what, said, mend)
        }
    }

    fn lines(&self) -> String {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        let said = escaped(&self.said);
        let mut lines = format!("{level:<5} {:<9} {said}", self.what);
        if let Some(mend) = &self.mend {
            lines += &format!("\n{:16}mend: {}", "", escaped(mend));
        }
        lines
    }
}

/// Looks at everything and tells it, in the order of the configuration.
///
/// # Errors
/// [`crate::config::ConfigError`] for a configuration that is wrong, or when
/// one of the findings is.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = Config::read_if_any(args.config.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut findings = Vec::new();
    // Told one by one: a broker or a camera that does not answer takes seconds.
    let mut tell = |found: Vec<Finding>| {
        for finding in found {
            super::print(&finding.lines());
            findings.push(finding);
        }
    };
    tell(board::user());
    tell(secrets::look(&config));
    tell(network::broker(&config));
    tell(runtime.block_on(network::broker_answers(&config)));
    tell(network::http(&config));
    tell(network::url(&config));
    tell(board::folders(&config));
    tell(camera::there(&config));
    tell(camera::configured(&config));
    tell(board::model(&config));
    tell(board::encoder());
    tell(board::threads(&config));
    tell(board::heat(&config));
    let count = |level| findings.iter().filter(|found| found.level == level).count();
    let (failed, warned) = (count(Level::Fail), count(Level::Warn));
    super::print(&format!(
        "{} findings, {warned} to think about, {failed} wrong",
        findings.len()
    ));
    anyhow::ensure!(
        failed == 0,
        "{failed} of {} findings are wrong",
        findings.len()
    );
    Ok(())
}

#[cfg(test)]
mod tests;
