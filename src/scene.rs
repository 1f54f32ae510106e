//! What is in the still: classes, mobility and depth, as the network sees it.
//!
//! This module fixes the network's interface (shapes, units, order) and says
//! what it is shown; how it is run is the business of `device`.

mod engine;

mod input;

mod shown;

pub use engine::{Engine, EngineReport, PassedOver};
pub use input::NetworkInput;
pub use shown::Shown;

use std::sync::Arc;

use crate::{picture::Plane, request::Look, still::Still};

/// Things that a still may show, in the network's channel order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Class {
    /// Everything that never moves: walls, ground, furniture, signs, food.
    Rigid,
    /// Sky; its clouds drift.
    Sky,
    /// Sea and lake: ripples in place.
    WaterStill,
    /// River and fall: runs along its bed.
    WaterFlow,
    /// Smoke, steam, fog.
    Smoke,
    /// Flames and what glows.
    Fire,
    /// Leaves, grass, flowers.
    Foliage,
    /// Flags, curtains, laundry.
    Cloth,
    /// People and animals; never moved unless asked.
    Person,
    /// Cars, boats, aircraft; never moved.
    Vehicle,
}

impl Class {
    /// Every class, in channel order.
    pub const ALL: [Self; CLASS_COUNT] = [
        Self::Rigid,
        Self::Sky,
        Self::WaterStill,
        Self::WaterFlow,
        Self::Smoke,
        Self::Fire,
        Self::Foliage,
        Self::Cloth,
        Self::Person,
        Self::Vehicle,
    ];

    /// Whether things of this class may be moved without being asked for.
    pub fn is_movable(self) -> bool {
        !matches!(self, Self::Rigid | Self::Person | Self::Vehicle)
    }

    /// Whether things of this class swing where they stand and flow nowhere.
    pub fn sways(self) -> bool {
        matches!(self, Self::Foliage | Self::Cloth)
    }

    /// Whether things of this class have neither outline nor colour of their own.
    pub fn is_shapeless(self) -> bool {
        matches!(self, Self::WaterFlow | Self::Smoke | Self::Fire)
    }

    /// The name in files and pictures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rigid => "rigid",
            Self::Sky => "sky",
            Self::WaterStill => "water_still",
            Self::WaterFlow => "water_flow",
            Self::Smoke => "smoke",
            Self::Fire => "fire",
            Self::Foliage => "foliage",
            Self::Cloth => "cloth",
            Self::Person => "person",
            Self::Vehicle => "vehicle",
        }
    }
}

/// Number of classes.
pub const CLASS_COUNT: usize = 10;
/// Harmonics of displacement that the network predicts.
pub const HARMONIC_COUNT: usize = 8;
/// Harmonic k oscillates at `k / REFERENCE_PERIOD_S` hertz.
pub const REFERENCE_PERIOD_S: f32 = 4.0;
/// Input pixels per output cell, in each direction.
pub const GRID_STRIDE_PX: usize = 4;
/// Length of the style vector: strength, wind x and y, one phasor for each
/// harmonic (cosine, sine), one gain for each class.
pub const STYLE_LENGTH: usize = 3 + 2 * HARMONIC_COUNT + CLASS_COUNT;
/// Channels of the hint input: arrow x, arrow y, arrow weight, mask.
pub const HINT_CHANNELS: usize = 4;

/// An input size of the network, in pixels; multiples of 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Width of the input.
    pub width_px: usize,
    /// Height of the input.
    pub height_px: usize,
}

impl Profile {
    /// The profile whose proportions are closest to the picture's.
    ///
    /// # Panics
    /// If `profiles` is empty; a network has at least one.
    pub fn nearest(profiles: &[Self], width_px: usize, height_px: usize) -> Self {
        let aspect = |w: usize, h: usize| (w as f32 / h as f32).ln();
        let wanted = aspect(width_px, height_px);
        let distance = |p: &Self| (aspect(p.width_px, p.height_px) - wanted).abs();
        *profiles
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .expect("a network has at least one profile")
    }

    /// Columns of the output grid.
    pub fn grid_width(&self) -> usize {
        self.width_px / GRID_STRIDE_PX
    }

    /// Rows of the output grid.
    pub fn grid_height(&self) -> usize {
        self.height_px / GRID_STRIDE_PX
    }
}

/// What the network says; every plane has the grid's size.
#[derive(Clone, Debug)]
pub struct NetworkOutput {
    /// Probability of each class, 0..=1, in the order of [`Class::ALL`].
    pub classes: Vec<Plane<f32>>,
    /// 0 never moves, 1 moves freely.
    pub mobility: Plane<f32>,
    /// 0 near, 1 far.
    pub depth: Plane<f32>,
    /// Mean velocity to the right, in widths of the input per second.
    pub flow_x: Plane<f32>,
    /// Mean velocity downwards, in widths of the input per second.
    pub flow_y: Plane<f32>,
    /// How sure the network is of the flow, 0..=1.
    pub flow_confidence: Plane<f32>,
    /// Displacement harmonics in widths of the input: for each harmonic the
    /// real and imaginary part of x, then of y.
    pub spectrum: Vec<Plane<f32>>,
    /// Amplitude of brightness flicker, 0..=1.
    pub light: Plane<f32>,
}

/// A motion network, run by some engine. Implementations live in `device`.
pub trait Network: Send + Sync {
    /// Name and digest of the network.
    fn card(&self) -> &NetworkCard;

    /// Input sizes that it accepts; never empty.
    fn profiles(&self) -> &[Profile];

    /// Gets ready for pictures of this size, where that takes a while which may be
    /// spent beside other work. Whatever fails is told when a picture is looked at.
    fn prepare(&self, _profile: Profile) {}

    /// Looks at one picture.
    ///
    /// # Errors
    /// [`NetworkError::Inference`] with what the engine said.
    fn infer(&self, input: &NetworkInput) -> Result<NetworkOutput, NetworkError>;

    /// What ran it last, or will run it next.
    fn engine(&self) -> EngineReport {
        EngineReport::default()
    }
}

/// Identifies a network file.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct NetworkCard {
    /// Name and version, such as `motion 1`.
    pub name: String,
    /// SHA-256 of the ONNX file, lower-case hexadecimal.
    pub sha256: String,
}

/// The still and everything that the network said about it.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The picture.
    pub still: Still,
    /// What the network was shown of it.
    pub shown: Arc<Shown>,
    /// The wind that the network was told, to the right and downwards, 0..=1 long.
    pub wind: [f32; 2],
    /// What the network said.
    pub seen: NetworkOutput,
}

impl Scene {
    /// Lets the network look at the still.
    ///
    /// # Errors
    /// [`NetworkError`] when the network cannot be run.
    pub fn look(network: &dyn Network, still: Still, look: &Look) -> Result<Self, NetworkError> {
        let shown = Arc::new(Shown::to(network, &still.planes));
        Self::look_at(network, shown, still, look)
    }

    /// The same, given what the network is shown of the still.
    ///
    /// # Errors
    /// [`NetworkError`] when the network cannot be run.
    pub fn look_at(
        network: &dyn Network,
        shown: Arc<Shown>,
        still: Still,
        look: &Look,
    ) -> Result<Self, NetworkError> {
        let input = NetworkInput::new(shown.profile(), &still, look);
        let seen = network.infer(&input)?;
        Ok(Self {
            still,
            shown,
            wind: [input.style[1], input.style[2]],
            seen,
        })
    }

    /// The input size that was used.
    pub fn profile(&self) -> Profile {
        self.shown.profile()
    }

    /// Probability that a grid cell shows one of the classes that count.
    pub fn probability(&self, counts: impl Fn(Class) -> bool) -> Plane<f32> {
        let (width, height) = (self.profile().grid_width(), self.profile().grid_height());
        Plane::from_fn(width, height, |x, y| {
            Class::ALL
                .iter()
                .zip(&self.seen.classes)
                .filter(|(class, _)| counts(**class))
                .map(|(_, plane)| plane.at(x, y))
                .sum()
        })
    }

    /// Probability that a grid cell shows something that may be moved.
    pub fn movable(&self) -> Plane<f32> {
        self.probability(Class::is_movable)
    }

    /// The most probable class of every grid cell.
    pub fn class_map(&self) -> Plane<u8> {
        let (width, height) = (self.profile().grid_width(), self.profile().grid_height());
        Plane::from_fn(width, height, |x, y| {
            let mut best = 0;
            for (index, plane) in self.seen.classes.iter().enumerate() {
                if plane.at(x, y) > self.seen.classes[best].at(x, y) {
                    best = index;
                }
            }
            best as u8
        })
    }
}

/// The network could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A file is missing, unreadable or of another interface.
    #[error("model {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The ONNX file is not the one that its card names.
    #[error("model {path} is altered: sha256 is {found}, {expected} was expected")]
    Altered {
        /// The file.
        path: String,
        /// The digest of the card.
        expected: String,
        /// The digest of the file.
        found: String,
    },
    /// The engine failed on this input.
    #[error("inference: {0}")]
    Inference(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_profile_has_the_nearest_proportions() {
        let profiles = [(384, 224), (224, 384), (288, 288)].map(|(width_px, height_px)| Profile {
            width_px,
            height_px,
        });
        let nearest = |w, h| Profile::nearest(&profiles, w, h).width_px;
        assert_eq!(nearest(1920, 1080), 384);
        assert_eq!(nearest(1080, 1920), 224);
        assert_eq!(nearest(1000, 1100), 288);
        assert_eq!(nearest(4096, 64), 384);
    }
}
