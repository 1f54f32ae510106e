//! Whether the camera can see.
//!
//! What came of the last still says most. In between a camera that the kernel
//! knows is only looked for: one that is pulled out is told of, and so is one
//! that is put back, although nobody asks it for a picture.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, sleep_until};

use crate::{config::Camera, publication::CameraState, still::StillError};

/// Time between two looks at the node: one question to a file system in memory,
/// and half of the time in which a camera's loss shall be noticed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What is known of the camera after it was asked for a still.
pub(super) struct Sight {
    state: CameraState,
    reason: Option<String>,
}

impl Sight {
    /// What the error of a still says, or that there was none.
    pub(super) fn of(error: Option<&StillError>) -> Self {
        Self {
            state: match error {
                None => CameraState::Online,
                Some(StillError::Frozen(_)) => CameraState::Frozen,
                Some(_) => CameraState::Lost,
            },
            reason: error.map(ToString::to_string),
        }
    }
}

/// Looks for the camera, and knows how it was found.
pub(super) struct Lookout {
    sight: Sight,
    node: Option<Node>,
}

/// The node that is looked for.
struct Node {
    path: PathBuf,
    /// As it was found by the last look, if it was there.
    found: Option<Identity>,
    next_look: Instant,
}

/// A camera that is put back gets a new node under the same name.
#[derive(Clone, Copy, PartialEq)]
struct Identity {
    inode: u64,
    device: u64,
    /// Numbers of inodes are used again. Not every file system tells.
    created: Option<SystemTime>,
}

impl Lookout {
    /// A camera that has not been asked for anything yet.
    pub(super) fn new(camera: &Camera) -> Self {
        let state = match camera {
            Camera::None => CameraState::None,
            Camera::Device(_) | Camera::File(_) | Camera::Command { .. } => CameraState::Online,
        };
        let mut lookout = Self {
            sight: Sight {
                state,
                reason: None,
            },
            node: None,
        };
        if let Camera::Device(camera) = camera {
            let mut node = Node {
                path: camera.node.clone(),
                found: None,
                next_look: Instant::now() + LOOK_INTERVAL,
            };
            node.found = node.identity();
            if node.found.is_none() {
                lookout.sight = node.missed();
            }
            lookout.node = Some(node);
        }
        lookout
    }

    /// Waits for the next look and takes it; for ever where there is nothing to
    /// look for.
    pub(super) async fn look(&mut self) {
        let Some(node) = &mut self.node else {
            return std::future::pending().await;
        };
        sleep_until(node.next_look).await;
        node.next_look = Instant::now() + LOOK_INTERVAL;
        self.look_now();
    }

    fn look_now(&mut self) {
        let Some(node) = &mut self.node else {
            return;
        };
        let found = node.identity();
        let has_changed = std::mem::replace(&mut node.found, found) != found;
        if found.is_some() && has_changed {
            log::info!("camera {}: is back", node.path.display());
            self.sight = Sight::of(None);
        }
        // It may have come back, given a still and gone again since the last look.
        if found.is_none() && (has_changed || self.sight.state != CameraState::Lost) {
            self.sight = node.missed();
        }
    }

    /// A still was asked for.
    pub(super) fn saw(&mut self, sight: Sight) {
        self.sight = sight;
    }

    pub(super) fn state(&self) -> CameraState {
        self.sight.state
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.sight.reason.clone()
    }
}

impl Node {
    fn identity(&self) -> Option<Identity> {
        let about = fs::metadata(&self.path).ok()?;
        Some(Identity {
            inode: about.ino(),
            device: about.rdev(),
            created: about.created().ok(),
        })
    }

    fn missed(&self) -> Sight {
        let node = self.path.display();
        let reason = format!("camera {node}: lost: the node is not there");
        log::warn!("{reason}");
        Sight {
            state: CameraState::Lost,
            reason: Some(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DeviceCamera;

    #[test]
    fn a_camera_that_goes_and_comes_back_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("camera");
        let mut lookout = Lookout::new(&Camera::Device(DeviceCamera::at(&path)));
        assert_eq!(lookout.state(), CameraState::Lost);
        let reason = lookout.reason().unwrap();
        assert!(reason.ends_with("lost: the node is not there"), "{reason}");
        fs::write(&path, "").unwrap();
        lookout.look_now();
        assert_eq!(lookout.state(), CameraState::Online);
        assert_eq!(lookout.reason(), None);
        // What a still has said stays until the next one …
        let frozen = StillError::Frozen("the same".to_owned());
        lookout.saw(Sight::of(Some(&frozen)));
        lookout.look_now();
        assert_eq!(lookout.state(), CameraState::Frozen);
        assert_eq!(lookout.reason().as_deref(), Some("the same"));
        // … unless the camera was put back between two looks …
        let other = folder.path().join("other");
        fs::write(&other, "").unwrap();
        fs::rename(&other, &path).unwrap();
        lookout.look_now();
        assert_eq!(lookout.state(), CameraState::Online);
        // … or is gone, …
        fs::remove_file(&path).unwrap();
        lookout.look_now();
        assert_eq!(lookout.state(), CameraState::Lost);
        // … also when it has given a still between two looks.
        lookout.saw(Sight::of(None));
        lookout.look_now();
        assert_eq!(lookout.state(), CameraState::Lost);
    }

    #[test]
    fn other_cameras_are_not_looked_for() {
        assert_eq!(Lookout::new(&Camera::None).state(), CameraState::None);
        let file = Lookout::new(&Camera::File("/run/photo.jpg".into()));
        assert_eq!(file.state(), CameraState::Online);
        assert!(file.node.is_none());
    }
}
