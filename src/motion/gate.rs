//! What is safe to move. Precision comes first: where the network is unsure,
//! the thing stays still.
//!
//! Things are judged as wholes: a region of cells that may be movable opens if
//! the network is sure of enough of it, and in it every cell that is not much
//! less sure than the region is. A lone sure cell on a wall then opens nothing,
//! an unsure edge of a tree moves with the tree, and a boat of which the network
//! half believes that it is water rests amid the lake. And what the still shows in one
//! colour is one thing: if much of it rests, all of it does, so that no boat is torn
//! in two. Running water, smoke and fire are exempt, for foam has the colours of wet
//! rock, and smoke those of what is behind it. `models/README.md` has the figures,
//! beside those of one bound for each cell.

use super::smoothstep;
use crate::{
    picture::{Plane, distances, region_of},
    scene::GRID_STRIDE_PX,
};

/// A cell that is movable with less than the first probability rests.
const EDGE: [f32; 2] = [0.77, 0.87];
/// Probability from which the network is sure of a cell.
const SURE: f32 = 0.89;
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
/// Share of a segment that is shut, between which all of it is.
const SHUT_SHARE: [f32; 2] = [0.25, 0.45];
/// Probability of what has no colour of its own, between which its segment no longer
/// counts.
const SHAPELESS: [f32; 2] = [0.4, 0.6];

/// How far the motion is let through at each cell, 0 (frozen) to 1, and how far at each
/// pixel of the network's input by the segment to which it belongs; given the
/// probabilities that what stands there is movable and that it has no colour of its own,
/// its mobility, and the segments.
pub fn gate(
    [movable, shapeless]: [&Plane<f32>; 2],
    mobility: &Plane<f32>,
    segments: &Plane<u32>,
) -> (Plane<f32>, Plane<f32>) {
    let mut gate = of_cells(movable, mobility);
    let open = open_shares(&gate, segments);
    let mut matte = shapeless
        .map(|probability| smoothstep(SHAPELESS, probability))
        .resized(segments.width_px, segments.height_px);
    for (open_here, number) in matte.samples.iter_mut().zip(&segments.samples) {
        *open_here = open_here.max(open[*number as usize]);
    }
    for (cell, gate) in gate.samples.iter_mut().enumerate() {
        let [left, top] =
            [cell % movable.width_px, cell / movable.width_px].map(|cells| cells * GRID_STRIDE_PX);
        let pixels = (top..top + GRID_STRIDE_PX)
            .flat_map(|row| &matte.row(row)[left..left + GRID_STRIDE_PX]);
        *gate *= pixels.sum::<f32>() / (GRID_STRIDE_PX * GRID_STRIDE_PX) as f32;
    }
    (gate, matte)
}

/// Shuts a gate around cells: fully within the first distance from the nearest, in cells,
/// and no more from the second on.
pub fn shut_around(gate: &mut Plane<f32>, cells: &Plane<bool>, rim_cells: [f32; 2]) {
    let away = distances(cells);
    for (open, away) in gate.samples.iter_mut().zip(&away.samples) {
        *open *= smoothstep(rim_cells, *away);
    }
}

/// How far each segment may move, given how much of it is shut, 0 to 1.
fn open_shares(gate: &Plane<f32>, segments: &Plane<u32>) -> Vec<f32> {
    let count = segments
        .samples
        .iter()
        .max()
        .map_or(0, |most| *most as usize + 1);
    let mut of_segment = vec![(0.0f32, 0u32); count];
    let fine = gate.resized(segments.width_px, segments.height_px);
    for (number, open) in segments.samples.iter().zip(&fine.samples) {
        let (shut, pixels) = &mut of_segment[*number as usize];
        *shut += 1.0 - open;
        *pixels += 1;
    }
    of_segment
        .into_iter()
        .map(|(shut, pixels)| 1.0 - smoothstep(SHUT_SHARE, shut / pixels as f32))
        .collect()
}

/// The gate of cells and regions, whatever the still looks like.
fn of_cells(movable: &Plane<f32>, mobility: &Plane<f32>) -> Plane<f32> {
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
        of_cells(movable, &movable.map(|_| 1.0))
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
        let gate = of_cells(&sure, &mobility);
        assert_eq!((gate.at(3, 3), gate.at(20, 3)), (0.0, 1.0));
    }

    #[test]
    fn a_thing_of_one_colour_of_which_much_is_shut_rests_as_a_whole() {
        // The network is sure of the boat's ends alone; a sail is open but for a corner,
        // and half of a fall is shut.
        let boat = |x: usize, y: usize| (6..16).contains(&x) && (8..12).contains(&y);
        let sail = |x: usize, y: usize| (6..16).contains(&x) && (1..7).contains(&y);
        let fall = |x: usize, y: usize| x >= 18 && y >= 8;
        let end = |x: usize| !(9..13).contains(&x);
        let movable = Plane::from_fn(24, 16, |x, y| {
            let is_shut =
                boat(x, y) && end(x) || sail(x, y) && x < 7 && y < 2 || fall(x, y) && x < 21;
            if is_shut { 0.2 } else { 0.99 }
        });
        let segments = Plane::from_fn(24 * GRID_STRIDE_PX, 16 * GRID_STRIDE_PX, |x, y| {
            let (x, y) = (x / GRID_STRIDE_PX, y / GRID_STRIDE_PX);
            u32::from(boat(x, y)) + 2 * u32::from(sail(x, y)) + 3 * u32::from(fall(x, y))
        });
        let shapeless = Plane::from_fn(24, 16, |x, y| f32::from(u8::from(fall(x, y))));
        let (gate, matte) = gate([&movable, &shapeless], &movable.map(|_| 1.0), &segments);
        assert_eq!((gate.at(7, 9), gate.at(11, 10)), (0.0, 0.0));
        assert_eq!(
            (gate.at(11, 4), gate.at(3, 10), gate.at(22, 12)),
            (1.0, 1.0, 1.0)
        );
        assert_eq!(gate.at(6, 1), 0.0);
        assert_eq!((matte.at(40, 36), matte.at(4, 36)), (0.0, 1.0));
    }
}
