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

    /// The bend by one Jacobian.
    fn of(jacobian: Jacobian) -> Self {
        let Jacobian { fold, power } = jacobian;
        let apart = (power * power - 4.0 * fold * fold).max(0.0).sqrt();
        let squeeze = (0.5 * (power + apart)).sqrt();
        Self {
            fold,
            stretch: fold.abs() / squeeze.max(f32::MIN_POSITIVE),
            squeeze,
            outside: 0.0,
        }
    }

    /// Whether a Jacobian bends no more than this, told without its roots: both
    /// squares of the singular values, the zeros of `x^2 - power x + fold^2`, lie
    /// between those of this bend where the parabola is not negative at either and
    /// its lowest point is between them.
    fn covers(self, Jacobian { fold, power }: Jacobian) -> bool {
        let [low, high] = [self.stretch * self.stretch, self.squeeze * self.squeeze];
        let above_zero = |x: f32| x * (x - power) + fold * fold >= 0.0;
        (fold >= self.fold)
            & (2.0 * low <= power)
            & (power <= 2.0 * high)
            & above_zero(low)
            & above_zero(high)
    }

    /// This, or what is worse between four nodes (upper left, upper right, lower
    /// left, lower right) that are displaced by so many pixels; not where it comes
    /// from.
    fn between(self, displacements: [[f32; 2]; 4]) -> Self {
        let jacobians = jacobians(displacements);
        if jacobians.iter().all(|jacobian| self.covers(*jacobian)) {
            return self;
        }
        let bends = jacobians.into_iter().map(Self::of);
        bends.fold(self, Self::worse)
    }
}

/// What the bend follows from: the determinant of a Jacobian and the sum of its
/// squares, which is that of the squares of its singular values.
#[derive(Clone, Copy, Debug)]
struct Jacobian {
    fold: f32,
    power: f32,
}

/// The Jacobians at four nodes that are displaced by so many pixels.
fn jacobians([a, b, c, d]: [[f32; 2]; 4]) -> [Jacobian; 4] {
    let slope = |from: [f32; 2], to: [f32; 2]| {
        [0, 1].map(|axis| (to[axis] - from[axis]) * (1.0 / NODE_STRIDE_PX as f32))
    };
    let (across, down) = ([slope(a, b), slope(c, d)], [slope(a, c), slope(b, d)]);
    [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(above, left)| {
        let ([right_x, right_y], [below_x, below_y]) = (across[above], down[left]);
        let (xx, xy, yx, yy) = (1.0 - right_x, -below_x, -right_y, 1.0 - below_y);
        Jacobian {
            fold: xx * yy - xy * yx,
            power: xx * xx + xy * xy + yx * yx + yy * yy,
        }
    })
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
                let worst = &mut bends[(row - first_row) * columns + column];
                *worst = bent_again(*worst, &states, first_row, (*column, *row), size_px);
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

/// The worst bend of a cell so far and with the states from one row of nodes on.
fn bent_again(
    mut worst: Bend,
    states: &Plane<NodeState>,
    first_row: usize,
    (column, row): (usize, usize),
    size_px: [f32; 2],
) -> Bend {
    let nodes = corners(column, row);
    let from = nodes.map(|(column, row)| [column, row].map(|node| (node * NODE_STRIDE_PX) as f32));
    let states = nodes.map(|(column, row)| states.at(column, row - first_row));
    // Whatever moves no farther than the edge is away comes from inside.
    let edge_px = [0, 1].map(|axis| from[0][axis].min(size_px[axis] - from[3][axis]));
    let edge_px = edge_px[0].min(edge_px[1]);
    let mut layer = |displacements: [[f32; 2]; 4]| {
        worst = worst.between(displacements);
        let ways = displacements.as_flattened().iter();
        if !ways.fold(true, |all, way| all & (way.abs() <= edge_px)) {
            let outside = outside_px(from, displacements, size_px) / size_px[0];
            worst.outside = most(worst.outside, outside);
        }
    };
    if states.iter().any(|state| state.far_share < 1.0 - SHARE_MIN) {
        layer(states.map(|state| state.near_px));
    }
    if states.iter().any(|state| state.far_share > SHARE_MIN) {
        layer(states.map(|state| state.far_px));
    }
    worst
}

/// How far beyond the picture's edge the nodes at these places come from.
fn outside_px(from: [[f32; 2]; 4], moved: [[f32; 2]; 4], size_px: [f32; 2]) -> f32 {
    let mut outside = 0.0;
    for (from, moved) in from.into_iter().zip(moved) {
        for axis in [0, 1] {
            let at = from[axis] - moved[axis];
            // Nodes beyond the edge are no pixels themselves.
            let last = from[axis].max(size_px[axis]);
            outside = most(outside, most(-at, at - last));
        }
    }
    outside
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
        let bend = Bend::NONE.between(corners_of_map(map));
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
        assert!(Bend::NONE.between(corners).fold < 0.0);
        corners[3][0] = f32::NAN;
        let bend = Bend::NONE.between(corners);
        assert!(bend.fold.is_nan() && bend.stretch.is_nan() && bend.squeeze.is_nan());
        assert!(Bend::NONE.worse(bend).fold.is_nan());
        assert!(bend.worse(Bend::NONE).squeeze.is_nan());
    }

    #[test]
    fn what_is_left_out_is_no_worse_than_what_was_seen() {
        let mut rng = fastrand::Rng::with_seed(11);
        let mut left_out = 0;
        for _ in 0..200 {
            let (mut worst, mut plain) = (Bend::NONE, Bend::NONE);
            let most_px = 8.0 * rng.f32();
            for _ in 0..24 {
                let displacements = [(); 4].map(|()| [(); 2].map(|()| most_px * rng.f32()));
                left_out += usize::from(worst.between(displacements) == worst);
                worst = worst.between(displacements);
                let bends = jacobians(displacements).into_iter().map(Bend::of);
                plain = bends.fold(plain, Bend::worse);
            }
            let off = [
                worst.fold - plain.fold,
                worst.stretch - plain.stretch,
                worst.squeeze - plain.squeeze,
            ];
            assert!(
                off.iter().all(|off| off.abs() < 1e-3),
                "{worst:?} is {plain:?}"
            );
        }
        assert!(left_out > 1000, "{left_out} of 4800 are left out");
    }

    #[test]
    fn what_comes_from_outside_is_measured_in_widths() {
        let mut states = Plane::filled(5, 5, NodeState::RESTING);
        let size_px = [32.0, 32.0];
        assert_eq!(
            bent_again(Bend::NONE, &states, 0, (0, 0), size_px),
            Bend::NONE
        );
        // All of it moves eight pixels to the right, so the left edge shows what
        // stands eight pixels beyond it.
        for state in &mut states.samples {
            state.near_px = [8.0, 0.0];
        }
        assert_eq!(
            bent_again(Bend::NONE, &states, 0, (0, 0), size_px).outside,
            0.25
        );
        assert_eq!(
            bent_again(Bend::NONE, &states, 0, (1, 0), size_px).outside,
            0.0
        );
        // A second layer that is hardly seen does not count.
        for state in &mut states.samples {
            (state.far_px, state.far_share) = ([f32::INFINITY, 0.0], 0.1);
        }
        assert_eq!(
            bent_again(Bend::NONE, &states, 0, (1, 0), size_px).outside,
            0.0
        );
        states.samples[6].far_share = 0.2;
        assert!(
            !bent_again(Bend::NONE, &states, 0, (1, 1), size_px)
                .outside
                .is_finite()
        );
    }
}
