//! What is safe to move. Precision comes first: where the network is unsure,
//! the thing stays still.
//!
//! Things are judged as wholes: a region of cells that may be movable opens if
//! the network is sure of enough of it, and in it every cell that is not much
//! less sure than the region is. A lone sure cell on a wall then opens nothing,
//! an unsure edge of a tree moves with the tree, and a boat of which the network
//! half believes that it is water rests amid the lake. `models/README.md` has
//! the figures, beside those of one bound for each cell.

use super::smoothstep;
use crate::picture::{Plane, region_of};

/// A cell that is movable with less than the first probability rests.
const EDGE: [f32; 2] = [0.75, 0.85];
/// Probability from which the network is sure of a cell.
const SURE: f32 = 0.90;
/// Share of its cells of which the network must be sure for a region to open.
const SURE_SHARE: f32 = 0.45;
/// Fewest cells of which it must be sure.
const SURE_CELLS_MIN: usize = 4;
/// How far below the region's median the log-odds of a cell may be: with less
/// than the first it rests.
const DIP: [f32; 2] = [-2.5, -1.5];
/// The median counts as no more than this.
const MEDIAN_MAX: f32 = 0.995;
/// Below the first predicted mobility nothing moves, above the second everything
/// does: what is surely movable and yet rests, as glass that mirrors the sky.
const MOBILITY: [f32; 2] = [0.015, 0.04];

/// How far the motion is let through at each cell, 0 (frozen) to 1, given the
/// probability that what stands there is movable, and its mobility.
pub fn gate(movable: &Plane<f32>, mobility: &Plane<f32>) -> Plane<f32> {
    let mut gate = Plane::filled(movable.width_px, movable.height_px, 0.0);
    let mut is_seen = movable.map(|probability| probability <= EDGE[0]);
    for start in 0..gate.samples.len() {
        if is_seen.samples[start] {
            continue;
        }
        let region = region_of(start, &mut is_seen);
        let mut chances: Vec<f32> = region.iter().map(|cell| movable.samples[*cell]).collect();
        let sure = chances.iter().filter(|chance| **chance > SURE).count();
        if sure < SURE_CELLS_MIN || (sure as f32) < SURE_SHARE * region.len() as f32 {
            continue;
        }
        chances.sort_by(f32::total_cmp);
        let usual = log_odds(chances[chances.len() / 2].min(MEDIAN_MAX));
        for cell in region {
            let chance = movable.samples[cell];
            gate.samples[cell] = smoothstep(EDGE, chance)
                * smoothstep(DIP, log_odds(chance) - usual)
                * smoothstep(MOBILITY, mobility.samples[cell]);
        }
    }
    gate
}

fn log_odds(probability: f32) -> f32 {
    let probability = probability.clamp(1e-4, 1.0 - 1e-4);
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate_of(movable: &Plane<f32>) -> Plane<f32> {
        gate(movable, &movable.map(|_| 1.0))
    }

    #[test]
    fn a_region_opens_as_a_whole_if_enough_of_it_is_sure() {
        // Left: half of it is sure. Right: as unsure, and nothing sure in it.
        let movable = Plane::from_fn(24, 12, |x, _| match x {
            0..6 => 0.94,
            6..12 => 0.89,
            12..14 => 0.1,
            _ => 0.89,
        });
        let gate = gate_of(&movable);
        assert_eq!((gate.at(1, 5), gate.at(10, 5)), (1.0, 1.0));
        assert_eq!((gate.at(12, 5), gate.at(20, 5)), (0.0, 0.0));
    }

    #[test]
    fn a_few_sure_cells_open_no_wall() {
        let speckled = Plane::from_fn(
            24,
            12,
            |x, y| if x % 5 == 0 && y % 4 == 0 { 0.99 } else { 0.4 },
        );
        assert!(gate_of(&speckled).samples.iter().all(|open| *open == 0.0));
        let patch = Plane::from_fn(24, 12, |x, y| if x < 2 && y < 2 { 0.99 } else { 0.84 });
        assert!(gate_of(&patch).samples.iter().all(|open| *open == 0.0));
    }

    #[test]
    fn what_is_less_sure_than_all_around_it_rests() {
        let is_boat = |x: usize, y: usize| (10..14).contains(&x) && (5..8).contains(&y);
        let lake = Plane::from_fn(24, 12, |x, y| if is_boat(x, y) { 0.87 } else { 0.995 });
        let gate = gate_of(&lake);
        assert_eq!(gate.at(2, 2), 1.0);
        assert!(gate.at(12, 6) < 0.1, "{}", gate.at(12, 6));
    }

    #[test]
    fn what_has_no_mobility_rests() {
        let sure = Plane::filled(24, 12, 0.99);
        let mobility = Plane::from_fn(24, 12, |x, _| if x < 12 { 0.01 } else { 0.05 });
        let gate = gate(&sure, &mobility);
        assert_eq!((gate.at(3, 3), gate.at(20, 3)), (0.0, 1.0));
    }
}
