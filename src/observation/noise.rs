//! How much motion the noise of the sensor alone would show.

use crate::{
    arch::search::{AREA, PATCH_PX, SLOPE_MIN},
    flow::Pyramid,
    picture::{Plane, median},
};

/// Rank of the places, calmest first, that are taken to stand still: there are some
/// in every scene that is worth a fixed camera.
const CALM_RANK: f32 = 0.1;
/// What the calmest tenth of equal places has of the true variance, found with
/// synthetic noise over 25 pairs of pictures.
const CALM_SHARE: f32 = 0.85;
/// No sensor is quieter, in levels: an encoder has removed the noise with the
/// smallest changes.
const LEVELS_MIN: f32 = 0.1;

/// Standard deviation of the noise at the finest scale, in levels.
pub(super) fn levels(pyramids: &[Pyramid]) -> f32 {
    let [width, height] = pyramids[0].size_px();
    let mut energy = Plane::filled(width, height, 0.0f32);
    for pair in pyramids.windows(2) {
        // The light of the whole scene, or the camera's exposure, may change.
        let mut changes: Vec<f32> = Vec::with_capacity(width * height);
        for y in 0..height {
            changes.extend((0..width).map(|x| pair[1].at(x, y) - pair[0].at(x, y)));
        }
        let usual = median(changes.clone());
        for (sum, change) in energy.samples.iter_mut().zip(&changes) {
            *sum += (change - usual).powi(2);
        }
    }
    let pairs = (pyramids.len() - 1) as f32;
    // Means of nine, so that chance does not choose.
    let mut calm: Vec<f32> = Vec::new();
    for y in (1..height - 1).step_by(2) {
        for x in (1..width - 1).step_by(2) {
            let rows = y - 1..=y + 1;
            let sum: f32 = rows
                .flat_map(|row| energy.row(row)[x - 1..=x + 1].iter())
                .sum();
            calm.push(sum / (9.0 * pairs));
        }
    }
    let rank = (CALM_RANK * calm.len() as f32) as usize;
    let (_, variance, _) = calm.select_nth_unstable_by(rank, f32::total_cmp);
    // A difference has the noise of two pictures.
    (*variance / CALM_SHARE / 2.0).sqrt().max(LEVELS_MIN)
}

/// Standard deviation of the flow between two pictures that noise alone makes, for
/// each pixel of the finest scale, in its pixels: least squares over a patch divide
/// the noise by the slopes that they see (Lucas and Kanade 1981).
pub(super) fn of_flow(mean: &Plane<f32>, levels: f32) -> Plane<f32> {
    let (width, height) = (mean.width_px, mean.height_px);
    let slope = |x: usize, y: usize| {
        let across = mean.at((x + 1).min(width - 1), y) - mean.at(x.saturating_sub(1), y);
        let down = mean.at(x, (y + 1).min(height - 1)) - mean.at(x, y.saturating_sub(1));
        [across / 2.0, down / 2.0]
    };
    let slopes = Plane::from_fn(width, height, slope);
    let sums = [
        summed(&slopes.map(|[x, _]| x)),
        summed(&slopes.map(|[_, y]| y)),
        summed(&slopes.map(|[x, _]| x * x)),
        summed(&slopes.map(|[_, y]| y * y)),
        summed(&slopes.map(|[x, y]| x * y)),
    ];
    let variance = levels * levels;
    // Noise adds slopes of its own, half its variance each.
    let least = AREA * (SLOPE_MIN * SLOPE_MIN + variance / 2.0);
    Plane::from_fn(width, height, |x, y| {
        let [sum_x, sum_y, xx, yy, xy] = sums.each_ref().map(|sums| sums.at(x, y));
        let xx = xx - sum_x * sum_x / AREA + least;
        let yy = yy - sum_y * sum_y / AREA + least;
        let xy = xy - sum_x * sum_y / AREA;
        (2.0 * variance * (xx + yy) / (xx * yy - xy * xy)).sqrt()
    })
}

/// Sums over a patch around each sample; the picture repeats its edge.
fn summed(plane: &Plane<f32>) -> Plane<f32> {
    const BEFORE: usize = PATCH_PX / 2;
    let (width, height) = (plane.width_px, plane.height_px);
    let from =
        |at: usize, step: usize, side: usize| (at + step).saturating_sub(BEFORE).min(side - 1);
    let across: Plane<f32> = Plane::from_fn(width, height, |x, y| {
        let row = plane.row(y);
        (0..PATCH_PX).map(|step| row[from(x, step, width)]).sum()
    });
    Plane::from_fn(width, height, |x, y| {
        (0..PATCH_PX)
            .map(|step| across.at(x, from(y, step, height)))
            .sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_measured_beside_things_that_move() {
        let mut rng = fastrand::Rng::with_seed(5);
        let frames: Vec<Pyramid> = (0..26)
            .map(|frame| {
                Pyramid::of(&Plane::from_fn(128, 96, |x, y| {
                    // Twelve evenly drawn numbers have the variance 1.
                    let noise: f32 = (0..12).map(|_| rng.f32()).sum::<f32>() - 6.0;
                    let waves = 60.0 * (0.3 * x as f32 + 0.9 * frame as f32).sin();
                    let moves = if y < 60 { waves } else { 0.0 };
                    128.0 + moves + 4.0 * noise
                }))
            })
            .collect();
        // Four samples are one at the finest scale: half the noise.
        let found = levels(&frames);
        assert!((1.8..2.2).contains(&found), "{found}");
    }

    #[test]
    fn flow_is_surer_where_there_is_more_to_see() {
        let stripes = Plane::from_fn(64, 64, |x, y| {
            let contrast = if y < 32 { 40.0 } else { 4.0 };
            contrast * ((0.8 * x as f32).sin() + (0.8 * y as f32).sin())
        });
        let floor = of_flow(&stripes, 1.0);
        assert!(floor.at(32, 10) < 0.05, "{}", floor.at(32, 10));
        assert!(floor.at(32, 50) > 5.0 * floor.at(32, 10));
    }
}
