//! The network as a file: checked, with its inputs and outputs in order. What
//! runs it are the engines.

use std::{borrow::Cow, fs, path::Path};

use anyhow::{Context, anyhow, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    picture::Plane,
    scene::{
        CLASS_COUNT, Class, GRID_STRIDE_PX, HARMONIC_COUNT, HINT_CHANNELS, NetworkCard,
        NetworkError, NetworkInput, NetworkOutput, Profile, REFERENCE_PERIOD_S, STYLE_LENGTH,
    },
};

const BUILT_IN_CARD: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/motion.toml"));
const BUILT_IN_ONNX: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/motion.onnx"));

/// Names of the inputs in the file.
pub const INPUTS: [&str; 4] = ["rgb", "hints", "noise", "style"];
/// Names of the outputs in the file.
pub const OUTPUTS: [&str; 6] = ["classes", "mobility", "depth", "flow", "spectrum", "light"];

/// A network file that is what its card says.
pub struct Model {
    pub(super) card: NetworkCard,
    pub(super) profiles: Vec<Profile>,
    pub(super) onnx: Cow<'static, [u8]>,
    /// Where it came from, for messages.
    pub(super) path: String,
}

/// `motion.toml`: what a network file is, so that nothing else is run by mistake.
#[derive(Deserialize)]
struct CardFile {
    name: String,
    version: String,
    file: String,
    sha256: String,
    classes: Vec<String>,
    profiles: Vec<[usize; 2]>,
    stride: usize,
    harmonics: usize,
    reference_period_s: f32,
    style_length: usize,
}

impl Model {
    /// The network that is built into the program.
    ///
    /// # Errors
    /// None for a program that was built from a whole checkout; the digest and
    /// the interface are checked all the same.
    pub fn built_in() -> Result<Self, NetworkError> {
        let card = parsed_card(BUILT_IN_CARD, "built in")?;
        Self::from_bytes(card, Cow::Borrowed(BUILT_IN_ONNX), "built in")
    }

    /// A network of the same interface from `motion.toml` and the ONNX file
    /// beside it, whose name and SHA-256 it gives.
    ///
    /// # Errors
    /// [`NetworkError::File`] when a file is missing, broken or of another
    /// interface, [`NetworkError::Altered`] when the digest differs.
    pub fn open(card_file: &Path) -> Result<Self, NetworkError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|error| file_error(&path.display().to_string(), &error))
        };
        let name = card_file.display().to_string();
        let text =
            String::from_utf8(read(card_file)?).map_err(|error| file_error(&name, &error))?;
        let card = parsed_card(&text, &name)?;
        let onnx_file = card_file.with_file_name(&card.file);
        let onnx = Cow::Owned(read(&onnx_file)?);
        Self::from_bytes(card, onnx, &onnx_file.display().to_string())
    }

    /// The network that this `motion.toml` describes, or the one built in.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn load(card_file: Option<&Path>) -> Result<Self, NetworkError> {
        match card_file {
            Some(card_file) => Self::open(card_file),
            None => Self::built_in(),
        }
    }

    fn from_bytes(
        card: CardFile,
        onnx: Cow<'static, [u8]>,
        path: &str,
    ) -> Result<Self, NetworkError> {
        let sha256 = format!("{:x}", Sha256::digest(&onnx));
        if sha256 != card.sha256 {
            return Err(NetworkError::Altered {
                path: path.to_owned(),
                expected: card.sha256,
                found: sha256,
            });
        }
        Ok(Self {
            card: NetworkCard {
                name: format!("{} {}", card.name, card.version),
                sha256,
            },
            profiles: card
                .profiles
                .iter()
                .map(|[width_px, height_px]| Profile {
                    width_px: *width_px,
                    height_px: *height_px,
                })
                .collect(),
            onnx,
            path: path.to_owned(),
        })
    }

    /// Name and digest.
    pub fn card(&self) -> &NetworkCard {
        &self.card
    }

    /// Input sizes that it accepts; never empty.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }
}

/// The error of this file.
pub(super) fn file_error(path: &str, reason: &dyn std::fmt::Display) -> NetworkError {
    NetworkError::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Reads the card and checks that the network speaks this program's interface.
fn parsed_card(text: &str, path: &str) -> Result<CardFile, NetworkError> {
    let card: CardFile =
        toml::from_str(text).map_err(|error| file_error(path, &error.message()))?;
    let classes = Class::ALL.map(Class::name);
    let speaks_ours = card.classes == classes
        && card.stride == GRID_STRIDE_PX
        && card.harmonics == HARMONIC_COUNT
        && card.style_length == STYLE_LENGTH
        && card.reference_period_s == REFERENCE_PERIOD_S;
    let fits = |side: &usize| *side > 0 && side.is_multiple_of(32);
    if !speaks_ours {
        let expected = format!(
            "of another interface: classes {classes:?}, stride {GRID_STRIDE_PX}, harmonics \
             {HARMONIC_COUNT}, style_length {STYLE_LENGTH} and reference_period_s \
             {REFERENCE_PERIOD_S} are expected"
        );
        return Err(file_error(path, &expected));
    }
    if card.profiles.is_empty() || !card.profiles.iter().flatten().all(fits) {
        let reason = format!(
            "profiles are {:?}, multiples of 32 are expected",
            card.profiles
        );
        return Err(file_error(path, &reason));
    }
    Ok(card)
}

/// Shapes of the inputs, in the order of [`INPUTS`].
pub(super) fn input_shapes(profile: Profile) -> [Vec<usize>; 4] {
    [
        vec![1, 3, profile.height_px, profile.width_px],
        vec![1, HINT_CHANNELS, profile.height_px, profile.width_px],
        vec![1, 2, profile.grid_height(), profile.grid_width()],
        vec![1, STYLE_LENGTH],
    ]
}

/// Values of the inputs, in the order of [`INPUTS`].
pub(super) fn input_values(input: &NetworkInput) -> [&[f32]; 4] {
    [&input.rgb, &input.hints, &input.noise, &input.style]
}

/// What the values of the outputs mean, given in the order of [`OUTPUTS`].
///
/// # Errors
/// When an output has another number of channels.
pub(super) fn output(
    profile: Profile,
    outputs: impl IntoIterator<Item = Vec<f32>>,
) -> anyhow::Result<NetworkOutput> {
    let (width, height) = (profile.grid_width(), profile.grid_height());
    let mut named = outputs
        .into_iter()
        .map(|samples| split(&samples, width, height));
    let mut next = || named.next().unwrap_or_default();
    let (classes, mobility, depth) = (next(), next(), next());
    let (flow, spectrum, light) = (next(), next(), next());
    let single = |planes: Vec<Plane<f32>>| {
        planes
            .into_iter()
            .next()
            .context("an output has no channel")
    };
    let [flow_x, flow_y, flow_confidence] = <[Plane<f32>; 3]>::try_from(flow)
        .map_err(|flow| anyhow!("flow has {} channels, 3 were expected", flow.len()))?;
    ensure!(
        classes.len() == CLASS_COUNT && spectrum.len() == 4 * HARMONIC_COUNT,
        "{} classes and {} spectrum channels, {CLASS_COUNT} and {} were expected",
        classes.len(),
        spectrum.len(),
        4 * HARMONIC_COUNT
    );
    Ok(NetworkOutput {
        classes: softmax(classes),
        mobility: single(mobility)?,
        depth: single(depth)?,
        flow_x,
        flow_y,
        flow_confidence,
        spectrum,
        light: single(light)?,
    })
}

fn split(samples: &[f32], width_px: usize, height_px: usize) -> Vec<Plane<f32>> {
    samples
        .chunks_exact(width_px * height_px)
        .map(|plane| Plane {
            width_px,
            height_px,
            samples: plane.to_vec(),
        })
        .collect()
}

fn softmax(mut logits: Vec<Plane<f32>>) -> Vec<Plane<f32>> {
    let cells = logits[0].samples.len();
    for at in 0..cells {
        let most = logits
            .iter()
            .map(|plane| plane.samples[at])
            .fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for plane in &mut logits {
            plane.samples[at] = (plane.samples[at] - most).exp();
            sum += plane.samples[at];
        }
        for plane in &mut logits {
            plane.samples[at] /= sum;
        }
    }
    logits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_sums_to_one_and_survives_large_logits() {
        let planes = softmax(vec![
            Plane::filled(2, 1, 1000.0),
            Plane::filled(2, 1, 998.0),
        ]);
        let (a, b) = (planes[0].samples[1], planes[1].samples[1]);
        assert!((a + b - 1.0).abs() < 1e-6 && (a / b - 2f32.exp()).abs() < 1e-2);
    }

    #[test]
    fn an_altered_file_is_refused_with_both_digests() {
        let card = parsed_card(BUILT_IN_CARD, "card").expect("the committed card");
        let expected = card.sha256.clone();
        let refused = Model::from_bytes(card, Cow::Borrowed(b"not a network"), "motion.onnx");
        let said = refused.err().expect("refused").to_string();
        assert!(
            said.contains(&expected) && said.contains("altered"),
            "{said}"
        );
    }
}
