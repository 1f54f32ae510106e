//! The motion network on the processors, by tract: the engine that is always there.

use std::{
    io::Cursor,
    path::Path,
    sync::{Arc, Mutex},
};

use tract_onnx::{prelude::*, tract_core::optim::Optimizer};

use super::model::{INPUTS, Model, OUTPUTS, file_error, input_shapes, input_values, output};
use crate::scene::{Network, NetworkCard, NetworkError, NetworkInput, NetworkOutput, Profile};

/// A network loaded into tract.
pub struct TractNetwork {
    model: Arc<Model>,
    graphs: Mutex<Graphs>,
}

struct Graphs {
    /// As it was read, until a profile is first used; most boards use one, and
    /// the weights are not worth keeping twice.
    parsed: Option<InferenceModel>,
    /// Optimised for one profile each.
    ready: Vec<(Profile, Arc<TypedRunnableModel>)>,
}

impl TractNetwork {
    /// The network that is built into the program.
    ///
    /// # Errors
    /// As for [`Model::built_in`].
    pub fn built_in() -> Result<Self, NetworkError> {
        Self::new(Arc::new(Model::built_in()?))
    }

    /// The network that this `motion.toml` describes.
    ///
    /// # Errors
    /// As for [`Model::open`], or when the file is no network that tract can run.
    pub fn open(card_file: &Path) -> Result<Self, NetworkError> {
        Self::new(Arc::new(Model::open(card_file)?))
    }

    /// Reads the network.
    ///
    /// # Errors
    /// [`NetworkError::File`] when it is none that tract can run.
    pub fn new(model: Arc<Model>) -> Result<Self, NetworkError> {
        let parsed =
            parsed(&model).map_err(|error| file_error(&model.path, &format!("{error:#}")))?;
        Ok(Self {
            model,
            graphs: Mutex::new(Graphs {
                parsed: Some(parsed),
                ready: Vec::new(),
            }),
        })
    }

    /// The network optimised for this input size.
    fn ready_for(&self, profile: Profile) -> TractResult<Arc<TypedRunnableModel>> {
        let mut graphs = self
            .graphs
            .lock()
            .expect("optimising a network does not panic");
        if let Some((_, graph)) = graphs.ready.iter().find(|(known, _)| *known == profile) {
            return Ok(Arc::clone(graph));
        }
        let mut graph = match graphs.parsed.take() {
            Some(parsed) => parsed,
            None => parsed(&self.model)?,
        };
        for (index, shape) in input_shapes(profile).iter().enumerate() {
            graph.set_input_fact(index, f32::fact(shape).into())?;
        }
        let runnable = optimized(graph.into_typed()?)?.into_runnable()?;
        graphs.ready.push((profile, Arc::clone(&runnable)));
        Ok(runnable)
    }

    fn run(&self, input: &NetworkInput) -> TractResult<NetworkOutput> {
        let graph = self.ready_for(input.profile)?;
        let mut tensors = tvec!();
        for (shape, values) in input_shapes(input.profile).iter().zip(input_values(input)) {
            tensors.push(Tensor::from_shape(shape, values)?.into_tvalue());
        }
        let mut outputs = Vec::with_capacity(OUTPUTS.len());
        for tensor in &graph.run(tensors)? {
            outputs.push(tensor.try_as_plain_ram()?.as_slice::<f32>()?.to_vec());
        }
        output(input.profile, outputs)
    }
}

impl Network for TractNetwork {
    fn card(&self) -> &NetworkCard {
        self.model.card()
    }

    fn profiles(&self) -> &[Profile] {
        self.model.profiles()
    }

    fn prepare(&self, profile: Profile) {
        if let Err(error) = self.ready_for(profile) {
            log::debug!("not ready for {profile:?}: {error:#}");
        }
    }

    fn infer(&self, input: &NetworkInput) -> Result<NetworkOutput, NetworkError> {
        self.run(input)
            .map_err(|error| NetworkError::Inference(format!("{error:#}")))
    }
}

/// Passes of tract's that look for layouts and slices which a network of
/// convolutions does not have: without them it gives the same bits in the same
/// time, and is ready in not much more than half.
const SPARED_PASSES: [&str; 3] = ["ChangeAxes", "MergeConsecutiveSameRoleAxes", "PushSliceUp"];

fn optimized(mut graph: TypedModel) -> TractResult<TypedModel> {
    for mut optimizer in [Optimizer::declutter(), Optimizer::codegen()] {
        optimizer
            .passes
            .retain(|pass| !SPARED_PASSES.contains(&format!("{pass:?}").as_str()));
        optimizer.optimize(&mut graph)?;
    }
    Ok(graph)
}

fn parsed(model: &Model) -> TractResult<InferenceModel> {
    let mut graph = onnx().model_for_read(&mut Cursor::new(&model.onnx))?;
    graph.select_inputs_by_name(INPUTS)?;
    graph.select_outputs_by_name(OUTPUTS)?;
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{HINT_CHANNELS, STYLE_LENGTH};

    #[test]
    fn the_passes_that_are_spared_are_known_to_tract() {
        let known: Vec<String> = [Optimizer::declutter(), Optimizer::codegen()]
            .iter()
            .flat_map(|optimizer| &optimizer.passes)
            .map(|pass| format!("{pass:?}"))
            .collect();
        for spared in SPARED_PASSES {
            assert!(
                known.iter().any(|name| name == spared),
                "{spared}: {known:?}"
            );
        }
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
}
