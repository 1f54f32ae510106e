//! The motion network on the CPU, by tract.

use std::{
    borrow::Cow,
    fs,
    io::Cursor,
    path::Path,
    sync::{Arc, Mutex},
};

use anyhow::{Context, anyhow, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tract_onnx::prelude::*;

use crate::{
    picture::Plane,
    scene::{
        CLASS_COUNT, Class, GRID_STRIDE_PX, HARMONIC_COUNT, HINT_CHANNELS, Network, NetworkCard,
        NetworkError, NetworkInput, NetworkOutput, Profile, REFERENCE_PERIOD_S, STYLE_LENGTH,
    },
};

const BUILT_IN_CARD: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/motion.toml"));
const BUILT_IN_ONNX: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/motion.onnx"));
const INPUTS: [&str; 4] = ["rgb", "hints", "noise", "style"];
const OUTPUTS: [&str; 6] = ["classes", "mobility", "depth", "flow", "spectrum", "light"];

/// A network loaded into tract.
pub struct TractNetwork {
    card: NetworkCard,
    profiles: Vec<Profile>,
    onnx: Cow<'static, [u8]>,
    models: Mutex<Models>,
}

struct Models {
    /// As it was read, until a profile is first used; most boards use one, and
    /// the weights are not worth keeping twice.
    parsed: Option<InferenceModel>,
    /// Optimised for one profile each.
    ready: Vec<(Profile, Arc<TypedRunnableModel>)>,
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

impl TractNetwork {
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
        let parsed =
            parsed_model(&onnx).map_err(|error| file_error(path, &format!("{error:#}")))?;
        Ok(Self {
            card: NetworkCard {
                name: format!("{} {}", card.name, card.version),
                sha256,
                backend: "cpu",
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
            models: Mutex::new(Models {
                parsed: Some(parsed),
                ready: Vec::new(),
            }),
        })
    }

    /// The network optimised for this input size.
    fn ready_for(&self, profile: Profile) -> TractResult<Arc<TypedRunnableModel>> {
        let mut models = self
            .models
            .lock()
            .expect("optimising a network does not panic");
        if let Some((_, model)) = models.ready.iter().find(|(known, _)| *known == profile) {
            return Ok(Arc::clone(model));
        }
        let mut model = match models.parsed.take() {
            Some(parsed) => parsed,
            None => parsed_model(&self.onnx)?,
        };
        for (index, shape) in input_shapes(profile).iter().enumerate() {
            model.set_input_fact(index, f32::fact(shape).into())?;
        }
        let runnable = model.into_optimized()?.into_runnable()?;
        models.ready.push((profile, Arc::clone(&runnable)));
        Ok(runnable)
    }

    fn run(&self, input: &NetworkInput) -> TractResult<NetworkOutput> {
        let model = self.ready_for(input.profile)?;
        let values = [&input.rgb, &input.hints, &input.noise];
        let mut tensors = tvec!();
        for (shape, values) in input_shapes(input.profile).iter().zip(
            values
                .into_iter()
                .map(Vec::as_slice)
                .chain([&input.style[..]]),
        ) {
            tensors.push(Tensor::from_shape(shape, values)?.into_tvalue());
        }
        let outputs = model.run(tensors)?;
        let (width, height) = (input.profile.grid_width(), input.profile.grid_height());
        let mut planes = Vec::with_capacity(OUTPUTS.len());
        for output in &outputs {
            let samples = output.try_as_plain_ram()?.as_slice::<f32>()?.to_vec();
            planes.push(split(&samples, width, height));
        }
        let mut named = planes.into_iter();
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
}

impl Network for TractNetwork {
    fn card(&self) -> &NetworkCard {
        &self.card
    }

    fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    fn infer(&self, input: &NetworkInput) -> Result<NetworkOutput, NetworkError> {
        self.run(input)
            .map_err(|error| NetworkError::Inference(format!("{error:#}")))
    }
}

fn parsed_model(onnx: &[u8]) -> TractResult<InferenceModel> {
    let mut model = tract_onnx::onnx().model_for_read(&mut Cursor::new(onnx))?;
    model.select_inputs_by_name(INPUTS)?;
    model.select_outputs_by_name(OUTPUTS)?;
    Ok(model)
}

fn file_error(path: &str, reason: &dyn std::fmt::Display) -> NetworkError {
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

fn input_shapes(profile: Profile) -> [Vec<usize>; 4] {
    [
        vec![1, 3, profile.height_px, profile.width_px],
        vec![1, HINT_CHANNELS, profile.height_px, profile.width_px],
        vec![1, 2, profile.grid_height(), profile.grid_width()],
        vec![1, STYLE_LENGTH],
    ]
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
    fn every_profile_runs_and_a_still_strength_gives_no_motion() {
        let network = TractNetwork::built_in().expect("the committed network");
        for profile in network.profiles().to_vec() {
            let area = profile.width_px * profile.height_px;
            let cells = profile.grid_width() * profile.grid_height();
            let mut style = [1.0; STYLE_LENGTH];
            style[0] = 0.0;
            let input = NetworkInput {
                profile,
                rgb: (0..3 * area).map(|at| (at % 251) as f32 / 250.0).collect(),
                hints: vec![0.0; HINT_CHANNELS * area],
                noise: [vec![1.0; cells], vec![0.0; cells]].concat(),
                style,
            };
            let seen = network.infer(&input).expect("inference");
            let moving = seen.flow_x.samples.iter().chain(&seen.flow_y.samples);
            assert!(moving.chain(&seen.light.samples).all(|v| v.abs() < 1e-6));
            let shares: f32 = seen.classes.iter().map(|plane| plane.samples[7]).sum();
            assert!((shares - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn an_altered_file_is_refused_with_both_digests() {
        let card = parsed_card(BUILT_IN_CARD, "card").expect("the committed card");
        let expected = card.sha256.clone();
        let refused =
            TractNetwork::from_bytes(card, Cow::Borrowed(b"not a network"), "motion.onnx");
        let said = refused.err().expect("refused").to_string();
        assert!(
            said.contains(&expected) && said.contains("altered"),
            "{said}"
        );
    }
}
