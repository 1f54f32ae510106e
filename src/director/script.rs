//! How a motion becomes a clip or is refused: rehearsed on the nodes, drawn,
//! judged, and where it is out of bounds drawn again: more evenly, or with less
//! motion. What no calming mends gives way to a motion of the camera alone.

use super::{
    Director, Seen,
    mend::{Calm, spread},
    rehearsal::Rehearsal,
    remedy::motion_kept,
    report::{Measure, Report},
    warp::Bend,
};
use crate::{
    frames::{Renderer, TILE_PX, pace::Pace},
    motion::Motion,
    picture::Plane,
    request::{Look, Shape},
    scene::Scene,
};

/// Times that a clip is drawn at most with the scene's motion, and as often with
/// the camera's.
pub const ATTEMPTS_MAX: u32 = 4;
/// Cells of the network's grid over which a mend of drawn tiles fades.
const RADIUS_CELLS: usize = 3;
/// Light is lowered this far into its bounds.
const LIGHT_MARGIN: f32 = 0.9;

/// A motion on its way to the screen.
pub struct Script<'a> {
    scene: &'a Scene,
    motion: Motion,
    shape: Shape,
    look: Look,
    calm: Calm,
    bend: Bend,
    /// What the motion as it is was found to lack.
    evening: Option<Evening>,
    /// Times that a clip was drawn, and those with the motion as it is.
    attempts: u32,
    tries: u32,
}

/// What makes a loop more even that needs no less motion.
struct Evening {
    /// Contrast of every frame that was drawn, where it pulsed.
    contrasts: Option<Vec<f32>>,
    /// How many times as fast the seam is to be passed.
    seam_times: f32,
}

impl Evening {
    /// What helps against all faults of a loop that ran at this pace, if anything does.
    fn of(report: &Report, contrasts: Vec<f32>, pace: Pace) -> Option<Self> {
        let of_seam = [Measure::Seam, Measure::SeamJerk];
        let helps = |fault: Measure| fault == Measure::DetailContrast || of_seam.contains(&fault);
        if !report.faults().all(helps) {
            return None;
        }
        let mut evening = Self {
            contrasts: (!report.admits(Measure::DetailContrast)).then_some(contrasts),
            seam_times: 1.0,
        };
        if !of_seam.iter().all(|measure| report.admits(*measure)) {
            let (times, then) = pace.quickening(of_seam.map(|measure| report.value(measure)));
            let mut pairs = of_seam.iter().zip(then);
            if !pairs.all(|(measure, then)| measure.bound().admits(then)) {
                return None;
            }
            evening.seam_times = times;
        }
        Some(evening)
    }
}

/// No clip comes of this motion.
#[derive(Clone, Debug, thiserror::Error)]
#[error("refused after {} renders: {}", report.attempts, report.complaints().join("; "))]
pub struct Refusal {
    /// What was measured last.
    pub report: Box<Report>,
}

impl Refusal {
    /// Whether the fault is in the machinery: what may not happen whatever the
    /// motion is, or a motion that is not made of numbers. Another photograph
    /// would fare no better.
    pub fn is_ours(&self) -> bool {
        let ours = [Measure::StaticLeaks, Measure::FirstFrame, Measure::Unusable];
        ours.iter().any(|measure| !self.report.admits(*measure))
    }
}

impl<'a> Script<'a> {
    /// Takes any motion whatever on the scene's grid.
    pub fn new(scene: &'a Scene, mut motion: Motion, shape: Shape, look: Look) -> Self {
        let calm = Calm::sane(&mut motion, shape.frame_count());
        Self {
            scene,
            motion,
            shape,
            look,
            calm,
            bend: Bend::NONE,
            evening: None,
            attempts: 0,
            tries: 0,
        }
    }

    /// What is filmed.
    pub fn scene(&self) -> &'a Scene {
        self.scene
    }

    /// The motion, as far as it has been lowered.
    pub fn motion(&self) -> &Motion {
        &self.motion
    }

    /// Tries the motion on the nodes and prepares its drawing.
    ///
    /// # Errors
    /// [`Refusal`] if not even the camera's motion can be drawn without folding,
    /// tearing or stretching the picture; nothing has been drawn then.
    pub fn rehearse(&mut self) -> Result<Renderer, Refusal> {
        loop {
            let rehearsal = Rehearsal::of(self.scene, &mut self.motion, &mut self.calm, self.shape);
            self.bend = rehearsal.worst;
            let report = self.annotated(Report::default());
            if report.faults().next().is_none() {
                let Rehearsal { mask, field, .. } = rehearsal;
                let mut renderer = Renderer::with_field(self.scene, mask, field, self.shape);
                if let Some(evening) = &self.evening {
                    if let Some(contrasts) = &evening.contrasts {
                        renderer.even_out(contrasts);
                    }
                    renderer.quicken_seam(evening.seam_times);
                }
                return Ok(renderer);
            }
            self.give_way(report)?;
        }
    }

    /// Leaves the scene's motion for the camera's.
    ///
    /// # Errors
    /// [`Refusal`] if it is the camera's already, or the fault is no motion's.
    fn give_way(&mut self, report: Report) -> Result<(), Refusal> {
        let refusal = Refusal {
            report: Box::new(report),
        };
        if refusal.is_ours() || self.motion.is_breath {
            return Err(refusal);
        }
        log::info!("the camera breathes instead: {refusal}");
        let mut motion = Motion::of_camera(self.scene, self.shape.period_s(), &self.look);
        self.calm = Calm::sane(&mut motion, self.shape.frame_count());
        self.motion = motion;
        self.evening = None;
        self.tries = 0;
        Ok(())
    }

    /// Judges what was seen of the whole loop: the report of a clip that may be
    /// shown, or nothing if it shall be rehearsed and drawn again.
    ///
    /// # Errors
    /// [`Refusal`] if even the camera's motion has been drawn often enough, or
    /// nothing can be mended.
    pub fn judge(
        &mut self,
        director: &Director<'_>,
        seen: Seen,
    ) -> Result<Option<Report>, Refusal> {
        self.attempts += 1;
        self.tries += 1;
        let mut steadiness = seen.steadiness.clone();
        steadiness.close();
        let contrasts = seen.contrasts.clone();
        let report = self.annotated(director.judge(seen));
        if report.faults().next().is_none() {
            return Ok(Some(report));
        }
        let is_bug = !report.admits(Measure::StaticLeaks) || !report.admits(Measure::FirstFrame);
        if is_bug || self.tries == ATTEMPTS_MAX {
            self.give_way(report)?;
            return Ok(None);
        }
        if self.evening.is_none() {
            self.evening = Evening::of(&report, contrasts, director.renderer.pace());
            if self.evening.is_some() {
                let complaints = report.complaints().join("; ");
                log::info!("evened out and drawn again: {complaints}");
                return Ok(None);
            }
        }
        self.evening = None;
        log::info!("calmed and drawn again: {}", report.complaints().join("; "));
        let mut motion = motion_kept(director.renderer, &report);
        let mut light = motion.map(|_| 1.0);
        if !report.admits(Measure::Flicker) || !report.admits(Measure::Flash) {
            let step_max = Measure::Flicker.bound().most.unwrap_or(f32::INFINITY);
            for (column, row, kept) in steadiness.light_kept(&director.ground, step_max) {
                let at = row * light.width_px + column;
                light.samples[at] = if kept < 1.0 { LIGHT_MARGIN * kept } else { 1.0 };
                // What flashes may be something bright that moves.
                motion.samples[at] *= light.samples[at];
            }
        }
        let (motion, light) = (self.on_grid(&motion), self.on_grid(&light));
        self.calm.lower_motion(&mut self.motion, &motion);
        self.calm.lower_light(&mut self.motion, &light);
        Ok(None)
    }

    /// Factors for tiles, brought to the motion's grid.
    fn on_grid(&self, tiles: &Plane<f32>) -> Plane<f32> {
        let planes = &self.scene.still.planes;
        let size_px = (planes.width_px(), planes.height_px());
        let grid = (self.motion.gate.width_px, self.motion.gate.height_px);
        spread(tiles, TILE_PX, size_px, grid, RADIUS_CELLS)
    }

    /// Adds what was known before anything was drawn, and what was done.
    fn annotated(&self, mut report: Report) -> Report {
        report.note(Measure::Unusable, self.calm.unusable_share());
        report.note(Measure::Fold, self.bend.fold);
        report.note(Measure::Stretch, self.bend.stretch);
        report.note(Measure::Squeeze, self.bend.squeeze);
        report.note(Measure::Outside, self.bend.outside);
        report.calmed_share = self.calm.lowered_share();
        report.is_breath = self.motion.is_breath;
        report.attempts = self.attempts;
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evening(values: &[(Measure, f32)]) -> Option<Evening> {
        let mut report = Report::default();
        for (measure, value) in values {
            report.note(*measure, *value);
        }
        Evening::of(&report, vec![7.0], Pace::EVEN)
    }

    #[test]
    fn a_loop_that_is_uneven_alone_keeps_its_motion() {
        let pulses = evening(&[(Measure::DetailContrast, 0.9)]).expect("amplified");
        assert_eq!(
            (pulses.contrasts, pulses.seam_times),
            (Some(vec![7.0]), 1.0)
        );
        let stumbles = evening(&[(Measure::SeamJerk, 1.25)]).expect("slowed down");
        assert_eq!(stumbles.contrasts, None);
        assert!((0.9..1.0).contains(&stumbles.seam_times));
        let both = [
            (Measure::Seam, 0.75),
            (Measure::SeamJerk, 0.7),
            (Measure::DetailContrast, 0.9),
        ];
        let both = evening(&both).expect("amplified and quickened");
        assert!(both.contrasts.is_some() && both.seam_times > 1.1);
    }

    #[test]
    fn what_no_pace_and_no_amplification_mends_is_calmed() {
        assert!(evening(&[(Measure::SeamJerk, 4.0)]).is_none());
        assert!(evening(&[(Measure::Seam, 0.3), (Measure::SeamJerk, 1.4)]).is_none());
        assert!(evening(&[(Measure::SeamJerk, 1.25), (Measure::Flicker, 9.0)]).is_none());
    }
}
