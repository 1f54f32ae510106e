//! What the network is shown: the still, the hints and the seeded style.

use crate::{
    picture::smooth_noise,
    request::Look,
    scene::{Class, HARMONIC_COUNT, HINT_CHANNELS, Profile, STYLE_LENGTH},
    still::Still,
};

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
