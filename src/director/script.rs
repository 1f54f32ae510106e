//! How a motion becomes a clip or is refused: rehearsed on the nodes, drawn,
//! judged, and where it is out of bounds drawn again with less motion. What no
//! calming mends gives way to a motion of the camera alone.

use super::{
    Director, Seen,
    mend::{Calm, spread},
    rehearsal::Rehearsal,
    remedy::motion_kept,
    report::{Measure, Report},
    warp::Bend,
};
use crate::{
    frames::{Renderer, TILE_PX},
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
    /// Contrast of every frame that was drawn with this motion, where it was
    /// uneven.
    contrasts: Option<Vec<f32>>,
    /// Times that a clip was drawn, and those with the motion as it is.
    attempts: u32,
    tries: u32,
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
            contrasts: None,
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
                if let Some(contrasts) = &self.contrasts {
                    renderer.even_out(contrasts);
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
        self.contrasts = None;
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
        // What pulses alone needs no less motion, only another amplification.
        let pulses_alone = (report.faults()).all(|measure| measure == Measure::DetailContrast);
        if pulses_alone && self.contrasts.is_none() {
            log::info!(
                "evened out and drawn again: {}",
                report.complaints().join("; ")
            );
            self.contrasts = Some(contrasts);
            return Ok(None);
        }
        self.contrasts = None;
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
