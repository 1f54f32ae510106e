//! Where motion may reach, at full resolution: the network's coarse gate drawn
//! along the edges that the still itself shows, and shut inside the outlines of things
//! that rest as a whole.
//!
//! Guided filter of He, Sun and Tang (2010), in its fast form (2015): the
//! linear model is fitted on a small picture and applied on the large one.

use rayon::prelude::*;

use crate::{
    frames::texture::block_means,
    motion::Motion,
    picture::{Plane, box_mean, spread},
};

/// The fit runs on a picture this many times smaller.
const SHRINK: usize = 4;
/// Radius of the fit's window, in cells of the network's grid.
const RADIUS_CELLS: f32 = 1.6;
/// Luma variance below which the guide is taken as flat, (grey levels / 255)².
const FLATNESS: f32 = 4e-4;
/// The filtered gate is steepened between these: soft enough to hide the border
/// of motion, narrow enough not to bend what stands beside it.
const EDGE: [f32; 2] = [0.45, 0.85];
/// Where less of the gate is open all around, nothing moves.
const OPEN_MIN: f32 = 0.02;

/// How far every pixel follows the motion: 0 (not at all) to 255 (fully).
pub fn motion_mask(luma: &Plane<u8>, motion: &Motion) -> Plane<u8> {
    let guide = block_means(luma, SHRINK).map(|mean| mean * (1.0 / 255.0));
    let gate = motion.gate.resized(guide.width_px, guide.height_px);
    let cell_px = guide.width_px as f32 / motion.gate.width_px as f32;
    let radius = ((RADIUS_CELLS * cell_px).round() as usize).max(1);
    let mean = |plane: &Plane<f32>| box_mean(plane, radius);

    let ([mean_guide, variance], [mean_gate, mean_product]) = rayon::join(
        || {
            let mean_guide = mean(&guide);
            let variance = combine(&mean(&guide.map(|g| g * g)), &mean_guide, |s, m| s - m * m);
            [mean_guide, variance]
        },
        || [mean(&gate), mean(&combine(&guide, &gate, |g, p| g * p))],
    );
    let covariance = combine(
        &mean_product,
        &combine(&mean_guide, &mean_gate, |g, p| g * p),
        |both, apart| both - apart,
    );
    let slope = combine(&covariance, &variance, |c, v| c / (v.max(0.0) + FLATNESS));
    let offset = combine(
        &mean_gate,
        &combine(&slope, &mean_guide, |a, m| a * m),
        |p, am| p - am,
    );
    let ([slope, offset], matte) = rayon::join(
        || [mean(&slope), mean(&offset)],
        // The soft edge of a thing stays with it.
        || spread(&motion.matte, 1, f32::min).resized(guide.width_px, guide.height_px),
    );
    let fit = Fit {
        slope,
        offset,
        // Nothing moves where the gate is shut all around, whatever the guide
        // says.
        open: mean_gate,
        matte,
    };
    // A mask that follows the texture from pixel to pixel would tear it.
    blurred(&fit.applied(luma))
}

/// The linear model that makes the mask of the luma, on the small picture.
struct Fit {
    slope: Plane<f32>,
    offset: Plane<f32>,
    open: Plane<f32>,
    matte: Plane<f32>,
}

impl Fit {
    /// The model at full resolution, between its samples bilinear.
    fn applied(&self, luma: &Plane<u8>) -> Plane<u8> {
        let mut mask = Plane::filled(luma.width_px, luma.height_px, 0u8);
        let planes = [&self.slope, &self.offset, &self.open, &self.matte];
        let columns = self.open.width_px;
        let lines = mask.samples.par_chunks_mut(luma.width_px);
        // Each row with its ends once more, for what lies outside of them.
        let rows = || [(); 4].map(|()| vec![0.0; columns + 2]);
        lines.enumerate().for_each_init(rows, |rows, (y, line)| {
            let (above, below, t) = neighbours(y, self.open.height_px);
            for (row, plane) in rows.iter_mut().zip(planes) {
                let (above, below) = (plane.row(above), plane.row(below));
                for ((value, a), b) in row[1..].iter_mut().zip(above).zip(below) {
                    *value = a + (b - a) * t;
                }
                row[0] = row[1];
                row[columns + 1] = row[columns];
            }
            let [slope, offset, open, matte] = &*rows;
            let pixels = luma.row(y).chunks(SHRINK);
            let blocks = line.chunks_mut(SHRINK).zip(pixels);
            for (cell, (to, pixels)) in blocks.enumerate() {
                let around = cell..cell + 3;
                let is_shut = open[around.clone()].iter().all(|open| *open < OPEN_MIN);
                if is_shut || matte[around].iter().all(|matte| *matte <= 0.0) {
                    continue;
                }
                for (k, (to, pixel)) in to.iter_mut().zip(pixels).enumerate() {
                    let (from, t) = [(0, 0.625), (0, 0.875), (1, 0.125), (1, 0.375)][k];
                    let at = |row: &[f32]| {
                        let [a, b] = [row[cell + from], row[cell + from + 1]];
                        a + (b - a) * t
                    };
                    if at(open) < OPEN_MIN {
                        continue;
                    }
                    let fitted = at(slope) * (f32::from(*pixel) * (1.0 / 255.0)) + at(offset);
                    let t = ((fitted - EDGE[0]) / (EDGE[1] - EDGE[0])).clamp(0.0, 1.0);
                    *to = (t * t * (3.0 - 2.0 * t) * at(matte) * 255.0 + 0.5) as u8;
                }
            }
        });
        mask
    }
}

/// Rows of the small picture above and below a row of the large one, and how far
/// it is from the first to the second.
fn neighbours(y: usize, rows: usize) -> (usize, usize, f32) {
    let at = ((y as f32 + 0.5) / SHRINK as f32 - 0.5).clamp(0.0, (rows - 1) as f32);
    let above = at as usize;
    (above, (above + 1).min(rows - 1), at - above as f32)
}

/// Mean of every sample and the eight around it; the edge counts on beyond it.
fn blurred(mask: &Plane<u8>) -> Plane<u8> {
    let (width, height) = (mask.width_px, mask.height_px);
    let mut blurred = Plane::filled(width, height, 0u8);
    let lines = blurred.samples.par_chunks_mut(width).enumerate();
    lines.for_each_init(
        || vec![0u16; width + 2],
        |sums, (y, line)| {
            let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)].map(|y| mask.row(y));
            for (x, sum) in sums[1..=width].iter_mut().enumerate() {
                *sum = u16::from(rows[0][x]) + u16::from(rows[1][x]) + u16::from(rows[2][x]);
            }
            sums[0] = sums[1];
            sums[width + 1] = sums[width];
            for (x, to) in line.iter_mut().enumerate() {
                *to = ((sums[x] + sums[x + 1] + sums[x + 2] + 4) / 9) as u8;
            }
        },
    );
    blurred
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
            matte: gate.map(|_| 1.0),
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
    fn a_thing_that_rests_as_a_whole_is_shut_to_its_outline() {
        let luma = Plane::from_fn(256, 64, |x, y| (90 + (x * 7 + y * 13) % 40) as u8);
        let mut motion = motion_with_gate(Plane::filled(32, 8, 1.0));
        // In pixels of the network's input, of which each is two of the picture's.
        motion.matte = Plane::from_fn(128, 32, |x, _| f32::from(u8::from(x >= 40)));
        let mask = motion_mask(&luma, &motion);
        assert_eq!((mask.at(40, 32), mask.at(74, 32)), (0, 0));
        assert!(mask.at(79, 32) < 64, "{}", mask.at(79, 32));
        assert_eq!((mask.at(90, 32), mask.at(250, 32)), (255, 255));
    }

    #[test]
    fn shut_and_open_gates_give_empty_and_full_masks() {
        let luma = Plane::from_fn(96, 64, |x, y| (x * 7 + y * 13) as u8);
        let shut = motion_mask(&luma, &motion_with_gate(Plane::filled(24, 16, 0.0)));
        assert!(shut.samples.iter().all(|m| *m == 0));
        let open = motion_mask(&luma, &motion_with_gate(Plane::filled(24, 16, 1.0)));
        assert!(open.samples.iter().all(|m| *m == 255));
    }
}
