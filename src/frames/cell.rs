//! The motion between four nodes.

use crate::{
    frames::field::{NODE_STRIDE_PX, NodeState},
    picture::Plane,
};

/// The four nodes around a square of [`NODE_STRIDE_PX`] pixels.
pub struct Cell {
    corners: [NodeState; 4],
    /// Whether a second layer is seen anywhere in it.
    pub is_layered: bool,
}

impl Cell {
    /// The cell right of and below a node.
    pub fn new(states: &Plane<NodeState>, column: usize, row: usize) -> Self {
        let column = column.min(states.width_px - 2);
        let row = row.min(states.height_px - 2);
        let corners = [
            states.at(column, row),
            states.at(column + 1, row),
            states.at(column, row + 1),
            states.at(column + 1, row + 1),
        ];
        Self {
            is_layered: corners.iter().any(|state| state.far_share > 0.0),
            corners,
        }
    }

    /// The motion of `N` pixels of a row: the first stands `(x, y)` pixels from
    /// the upper left node, the others every `step_px` to its right.
    #[inline(always)]
    pub fn run<const N: usize>(&self, (x, y): (f32, f32), step_px: f32) -> Run<N> {
        const SIDE: f32 = NODE_STRIDE_PX as f32;
        let [top_left, top_right, bottom_left, bottom_right] = &self.corners;
        let left = between(top_left, bottom_left, y / SIDE);
        let right = between(top_right, bottom_right, y / SIDE);
        let along = |pick: fn(&NodeState) -> f32| {
            let (from, to) = (pick(&left), pick(&right));
            std::array::from_fn(|k| from + (to - from) * ((x + k as f32 * step_px) * (1.0 / SIDE)))
        };
        Run {
            near: [along(|s| s.near_px[0]), along(|s| s.near_px[1])],
            far: [along(|s| s.far_px[0]), along(|s| s.far_px[1])],
            far_share: along(|s| s.far_share),
            near_detail: along(|s| s.near_detail),
            far_detail: along(|s| s.far_detail),
            light_gain: along(|s| s.light_gain),
        }
    }
}

/// The motion of `N` pixels in a row, as [`NodeState`] has it for one node.
pub struct Run<const N: usize> {
    /// Displacement of the first layer in x and in y, in luma pixels.
    pub near: [[f32; N]; 2],
    /// Displacement of the second layer in x and in y, in luma pixels.
    pub far: [[f32; N]; 2],
    /// Share of the second layer in the base band.
    pub far_share: [f32; N],
    /// Weight of the first layer's detail.
    pub near_detail: [f32; N],
    /// Weight of the second layer's detail.
    pub far_detail: [f32; N],
    /// Factor on the brightness.
    pub light_gain: [f32; N],
}

#[inline(always)]
fn between(a: &NodeState, b: &NodeState, t: f32) -> NodeState {
    let mix = |a: f32, b: f32| a + (b - a) * t;
    let mix2 = |a: [f32; 2], b: [f32; 2]| [mix(a[0], b[0]), mix(a[1], b[1])];
    NodeState {
        near_px: mix2(a.near_px, b.near_px),
        far_px: mix2(a.far_px, b.far_px),
        far_share: mix(a.far_share, b.far_share),
        near_detail: mix(a.near_detail, b.near_detail),
        far_detail: mix(a.far_detail, b.far_detail),
        light_gain: mix(a.light_gain, b.light_gain),
    }
}
