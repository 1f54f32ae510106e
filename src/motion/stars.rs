//! Stars do not go with the clouds.
//!
//! The network knows a night sky as sky, and sky drifts. A point of light in the dark is
//! no cloud: it is a star, a lamp or a spark, and rests with what is around it. Of 2,989
//! photos with sky there are such in 121, in nearly all of them at night, else they are
//! wires and lettering. Where they are everywhere, the sky rests as a whole.

use super::{gate::shut_around, smoothstep};
use crate::{picture::Plane, scene::GRID_STRIDE_PX};

/// Probability of sky from which a place counts as such.
const SKY: f32 = 0.5;
/// How far around it a point of light is compared, in pixels of the network's input.
const AROUND_PX: usize = 2;
/// Cells from one between which the sky's own motion returns.
const RIM_CELLS: [f32; 2] = [1.0, 4.0];
/// Mean luma of the darkest sky that is no night.
const NIGHT_MAX: f32 = 90.0;
/// Side of the squares into which the night sky is cut, in cells, and the share of them
/// in which there are stars, bright or faint, if it is a sky of stars.
const SQUARE_CELLS: usize = 4;
const STARRY: f32 = 0.25;
/// Probability of sky between which a place belongs to it.
const SKY_EDGE: [f32; 2] = [0.3, 0.6];

/// Brightest luma around a point of light, and by how much it is brighter.
#[derive(Clone, Copy)]
struct Point {
    around_max: f32,
    contrast_min: f32,
}

impl Point {
    fn is_at(self, luma: &Plane<f32>, x: usize, y: usize) -> bool {
        let far = 2 * AROUND_PX;
        let square = (0..=far).flat_map(|dy| (0..=far).map(move |dx| (dx, dy)));
        square
            .filter(|(dx, dy)| [0, far].contains(dx) || [0, far].contains(dy))
            .map(|(dx, dy)| luma.at(x + dx - AROUND_PX, y + dy - AROUND_PX))
            .all(|beside| beside < self.around_max && luma.at(x, y) > beside + self.contrast_min)
    }
}

/// One that is a star wherever it is.
const BRIGHT: Point = Point {
    around_max: 70.0,
    contrast_min: 25.0,
};
/// One that is a star among others.
const FAINT: Point = Point {
    around_max: 140.0,
    contrast_min: 10.0,
};

/// Shuts `gate` around points of light in the dark, given the luma that the network was
/// shown, 0 to 255, and the probability of sky on the grid.
pub fn hold(gate: &mut Plane<f32>, luma: &Plane<f32>, sky: &Plane<f32>) {
    shut_around(gate, &cells_with(BRIGHT, luma, sky), RIM_CELLS);
    if is_starry(luma, sky) {
        for (open, sky) in gate.samples.iter_mut().zip(&sky.samples) {
            *open *= 1.0 - smoothstep(SKY_EDGE, *sky);
        }
    }
}

/// Whether the sky is dark and full of stars.
fn is_starry(luma: &Plane<f32>, sky: &Plane<f32>) -> bool {
    let is_sky = |cell: &usize| sky.samples[*cell] >= SKY;
    let in_sky: Vec<usize> = (0..sky.samples.len()).filter(is_sky).collect();
    let [columns, rows] = [sky.width_px, sky.height_px];
    let shown = luma.resized(columns, rows);
    let sum: f32 = in_sky.iter().map(|cell| shown.samples[*cell]).sum();
    if in_sky.is_empty() || sum > NIGHT_MAX * in_sky.len() as f32 {
        return false;
    }
    let stars = cells_with(FAINT, luma, sky);
    let across = columns.div_ceil(SQUARE_CELLS);
    let square =
        |cell: usize| cell / columns / SQUARE_CELLS * across + cell % columns / SQUARE_CELLS;
    let mut squares = vec![(0usize, false); across * rows.div_ceil(SQUARE_CELLS)];
    for cell in in_sky {
        let (cells, has_star) = &mut squares[square(cell)];
        *cells += 1;
        *has_star |= stars.samples[cell];
    }
    squares.retain(|(cells, _)| 2 * cells >= SQUARE_CELLS * SQUARE_CELLS);
    let starry = squares.iter().filter(|(_, has_star)| *has_star).count();
    starry > 0 && starry as f32 >= STARRY * squares.len() as f32
}

/// The cells of sky in which there is such a point of light.
fn cells_with(point: Point, luma: &Plane<f32>, sky: &Plane<f32>) -> Plane<bool> {
    let mut cells = sky.map(|_| false);
    for y in AROUND_PX..luma.height_px - AROUND_PX {
        for x in AROUND_PX..luma.width_px - AROUND_PX {
            let [column, row] = [x, y].map(|at| at / GRID_STRIDE_PX);
            if sky.at(column, row) >= SKY && point.is_at(luma, x, y) {
                cells.row_mut(row)[column] = true;
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: usize = 40;
    const ROWS: usize = 24;

    /// How far the gate is open at the point of light, and far from it.
    fn openness(sky_luma: f32, side_px: usize, sky: f32) -> [f32; 2] {
        let at = [10, 12].map(|cell| cell * GRID_STRIDE_PX + 1);
        let luma = Plane::from_fn(COLUMNS * GRID_STRIDE_PX, ROWS * GRID_STRIDE_PX, |x, y| {
            let is_light = [x, y]
                .into_iter()
                .zip(at)
                .all(|(to, from)| (from..from + side_px).contains(&to));
            if is_light { sky_luma + 60.0 } else { sky_luma }
        });
        let mut gate = Plane::filled(COLUMNS, ROWS, 1.0);
        hold(&mut gate, &luma, &Plane::filled(COLUMNS, ROWS, sky));
        [gate.at(10, 12), gate.at(30, 12)]
    }

    #[test]
    fn a_star_rests_and_the_sky_far_from_it_moves() {
        assert_eq!(openness(20.0, 1, 1.0), [0.0, 1.0]);
        assert_eq!(openness(20.0, 2, 1.0), [0.0, 1.0]);
    }

    #[test]
    fn no_cloud_and_nothing_by_day_is_a_star() {
        assert_eq!(openness(20.0, 12, 1.0), [1.0, 1.0]);
        assert_eq!(openness(120.0, 1, 1.0), [1.0, 1.0]);
        assert_eq!(openness(20.0, 1, 0.2), [1.0, 1.0]);
    }

    #[test]
    fn a_sky_full_of_faint_stars_rests_as_a_whole() {
        let openness = |apart_px: usize, sky_luma: f32| {
            let luma = Plane::from_fn(COLUMNS * GRID_STRIDE_PX, ROWS * GRID_STRIDE_PX, |x, y| {
                let is_star = x % apart_px == 5 && y % apart_px == 5;
                if is_star { sky_luma + 15.0 } else { sky_luma }
            });
            let mut gate = Plane::filled(COLUMNS, ROWS, 1.0);
            let sky = Plane::from_fn(COLUMNS, ROWS, |_, y| f32::from(u8::from(y < 16)));
            hold(&mut gate, &luma, &sky);
            [gate.at(20, 8), gate.at(20, 20)]
        };
        assert_eq!(openness(20, 60.0), [0.0, 1.0]);
        assert_eq!(openness(70, 60.0), [1.0, 1.0]);
        assert_eq!(openness(20, 120.0), [1.0, 1.0]);
    }
}
