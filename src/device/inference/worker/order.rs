//! What an engine in a process of its own is told, as the arguments of its program.

use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf, time::Duration};

use crate::scene::Engine;

/// The subcommand that [`serve`] is behind.
pub const SUBCOMMAND: &str = "engine";
/// Time that an engine has to tell whether it works. CUDA and cuDNN take seconds
/// on a board.
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// Time that TensorRT has to build. 10 minutes were reported of an Orin.
const BUILD_TIME_MAX: Duration = Duration::from_secs(3600);

/// What an engine is told at its start.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Order {
    /// What shall run the network.
    #[arg(long, value_parser = engine)]
    pub engine: Engine,
    /// ONNX Runtime's library.
    #[arg(long)]
    pub library: Option<PathBuf>,
    /// motion.toml of another network than the one built in.
    #[arg(long)]
    pub model: Option<PathBuf>,
    /// Folder of what TensorRT builds.
    #[arg(long)]
    pub cache_dir: Option<PathBuf>,
    /// Threads to compute with; one for each processor if not given.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Builds what has to be built first, however long it takes, and leaves the
    /// processors to others.
    #[arg(long)]
    pub build: bool,
}

fn engine(name: &str) -> Result<Engine, String> {
    let known = Engine::ALL.into_iter().find(|known| known.name() == name);
    known.ok_or_else(|| format!("{name} is no engine"))
}

impl Order {
    pub(super) fn args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec![SUBCOMMAND.into(), "--engine".into()];
        args.push(self.engine.name().into());
        let paths = [
            ("--library", &self.library),
            ("--model", &self.model),
            ("--cache-dir", &self.cache_dir),
        ];
        for (name, path) in paths {
            args.extend(path.iter().flat_map(|path| [name.into(), path.into()]));
        }
        if let Some(threads) = self.threads {
            args.extend(["--threads".into(), threads.to_string().into()]);
        }
        args.extend(self.build.then(|| "--build".into()));
        args
    }

    pub(super) fn start_time_max(&self) -> Duration {
        if self.build {
            BUILD_TIME_MAX
        } else {
            START_TIME_MAX
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        order: Order,
    }

    #[test]
    fn an_order_is_understood_as_it_was_given() {
        let full = Order {
            engine: Engine::OnnxruntimeCpu,
            library: Some("/usr/lib/libonnxruntime.so".into()),
            model: Some("/etc/motion.toml".into()),
            cache_dir: Some("/var/cache".into()),
            threads: NonZeroUsize::new(3),
            build: true,
        };
        let bare = Order {
            engine: Engine::Tract,
            library: None,
            model: None,
            cache_dir: None,
            threads: None,
            build: false,
        };
        for order in [full, bare] {
            // In place of the subcommand stands what clap takes for the program.
            assert_eq!(Line::parse_from(order.args()).order, order);
        }
    }
}
