//! The photograph of a job, and what was seen just before it.

use std::sync::PoisonError;

use super::{Bench, Commission, StudioEvent};
use crate::{
    burst::Burst,
    config::ObservationMode,
    daemon::{failure::Failure, sight::Sight},
    device::{
        fetch,
        source::{self, FileSource},
    },
    publication::{Fault, JobPhase},
    request::Source,
    still::{Capture, Origin, StillSource},
};

impl Bench {
    /// Takes it from wherever the request says.
    pub(super) fn photo(&self, commission: &Commission) -> Result<(Capture, Origin), Failure> {
        let bytes_max = commission.limits.bytes_max;
        let mut source: Box<dyn StillSource> = match &commission.request.source {
            Source::Photo(_) => {
                let photo = self.journal.photo(commission.sequence);
                let photo = photo.map_err(|error| Failure::disk(&error))?;
                let capture = match commission.request.burst_fps {
                    Some(fps) => before_still(&photo, fps)?,
                    None => Capture::alone(photo),
                };
                return Ok((capture, Origin::Payload));
            }
            Source::Url(photo) => {
                self.report(StudioEvent::Phase(JobPhase::Capturing));
                let bytes = fetch::fetch(commission.url.as_ref(), photo, bytes_max)?;
                return Ok((Capture::alone(bytes), Origin::Url));
            }
            Source::Path(path) => Box::new(FileSource::new(path, bytes_max)),
            Source::Camera => {
                let watch = commission.observation.watch(&commission.camera);
                let camera = source::configured(&commission.camera, &commission.limits, watch);
                camera.ok_or_else(|| Fault {
                    code: "no_camera".to_owned(),
                    message: "no camera is configured, send a photo instead".to_owned(),
                })?
            }
        };
        self.report(StudioEvent::Phase(JobPhase::Capturing));
        let captured = {
            // Another user's panic has left nothing half done.
            let mut turn = (self.camera_turn.lock()).unwrap_or_else(PoisonError::into_inner);
            let frozen_stills = match commission.request.source {
                Source::Camera => commission.camera.frozen_stills(),
                _ => 0,
            };
            source.capture().and_then(|capture| {
                turn.check(&capture.still, frozen_stills)?;
                Ok(capture)
            })
        };
        self.report(StudioEvent::Camera(Sight::of(captured.as_ref().err())));
        match captured {
            Ok(capture) => {
                commission.say_what_was_missed(&capture);
                Ok((capture, source.origin()))
            }
            Err(error) => Err(Failure::ours("camera", error.to_string())),
        }
    }
}

impl Commission {
    fn say_what_was_missed(&self, capture: &Capture) {
        let Some(fault) = &capture.burst_fault else {
            return;
        };
        let level = match self.observation.mode {
            ObservationMode::On => log::Level::Warn,
            ObservationMode::Auto | ObservationMode::Off => log::Level::Info,
        };
        let id = &self.request.id;
        log::log!(level, "job {id}: camera was not watched: {fault}");
    }
}

/// The burst and the still of a request that was accepted with them.
fn before_still(jpegs: &[u8], fps: f32) -> Result<Capture, Fault> {
    let (burst, still) = Burst::before_still(jpegs, fps).map_err(|error| Fault {
        code: "bad_request".to_owned(),
        message: error.to_string(),
    })?;
    Ok(Capture::watched(still, Ok(burst)))
}
