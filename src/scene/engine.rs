//! What runs the network, and why nothing better did.

use serde::{Deserialize, Serialize};

/// What runs the network.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// TensorRT on an NVIDIA GPU with FP16, through ONNX Runtime.
    Tensorrt,
    /// CUDA on an NVIDIA GPU, through ONNX Runtime.
    Cuda,
    /// The processors, by ONNX Runtime.
    OnnxruntimeCpu,
    /// The processors, by what is built into the program.
    #[default]
    Tract,
}

impl Engine {
    /// Every one. Where one fails, the next goes on; the last is always there.
    pub const ALL: [Self; 4] = [
        Self::Tensorrt,
        Self::Cuda,
        Self::OnnxruntimeCpu,
        Self::Tract,
    ];

    /// The name in configurations, documents and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tensorrt => "tensorrt",
            Self::Cuda => "cuda",
            Self::OnnxruntimeCpu => "onnxruntime-cpu",
            Self::Tract => "tract",
        }
    }

    /// Whether it computes on a GPU.
    pub fn is_gpu(self) -> bool {
        matches!(self, Self::Tensorrt | Self::Cuda)
    }

    /// The format that most of it is computed in: `fp32` or `fp16`.
    pub fn precision(self) -> &'static str {
        match self {
            Self::Tensorrt => "fp16",
            Self::Cuda | Self::OnnxruntimeCpu | Self::Tract => "fp32",
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What runs the network, and why nothing better does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EngineReport {
    /// What runs the network.
    pub engine: Engine,
    /// What is being made ready to take over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparing: Option<Engine>,
    /// What would come before it, each with the reason why it does not.
    #[serde(default)]
    pub passed_over: Vec<PassedOver>,
}

/// An engine that is not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PassedOver {
    /// Which one.
    pub engine: Engine,
    /// Why.
    pub reason: String,
}
