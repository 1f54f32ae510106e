//! The motion network on the CPU, by tract.

use std::path::Path;

use crate::scene::{Network, NetworkCard, NetworkError};

/// A network loaded into tract.
pub struct TractNetwork {
    card: NetworkCard,
}

impl TractNetwork {
    /// The network that is built into the program.
    ///
    /// # Errors
    /// Never for the file that is committed; the digest is checked all the same.
    pub fn built_in() -> Result<Self, NetworkError> {
        todo!()
    }

    /// A network of the same interface from `motion.toml` and the ONNX file
    /// that it names and whose SHA-256 it gives.
    ///
    /// # Errors
    /// [`NetworkError`] when a file is missing, altered or of another interface.
    pub fn open(card_file: &Path) -> Result<Self, NetworkError> {
        let _ = card_file;
        todo!()
    }
}

impl Network for TractNetwork {
    fn card(&self) -> &NetworkCard {
        &self.card
    }
}
