//! How one layer of a stream hands over to the next.

use std::f32::consts::{FRAC_PI_2, TAU};

/// Layers at a smaller angle than this are the same.
pub const LIKE: f32 = 1e-2;

/// Slows a cross-fade down a little at both ends, where one layer is replaced
/// unseen and the rate of change of the other would jump.
pub fn eased(share: f32) -> f32 {
    const EASE: f32 = 0.45;
    // The sine of a whole turn, folded into a quarter.
    let from_middle = share - 0.5;
    let folded = from_middle.abs().min(0.5 - from_middle.abs());
    share + EASE * sine(TAU * folded).copysign(from_middle) / TAU
}

/// Weights of two layers of detail at the given angle, `share` of the way from
/// the first to the second: spherical interpolation (Shoemake 1985); `scale` is
/// the angle's cosecant. A linear cross-fade of unlike layers loses up to 30 % of
/// their contrast in the middle and changes the picture unevenly; this keeps the
/// contrast and the rate of change.
pub fn blend(angle: f32, scale: f32, share: f32) -> [f32; 2] {
    if angle < LIKE {
        return [1.0 - share, share];
    }
    [(1.0 - share) * angle, share * angle].map(|part| sine(part) * scale)
}

/// The sine of 0..=pi/2, by Taylor's series: off by less than 4e-6, a fraction of
/// the parts in which weights are kept, at a tenth of the cost.
fn sine(angle: f32) -> f32 {
    debug_assert!((-1e-3..=FRAC_PI_2 + 1e-3).contains(&angle), "{angle}");
    let square = angle * angle;
    let inner = 1.0 / 5_040.0 - square / 362_880.0;
    angle * (1.0 - square * (1.0 / 6.0 - square * (1.0 / 120.0 - square * inner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blended_layers_keep_their_variance_at_every_share_and_likeness() {
        for likeness in [0.0, 0.3, 0.9, 0.99995, 1.0] {
            let angle = f32::acos(likeness);
            let scale = 1.0 / angle.sin().max(LIKE);
            for step in 0..=10 {
                let share = step as f32 / 10.0;
                let [near, far] = blend(angle, scale, share);
                let variance = near * near + far * far + 2.0 * likeness * near * far;
                assert!(
                    (variance - 1.0).abs() < 1e-3,
                    "{likeness} {share}: {variance}"
                );
            }
            let [near, far] = blend(angle, scale, 0.0);
            assert!((near - 1.0).abs() < 1e-5 && far == 0.0, "{near} {far}");
        }
    }

    #[test]
    fn a_cross_fade_starts_and_ends_slowly_and_meets_in_the_middle() {
        assert_eq!([0.0, 0.5, 1.0].map(eased), [0.0, 0.5, 1.0]);
        for step in 1..20 {
            let share = step as f32 / 20.0;
            let exact = share - 0.45 * (TAU * share).sin() / TAU;
            assert!((eased(share) - exact).abs() < 1e-5, "{share}");
        }
    }
}
