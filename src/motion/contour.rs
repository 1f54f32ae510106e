//! What is seen through smoke stays where it is.
//!
//! Smoke is where something else is seen, too, and would take it along: the far rim of a
//! cup bulged with its steam. A contour is known where it stands in the open, and is
//! followed from there as far into the smoke as it goes on its way; wisps turn aside.

use super::gate::shut_around;
use crate::{
    picture::{Plane, spread},
    scene::GRID_STRIDE_PX,
};

/// Probability of smoke from which a place is not in the open: less than what moves, for
/// the network ends a plume before its last wisps.
const SMOKE: f32 = 0.1;
/// Pixels of a cell in which contours are looked for: at the size that the network sees,
/// a rim is lost in the steam. Where the still has fewer, they are fewer.
const CELL_PX: usize = 12;
/// How strong the gradient is along a contour, in grey levels a pixel, and which share of it
/// goes one way.
const STRENGTH_MIN: f32 = 4.0;
const COHERENCE_MIN: f32 = 0.45;
/// Largest angle between a contour and the step from cell to cell, and between two cells'
/// contours, in degrees. Steps go in eight directions, so less than 22.5 would lose some.
const TURN_MAX_DEG: f32 = 35.0;
/// Fewer cells in a row are chance.
const CELLS_MIN: usize = 3;
/// Cells around a contour between which the smoke's own motion returns.
const RIM_CELLS: [f32; 2] = [1.0, 3.0];

/// Shuts `gate` and `matte` where contours of what rests go on behind smoke, given the
/// still's luma and the probability of smoke on the grid.
pub fn hold(gate: &mut Plane<f32>, matte: &mut Plane<f32>, luma: &Plane<u8>, smoke: &Plane<f32>) {
    let is_smoke = smoke.map(|probability| probability > SMOKE);
    let moves = |(open, is_smoke): (&f32, &bool)| *open > 0.0 && *is_smoke;
    if !gate.samples.iter().zip(&is_smoke.samples).any(moves) {
        return;
    }
    let held = followed(
        &is_smoke,
        &contours(luma, &spread(&is_smoke, 1, |a, b| a || b)),
    );
    shut_around(gate, &held, RIM_CELLS);
    let columns = matte.width_px;
    for (pixel, open) in matte.samples.iter_mut().enumerate() {
        let [x, y] = [pixel % columns, pixel / columns].map(|at| at / GRID_STRIDE_PX);
        if held.at(x, y) {
            *open = 0.0;
        }
    }
}

/// The direction of the contour in each of the cells that are asked for, of length 1, if
/// there is one.
fn contours(luma: &Plane<u8>, is_asked: &Plane<bool>) -> Plane<Option<[f32; 2]>> {
    let [columns, rows] = [is_asked.width_px, is_asked.height_px];
    let cell_px = (luma.width_px / columns).clamp(GRID_STRIDE_PX, CELL_PX);
    let fine = luma.shrunk(columns * cell_px, rows * cell_px);
    // A line takes up more of a cell that has fewer pixels.
    let strength_min = STRENGTH_MIN * (CELL_PX as f32 / cell_px as f32).sqrt();
    let margin = cell_px / 6;
    let around = |cell: usize, last: usize| {
        (cell * cell_px).saturating_sub(margin).max(1)..((cell + 1) * cell_px + margin).min(last)
    };
    Plane::from_fn(columns, rows, |column, row| {
        if !is_asked.at(column, row) {
            return None;
        }
        // The structure tensor: means of the products of the gradient's parts.
        let (mut across, mut down, mut both, mut count) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
        for y in around(row, fine.height_px - 1) {
            for x in around(column, fine.width_px - 1) {
                let right = (fine.at(x + 1, y) - fine.at(x - 1, y)) / 2.0;
                let below = (fine.at(x, y + 1) - fine.at(x, y - 1)) / 2.0;
                across += right * right;
                down += below * below;
                both += right * below;
                count += 1.0;
            }
        }
        let power = across + down;
        let one_way = (across - down).hypot(2.0 * both);
        let is_contour = power > count * strength_min.powi(2) && one_way > COHERENCE_MIN * power;
        is_contour.then(|| {
            let gradient = 0.5 * (2.0 * both).atan2(across - down);
            [-gradient.sin(), gradient.cos()]
        })
    })
}

/// The cells of smoke through which contours go on that begin outside.
fn followed(is_smoke: &Plane<bool>, contours: &Plane<Option<[f32; 2]>>) -> Plane<bool> {
    let [columns, rows] = [is_smoke.width_px, is_smoke.height_px];
    let likeness_min = TURN_MAX_DEG.to_radians().cos();
    let is_along = |a: [f32; 2], b: [f32; 2]| {
        (a[0] * b[0] + a[1] * b[1]).abs() >= likeness_min * b[0].hypot(b[1])
    };
    let mut held = is_smoke.map(|_| false);
    // Where each cell was last reached from.
    let mut reached_from = is_smoke.map(|_| usize::MAX);
    for start in 0..is_smoke.samples.len() {
        if is_smoke.samples[start] || contours.samples[start].is_none() {
            continue;
        }
        let mut found = Vec::new();
        let mut open = vec![start];
        while let Some(cell) = open.pop() {
            let (x, y) = (cell % columns, cell / columns);
            let Some(way) = contours.samples[cell] else {
                continue;
            };
            for next_y in y.saturating_sub(1)..(y + 2).min(rows) {
                for next_x in x.saturating_sub(1)..(x + 2).min(columns) {
                    let next = next_y * columns + next_x;
                    let step = [next_x as f32 - x as f32, next_y as f32 - y as f32];
                    let goes_on = is_smoke.samples[next]
                        && reached_from.samples[next] != start
                        && is_along(way, step)
                        && contours.samples[next]
                            .is_some_and(|on| is_along(on, step) && is_along(on, way));
                    if goes_on {
                        reached_from.samples[next] = start;
                        found.push(next);
                        open.push(next);
                    }
                }
            }
        }
        if found.len() >= CELLS_MIN {
            found.into_iter().for_each(|cell| held.samples[cell] = true);
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: usize = 40;
    const ROWS: usize = 24;

    /// Smoke in the middle of a wall, with wisps that rise in it; a rim goes across it all
    /// in row 14. The cells of smoke that rest.
    fn shut_cells(cell_px: usize) -> Vec<(usize, usize)> {
        let is_smoke = |x: usize, y: usize| (14..26).contains(&x) && y < 18;
        let luma = Plane::from_fn(COLUMNS * cell_px, ROWS * cell_px, |x, y| {
            let (column, row) = (x / cell_px, y / cell_px);
            let is_line = |at: usize| (at % cell_px).abs_diff(cell_px / 2) < cell_px.div_ceil(12);
            let is_rim = row == 14 && is_line(y);
            let is_wisp = is_smoke(column, row) && row < 12 && column % 3 == 0 && is_line(x);
            100 + 60 * u8::from(is_rim) + 60 * u8::from(is_wisp)
        });
        let smoke = Plane::from_fn(COLUMNS, ROWS, |x, y| f32::from(u8::from(is_smoke(x, y))));
        let mut gate = smoke.clone();
        let mut matte = Plane::filled(COLUMNS * GRID_STRIDE_PX, ROWS * GRID_STRIDE_PX, 1.0);
        hold(&mut gate, &mut matte, &luma, &smoke);
        let cells = (0..COLUMNS * ROWS).map(|cell| (cell % COLUMNS, cell / COLUMNS));
        let shut: Vec<_> = cells
            .filter(|(x, y)| is_smoke(*x, *y) && gate.at(*x, *y) == 0.0)
            .collect();
        let [column, row] = [20, 14].map(|cell| cell * GRID_STRIDE_PX);
        assert_eq!(matte.at(column, row) == 0.0, shut.contains(&(20, 14)));
        shut
    }

    #[test]
    fn a_rim_rests_behind_the_smoke_and_wisps_rise() {
        for cell_px in [4, 12, 30] {
            let shut = shut_cells(cell_px);
            assert!(
                (14..26).all(|x| shut.contains(&(x, 14))),
                "{cell_px}: {shut:?}"
            );
            assert!(
                shut.iter().all(|(_, y)| (13..16).contains(y)),
                "{cell_px}: {shut:?}"
            );
        }
    }

    #[test]
    fn what_begins_in_the_smoke_belongs_to_it() {
        let begins_in_it = |rim_from| {
            let is_smoke = Plane::from_fn(COLUMNS, ROWS, |x, y| x >= 14 && y < 18);
            let contours = Plane::from_fn(COLUMNS, ROWS, |x, y| {
                (y == 14 && x >= rim_from).then_some([1.0, 0.0])
            });
            !followed(&is_smoke, &contours).samples.contains(&true)
        };
        assert!(begins_in_it(16));
        assert!(!begins_in_it(12));
    }
}
