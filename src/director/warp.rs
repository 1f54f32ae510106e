//! What the motion does to the shape of things, seen before anything is drawn.
//!
//! A pixel at `x` shows what stands at `x - d(x)` in the still. The Jacobian of
//! that map is `J = I - grad d`: its determinant is 0 or less where the picture
//! folds over, its singular values say how much it is squeezed (above 1) or
//! stretched (below 1) along two directions. Between four nodes `d` is bilinear
//! and the determinant affine, so that it is least at one of the four; the
//! larger singular value, a norm, is largest there too.

use rayon::prelude::*;

use crate::{
    frames::{
        field::{Field, Moment, NODE_STRIDE_PX},
        state::NodeState,
    },
    picture::Plane,
};

/// A layer with less than this share of the picture is no more than a shadow on
/// the other, however bent.
const SHARE_MIN: f32 = 0.15;
/// Rows of cells that are looked at together, at all moments while their nodes are
/// in the cache.
const BAND_ROWS: usize = 8;

/// How far one place is bent at worst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bend {
    /// Least determinant of the Jacobian: 1 at rest, 0 or less where the picture
    /// folds over.
    pub fold: f32,
    /// Least singular value: 1 at rest, 0.5 where things are stretched to twice
    /// their length.
    pub stretch: f32,
    /// Largest singular value: 1 at rest, 2 where things are squeezed to half
    /// their length.
    pub squeeze: f32,
    /// How far beyond the picture's edge the pixels come from, in picture
    /// widths; not finite where they come from nowhere.
    pub outside: f32,
}

impl Bend {
    /// What rests.
    pub const NONE: Self = Self {
        fold: 1.0,
        stretch: 1.0,
        squeeze: 1.0,
        outside: 0.0,
    };

    /// The worse of both in every respect. What is no number is the worst.
    pub fn worse(self, other: Self) -> Self {
        Self {
            fold: least(self.fold, other.fold),
            stretch: least(self.stretch, other.stretch),
            squeeze: most(self.squeeze, other.squeeze),
            outside: most(self.outside, other.outside),
        }
    }

    /// The bend between four nodes (upper left, upper right, lower left, lower
    /// right) that are displaced by so many pixels; not where it comes from.
    fn between(displacements: [[f32; 2]; 4]) -> Self {
        let [a, b, c, d] = displacements;
        let slope = |from: [f32; 2], to: [f32; 2]| {
            [0, 1].map(|axis| (to[axis] - from[axis]) * (1.0 / NODE_STRIDE_PX as f32))
        };
        let across = [slope(a, b), slope(c, d)];
        let down = [slope(a, c), slope(b, d)];
        let mut worst = Self::NONE;
        for [right_x, right_y] in across {
            for [below_x, below_y] in down {
                let (xx, xy, yx, yy) = (1.0 - right_x, -below_x, -right_y, 1.0 - below_y);
                let fold = xx * yy - xy * yx;
                let power = xx * xx + xy * xy + yx * yx + yy * yy;
                let apart = (power * power - 4.0 * fold * fold).max(0.0).sqrt();
                let squeeze = (0.5 * (power + apart)).sqrt();
                worst = worst.worse(Self {
                    fold,
                    stretch: fold.abs() / squeeze.max(f32::MIN_POSITIVE),
                    squeeze,
                    outside: 0.0,
                });
            }
        }
        worst
    }
}

/// The worst bend of every cell between four nodes, at so many moments of a loop.
/// Only cells that follow the motion fully are judged: at the border of what moves
/// the mask fades it within a few pixels, on purpose. What moves as it did in the
/// field `before` is bent as it was there.
pub fn bends(
    field: &Field,
    mask: &Plane<u8>,
    moments: usize,
    before: Option<&(Field, Plane<Bend>)>,
) -> Plane<Bend> {
    let mut bends = Plane::filled(field.columns - 1, field.rows - 1, Bend::NONE);
    let mut cells = judged_cells(field, mask);
    if let Some((before, bent)) = before {
        cells.retain(|(column, row)| {
            let mut nodes = corners(*column, *row).into_iter();
            let is_alike = nodes.all(|(column, row)| field.is_alike(before, column, row));
            if is_alike {
                bends.row_mut(*row)[*column] = bent.at(*column, *row);
            }
            !is_alike
        });
    }
    let size_px = [mask.width_px, mask.height_px].map(|side| side as f32);
    // The golden section is in step with no harmonic.
    let phases = (1..=moments).map(|moment| (moment as f32 * 0.618_034).fract());
    let moments: Vec<Moment> = phases.map(|phase| field.moment(phase)).collect();
    let columns = bends.width_px;
    let bands = bends.samples.par_chunks_mut(BAND_ROWS * columns);
    bands.enumerate().for_each(|(band, bends)| {
        let first_row = band * BAND_ROWS;
        let [from, to] = [first_row, first_row + BAND_ROWS]
            .map(|end| cells.partition_point(|(_, row)| *row < end));
        let cells = &cells[from..to];
        let nodes = corners_of(field, cells);
        let mut states = Plane::filled(field.columns, BAND_ROWS + 1, NodeState::RESTING);
        for moment in &moments {
            for (column, row) in &nodes {
                states.row_mut(row - first_row)[*column] = field.state(*column, *row, moment);
            }
            for (column, row) in cells {
                let bend = bend_at(&states, first_row, (*column, *row), size_px);
                let worst = &mut bends[(row - first_row) * columns + column];
                *worst = worst.worse(bend);
            }
        }
    });
    bends
}

/// The smaller of two; no number is smaller than any.
fn least(a: f32, b: f32) -> f32 {
    if a < b || a.is_nan() { a } else { b }
}

/// The larger of two; no number is larger than any.
fn most(a: f32, b: f32) -> f32 {
    if a > b || a.is_nan() { a } else { b }
}

/// Columns and rows of the cells that move and follow the motion fully.
fn judged_cells(field: &Field, mask: &Plane<u8>) -> Vec<(usize, usize)> {
    let follows = |column: usize, row: usize| {
        let span = |cell: usize, length: usize| {
            (cell * NODE_STRIDE_PX).min(length)..((cell + 1) * NODE_STRIDE_PX).min(length)
        };
        let columns = span(column, mask.width_px);
        let mut rows = span(row, mask.height_px);
        !columns.is_empty()
            && !rows.is_empty()
            && rows.all(|y| mask.row(y)[columns.clone()].iter().all(|m| *m == 255))
    };
    let moves = |column: usize, row: usize| {
        let mut corners = corners(column, row).into_iter();
        corners.any(|(column, row)| field.is_active(column, row))
    };
    (0..field.rows - 1)
        .flat_map(|row| (0..field.columns - 1).map(move |column| (column, row)))
        .filter(|(column, row)| moves(*column, *row) && follows(*column, *row))
        .collect()
}

/// The nodes around a cell: upper left, upper right, lower left, lower right.
fn corners(column: usize, row: usize) -> [(usize, usize); 4] {
    [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(right, below)| (column + right, row + below))
}

/// Every node around some cells that ever moves, once.
fn corners_of(field: &Field, cells: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut nodes: Vec<_> = cells
        .iter()
        .flat_map(|(column, row)| corners(*column, *row))
        .filter(|(column, row)| field.is_active(*column, *row))
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// The bend of one cell, given the states from one row of nodes on.
fn bend_at(
    states: &Plane<NodeState>,
    first_row: usize,
    (column, row): (usize, usize),
    size_px: [f32; 2],
) -> Bend {
    let nodes = corners(column, row);
    let states = nodes.map(|(column, row)| states.at(column, row - first_row));
    let mut worst = Bend::NONE;
    let mut layer = |displacements: [[f32; 2]; 4]| {
        let bend = Bend::between(displacements);
        let outside = nodes
            .iter()
            .zip(displacements)
            .map(|((column, row), moved)| {
                let from = [*column, *row].map(|node| (node * NODE_STRIDE_PX) as f32);
                let beyond = |axis: usize| {
                    let at = from[axis] - moved[axis];
                    // Nodes beyond the edge are no pixels themselves.
                    let last = from[axis].max(size_px[axis]);
                    most(-at, at - last)
                };
                most(beyond(0), beyond(1)) / size_px[0]
            });
        let outside = outside.fold(0.0f32, most);
        worst = worst.worse(Bend { outside, ..bend });
    };
    if states.iter().any(|state| state.far_share < 1.0 - SHARE_MIN) {
        layer(states.map(|state| state.near_px));
    }
    if states.iter().any(|state| state.far_share > SHARE_MIN) {
        layer(states.map(|state| state.far_px));
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Displacements of four nodes by a linear map of their positions.
    fn corners_of_map([xx, xy, yx, yy]: [f32; 4]) -> [[f32; 2]; 4] {
        let side = NODE_STRIDE_PX as f32;
        [[0.0, 0.0], [side, 0.0], [0.0, side], [side, side]]
            .map(|[x, y]| [xx * x + xy * y, yx * x + yy * y])
    }

    #[track_caller]
    fn assert_bend(map: [f32; 4], [fold, stretch, squeeze]: [f32; 3]) {
        let bend = Bend::between(corners_of_map(map));
        let all = [
            bend.fold - fold,
            bend.stretch - stretch,
            bend.squeeze - squeeze,
        ];
        assert!(all.iter().all(|off| off.abs() < 1e-5), "{map:?}: {bend:?}");
    }

    #[test]
    fn maps_of_known_jacobian() {
        // Moved as a whole; twice as long; squeezed to a third, which folds and
        // stretches no more than rest does; mirrored.
        assert_bend([0.0; 4], [1.0, 1.0, 1.0]);
        assert_bend([0.5, 0.0, 0.0, 0.0], [0.5, 0.5, 1.0]);
        assert_bend([-2.0, 0.0, 0.0, -2.0], [1.0, 1.0, 3.0]);
        assert_bend([2.0, 0.0, 0.0, 0.0], [-1.0, 1.0, 1.0]);
        // A shear by one keeps the area: the singular values are the golden
        // section and its inverse.
        assert_bend([0.0, 1.0, 0.0, 0.0], [1.0, 0.618_034, 1.618_034]);
        // A turn by a right angle bends nothing: I - grad d is the rotation.
        assert_bend([1.0, -1.0, 1.0, 1.0], [1.0, 1.0, 1.0]);
    }

    #[test]
    fn one_bad_corner_is_enough_and_no_number_is_the_worst() {
        let mut corners = corners_of_map([0.0; 4]);
        corners[3][0] = 10.0;
        assert!(Bend::between(corners).fold < 0.0);
        corners[3][0] = f32::NAN;
        let bend = Bend::between(corners);
        assert!(bend.fold.is_nan() && bend.stretch.is_nan() && bend.squeeze.is_nan());
        assert!(Bend::NONE.worse(bend).fold.is_nan());
        assert!(bend.worse(Bend::NONE).squeeze.is_nan());
    }

    #[test]
    fn what_comes_from_outside_is_measured_in_widths() {
        let mut states = Plane::filled(5, 5, NodeState::RESTING);
        let size_px = [32.0, 32.0];
        assert_eq!(bend_at(&states, 0, (0, 0), size_px), Bend::NONE);
        // All of it moves eight pixels to the right, so the left edge shows what
        // stands eight pixels beyond it.
        for state in &mut states.samples {
            state.near_px = [8.0, 0.0];
        }
        assert_eq!(bend_at(&states, 0, (0, 0), size_px).outside, 0.25);
        assert_eq!(bend_at(&states, 0, (1, 0), size_px).outside, 0.0);
        // A second layer that is hardly seen does not count.
        for state in &mut states.samples {
            (state.far_px, state.far_share) = ([f32::INFINITY, 0.0], 0.1);
        }
        assert_eq!(bend_at(&states, 0, (1, 0), size_px).outside, 0.0);
        states.samples[6].far_share = 0.2;
        assert!(!bend_at(&states, 0, (1, 1), size_px).outside.is_finite());
    }
}
