//! The motion tried on the nodes before anything is drawn, and calmed where it
//! would fold, tear or stretch the picture.

use super::{
    mend::{Calm, spread},
    report::Measure,
    warp::{Bend, bends},
};
use crate::{
    frames::{
        field::{Field, NODE_STRIDE_PX},
        laid::Openness,
        mask::motion_mask,
        texture::block_means,
    },
    motion::Motion,
    picture::Plane,
    request::Shape,
    scene::Scene,
};

/// Long side of the small picture, in pixels, at least.
const SMALL_PX: usize = 640;
/// Moments of the loop that are looked at on the small picture, or on the only one.
const MOMENTS: usize = 24;
/// Those on the whole picture after that.
const MOMENTS_AGAIN: usize = 12;
/// Times that the motion is lowered where it bends too much, and then as a
/// whole.
const LOCAL_ROUNDS: usize = 6;
const ROUNDS: usize = 10;
/// Share of the picture's width over which a mend fades, in the first round and
/// more in each: about as far as things move, or the mend's own border would
/// bend them; and a stream brings from upstream what it bends.
const RADIUS: f32 = 0.04;
const RADIUS_MORE: f32 = 0.02;
/// A bend is brought this far into its bound, since lowering is not quite
/// linear.
const MARGIN: f32 = 0.8;

/// A motion whose warp has been measured.
pub struct Rehearsal {
    /// How far every pixel follows the motion, 0..=255.
    pub mask: Plane<u8>,
    /// The motion at the nodes.
    pub field: Field,
    /// The worst bend anywhere.
    pub worst: Bend,
}

impl Rehearsal {
    /// Tries the motion, and lowers it until its warp is within the bounds or
    /// enough has been tried: first on a small picture, where a round takes a
    /// fraction of the time and hardly anything is different, then on the whole.
    pub fn of(scene: &Scene, motion: &mut Motion, calm: &mut Calm, shape: Shape) -> Self {
        let luma = &scene.still.planes.y;
        let mut round = 0;
        let mut settled = |luma: &Plane<u8>, moments: usize| {
            let mask = motion_mask(luma, motion);
            let open = Openness::of(&mask);
            let size_px = open.size_px;
            let mut before = None;
            loop {
                let (profile, open) = (scene.profile(), open.clone());
                let field = match &before {
                    Some((field, _)) => Field::again(field, motion, profile, open),
                    None => Field::new(motion, profile, open, shape.period_s()),
                };
                let bends = bends(&field, &mask, moments, before.as_ref());
                let worst = bends.samples.iter().copied().fold(Bend::NONE, Bend::worse);
                log::debug!("rehearsed {round} times: {worst:?}");
                if allowance(worst) >= 1.0 || round == ROUNDS {
                    return Self { mask, field, worst };
                }
                calm.lower_motion(motion, &factors(motion, &bends, worst, size_px, round));
                round += 1;
                before = Some((field, bends));
            }
        };
        let shrink = luma.width_px.max(luma.height_px) / SMALL_PX;
        if shrink < 2 {
            return settled(luma, MOMENTS);
        }
        let small = block_means(luma, shrink).map(|mean| (mean + 0.5) as u8);
        settled(&small, MOMENTS);
        settled(luma, MOMENTS_AGAIN)
    }
}

/// What the motion is to be multiplied with, on its own grid.
fn factors(
    motion: &Motion,
    bends: &Plane<Bend>,
    worst: Bend,
    size_px: [usize; 2],
    round: usize,
) -> Plane<f32> {
    let factors = bends.map(|bend| {
        let bend = if round < LOCAL_ROUNDS { bend } else { worst };
        match allowance(bend) {
            allowance if allowance >= 1.0 => 1.0,
            allowance => MARGIN * allowance,
        }
    });
    let grid = (motion.gate.width_px, motion.gate.height_px);
    let radius = (RADIUS + RADIUS_MORE * round as f32) * grid.0 as f32;
    let radius = radius.ceil() as usize;
    spread(&factors, NODE_STRIDE_PX, size_px.into(), grid, radius)
}

/// How many times the motion may be what it is without going beyond a bound; 1
/// and more where it keeps all of them, 0 where it is no number.
fn allowance(bend: Bend) -> f32 {
    let within = |measure: Measure, value: f32, at_rest: f32| {
        let bound = measure.bound();
        let limit = bound.least.or(bound.most).unwrap_or(at_rest);
        if bound.admits(value) {
            1.0
        } else if value.is_finite() {
            (limit - at_rest) / (value - at_rest)
        } else {
            0.0
        }
    };
    let all = [
        within(Measure::Fold, bend.fold, 1.0),
        within(Measure::Stretch, bend.stretch, 1.0),
        within(Measure::Squeeze, bend.squeeze, 1.0),
        within(Measure::Outside, bend.outside, 0.0),
    ];
    all.into_iter().fold(1.0, f32::min)
}
