//! The scene is watched before the network looks at the still.

use std::sync::Arc;

use super::{Job, Onlooker, PipelineError, Stage, on_threads};
use crate::{
    motion::Shares,
    observation::{self, Account, Observation, Observed},
    request::Shape,
    scene::{Network, Profile},
    still::Still,
};

/// What came of watching.
pub(super) enum Watched {
    /// There was nothing to watch.
    Not,
    /// What was measured, and of a clean plate the shares that were painted and that
    /// could not be.
    Seen(Box<Observation>, Option<[f32; 2]>),
    /// Nothing can be told from what was seen.
    Refused(String),
}

impl Watched {
    /// Watches what the job brings; paints the still where that is wanted, and gives
    /// the loop the scene's rhythm where its length is left open.
    pub(super) fn watch(
        job: &Job<'_>,
        network: &dyn Network,
        still: &mut Still,
        shape: &mut Shape,
        onlooker: &dyn Onlooker,
    ) -> Result<Self, PipelineError> {
        let refused = |reason: String| {
            if job.clean_plate {
                // Whoever wants nobody to be seen wants no picture that shows them.
                return Err(PipelineError::Unclean(reason));
            }
            Ok(Self::Refused(reason))
        };
        let Some(burst) = job.burst else {
            return match job.burst_fault {
                Some(reason) => refused(reason.to_owned()),
                None => Ok(Self::Not),
            };
        };
        onlooker.stage(Stage::Watching);
        let planes = &still.planes;
        let profile = Profile::nearest(network.profiles(), planes.width_px(), planes.height_px());
        let seen = on_threads(job, || {
            observation::observe(burst, planes, profile, job.limits, job.clean_plate)
        })?;
        match seen {
            Err(error) => {
                log::warn!("job {}: burst: {error}", job.id);
                refused(error.to_string())
            }
            Ok((observation, plate)) => {
                shape.duration_ms = shape.duration_ms.or(observation.watch.loop_ms());
                let shares = plate.map(|plate| {
                    still.planes = Arc::new(plate.planes);
                    [plate.painted_share, plate.ghost_share]
                });
                Ok(Self::Seen(Box::new(observation), shares))
            }
        }
    }

    /// What was measured.
    pub(super) fn observation(&self) -> Option<&Observation> {
        match self {
            Self::Seen(observation, _) => Some(observation),
            Self::Not | Self::Refused(_) => None,
        }
    }

    /// What the clip's record says of it. In a clip in which the camera breathes
    /// nothing moves by itself.
    pub(super) fn account(self, shares: Shares, is_breath: bool) -> Option<Account> {
        let moving = |share: f32| if is_breath { 0.0 } else { share };
        match self {
            Self::Not => None,
            Self::Refused(reason) => Some(Account::Refused { reason }),
            Self::Seen(observation, plate) => {
                let watch = observation.watch;
                Some(Account::Observed(Observed {
                    pictures: watch.pictures,
                    seconds: watch.seconds,
                    noise_levels: watch.noise_levels,
                    shake: watch.shake,
                    rhythm_hz: watch.rhythm_hz,
                    observed_share: moving(shares.observed),
                    imagined_share: moving(shares.imagined),
                    stilled_share: shares.stilled,
                    passing_share: shares.passing,
                    painted_share: plate.map(|[painted, _]| painted),
                    ghost_share: plate.map(|[_, ghost]| ghost),
                }))
            }
        }
    }
}
