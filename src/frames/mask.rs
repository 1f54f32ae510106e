//! Where motion may reach, at full resolution: the network's coarse gate drawn
//! along the edges that the still itself shows.
//!
//! Guided filter of He, Sun and Tang (2010), in its fast form (2015): the
//! linear model is fitted on a small picture and applied on the large one.

use crate::{motion::Motion, picture::Plane};

/// The fit runs on a picture this many times smaller.
const SHRINK: usize = 4;
/// Radius of the fit's window, in cells of the network's grid.
const RADIUS_CELLS: f32 = 1.6;
/// Luma variance below which the guide is taken as flat, (grey levels / 255)².
const FLATNESS: f32 = 4e-4;
/// The filtered gate is steepened between these: soft enough to hide the border
/// of motion, narrow enough not to bend what stands beside it.
const EDGE: [f32; 2] = [0.45, 0.85];

/// How far every pixel follows the motion: 0 (not at all) to 255 (fully).
pub fn motion_mask(luma: &Plane<u8>, motion: &Motion) -> Plane<u8> {
    let (width, height) = (luma.width_px, luma.height_px);
    let (small_w, small_h) = (width.div_ceil(SHRINK), height.div_ceil(SHRINK));
    let guide = shrunk(luma, small_w, small_h);
    let gate = motion.gate.resized(small_w, small_h);
    let cell_px = small_w as f32 / motion.gate.width_px as f32;
    let radius = ((RADIUS_CELLS * cell_px).round() as usize).max(1);

    let mean_guide = box_mean(&guide, radius);
    let mean_gate = box_mean(&gate, radius);
    let product = combine(&guide, &gate, |g, p| g * p);
    let square = guide.map(|g| g * g);
    let covariance = combine(
        &box_mean(&product, radius),
        &combine(&mean_guide, &mean_gate, |g, p| g * p),
        |both, apart| both - apart,
    );
    let variance = combine(&box_mean(&square, radius), &mean_guide, |s, m| s - m * m);
    let slope = combine(&covariance, &variance, |c, v| c / (v + FLATNESS));
    let offset = combine(
        &mean_gate,
        &combine(&slope, &mean_guide, |a, m| a * m),
        |p, am| p - am,
    );
    let slope = box_mean(&slope, radius);
    let offset = box_mean(&offset, radius);
    // Nothing moves where the gate is shut all around, whatever the guide says.
    let open = box_mean(&gate, radius);

    let step_x = small_w as f32 / width as f32;
    let step_y = small_h as f32 / height as f32;
    let mut mask = Plane::filled(width, height, 0u8);
    for y in 0..height {
        let small_y = (y as f32 + 0.5) * step_y - 0.5;
        let guide_row = luma.row(y);
        for (x, sample) in mask.row_mut(y).iter_mut().enumerate() {
            let small_x = (x as f32 + 0.5) * step_x - 0.5;
            if open.bilinear(small_x, small_y) < 0.02 {
                continue;
            }
            let guide = f32::from(guide_row[x]) / 255.0;
            let fitted =
                slope.bilinear(small_x, small_y) * guide + offset.bilinear(small_x, small_y);
            let t = ((fitted - EDGE[0]) / (EDGE[1] - EDGE[0])).clamp(0.0, 1.0);
            *sample = (t * t * (3.0 - 2.0 * t) * 255.0 + 0.5) as u8;
        }
    }
    // A mask that follows the texture from pixel to pixel would tear it.
    box_mean(&mask.map(f32::from), 1).map(|m| (m + 0.5) as u8)
}

/// The luma as 0..=1 at the small size; each sample the mean of what it covers.
fn shrunk(luma: &Plane<u8>, width: usize, height: usize) -> Plane<f32> {
    Plane::from_fn(width, height, |x, y| {
        let columns = x * SHRINK..((x + 1) * SHRINK).min(luma.width_px);
        let rows = y * SHRINK..((y + 1) * SHRINK).min(luma.height_px);
        let count = columns.len() * rows.len();
        let sum: u32 = rows
            .flat_map(|row| &luma.row(row)[columns.clone()])
            .map(|sample| u32::from(*sample))
            .sum();
        sum as f32 / (255 * count) as f32
    })
}

fn combine(a: &Plane<f32>, b: &Plane<f32>, join: impl Fn(f32, f32) -> f32) -> Plane<f32> {
    Plane {
        width_px: a.width_px,
        height_px: a.height_px,
        samples: a
            .samples
            .iter()
            .zip(&b.samples)
            .map(|(a, b)| join(*a, *b))
            .collect(),
    }
}

/// Mean over a square of side `2 * radius + 1`, clipped at the edges.
pub fn box_mean(plane: &Plane<f32>, radius: usize) -> Plane<f32> {
    let (width, height) = (plane.width_px, plane.height_px);
    let mut across = Plane::filled(width, height, 0.0);
    let mut running = vec![0.0f64; width.max(height) + 1];
    for y in 0..height {
        for (x, sample) in plane.row(y).iter().enumerate() {
            running[x + 1] = running[x] + f64::from(*sample);
        }
        for (x, mean) in across.row_mut(y).iter_mut().enumerate() {
            let (from, to) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            *mean = ((running[to] - running[from]) / (to - from) as f64) as f32;
        }
    }
    let mut mean = Plane::filled(width, height, 0.0);
    for x in 0..width {
        for y in 0..height {
            running[y + 1] = running[y] + f64::from(across.at(x, y));
        }
        for y in 0..height {
            let (from, to) = (y.saturating_sub(radius), (y + radius + 1).min(height));
            mean.samples[y * width + x] =
                ((running[to] - running[from]) / (to - from) as f64) as f32;
        }
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::HARMONIC_COUNT;

    /// A gate that is open on the left, and nothing else.
    fn motion_with_gate(gate: Plane<f32>) -> Motion {
        let nothing = gate.map(|_| 0.0);
        Motion {
            flow_x: nothing.clone(),
            flow_y: nothing.clone(),
            harmonics: Vec::new(),
            turns: [1; HARMONIC_COUNT],
            light: nothing.clone(),
            phase: nothing,
            is_breath: false,
            gate,
        }
    }

    #[test]
    fn the_mask_snaps_to_the_edge_that_the_still_shows() {
        // The picture's edge lies at column 132, the gate's at 128.
        let luma = Plane::from_fn(256, 64, |x, _| if x < 132 { 60u8 } else { 180 });
        let gate = Plane::from_fn(32, 8, |x, _| if x < 16 { 1.0 } else { 0.0 });
        let mask = motion_mask(&luma, &motion_with_gate(gate));
        assert!(mask.at(126, 32) > 128, "moving side: {}", mask.at(126, 32));
        let (edge, beyond) = (mask.at(131, 32), mask.at(133, 32));
        assert!(
            edge > beyond + 20,
            "{edge} before the edge, {beyond} behind it"
        );
        assert!(mask.at(135, 32) < 64, "still side: {}", mask.at(135, 32));
    }

    #[test]
    fn shut_and_open_gates_give_empty_and_full_masks() {
        let luma = Plane::from_fn(96, 64, |x, y| (x * 7 + y * 13) as u8);
        let shut = motion_mask(&luma, &motion_with_gate(Plane::filled(24, 16, 0.0)));
        assert!(shut.samples.iter().all(|m| *m == 0));
        let open = motion_mask(&luma, &motion_with_gate(Plane::filled(24, 16, 1.0)));
        assert!(open.samples.iter().all(|m| *m == 255));
    }

    #[test]
    fn box_mean_of_a_constant_is_the_constant_and_of_an_impulse_its_share() {
        assert!(
            box_mean(&Plane::filled(5, 3, 2.0), 4)
                .samples
                .iter()
                .all(|v| *v == 2.0)
        );
        let mut impulse = Plane::filled(5, 5, 0.0);
        impulse.samples[12] = 9.0;
        assert!((box_mean(&impulse, 1).at(2, 2) - 1.0).abs() < 1e-6);
        assert_eq!(box_mean(&impulse, 1).at(0, 0), 0.0);
    }
}
