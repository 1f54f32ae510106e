//! The motion of one moment at the nodes, in the whole numbers of the kernels.

use rayon::prelude::*;

use crate::{
    arch::{
        Node,
        node::{LIGHT_PARTS, WAY_PARTS, WEIGHT_PARTS},
        padded::GREY_PARTS,
    },
    frames::{
        field::{Field, Moment, NODE_STRIDE_PX},
        texture::Texture,
    },
};

/// Farthest displacement that is drawn, in luma pixels.
pub const WAY_PX_MAX: f32 = 512.0;

/// A moment of the loop, ready to be asked for any node.
pub struct Nodes<'a> {
    field: &'a Field,
    free: &'a [bool],
    texture: &'a Texture,
    moment: Moment,
    /// Amplification of the detail.
    trim: f32,
}

impl<'a> Nodes<'a> {
    /// The moment at `phase`, with the detail amplified by `trim`; `free` are the
    /// [`free_nodes`] of the field.
    pub fn new(
        field: &'a Field,
        free: &'a [bool],
        texture: &'a Texture,
        phase: f32,
        trim: f32,
    ) -> Self {
        Self {
            moment: field.moment(phase),
            field,
            free,
            texture,
            trim,
        }
    }

    /// One node; at rest if it does not exist.
    pub fn at(&self, column: usize, row: usize) -> Node {
        let field = self.field;
        if column >= field.columns || row >= field.rows || !field.is_active(column, row) {
            return Node::RESTING;
        }
        let state = field.state(column, row, &self.moment);
        let here = [column, row].map(|index| (index * NODE_STRIDE_PX) as f32);
        let openness = field.openness(column, row);
        let is_free = self.free[row * field.columns + column];
        // A way that leads to something that rests is shortened, so that no edge
        // of it is carried along.
        let shortened = |way: [f32; 2]| {
            if is_free {
                return way;
            }
            let from = [here[0] - openness * way[0], here[1] - openness * way[1]];
            let freedom = field.freedom(from);
            [way[0] * freedom, way[1] * freedom]
        };
        let near = shortened(state.near_px);
        let light = whole(state.light_gain - 1.0, LIGHT_PARTS);
        let base = |way: [f32; 2]| self.texture.base(here[0] - way[0], here[1] - way[1]);
        // The base band is so smooth that what its weights lack of one, between
        // the nodes, is the same as at every pixel.
        if state.far_share == 0.0 && state.far_detail == 0.0 {
            let excess = state.near_detail * self.trim - 1.0;
            return Node {
                near: displacement(near),
                far: displacement(near),
                near_excess: whole(excess, WEIGHT_PARTS),
                base: match excess {
                    0.0 => 0,
                    excess => whole(-excess * base(near), GREY_PARTS),
                },
                light,
                ..Node::RESTING
            };
        }
        let far = shortened(state.far_px);
        let near_excess = state.near_detail * self.trim - (1.0 - state.far_share);
        let far_excess = state.far_detail * self.trim - state.far_share;
        Node {
            near: displacement(near),
            far: displacement(far),
            far_share: whole(state.far_share, WEIGHT_PARTS),
            near_excess: whole(near_excess, WEIGHT_PARTS),
            far_excess: whole(far_excess, WEIGHT_PARTS),
            base: whole(
                -near_excess * base(near) - far_excess * base(far),
                GREY_PARTS,
            ),
            light,
        }
    }

    /// The nodes of row `row` from the first on, as many as there is room for.
    pub fn fill_row(&self, row: usize, to: &mut [Node]) {
        for (column, node) in to.iter_mut().enumerate() {
            *node = self.at(column, row);
        }
    }
}

/// Nodes from which no way ever leads to where it would be shortened.
pub fn free_nodes(field: &Field) -> Vec<bool> {
    let (columns, rows) = (field.columns, field.rows);
    // Counts of nodes at which ways are shortened, above and to the left of each.
    let stride = columns + 1;
    let mut counts = vec![0u32; stride * (rows + 1)];
    for row in 0..rows {
        for column in 0..columns {
            let at = [column, row].map(|index| (index * NODE_STRIDE_PX) as f32);
            let below = (row + 1) * stride + column;
            let above = row * stride + column;
            counts[below + 1] = counts[below] + counts[above + 1] - counts[above]
                + u32::from(field.freedom(at) < 1.0);
        }
    }
    let is_free = |column: usize, row: usize| {
        // The nodes around all places that the way can lead to, one more for a
        // rounding, and none beyond the edges.
        let [across, down] = [(column, columns), (row, rows)];
        let span = field.span_px(column, row);
        let around = |[least, most]: [f32; 2], (index, count): (usize, usize)| {
            let here = (index * NODE_STRIDE_PX) as f32;
            let node =
                |px: f32| (px / NODE_STRIDE_PX as f32).clamp(0.0, (count - 1) as f32) as usize;
            let first = node(here - most).saturating_sub(1);
            first..(node(here - least) + 3).min(count)
        };
        let (x, y) = (around(span[0], across), around(span[1], down));
        let count = |x: usize, y: usize| counts[y * stride + x];
        count(x.end, y.end) + count(x.start, y.start)
            == count(x.start, y.end) + count(x.end, y.start)
    };
    (0..columns * rows)
        .into_par_iter()
        .map(|at| {
            let (column, row) = (at % columns, at / columns);
            field.is_active(column, row) && is_free(column, row)
        })
        .collect()
}

/// What is no number stays where it is, what is too far is held.
#[inline]
fn displacement(way_px: [f32; 2]) -> [i32; 2] {
    let [x, y] = way_px;
    [
        whole(x.clamp(-WAY_PX_MAX, WAY_PX_MAX), WAY_PARTS),
        whole(y.clamp(-WAY_PX_MAX, WAY_PX_MAX), WAY_PARTS),
    ]
}

/// The nearest whole number of parts; 0 for what is no number.
#[inline]
fn whole(value: f32, parts: i32) -> i32 {
    let scaled = value * parts as f32;
    (scaled + 0.5f32.copysign(scaled)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_displacements_are_held() {
        assert_eq!(displacement([f32::NAN, f32::INFINITY]), [0, 512 * 256]);
        assert_eq!(displacement([-1e30, 0.25]), [-512 * 256, 64]);
    }
}
