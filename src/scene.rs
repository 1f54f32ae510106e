//! What is in the still: classes, mobility and depth, as the network sees it.

/// A motion network. Implementations live in `device`.
pub trait Network: Send + Sync {
    /// Name and digest of the network.
    fn card(&self) -> &NetworkCard;
}

/// Identifies a network file.
#[derive(Clone, Debug, serde::Serialize)]
pub struct NetworkCard {
    /// Name and version, such as `motion 1`.
    pub name: String,
    /// SHA-256 of the ONNX file, lower-case hexadecimal.
    pub sha256: String,
    /// What runs it: `cpu`, later `cuda` or `tensorrt`.
    pub backend: &'static str,
}

/// The network could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Reading a file failed.
    #[error("model {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}
