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
    /// Whether nothing that rests is near, so that no way must be shortened.
    pub is_open: bool,
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
            is_open: false,
            corners,
        }
    }

    /// The states along a row, `y` pixels below the upper nodes.
    pub fn line(&self, y: f32) -> Line {
        let t = y / NODE_STRIDE_PX as f32;
        let [top_left, top_right, bottom_left, bottom_right] = &self.corners;
        Line {
            left: between(top_left, bottom_left, t),
            right: between(top_right, bottom_right, t),
        }
    }
}

/// The motion along one row of a cell.
pub struct Line {
    left: NodeState,
    right: NodeState,
}

impl Line {
    /// The state `x` pixels right of the left nodes.
    #[inline(always)]
    pub fn at(&self, x: f32) -> NodeState {
        between(&self.left, &self.right, x / NODE_STRIDE_PX as f32)
    }
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
