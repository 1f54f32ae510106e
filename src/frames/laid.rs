//! The motion carried from the network's grid to the nodes of the clip.

use crate::{
    frames::field::NODE_STRIDE_PX,
    motion::{Harmonic, Motion},
    picture::{Plane, box_mean, distances, region_of, spread},
    scene::{HARMONIC_COUNT, Profile},
};

/// Longest way that a stream runs before it hands over to its next layer, in
/// picture widths: farther, and the still's texture stretches visibly.
const REACH_MAX: f32 = 0.045;
/// Longest time between two hand-overs, in seconds.
const HAND_OVER_S_MAX: f32 = 5.0;
/// Shortest time between two hand-overs, in seconds.
const HAND_OVER_S_MIN: f32 = 0.8;
/// How much faster a stream runs per length farther away from what rests, over one
/// hand-over. What comes out from behind something there, or goes behind it, is
/// stretched or squeezed to e^1.2, 3.3 times, at the ends of its way, where its layer is
/// all but gone, and less where it is seen.
const STRAIN_MAX: f32 = 1.2;
/// Less openness than this counts as rest.
const REST: f32 = 0.5;
/// Slowest stream that is rendered as one, in luma pixels per second.
pub const SPEED_PX_S_MIN: f32 = 0.25;

/// How much of a clip may move.
#[derive(Clone)]
pub struct Openness {
    /// Width and height of the clip, in luma pixels.
    pub size_px: [usize; 2],
    /// How much of the picture around each node may move, 0..=1; the last nodes stand
    /// at or beyond the right and the bottom edge.
    pub nodes: Plane<f32>,
}

impl Openness {
    /// What the mask leaves open.
    pub fn of(mask: &Plane<u8>) -> Self {
        let size_px = [mask.width_px, mask.height_px];
        let [columns, rows] = size_px.map(|side_px| side_px / NODE_STRIDE_PX + 2);
        Self {
            size_px,
            nodes: Plane::from_fn_on_threads(columns, rows, |c, r| mean_around(mask, c, r)),
        }
    }
}

/// The motion brought to the nodes: velocity in luma pixels per second, slower the
/// nearer what rests is.
pub struct Laid {
    /// Hand-overs in one turn of the loop, at each node.
    hand_overs: Plane<u8>,
    velocity: Plane<[f32; 2]>,
    open: Plane<f32>,
    harmonics: Vec<Plane<Harmonic>>,
    /// Luma pixels per unit of motion (one picture width), in x and y.
    unit_px: [f32; 2],
    /// Cells of the network's grid per node, in x and y.
    step: [f32; 2],
}

impl Laid {
    /// Lays the motion over a clip that may move so much, with as many hand-overs in a
    /// turn as are given for each node or else as every stream needs.
    pub fn new(
        motion: &Motion,
        profile: Profile,
        open: Openness,
        period_s: f32,
        hand_overs: Option<Plane<u8>>,
    ) -> Self {
        let [width, height] = open.size_px.map(|side_px| side_px as f32);
        let open = open.nodes;
        let (columns, rows) = (open.width_px, open.height_px);
        // Motion is isotropic in the network's pixels, which the fitting to its
        // input may have stretched.
        let unit_px = [
            width,
            profile.width_px as f32 * height / profile.height_px as f32,
        ];
        let step = [
            NODE_STRIDE_PX as f32 * motion.gate.width_px as f32 / width,
            NODE_STRIDE_PX as f32 * motion.gate.height_px as f32 / height,
        ];
        // Outside the gate the velocity means nothing, so what stands inside is
        // carried over the border.
        let weight = box_mean(&motion.gate, 2);
        let sums = [&motion.flow_x, &motion.flow_y].map(|flow| {
            let mut gated = flow.clone();
            for (value, gate) in gated.samples.iter_mut().zip(&motion.gate.samples) {
                *value *= gate;
            }
            box_mean(&gated, 2)
        });
        let mut velocity = Plane::from_fn_on_threads(columns, rows, |c, r| {
            if open.at(c, r) < REST {
                return [0.0; 2];
            }
            let (x, y) = cell(c, r, step);
            let weight = weight.bilinear(x, y);
            if weight <= 0.02 {
                return [0.0; 2];
            }
            [0, 1].map(|axis| sums[axis].bilinear(x, y) / weight * unit_px[axis])
        });
        let hand_overs = hand_overs.unwrap_or_else(|| needed(&velocity, width, period_s));
        slow_at_rest(&mut velocity, &open, &hand_overs, period_s);
        Self {
            hand_overs,
            velocity,
            open,
            harmonics: motion
                .harmonics
                .iter()
                .map(|plane| carried_harmonic(plane, motion, &weight))
                .collect(),
            unit_px,
            step,
        }
    }

    /// Velocity at a position in nodes, in luma pixels per second.
    pub fn velocity(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let around = self.velocity.around(x, y);
        [0, 1].map(|axis| around.iter().map(|(v, weight)| v[axis] * weight).sum())
    }

    /// Speed at a node, in luma pixels per second.
    pub fn speed_at(&self, column: usize, row: usize) -> f32 {
        let [x, y] = self.velocity.at(column, row);
        x.hypot(y)
    }

    /// Columns and rows of nodes.
    pub fn size(&self) -> (usize, usize) {
        (self.open.width_px, self.open.height_px)
    }

    /// Hand-overs of this node in one turn of the loop.
    pub fn hand_overs(&self, column: usize, row: usize) -> u8 {
        self.hand_overs.at(column, row)
    }

    /// Whether anything may move at this node.
    pub fn is_open(&self, column: usize, row: usize) -> bool {
        self.open.at(column, row) > 0.0
    }

    /// How much of the picture around each node may move, 0..=1.
    pub fn into_open(self) -> Plane<f32> {
        self.open
    }

    /// The oscillation at this node, in luma pixels.
    pub fn harmonics(&self, column: usize, row: usize) -> [Harmonic; HARMONIC_COUNT] {
        let (x, y) = self.cell(column, row);
        std::array::from_fn(|index| match self.harmonics.get(index) {
            Some(plane) => scaled(bilinear(plane, x, y), self.unit_px),
            None => Harmonic::default(),
        })
    }

    /// The position of a node on the network's grid.
    pub fn cell(&self, column: usize, row: usize) -> (f32, f32) {
        cell(column, row, self.step)
    }
}

/// Hand-overs of each node in one turn of the loop: of every stream as many as keep its
/// faster parts within their reach. Clouds above a fall then take their time.
fn needed(velocity: &Plane<[f32; 2]>, width_px: f32, period_s: f32) -> Plane<u8> {
    let speeds = velocity.map(|[x, y]| x.hypot(y));
    let is_stream = speeds.map(|speed| speed > SPEED_PX_S_MIN);
    // What rests beside a stream hands over as it does, so streams that it is between
    // are one.
    let mut is_seen = spread(&is_stream, 1, |a, b| a || b).map(|is_near| !is_near);
    let most = (period_s / HAND_OVER_S_MIN).floor().max(1.0);
    let mut hand_overs = speeds.map(|_| 1);
    for start in 0..speeds.samples.len() {
        if is_seen.samples[start] {
            continue;
        }
        let region = region_of(start, &mut is_seen);
        let streams = region.iter().filter(|node| is_stream.samples[**node]);
        let mut streams: Vec<f32> = streams.map(|node| speeds.samples[*node]).collect();
        streams.sort_by(f32::total_cmp);
        let fast = streams[streams.len() * 9 / 10];
        let wanted = (fast * period_s / (REACH_MAX * width_px)).max(period_s / HAND_OVER_S_MAX);
        let count = wanted.ceil().clamp(1.0, most) as u8;
        for node in region {
            hand_overs.samples[node] = count;
        }
    }
    hand_overs
}

/// Lets streams run no faster than their distance from what rests allows.
fn slow_at_rest(
    velocity: &mut Plane<[f32; 2]>,
    open: &Plane<f32>,
    hand_overs: &Plane<u8>,
    period_s: f32,
) {
    let far = distances(&open.map(|open| open < REST));
    let nodes = velocity.samples.iter_mut().zip(&far.samples);
    for ((velocity, far), hand_overs) in nodes.zip(&hand_overs.samples) {
        let speed = velocity[0].hypot(velocity[1]);
        let hand_over_s = period_s / f32::from(*hand_overs);
        let most = STRAIN_MAX * NODE_STRIDE_PX as f32 * far / hand_over_s;
        if speed > most {
            *velocity = velocity.map(|part| part * most / speed);
        }
    }
}

fn cell(column: usize, row: usize, step: [f32; 2]) -> (f32, f32) {
    (column as f32 * step[0] - 0.5, row as f32 * step[1] - 0.5)
}

/// Mean of the mask over the square around a node, 0..=1.
fn mean_around(mask: &Plane<u8>, column: usize, row: usize) -> f32 {
    let half = NODE_STRIDE_PX / 2;
    let span = |index: usize, length: usize| {
        let centre = (index * NODE_STRIDE_PX).min(length - 1);
        centre.saturating_sub(half)..(centre + half).min(length)
    };
    let columns = span(column, mask.width_px);
    let rows = span(row, mask.height_px);
    let count = columns.len() * rows.len();
    let sum: u32 = rows
        .flat_map(|y| &mask.row(y)[columns.clone()])
        .map(|m| u32::from(*m))
        .sum();
    sum as f32 / (255 * count) as f32
}

fn scaled(harmonic: Harmonic, [x, y]: [f32; 2]) -> Harmonic {
    Harmonic {
        x: harmonic.x.map(|part| part * x),
        y: harmonic.y.map(|part| part * y),
    }
}

/// The harmonic inside the gate, carried over its border.
fn carried_harmonic(
    plane: &Plane<Harmonic>,
    motion: &Motion,
    weight: &Plane<f32>,
) -> Plane<Harmonic> {
    let part = |pick: fn(&Harmonic) -> f32| {
        let gated = Plane {
            width_px: plane.width_px,
            height_px: plane.height_px,
            samples: plane
                .samples
                .iter()
                .zip(&motion.gate.samples)
                .map(|(harmonic, gate)| pick(harmonic) * gate)
                .collect(),
        };
        box_mean(&gated, 3)
    };
    let parts = [
        part(|h| h.x[0]),
        part(|h| h.x[1]),
        part(|h| h.y[0]),
        part(|h| h.y[1]),
    ];
    let near = box_mean(&motion.gate, 3);
    Plane::from_fn(plane.width_px, plane.height_px, |x, y| {
        let share = near.at(x, y).max(weight.at(x, y) * 0.5);
        let at = |index: usize| {
            if share > 0.02 {
                parts[index].at(x, y) / share
            } else {
                0.0
            }
        };
        Harmonic {
            x: [at(0), at(1)],
            y: [at(2), at(3)],
        }
    })
}

fn bilinear(plane: &Plane<Harmonic>, x: f32, y: f32) -> Harmonic {
    let mut sum = Harmonic::default();
    for (corner, weight) in plane.around(x, y) {
        for axis in 0..2 {
            sum.x[axis] += weight * corner.x[axis];
            sum.y[axis] += weight * corner.y[axis];
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_slow_down_towards_what_rests_and_no_faster_than_the_strain_allows() {
        let open = Plane::from_fn(40, 12, |x, _| if x < 5 { 0.0 } else { 1.0 });
        let (speed, hand_over_s) = (100.0, 0.8);
        let (hand_overs, period_s) = (open.map(|_| 5), 5.0 * hand_over_s);
        let mut velocity = open.map(|open| [0.6 * speed * open, 0.8 * speed * open]);
        slow_at_rest(&mut velocity, &open, &hand_overs, period_s);
        let speeds: Vec<f32> = velocity.row(6).iter().map(|[x, y]| x.hypot(*y)).collect();
        assert_eq!(speeds[4], 0.0);
        assert!((speeds[39] - speed).abs() < 1e-3, "{speeds:?}");
        let steepest = STRAIN_MAX / hand_over_s * NODE_STRIDE_PX as f32;
        for pair in speeds.windows(2) {
            assert!(
                (-1e-3..=steepest + 1e-3).contains(&(pair[1] - pair[0])),
                "{speeds:?}"
            );
        }
        assert!((velocity.at(6, 6)[1] / velocity.at(6, 6)[0] - 0.8 / 0.6).abs() < 1e-4);
        let free = open.map(|_| [speed, 0.0]);
        let mut slowed = free.clone();
        slow_at_rest(&mut slowed, &open.map(|_| 1.0), &hand_overs, period_s);
        assert_eq!(slowed, free);
    }

    #[test]
    fn the_faster_a_stream_the_more_often_it_hands_over_whatever_others_do() {
        let needed = |[left, right]: [f32; 2], apart: usize| {
            let velocity = Plane::from_fn(8 + apart, 4, |x, _| {
                let rests = (4..4 + apart).contains(&x);
                let speed = if rests {
                    0.0
                } else {
                    [left, right][usize::from(x >= 4)]
                };
                [speed * 1000.0, 0.0]
            });
            let hand_overs = needed(&velocity, 1000.0, 4.0);
            [0, 4, 7 + apart].map(|column| hand_overs.at(column, 2))
        };
        assert_eq!(needed([0.0, 0.01], 3), [1, 1, 1]);
        assert_eq!(needed([0.025, 0.01], 3), [3, 3, 1]);
        assert_eq!(needed([0.01, 0.12], 3), [1, 1, 5]);
        assert_eq!(needed([0.01, 0.12], 1), [5, 5, 5]);
    }
}
