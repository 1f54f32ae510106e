//! What is in the still: classes, mobility and depth, as the network sees it.
//!
//! This module fixes the network's interface (shapes, units, order) and says
//! what it is shown; how it is run is the business of `device`.

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

/// What the network is shown; planar, row by row, one batch.
#[derive(Clone, Debug)]
pub struct NetworkInput {
    /// Size of `rgb` and `hints`.
    pub profile: Profile,
    /// Three planes of sRGB, 0..=1.
    pub rgb: Vec<f32>,
    /// [`HINT_CHANNELS`] planes: the arrow's unit vector (x right, y down), its
    /// weight 0..=1, and the mask: -1 freeze, 0 free, 1 animate.
    pub hints: Vec<f32>,
    /// Two planes on the output grid: cosine and sine of a smooth seeded angle.
    pub noise: Vec<f32>,
    /// See [`STYLE_LENGTH`]: strength 0..=1, wind of length 0..=1, unit
    /// phasors, class gains 0..=2.
    pub style: [f32; STYLE_LENGTH],
}

impl NetworkInput {
    /// Shows the still to the network under the given look.
    pub fn new(profile: Profile, still: &Still, look: &Look) -> Self {
        let mut rng = fastrand::Rng::with_seed(look.seed);
        let wind = wind(look, &mut rng);
        let mut style = [1.0; STYLE_LENGTH];
        style[0] = look.strength;
        style[1..3].copy_from_slice(&wind);
        for phasor in style[3..3 + 2 * HARMONIC_COUNT].chunks_exact_mut(2) {
            let angle = rng.f32() * std::f32::consts::TAU;
            phasor.copy_from_slice(&[angle.cos(), angle.sin()]);
        }
        for (gain, class) in style[3 + 2 * HARMONIC_COUNT..].iter_mut().zip(Class::ALL) {
            *gain = f32::from(u8::from(class.is_movable()));
        }
        Self {
            profile,
            rgb: shrink(still, profile),
            hints: hints(profile, look),
            noise: phase_noise(profile, &mut rng),
            style,
        }
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

/// A motion network. Implementations live in `device`.
pub trait Network: Send + Sync {
    /// Name and digest of the network.
    fn card(&self) -> &NetworkCard;

    /// Input sizes that it accepts; never empty.
    fn profiles(&self) -> &[Profile];

    /// Looks at one picture.
    ///
    /// # Errors
    /// [`NetworkError::Inference`] with what the engine said.
    fn infer(&self, input: &NetworkInput) -> Result<NetworkOutput, NetworkError>;
}

/// Identifies a network file.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct NetworkCard {
    /// Name and version, such as `motion 1`.
    pub name: String,
    /// SHA-256 of the ONNX file, lower-case hexadecimal.
    pub sha256: String,
    /// What runs it: `cpu`.
    pub backend: &'static str,
}

/// The still and everything that the network said about it.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The picture.
    pub still: Still,
    /// The input size that was used.
    pub profile: Profile,
    /// What the network said.
    pub seen: NetworkOutput,
}

impl Scene {
    /// Lets the network look at the still.
    ///
    /// # Errors
    /// [`NetworkError`] when the network cannot be run.
    pub fn look(network: &dyn Network, still: Still, look: &Look) -> Result<Self, NetworkError> {
        let planes = &still.planes;
        let profile = Profile::nearest(network.profiles(), planes.width_px(), planes.height_px());
        let seen = network.infer(&NetworkInput::new(profile, &still, look))?;
        Ok(Self {
            still,
            profile,
            seen,
        })
    }

    /// Probability that a grid cell shows something that may be moved.
    pub fn movable(&self) -> Plane<f32> {
        let (width, height) = (self.profile.grid_width(), self.profile.grid_height());
        Plane::from_fn(width, height, |x, y| {
            Class::ALL
                .iter()
                .zip(&self.seen.classes)
                .filter(|(class, _)| class.is_movable())
                .map(|(_, plane)| plane.at(x, y))
                .sum()
        })
    }

    /// The most probable class of every grid cell.
    pub fn class_map(&self) -> Plane<u8> {
        let (width, height) = (self.profile.grid_width(), self.profile.grid_height());
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

/// Typical strength of wind when none is asked for; the world that the network
/// learnt from draws it evenly from 0 to 1.
const WIND_LENGTH: f32 = 0.6;

/// The wind blows where the look says, else mostly sideways, left or right.
fn wind(look: &Look, rng: &mut fastrand::Rng) -> [f32; 2] {
    let seeded_deg = (rng.f32() - 0.5) * 40.0 + if rng.bool() { 180.0 } else { 0.0 };
    let angle = look.direction_deg.unwrap_or(seeded_deg).to_radians();
    [angle.cos() * WIND_LENGTH, angle.sin() * WIND_LENGTH]
}

/// The arrow holds everywhere or nowhere; nothing is masked.
fn hints(profile: Profile, look: &Look) -> Vec<f32> {
    let area = profile.width_px * profile.height_px;
    let arrow = match look.direction_deg.map(f32::to_radians) {
        Some(angle) => [angle.cos(), angle.sin(), 1.0, 0.0],
        None => [0.0; HINT_CHANNELS],
    };
    arrow
        .iter()
        .flat_map(|value| std::iter::repeat_n(*value, area))
        .collect()
}

/// The still at the network's size: each input pixel is the mean of the still's
/// pixels that it covers, so that fine texture does not alias.
fn shrink(still: &Still, profile: Profile) -> Vec<f32> {
    let rgb = still.planes.to_rgb();
    let area = profile.width_px * profile.height_px;
    let mut planar = vec![0.0; 3 * area];
    let span = |index: usize, parts: usize, whole: usize| {
        let start = index * whole / parts;
        start
            ..((index + 1) * whole)
                .div_ceil(parts)
                .max(start + 1)
                .min(whole)
    };
    for y in 0..profile.height_px {
        let rows = span(y, profile.height_px, rgb.height_px);
        for x in 0..profile.width_px {
            let columns = span(x, profile.width_px, rgb.width_px);
            let mut sum = [0u32; 3];
            for row in rows.clone() {
                let from = (row * rgb.width_px + columns.start) * 3;
                let to = (row * rgb.width_px + columns.end) * 3;
                for pixel in rgb.bytes[from..to].chunks_exact(3) {
                    for (total, sample) in sum.iter_mut().zip(pixel) {
                        *total += u32::from(*sample);
                    }
                }
            }
            let scale = 1.0 / (255 * rows.len() * columns.len()) as f32;
            for (channel, total) in sum.iter().enumerate() {
                planar[channel * area + y * profile.width_px + x] = *total as f32 * scale;
            }
        }
    }
    planar
}

/// Cosine and sine of a smooth random angle: neighbours are nearly in step,
/// things a tenth of the picture apart are not.
fn phase_noise(profile: Profile, rng: &mut fastrand::Rng) -> Vec<f32> {
    let (width, height) = (profile.grid_width(), profile.grid_height());
    let coarse = smooth_noise(width, height, width.max(height) as f32 / 8.0, rng);
    let fine = smooth_noise(width, height, width.max(height) as f32 / 20.0, rng);
    let angle: Vec<f32> = coarse
        .samples
        .iter()
        .zip(&fine.samples)
        .map(|(a, b)| (a * 1.2 + b * 0.45) * std::f32::consts::TAU)
        .collect();
    angle
        .iter()
        .map(|a| a.cos())
        .chain(angle.iter().map(|a| a.sin()))
        .collect()
}

/// Seeded noise in -1..=1 that changes over about `period` cells: cubic
/// interpolation of a random lattice.
pub fn smooth_noise(
    width: usize,
    height: usize,
    period: f32,
    rng: &mut fastrand::Rng,
) -> Plane<f32> {
    let period = period.max(1.0);
    let columns = (width as f32 / period) as usize + 4;
    let rows = (height as f32 / period) as usize + 4;
    let lattice = Plane::from_fn(columns, rows, |_, _| rng.f32() * 2.0 - 1.0);
    // Uniform cubic B-spline: smooth to the second derivative, never overshoots.
    let weights = |t: f32| {
        let s = 1.0 - t;
        [
            s * s * s / 6.0,
            (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
            (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0,
            t * t * t / 6.0,
        ]
    };
    let smooth = Plane::from_fn(width, height, |x, y| {
        let (px, py) = (x as f32 / period, y as f32 / period);
        let (wx, wy) = (weights(px.fract()), weights(py.fract()));
        let mut sum = 0.0;
        for (dy, wy) in wy.iter().enumerate() {
            for (dx, wx) in wx.iter().enumerate() {
                sum += wx * wy * lattice.at(px as usize + dx, py as usize + dy);
            }
        }
        sum
    });
    // The spline averages the lattice, so its spread is restored to fill -1..=1.
    let peak = smooth.samples.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
    smooth.map(|v| v / peak)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        picture::{Rgb, Yuv420},
        still::Origin,
    };
    use std::{sync::Arc, time::SystemTime};

    const SMALL: Profile = Profile {
        width_px: 64,
        height_px: 32,
    };

    fn grey_still() -> Still {
        let rgb = Rgb {
            width_px: 128,
            height_px: 64,
            bytes: vec![128; 128 * 64 * 3],
        };
        Still {
            planes: Arc::new(Yuv420::from_rgb(&rgb)),
            captured_at: SystemTime::UNIX_EPOCH,
            origin: Origin::File,
        }
    }

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

    #[test]
    fn the_input_depends_on_the_seed_in_noise_wind_and_phasors_only() {
        let input = |seed| {
            NetworkInput::new(
                SMALL,
                &grey_still(),
                &Look {
                    seed,
                    ..Look::default()
                },
            )
        };
        let (one, two, again) = (input(1), input(2), input(1));
        assert_eq!(one.rgb, two.rgb);
        assert_ne!(one.noise, two.noise);
        assert_ne!(one.style, two.style);
        assert_eq!(one.noise, again.noise);
        assert_eq!(one.style, again.style);
    }

    #[test]
    fn grey_stays_grey_and_phasors_are_unit() {
        let input = NetworkInput::new(SMALL, &grey_still(), &Look::default());
        assert!(input.rgb.iter().all(|v| (v - 128.0 / 255.0).abs() < 0.01));
        let area = SMALL.grid_width() * SMALL.grid_height();
        for at in 0..area {
            let length = input.noise[at].hypot(input.noise[area + at]);
            assert!((length - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn a_direction_becomes_wind_and_arrow() {
        let look = Look {
            direction_deg: Some(90.0),
            ..Look::default()
        };
        let input = NetworkInput::new(SMALL, &grey_still(), &look);
        assert!(
            (input.style[2] - WIND_LENGTH).abs() < 1e-6,
            "90 degrees is down"
        );
        let area = SMALL.width_px * SMALL.height_px;
        assert!((input.hints[area] - 1.0).abs() < 1e-6);
        assert_eq!(input.hints[2 * area], 1.0);
    }
}
