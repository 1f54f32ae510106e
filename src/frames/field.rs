//! Displacement over the loop, on a grid of nodes laid over the clip.
//!
//! Streams run along the trajectories of their own velocity field, integrated
//! once per clip; since the velocity falls to zero towards the border of what may
//! move, no trajectory leaves it and the map never folds. Oscillation is a sum
//! of harmonics. Both are zero at phase 0 by construction.

use std::f32::consts::TAU;

use rayon::prelude::*;

use crate::{
    frames::{
        blend::{LIKE, blend, eased},
        flicker::{FLICKER_DEPTH, Flicker},
        laid::{Laid, Openness, SPEED_PX_S_MIN},
        state::NodeState,
    },
    motion::{Harmonic, Motion},
    picture::{Plane, box_mean},
    scene::{HARMONIC_COUNT, Profile},
};

/// Distance between nodes, in luma pixels.
pub const NODE_STRIDE_PX: usize = 8;
/// Steps of a trajectory's table on either side of the still.
const LEVELS: usize = 8;
/// Entries of that table.
const ENTRIES: usize = 2 * LEVELS + 1;
/// How far regions drift out of step, as a share of one hand-over. The speed
/// varies over the loop by pi times as much, so it stays small.
const OUT_OF_STEP: f32 = 0.08;

/// The clip's motion at the nodes.
pub struct Field {
    /// Nodes per row; the last stands at or beyond the right edge.
    pub columns: usize,
    /// Number of rows of nodes.
    pub rows: usize,
    turns: [u32; HARMONIC_COUNT],
    period_s: f32,
    nodes: Vec<Node>,
    /// Whether anything at a node ever changes.
    active: Vec<bool>,
    /// How much of the picture around a node may move, 0..=1.
    open: Plane<f32>,
    /// For each node [`ENTRIES`] displacements along its trajectory.
    trajectories: Vec<[f32; 2]>,
}

/// One moment of the loop, prepared for all nodes.
pub struct Moment {
    phase: f32,
    /// For each harmonic the real part of `e^{i a} - 1` and its negated imaginary
    /// part, for x and again for y.
    rotations: [[f32; 4]; HARMONIC_COUNT],
    flicker: Flicker,
    /// How far the most distant regions are out of step, in hand-overs for each of them
    /// in one turn of the loop.
    out_of_step: f32,
}

#[derive(Clone, Default, PartialEq)]
struct Node {
    is_stream: bool,
    /// Hand-overs in one turn of the loop.
    hand_overs: u8,
    /// Whether this node or one beside it is a stream. Between a node with two
    /// layers and one without, the stream's layer that fades out would be seen
    /// in part, and would be gone with a jump at the hand-over.
    is_layered: bool,
    harmonics: [Harmonic; HARMONIC_COUNT],
    /// Angle between the two layers' detail: the arc cosine of its correlation.
    unlikeness: f32,
    /// The cosecant of that angle.
    blend_scale: f32,
    light: f32,
    phase: f32,
}

impl Node {
    fn new(laid: &Laid, motion: &Motion, column: usize, row: usize) -> Self {
        let (x, y) = laid.cell(column, row);
        let is_open = laid.is_open(column, row);
        Self {
            // Slower than this nobody sees it run.
            is_stream: is_open && laid.speed_at(column, row) > SPEED_PX_S_MIN,
            hand_overs: laid.hand_overs(column, row),
            is_layered: false,
            harmonics: if is_open {
                laid.harmonics(column, row)
            } else {
                Default::default()
            },
            unlikeness: 0.0,
            blend_scale: 0.0,
            light: motion.light.bilinear(x, y),
            phase: motion.phase.bilinear(x, y),
        }
    }
}

impl Field {
    /// Lays the motion over a clip that may move so much.
    pub fn new(motion: &Motion, profile: Profile, open: Openness, period_s: f32) -> Self {
        Self::laid(
            motion,
            Laid::new(motion, profile, open, period_s, None),
            period_s,
        )
    }

    /// The same for a motion that was lowered, with as many hand-overs in a turn as
    /// before: with fewer, the slower streams would run farther.
    pub fn again(&self, motion: &Motion, profile: Profile, open: Openness) -> Self {
        let hand_overs = Plane::from_fn(self.columns, self.rows, |column, row| {
            self.nodes[row * self.columns + column].hand_overs
        });
        let laid = Laid::new(motion, profile, open, self.period_s, Some(hand_overs));
        Self::laid(motion, laid, self.period_s)
    }

    fn laid(motion: &Motion, laid: Laid, period_s: f32) -> Self {
        let (columns, rows) = laid.size();
        let mut nodes: Vec<Node> = (0..columns * rows)
            .into_par_iter()
            .map(|at| Node::new(&laid, motion, at % columns, at / columns))
            .collect();
        let streams = Plane::from_fn(columns, rows, |column, row| {
            f32::from(u8::from(nodes[row * columns + column].is_stream))
        });
        for (node, near) in nodes.iter_mut().zip(box_mean(&streams, 1).samples) {
            node.is_layered = near > 0.0;
        }
        let is_active =
            |node: &Node| node.is_layered || node.light > 0.0 || node.harmonics.iter().any(moves);
        let mut field = Self {
            columns,
            rows,
            turns: motion.turns,
            period_s,
            active: nodes.iter().map(is_active).collect(),
            nodes,
            open: Plane::filled(0, 0, 0.0),
            trajectories: Vec::new(),
        };
        field.trace(&laid);
        field.open = laid.into_open();
        field
    }

    /// Whether a node moves as in another field of as many nodes.
    pub fn is_alike(&self, other: &Self, column: usize, row: usize) -> bool {
        let at = row * self.columns + column;
        self.nodes[at] == other.nodes[at] && self.table(at) == other.table(at)
    }

    /// Whether anything at this node ever changes.
    pub fn is_active(&self, column: usize, row: usize) -> bool {
        self.active[row * self.columns + column]
    }

    /// How much of the picture around a node may move, 0..=1.
    pub fn openness(&self, column: usize, row: usize) -> f32 {
        self.open.at(column, row)
    }

    /// How freely a pixel may be taken from a position in luma pixels: fully
    /// inside what moves, less and less towards its border, and not at all from
    /// what rests. It is the openness between the nodes, because a rule that
    /// changes from pixel to pixel would tear thin things apart.
    pub fn freedom(&self, [x, y]: [f32; 2]) -> f32 {
        let stride = NODE_STRIDE_PX as f32;
        let open = self.open.bilinear(x / stride, y / stride);
        ((open - 0.3) / 0.6).clamp(0.0, 1.0)
    }

    /// Whether the light at this node ever changes.
    pub fn is_lit(&self, column: usize, row: usize) -> bool {
        self.nodes[row * self.columns + column].light > 0.0
    }

    /// Displacements of a node over the loop: the least and the most in x, and in
    /// y, in luma pixels.
    pub fn span_px(&self, column: usize, row: usize) -> [[f32; 2]; 2] {
        let at = row * self.columns + column;
        let node = &self.nodes[at];
        let mut span = [[0.0f32; 2]; 2];
        if node.is_stream {
            for way in self.table(at) {
                for ([least, most], way) in span.iter_mut().zip(way) {
                    *least = least.min(*way);
                    *most = most.max(*way);
                }
            }
        }
        for (axis, [least, most]) in span.iter_mut().enumerate() {
            for harmonic in &node.harmonics {
                let [re, im] = [harmonic.x, harmonic.y][axis];
                // Re(S (e^{i a} - 1)) swings by |S| around -Re(S).
                let size = re.hypot(im);
                *least -= size + re;
                *most += size - re;
            }
        }
        span
    }

    /// Measures, for every stream, how alike the detail of its two layers is:
    /// the correlation of `detail` around the two ends of one hand-over.
    pub fn compare_layers(&mut self, detail: &Plane<i16>) {
        const HALF_WINDOW_PX: i32 = 12;
        const APART_PX: usize = 4;
        let [right, bottom] = [detail.width_px, detail.height_px].map(|side| side as i32 - 1);
        let unlikeness = |at: usize| {
            if !self.nodes[at].is_stream {
                return 0.0;
            }
            let here = [at % self.columns, at / self.columns].map(|c| (c * NODE_STRIDE_PX) as i32);
            let [back, ahead] = self.displaced(at, [0.25, -0.25]).map(|way| {
                [
                    here[0] - way[0].round() as i32,
                    here[1] - way[1].round() as i32,
                ]
            });
            let (mut both, mut first, mut second) = (0.0f32, 16.0f32, 16.0f32);
            for dy in (-HALF_WINDOW_PX..HALF_WINDOW_PX).step_by(APART_PX) {
                for dx in (-HALF_WINDOW_PX..HALF_WINDOW_PX).step_by(APART_PX) {
                    let seen = |from: [i32; 2]| {
                        let x = (from[0] + dx).clamp(0, right) as usize;
                        let y = (from[1] + dy).clamp(0, bottom) as usize;
                        f32::from(detail.at(x, y))
                    };
                    let (a, b) = (seen(back), seen(ahead));
                    both += a * b;
                    first += a * a;
                    second += b * b;
                }
            }
            let likeness = both / (first * second).sqrt();
            likeness.clamp(0.0, 1.0).acos()
        };
        let all = (0..self.nodes.len()).into_par_iter().map(unlikeness);
        let all: Vec<f32> = all.collect();
        for (node, unlikeness) in self.nodes.iter_mut().zip(all) {
            node.unlikeness = unlikeness;
            node.blend_scale = 1.0 / node.unlikeness.sin().max(LIKE);
        }
    }

    /// The moment at `phase`, in turns of the loop (0..1).
    pub fn moment(&self, phase: f32) -> Moment {
        Moment {
            phase,
            rotations: self.turns.map(|turns| {
                let (sine, cosine) = (TAU * phase * turns as f32).sin_cos();
                [cosine - 1.0, -sine, cosine - 1.0, -sine]
            }),
            flicker: Flicker::at(phase, self.period_s),
            out_of_step: OUT_OF_STEP * 0.5 * (1.0 - (TAU * phase).cos()),
        }
    }

    /// The state of a node at a moment.
    pub fn state(&self, column: usize, row: usize, moment: &Moment) -> NodeState {
        let at = row * self.columns + column;
        let node = &self.nodes[at];
        let sway = sway(node, moment);
        let light_gain = match node.light {
            0.0 => 1.0,
            light => 1.0 + light * FLICKER_DEPTH * moment.flicker.change(node.phase),
        };
        if !node.is_layered {
            return NodeState {
                near_px: sway,
                far_px: sway,
                light_gain,
                ..NodeState::RESTING
            };
        }
        let turn = moment.phase + moment.out_of_step * node.phase;
        let way = 0.5 * f32::from(node.hand_overs) * turn;
        // As `rem_euclid`, which is a call of the library; a way is never -1.
        let turned = |way: f32| way + 1.0 - (way + 1.0) as i32 as f32;
        let near = turned(way + 0.5) - 0.5;
        let far = turned(way) - 0.5;
        let far_share = eased(2.0 * near.abs());
        let [near_detail, far_detail] = blend(node.unlikeness, node.blend_scale, far_share);
        let [near_px, far_px] = self.displaced(at, [near, far]);
        let add = |a: [f32; 2], b: [f32; 2]| [a[0] + b[0], a[1] + b[1]];
        NodeState {
            near_px: add(near_px, sway),
            far_px: add(far_px, sway),
            far_share,
            near_detail,
            far_detail,
            light_gain,
        }
    }

    /// Displacements along the trajectory of a node.
    fn table(&self, node: usize) -> &[[f32; 2]; ENTRIES] {
        let table = self.trajectories[node * ENTRIES..].first_chunk();
        table.expect("every node has a table")
    }

    /// Displacements along the trajectory of two layers, each `way` in -0.5..=0.5 of
    /// two hand-overs.
    fn displaced(&self, node: usize, ways: [f32; 2]) -> [[f32; 2]; 2] {
        let table = self.table(node);
        // Both axes of both layers side by side, which the compiler keeps in one
        // register: the entries before, at, behind and after next, and the way between.
        let mut entries = [[0.0f32; 4]; 4];
        let mut between = [0.0f32; 4];
        for (layer, way) in ways.into_iter().enumerate() {
            let at = ((way + 0.5) * (2 * LEVELS) as f32).clamp(0.0, (2 * LEVELS) as f32);
            // By way of 32 bits, which is one instruction.
            let low = (at as i32).min(2 * LEVELS as i32 - 1);
            for (to, entry) in entries.iter_mut().zip(low - 1..) {
                let entry = entry.clamp(0, 2 * LEVELS as i32) as usize;
                [to[2 * layer], to[2 * layer + 1]] = table[entry];
            }
            [between[2 * layer], between[2 * layer + 1]] = [at - low as f32; 2];
        }
        // Catmull-Rom, so that the velocity has no step at the table's entries:
        // at the still all pixels would take it at once.
        let mut moved = [0.0f32; 4];
        for k in 0..4 {
            let [a, b, c, d] = [entries[0][k], entries[1][k], entries[2][k], entries[3][k]];
            let t = between[k];
            let cubic = 2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a);
            moved[k] = b + 0.5 * t * (c - a + t * cubic);
        }
        let [near_x, near_y, far_x, far_y] = moved;
        [[near_x, near_y], [far_x, far_y]]
    }

    /// Integrates every stream's trajectory, forwards and backwards.
    fn trace(&mut self, laid: &Laid) {
        let stride = NODE_STRIDE_PX as f32;
        self.trajectories = vec![[0.0; 2]; self.nodes.len() * ENTRIES];
        let tables = self.trajectories.par_chunks_exact_mut(ENTRIES);
        let nodes = self.nodes.par_iter().zip(tables).enumerate();
        let streams = nodes.filter(|(_, (node, _))| node.is_stream);
        streams.for_each(|(node, (stream, table))| {
            let step_s = self.period_s / f32::from(stream.hand_overs) / LEVELS as f32;
            let start = [(node % self.columns) as f32, (node / self.columns) as f32];
            for sign in [-1.0f32, 1.0] {
                let mut position = start;
                for level in 1..=LEVELS {
                    let move_by = |from: [f32; 2], velocity: [f32; 2], seconds: f32| {
                        [0, 1].map(|axis| from[axis] - sign * velocity[axis] * seconds / stride)
                    };
                    // Midpoint rule: the trajectory curves with the stream.
                    let half = move_by(position, laid.velocity(position), step_s / 2.0);
                    position = move_by(position, laid.velocity(half), step_s);
                    let entry = (LEVELS as f32 + sign * level as f32) as usize;
                    table[entry] = [0, 1].map(|axis| (start[axis] - position[axis]) * stride);
                }
            }
        });
    }
}

/// Displacement by the harmonics: the sum of Re(S (e^{i a} - 1)), zero at
/// phase 0.
fn sway(node: &Node, moment: &Moment) -> [f32; 2] {
    // Four sums side by side, which the compiler keeps in one register.
    let mut sums = [0.0f32; 4];
    for (harmonic, rotation) in node.harmonics.iter().zip(&moment.rotations) {
        let parts = [harmonic.x[0], harmonic.x[1], harmonic.y[0], harmonic.y[1]];
        for k in 0..4 {
            sums[k] += parts[k] * rotation[k];
        }
    }
    [sums[0] + sums[1], sums[2] + sums[3]]
}

fn moves(harmonic: &Harmonic) -> bool {
    harmonic
        .x
        .iter()
        .chain(&harmonic.y)
        .any(|part| part.abs() > 1e-3)
}
