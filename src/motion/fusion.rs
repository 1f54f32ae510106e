//! What was measured and what was imagined, made one motion.
//!
//! Where the measurement is sure it decides. Where noise or want of texture hid what
//! may have moved, the network's motion is used, if what stands there may have been
//! calm. Everything else rests: what was measured as still, whoever passes by,
//! people and vehicles.

use super::{FLOW_MAX, Harmonic, Motion, OSCILLATION_RMS_MAX, SWAYS, smoothstep};
use crate::{
    observation::Observation,
    picture::{Plane, box_mean, region_of},
    request::Look,
    scene::{Class, Scene},
};

/// Ratio of [`Observation::ratio`] between which a cell begins to move.
const MOVES: [f32; 2] = [0.85, 1.15];
/// Share of the time in which a thing must be in motion to be one that always is …
const ACTIVE: [f32; 2] = [0.35, 0.5];
/// … and where the network is sure that it is one that never moves, beside how calm
/// the place may be meanwhile.
const ACTIVE_AGAINST_NETWORK: [f32; 2] = [0.9, 0.99];
const CALM_AGAINST_NETWORK: [f32; 2] = [0.1, 0.2];
/// Steadiness, over so many cells around, between which a thing that the network takes
/// for rigid passes by: what is rigid and stays where it is cannot go one way all the
/// time, and what flows is hardly ever taken for rigid. So one vehicle after the other
/// drives along a road.
const DRIVES: [f32; 2] = [0.9, 0.96];
const DRIVES_CELLS: usize = 4;
/// Flames rise: how far up, as a share of its speed, something must go between which it
/// may burn. What goes another way all the time is the light of a vehicle.
const RISES: [f32; 2] = [0.0, 0.5];
/// Share of a cell's surroundings of which that must hold.
const AGAINST_NETWORK: [f32; 2] = [0.3, 0.5];
/// Probability of a movable thing between which the network's doubt is no more heard.
const MOVABLE: [f32; 2] = [0.08, 0.4];
/// The same where something goes one way all the time, which may be one that drives.
const MOVABLE_OR_DRIVES: [f32; 2] = [0.3, 0.6];
/// Probability between which it is known as movable, and by how much less it then must
/// be seen to move, and to be in motion, than if nothing were known.
const KNOWN: [f32; 2] = [0.6, 0.9];
const KNOWN_EVIDENCE: f32 = 1.25;
/// Probability of a person or vehicle between which nothing is moved any more.
const ACTOR: [f32; 2] = [0.3, 0.5];
/// Share of the time in which something passes, between which nothing is moved, unless
/// it is always in motion: what swings comes by again and again.
const PASSES: [f32; 2] = [0.05, 0.15];
/// Share of a cell's neighbours that must move with it.
const TOGETHER: [f32; 2] = [0.35, 0.65];
/// Fewer cells than these, moving alone, are chance.
const REGION_CELLS_MIN: usize = 8;
/// Size of the mean velocity over that of all velocity between which a thing is seen
/// to flow.
const FLOWS: [f32; 2] = [0.2, 0.35];
/// Mean velocities below the first are chance, above the second they are meant, in
/// widths per second.
const FLOW_SEEN: [f32; 2] = [0.0015, 0.003];
/// Steadiness between which what flows is no longer kept clear of things that sway:
/// what is seen to flow all the time does not sway, unless the network knows better: the
/// waves of a flag run along it and the flag stays.
const FLOWS_ALL_THE_TIME: [f32; 2] = [0.6, 0.8];
/// Probability of water, smoke, fire or clouds between which what moves may flow; what
/// has a shape of its own leaves its place for no more than a swing.
const FLUID: [f32; 2] = [0.05, 0.2];
/// Cells around one that could not be seen from which it takes its flow, and the share
/// of them that must have been seen to flow: a fall is one fall where it is too white
/// to be measured.
const AROUND_CELLS: usize = 4;
const ENCLOSED: [f32; 2] = [0.3, 0.55];
/// What flickers is seen to, by so many times what the network imagines at most.
const LIGHT_GAIN: f32 = 2.0;
/// A cell counts as moved from this much on.
const COUNTS: f32 = 0.5;

/// Shares of the picture, by what decided that it moves or rests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Moves as it was measured.
    pub observed: f32,
    /// Moves as the network imagines it, since nothing could be measured there.
    pub imagined: f32,
    /// Rests because it was measured as still, though the network would have moved
    /// it.
    pub stilled: f32,
    /// Rests because something passes there.
    pub passing: f32,
}

impl Motion {
    /// Puts what was measured in place of what was imagined. `flowing`: the probability
    /// that a cell sways, and how far it may flow for what sways around it.
    pub(super) fn fuse(
        &mut self,
        scene: &Scene,
        seen: &Observation,
        flowing: [&Plane<f32>; 2],
        look: &Look,
    ) -> Shares {
        let (width, height) = (self.gate.width_px, self.gate.height_px);
        let observed = observed(scene, seen);
        let may_be_calm = may_be_calm(scene);
        let imagined = Plane::from_fn(width, height, |x, y| {
            let passes = passes(seen, x, y);
            self.gate.at(x, y) * seen.unseen.at(x, y) * may_be_calm.at(x, y) * (1.0 - passes)
        });
        let gate = Plane::from_fn(width, height, |x, y| {
            observed.at(x, y).max(imagined.at(x, y))
        });
        let area = (width * height) as f32;
        let share = |counts: &dyn Fn(usize) -> bool| {
            (0..width * height).filter(|cell| counts(*cell)).count() as f32 / area
        };
        let moved = |plane: &Plane<f32>, cell: usize| plane.samples[cell] >= COUNTS;
        let shares = Shares {
            observed: share(&|cell| moved(&observed, cell)),
            imagined: share(&|cell| moved(&imagined, cell) && !moved(&observed, cell)),
            stilled: share(&|cell| moved(&self.gate, cell) && !moved(&gate, cell)),
            passing: share(&|cell| passes(seen, cell % width, cell / width) >= COUNTS),
        };
        let fluid = scene.probability(|class| class.is_movable() && !class.sways());
        let flow = flow(seen, &observed, &fluid, flowing, look);
        let around = around(&flow, &observed, &fluid);
        for (cell, weight) in observed.samples.iter().enumerate() {
            if *weight <= imagined.samples[cell] {
                let ([flow_x, flow_y], share) = around.samples[cell];
                self.flow_x.samples[cell] += share * (flow_x - self.flow_x.samples[cell]);
                self.flow_y.samples[cell] += share * (flow_y - self.flow_y.samples[cell]);
                continue;
            }
            let [flow_x, flow_y] = flow.samples[cell];
            self.flow_x.samples[cell] = flow_x;
            self.flow_y.samples[cell] = flow_y;
            let parts = seen.harmonics.iter().map(|plane| plane.samples[cell]);
            let power: f32 = parts.clone().flatten().map(|part| part * part).sum();
            let rms = (power / 2.0).sqrt();
            let calm = look.strength * OSCILLATION_RMS_MAX / rms.max(OSCILLATION_RMS_MAX);
            for (plane, [re_x, im_x, re_y, im_y]) in self.harmonics.iter_mut().zip(parts) {
                plane.samples[cell] = Harmonic {
                    x: [re_x, im_x],
                    y: [re_y, im_y],
                }
                .scaled(calm);
            }
        }
        for (light, seen) in self.light.samples.iter_mut().zip(&seen.light.samples) {
            *light = (LIGHT_GAIN * *light).min(seen * look.strength);
        }
        // What was seen to move does, whatever the network says of the thing.
        let (wide, high) = (self.matte.width_px, self.matte.height_px);
        let moves = observed.resized(wide, high);
        for (matte, moves) in self.matte.samples.iter_mut().zip(&moves.samples) {
            *matte = matte.max(*moves);
        }
        self.gate = gate;
        shares
    }
}

/// How surely each cell was seen to move of itself, 0..=1.
fn observed(scene: &Scene, seen: &Observation) -> Plane<f32> {
    let movable = movable(scene, seen);
    let actor = scene.probability(|class| matches!(class, Class::Person | Class::Vehicle));
    let (width, height) = (movable.width_px, movable.height_px);
    let moves = seen.ratio.map(|ratio| smoothstep(MOVES, ratio));
    let drives =
        weighted_mean(&seen.steadiness, &moves, DRIVES_CELLS).map(|mean| smoothstep(DRIVES, mean));
    // Evenly coloured parts of a thing that is always in motion are calm.
    let against_network = {
        let sure = Plane::from_fn(width, height, |x, y| {
            smoothstep(ACTIVE_AGAINST_NETWORK, seen.activity.at(x, y))
                * (1.0 - smoothstep(CALM_AGAINST_NETWORK, seen.calm.at(x, y)))
                * (1.0 - drives.at(x, y))
        });
        box_mean(&box_mean(&sure, 1), 1)
    };
    let alone = Plane::from_fn(width, height, |x, y| {
        let movable = movable.at(x, y);
        let [unless_drives, anyway] =
            [MOVABLE, MOVABLE_OR_DRIVES].map(|between| smoothstep(between, movable));
        let believed = (unless_drives + drives.at(x, y) * (anyway - unless_drives))
            .max(smoothstep(AGAINST_NETWORK, against_network.at(x, y)));
        let evidence = 1.0 + (KNOWN_EVIDENCE - 1.0) * smoothstep(KNOWN, movable);
        smoothstep(MOVES, evidence * seen.ratio.at(x, y))
            * smoothstep(ACTIVE, evidence * seen.activity.at(x, y))
            * believed
            * (1.0 - smoothstep(ACTOR, actor.at(x, y)))
            * (1.0 - passes(seen, x, y))
    });
    let mut moving = box_mean(&alone, 1).map(|share| smoothstep(TOGETHER, share));
    let mut is_seen = moving.map(|share| share == 0.0);
    for start in 0..moving.samples.len() {
        if !is_seen.samples[start] {
            let region = region_of(start, &mut is_seen);
            if region.len() < REGION_CELLS_MIN {
                region
                    .into_iter()
                    .for_each(|cell| moving.samples[cell] = 0.0);
            }
        }
    }
    moving
}

/// Probability that what stands at each cell may be moved; what the network takes for
/// fire burns only if it does not go anywhere but up.
fn movable(scene: &Scene, seen: &Observation) -> Plane<f32> {
    let movable = scene.movable();
    let fire = scene.probability(|class| class == Class::Fire);
    Plane::from_fn(movable.width_px, movable.height_px, |x, y| {
        let [right, down] = [seen.flow_x.at(x, y), seen.flow_y.at(x, y)];
        let up = -down / right.hypot(down).max(f32::MIN_POSITIVE);
        let strays = smoothstep(FLOWS_ALL_THE_TIME, seen.steadiness.at(x, y))
            * (1.0 - smoothstep(RISES, up));
        movable.at(x, y) - strays * fire.at(x, y)
    })
}

/// How surely something passes at a cell that does not belong there, 0..=1.
fn passes(seen: &Observation, x: usize, y: usize) -> f32 {
    let stays = smoothstep(ACTIVE, seen.activity.at(x, y));
    smoothstep(PASSES, seen.passing.at(x, y)) * (1.0 - stays)
}

/// Whether what stands at each cell moves on other days, 0..=1.
fn may_be_calm(scene: &Scene) -> Plane<f32> {
    let calm = scene.probability(|class| {
        matches!(
            class,
            Class::Foliage | Class::Cloth | Class::WaterStill | Class::WaterFlow | Class::Smoke
        )
    });
    calm.map(|share| smoothstep([0.4, 0.6], share))
}

/// The measured mean velocity, in widths per second, where a thing flows. `fluid`: the
/// probability of what may leave its place, water, smoke, fire and clouds.
fn flow(
    seen: &Observation,
    observed: &Plane<f32>,
    fluid: &Plane<f32>,
    [sways, streams]: [&Plane<f32>; 2],
    look: &Look,
) -> Plane<[f32; 2]> {
    let (width, height) = (observed.width_px, observed.height_px);
    let [right, down, steadiness] =
        [&seen.flow_x, &seen.flow_y, &seen.steadiness].map(|of| weighted_mean(of, observed, 1));
    Plane::from_fn(width, height, |x, y| {
        let [right, down] = [right.at(x, y), down.at(x, y)];
        let speed = right.hypot(down);
        let steadiness = steadiness.at(x, y);
        let stands = smoothstep(SWAYS, sways.at(x, y));
        let flows = smoothstep(FLOWS_ALL_THE_TIME, steadiness) * (1.0 - stands);
        let clear = flows.max(streams.at(x, y)) * smoothstep(FLUID, fluid.at(x, y));
        let kept = smoothstep(FLOW_SEEN, speed)
            * smoothstep(FLOWS, steadiness)
            * (FLOW_MAX / speed.max(FLOW_MAX))
            * clear
            * look.strength;
        match look.direction_deg.map(f32::to_radians) {
            // Who asks for a direction gets it, whatever was seen.
            Some(angle) => [angle.cos(), angle.sin()].map(|part| part * speed * kept),
            None => [right * kept, down * kept],
        }
    })
}

/// How the fluid around each cell was seen to flow, and how far a cell of the same that
/// could not be seen takes part in it, 0..=1.
fn around(
    flow: &Plane<[f32; 2]>,
    observed: &Plane<f32>,
    fluid: &Plane<f32>,
) -> Plane<([f32; 2], f32)> {
    let (width, height) = (observed.width_px, observed.height_px);
    let seen = Plane::from_fn(width, height, |x, y| observed.at(x, y) * fluid.at(x, y));
    let share = box_mean(&seen, AROUND_CELLS);
    let [right, down] = [0, 1].map(|axis| {
        let along = flow.map(|velocity| velocity[axis]);
        weighted_mean(&along, &seen, AROUND_CELLS)
    });
    Plane::from_fn(width, height, |x, y| {
        let part = smoothstep(ENCLOSED, share.at(x, y)) * smoothstep(FLUID, fluid.at(x, y));
        ([right.at(x, y), down.at(x, y)], part)
    })
}

/// The weighted mean over a square of side `2 * radius + 1`; 0 where nothing has weight.
fn weighted_mean(of: &Plane<f32>, weight: &Plane<f32>, radius: usize) -> Plane<f32> {
    let (width, height) = (of.width_px, of.height_px);
    let weighted = Plane::from_fn(width, height, |x, y| of.at(x, y) * weight.at(x, y));
    let [sums, weights] = [&weighted, weight].map(|plane| box_mean(plane, radius));
    Plane::from_fn(width, height, |x, y| {
        sums.at(x, y) / weights.at(x, y).max(f32::MIN_POSITIVE)
    })
}

#[cfg(test)]
mod tests;
