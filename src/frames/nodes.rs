//! The motion of one moment at the nodes, in the whole numbers of the kernels.

use crate::{
    arch::{
        Node,
        patch::{GREY_PARTS, LIGHT_PARTS, WAY_PARTS, WEIGHT_PARTS},
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
    texture: &'a Texture,
    moment: Moment,
    /// Amplification of the detail.
    trim: f32,
}

impl<'a> Nodes<'a> {
    /// The moment at `phase`, with the detail amplified by `trim`.
    pub fn new(field: &'a Field, texture: &'a Texture, phase: f32, trim: f32) -> Self {
        Self {
            moment: field.moment(phase),
            field,
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
        // A way that leads to something that rests is shortened, so that no edge
        // of it is carried along.
        let shortened = |way: [f32; 2]| {
            let from = [here[0] - openness * way[0], here[1] - openness * way[1]];
            let freedom = field.freedom(from);
            way.map(|part| part * freedom)
        };
        let near = shortened(state.near_px);
        let light = whole(state.light_gain - 1.0, LIGHT_PARTS);
        let base = |way: [f32; 2]| self.texture.base(here[0] - way[0], here[1] - way[1]);
        // The base band is so smooth that what its weights lack of one, between
        // the nodes, is the same as at every pixel.
        if state.far_share == 0.0 && state.far_detail == 0.0 {
            let excess = state.near_detail * self.trim - 1.0;
            return Node {
                near: near.map(displacement),
                far: near.map(displacement),
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
            near: near.map(displacement),
            far: far.map(displacement),
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

/// What is no number stays where it is, what is too far is held.
fn displacement(way_px: f32) -> i32 {
    whole(way_px.clamp(-WAY_PX_MAX, WAY_PX_MAX), WAY_PARTS)
}

/// The nearest whole number of parts; 0 for what is no number.
fn whole(value: f32, parts: i32) -> i32 {
    let scaled = value * parts as f32;
    (scaled + 0.5f32.copysign(scaled)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_displacements_are_held() {
        assert_eq!(displacement(f32::NAN), 0);
        assert_eq!(displacement(f32::INFINITY), 512 * 256);
        assert_eq!(displacement(-1e30), -512 * 256);
        assert_eq!([0.25, -0.25].map(displacement), [64, -64]);
    }
}
