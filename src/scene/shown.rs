//! The still at the size at which the network sees it. Nothing of it depends on what the
//! network says, so it can be worked out while the network looks.

use std::sync::{Arc, OnceLock};

use super::{Network, Profile};
use crate::picture::{Plane, Yuv420, segments};

/// What a network is shown of a still: each part is worked out once, when it is first
/// asked for, on that one thread. (Were it shared out by rayon, a thread that waits for
/// the others could take on something that asks again, and wait for itself.)
#[derive(Debug)]
pub struct Shown {
    still: Arc<Yuv420>,
    profile: Profile,
    channels: OnceLock<[Plane<f32>; 3]>,
    segments: OnceLock<Plane<u32>>,
}

impl Shown {
    /// At the input size whose proportions are closest to the still's.
    pub fn to(network: &dyn Network, still: &Arc<Yuv420>) -> Self {
        let (width_px, height_px) = (still.width_px(), still.height_px());
        Self::at(
            Profile::nearest(network.profiles(), width_px, height_px),
            still,
        )
    }

    /// At an input size.
    pub fn at(profile: Profile, still: &Arc<Yuv420>) -> Self {
        Self {
            still: Arc::clone(still),
            profile,
            channels: OnceLock::new(),
            segments: OnceLock::new(),
        }
    }

    /// The input size.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Brightness, 0 to 255.
    pub fn luma(&self) -> &Plane<f32> {
        &self.channels()[0]
    }

    /// What the still shows in one colour: the number of the segment of every pixel.
    pub fn segments(&self) -> &Plane<u32> {
        self.segments.get_or_init(|| segments(self.channels()))
    }

    fn channels(&self) -> &[Plane<f32>; 3] {
        self.channels.get_or_init(|| {
            let Profile {
                width_px,
                height_px,
            } = self.profile;
            [&self.still.y, &self.still.u, &self.still.v]
                .map(|plane| plane.shrunk(width_px, height_px))
        })
    }
}
