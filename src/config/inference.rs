//! What shall run the network.

use std::path::{Path, PathBuf};

use super::{
    ConfigError,
    raw::{self, RawInference},
    resolve::path,
    text::Text,
};
use crate::scene::Engine;

/// Folder of what was prepared, beside the folder of clips.
const CACHE_DIR_NAME: &str = "cache";
/// The name of [`EngineChoice::Auto`].
const AUTO: &str = "auto";

/// What shall run the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// The fastest that works, as measured on this board.
    #[default]
    Auto,
    /// This one; while it does not work, those after it in [`Engine::ALL`].
    Only(Engine),
}

impl std::str::FromStr for EngineChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Engine::ALL.into_iter().find(|known| known.name() == name);
        match known {
            Some(engine) => Ok(Self::Only(engine)),
            None if name == AUTO => Ok(Self::Auto),
            None => {
                let names = Engine::ALL.map(Engine::name).join(", ");
                Err(format!("is {name:?}, allowed are {AUTO}, {names}"))
            }
        }
    }
}

/// What shall run the network, and what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inference {
    /// What shall run it.
    pub engine: EngineChoice,
    /// `libonnxruntime.so`; looked for in the usual places if not given.
    pub library_file: Option<PathBuf>,
    /// Folder of what was measured and of TensorRT's engines; nothing is kept if
    /// not given.
    pub cache_dir: Option<PathBuf>,
}

pub(super) fn resolve(
    text: &Text,
    raw: RawInference,
    clips_dir: &Path,
) -> Result<Inference, ConfigError> {
    let cache_dir = path(text, "inference.cache_dir", raw.cache_dir)?
        .unwrap_or_else(|| clips_dir.with_file_name(CACHE_DIR_NAME));
    Ok(Inference {
        engine: engine(text, raw.engine)?,
        library_file: path(text, "inference.library", raw.library)?,
        cache_dir: Some(cache_dir),
    })
}

fn engine(text: &Text, given: raw::Text) -> Result<EngineChoice, ConfigError> {
    let Some(name) = given else {
        return Ok(EngineChoice::default());
    };
    (name.get_ref().parse())
        .map_err(|reason| text.error(name.span(), format!("inference.engine {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn engines_are_named_and_what_is_kept_lies_beside_the_clips() {
        let parsed = |toml: &str| Config::parse(toml).map(|config| config.inference);
        let empty = parsed("clips_dir = '/data/clips'").unwrap();
        assert_eq!(empty.engine, EngineChoice::Auto);
        assert_eq!(empty.cache_dir, Some("/data/cache".into()));
        for engine in Engine::ALL {
            let toml = format!("[inference]\nengine = '{engine}'\nlibrary = '/l.so'");
            let given = parsed(&toml).unwrap();
            assert_eq!(given.engine, EngineChoice::Only(engine));
            assert_eq!(given.library_file, Some("/l.so".into()));
        }
        let said = parsed("[inference]\nengine = 'gpu'")
            .unwrap_err()
            .to_string();
        assert!(
            said.contains(":2:10: inference.engine is \"gpu\", allowed are auto, tensorrt, cuda"),
            "{said}"
        );
    }
}
