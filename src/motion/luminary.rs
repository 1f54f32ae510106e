//! The sun and the moon stay where they are, whatever goes past them.
//!
//! The network knows them as sky, and sky drifts. What gives them away is that all that
//! is brightest in the sky is one small round place, darker around. Of 796 photos with
//! sky something is found in 23, in about half of them a sun, a moon or a lamp, otherwise
//! the brightest part of a cloud or of glare, which then rests.

use super::smoothstep;
use crate::picture::{Plane, median};

/// Probability of sky from which a place counts as such.
const SKY: f32 = 0.5;
/// Darkest luma of a luminary, and how much darker the edge of its disc may be.
const LUMA_MIN: f32 = 225.0;
const LIMB: f32 = 12.0;
/// Radius of a disc of the same area, in widths of the picture.
const RADIUS: [f32; 2] = [0.0045, 0.05];
/// Radius around the middle in which this share of it lies, and the most that it may be
/// beyond the radius of a disc of the same area.
const MOST: f32 = 0.9;
const SPRAWL_MAX: f32 = 1.6;
/// From how far to how far around it is compared, in those radii and in pixels; share of
/// that which must be sky; and how much darker it must be.
const AROUND: [(f32, f32); 2] = [(1.5, 2.0), (2.5, 4.0)];
const AROUND_SHARE_MIN: f32 = 0.4;
const CONTRAST_MIN: f32 = 22.0;
/// Everything rests within this many radii.
const HELD: f32 = 1.5;
/// Width of the rim in which the sky's own motion returns, in widths of the picture: more
/// than clouds cover from frame to loop, or they would fold up in front of it.
const RIM: f32 = 0.09;

/// A disc in the sky, in pixels of the network's input.
struct Luminary {
    x: f32,
    y: f32,
    radius: f32,
}

/// Shuts `gate` where the sun or the moon stands, given the luma that the network was
/// shown, 0 to 255, and the probability of sky on the grid.
pub fn hold(gate: &mut Plane<f32>, luma: &Plane<f32>, sky: &Plane<f32>) {
    let Some(luminary) = find(luma, sky) else {
        return;
    };
    let stride = luma.width_px as f32 / gate.width_px as f32;
    let inner = HELD * luminary.radius;
    let outer = inner + RIM * luma.width_px as f32;
    let width = gate.width_px;
    for (cell, open) in gate.samples.iter_mut().enumerate() {
        let at = |cell: usize| (cell as f32 + 0.5) * stride;
        let away = (at(cell % width) - luminary.x).hypot(at(cell / width) - luminary.y);
        *open *= smoothstep([inner, outer], away);
    }
}

fn find(luma: &Plane<f32>, sky: &Plane<f32>) -> Option<Luminary> {
    let (width, height) = (luma.width_px, luma.height_px);
    let sky = sky.resized(width, height);
    let is_sky = |pixel: usize| sky.samples[pixel] >= SKY;
    let luma_of = |pixel: usize| luma.samples[pixel];
    let in_sky = || (0..width * height).filter(|pixel| is_sky(*pixel));
    let brightest = in_sky().map(luma_of).fold(0.0, f32::max);
    if brightest < LUMA_MIN {
        return None;
    }
    let bright: Vec<[f32; 2]> = in_sky()
        .filter(|pixel| luma_of(*pixel) >= brightest - LIMB)
        .map(|pixel| [pixel % width, pixel / width].map(|at| at as f32 + 0.5))
        .collect();
    let of_disc = (bright.len() as f32 / std::f32::consts::PI).sqrt();
    let [least, most] = RADIUS.map(|radius| radius * width as f32);
    if !(least..=most).contains(&of_disc) {
        return None;
    }
    let [x, y] = [0, 1].map(|axis| median(bright.iter().map(|at| at[axis]).collect()));
    let mut away: Vec<f32> = bright
        .iter()
        .map(|at| (at[0] - x).hypot(at[1] - y))
        .collect();
    away.sort_by(f32::total_cmp);
    let radius = away[(MOST * (away.len() - 1) as f32) as usize];
    if radius > SPRAWL_MAX * of_disc {
        return None;
    }
    let [from, to] = AROUND.map(|(radii, more)| radii * radius + more);
    let (mut places, mut clear, mut sum) = (0.0, 0.0, 0.0);
    for row in 0..height {
        for column in 0..width {
            let away = (column as f32 + 0.5 - x).hypot(row as f32 + 0.5 - y);
            if away <= from || away >= to {
                continue;
            }
            places += 1.0;
            let pixel = row * width + column;
            if is_sky(pixel) {
                clear += 1.0;
                sum += luma_of(pixel);
            }
        }
    }
    let is_clear = clear > 0.0 && clear >= AROUND_SHARE_MIN * places;
    (is_clear && sum / clear <= brightest - CONTRAST_MIN).then_some(Luminary { x, y, radius })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 384;
    const HEIGHT: usize = 224;

    /// The gate over a sky of `luma`, 0 to 255, above the land.
    fn held(luma: impl FnMut(usize, usize) -> f32) -> Plane<f32> {
        let mut gate = Plane::filled(WIDTH / 4, HEIGHT / 4, 1.0);
        let sky = Plane::from_fn(WIDTH / 4, HEIGHT / 4, |_, y| f32::from(u8::from(y < 40)));
        hold(&mut gate, &Plane::from_fn(WIDTH, HEIGHT, luma), &sky);
        gate
    }

    fn away(x: usize, y: usize, from: [f32; 2]) -> f32 {
        (x as f32 - from[0]).hypot(y as f32 - from[1])
    }

    #[test]
    fn the_sun_rests_and_the_sky_far_from_it_moves() {
        let glow = |x, y| (255.0 - 4.0 * (away(x, y, [200.0, 60.0]) - 6.0).max(0.0)).max(120.0);
        let gate = held(glow);
        assert_eq!((gate.at(50, 15), gate.at(51, 16)), (0.0, 0.0));
        assert_eq!((gate.at(5, 15), gate.at(90, 35)), (1.0, 1.0));
        let row = &gate.row(15)[50..];
        assert!(row.is_sorted(), "{row:?}");
    }

    #[test]
    fn half_a_sun_behind_a_hill_rests() {
        let gate = held(|x, y| {
            if y < 160 && away(x, y, [100.0, 160.0]) < 9.0 {
                250.0
            } else {
                90.0
            }
        });
        assert_eq!(gate.at(25, 38), 0.0);
        assert_eq!(gate.at(80, 10), 1.0);
    }

    #[test]
    fn no_cloud_rests_because_it_is_bright() {
        let is_open = |gate: Plane<f32>| gate.samples.iter().all(|open| *open == 1.0);
        // Two clouds, a long one, one as large as a cloud, all of the sky, a lamp on land.
        let two = |x, y| away(x, y, [80.0, 50.0]).min(away(x, y, [300.0, 50.0])) < 8.0;
        assert!(is_open(held(|x, y| if two(x, y) { 250.0 } else { 120.0 })));
        let long = |x: usize, y: usize| (60..160).contains(&x) && (40..46).contains(&y);
        assert!(is_open(held(|x, y| if long(x, y) { 250.0 } else { 120.0 })));
        let large = |x, y| away(x, y, [200.0, 70.0]) < 40.0;
        assert!(is_open(held(|x, y| if large(x, y) {
            250.0
        } else {
            120.0
        })));
        assert!(is_open(held(|_, _| 250.0)));
        let lamp = |x, y| away(x, y, [200.0, 200.0]) < 6.0;
        assert!(is_open(held(|x, y| if lamp(x, y) { 250.0 } else { 120.0 })));
    }
}
