//! Taking a still without rendering.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Desk, errands::Errand, fault};
use crate::{
    clip::poster,
    config::Camera,
    daemon::sight::Sight,
    device::{display::sha256_of, mqtt::Connection, repeats::Repeats, source},
    journal::Address,
    publication::{Captured, Fault, Publication},
    request::Size,
    still::{Limits, Still, decode},
};

/// Everything that a still needs, so that the desk need not wait for it.
struct Shot {
    camera: Camera,
    limits: Limits,
    size: Option<Size>,
    turn: Arc<Mutex<Repeats>>,
}

/// The still as JPEG, and the photograph's size in pixels.
struct Taken {
    jpeg: Vec<u8>,
    photo_px: [usize; 2],
}

impl Desk {
    /// Takes a still and publishes it as the poster; one at a time.
    pub(super) fn capture(&mut self, address: Address) {
        if matches!(self.config.camera, Camera::None) {
            let message = "no camera is configured, send a photo instead".to_owned();
            return self.refuse(&address, fault("no_camera", message));
        }
        if std::mem::replace(&mut self.errands.is_capturing, true) {
            let message = "1 still is being taken, allowed is 1 at a time".to_owned();
            return self.refuse(&address, fault("busy", message));
        }
        let shot = Shot {
            camera: self.config.camera.clone(),
            limits: self.config.photo_limits,
            size: self.config.shape.size,
            turn: self.studio.camera_turn(),
        };
        let connection = Arc::clone(&self.connection);
        let topic = self.topics.poster();
        self.errands.run(async move {
            let (camera, taken) = tokio::task::spawn_blocking(move || shot.take())
                .await
                .unwrap_or_else(|error| {
                    (None, Err(fault("internal", format!("capture: {error}"))))
                });
            let result = match taken {
                Ok(taken) => taken.publish(&connection, topic).await,
                Err(fault) => Err(fault),
            };
            Errand::Capture {
                address,
                result,
                camera,
            }
        });
    }
}

impl Shot {
    fn take(&self) -> (Option<Sight>, Result<Taken, Fault>) {
        let captured = {
            // Another user's panic has left nothing half done.
            let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let mut source = source::configured(&self.camera, &self.limits, None);
            source.as_mut().map(|source| {
                let taken = source.capture().and_then(|capture| {
                    turn.check(&capture.still, self.camera.frozen_stills())?;
                    Ok(capture.still)
                });
                (taken, source.origin())
            })
        };
        let (photo, origin) = match captured {
            Some((Ok(photo), origin)) => (photo, origin),
            Some((Err(error), _)) => {
                let sight = Sight::of(Some(&error));
                return (Some(sight), Err(fault("camera", error.to_string())));
            }
            None => return (None, Err(fault("no_camera", "no camera".to_owned()))),
        };
        let developed = || -> Result<Taken, Fault> {
            let photo = decode(&photo, &self.limits)
                .map_err(|error| fault("bad_photo", error.to_string()))?;
            let photo_px = [photo.width_px, photo.height_px];
            let size = self
                .size
                .unwrap_or_else(|| Size::fitting(photo_px[0], photo_px[1]));
            let still = Still::compose(&photo, size, origin);
            let jpeg = poster::encode(&still.planes)
                .map_err(|error| fault("encode", error.to_string()))?;
            Ok(Taken { jpeg, photo_px })
        };
        (Some(Sight::of(None)), developed())
    }
}

impl Taken {
    async fn publish(self, connection: &Connection, topic: String) -> Result<Captured, Fault> {
        let captured = Captured {
            topic: topic.clone(),
            bytes: self.jpeg.len(),
            sha256: sha256_of(&self.jpeg),
            photo_width: self.photo_px[0],
            photo_height: self.photo_px[1],
        };
        let poster = Publication::bytes(topic, "image/jpeg", self.jpeg)
            .retained()
            .with("sha256", &captured.sha256);
        match connection.publish(poster).acknowledged().await {
            Ok(()) => Ok(captured),
            Err(error) => Err(fault("publish", error.to_string())),
        }
    }
}
