//! What is told of an observation in the record of a clip.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much of a clip's motion was seen, and from what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Account {
    /// The scene was watched.
    Observed(Observed),
    /// It was not, though it should have been; the still went on alone.
    Refused {
        /// Why.
        reason: String,
    },
}

/// What was seen; shares are of the picture's area, 0..=1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Observed {
    /// Pictures that were used.
    pub pictures: usize,
    /// Time from the first of them to the still, in seconds.
    pub seconds: f32,
    /// Standard deviation of the noise, in levels of 0 to 255.
    pub noise_levels: f32,
    /// Farthest that a corner of the picture went with the camera, as a share of the
    /// width.
    pub shake: f32,
    /// The scene's own rhythm, in hertz, if one stands out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rhythm_hz: Option<f32>,
    /// Moves as it was measured.
    pub observed_share: f32,
    /// Moves as the network imagines it, since nothing could be measured there.
    pub imagined_share: f32,
    /// Rests because it was measured as still, though the network would have moved
    /// it.
    pub stilled_share: f32,
    /// Rests because something passes there.
    pub passing_share: f32,
    /// Painted over, because the still showed somebody who passed by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub painted_share: Option<f32>,
    /// Not painted over, because nothing showed what is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ghost_share: Option<f32>,
}

/// One line for a person.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f32| (100.0 * share).round();
        match self {
            Self::Refused { reason } => write!(f, "not watched: {reason}"),
            Self::Observed(seen) => {
                write!(
                    f,
                    "watched for {:.1} s: {} % moves as seen, {} % as imagined, {} % was seen to rest",
                    seen.seconds,
                    percent(seen.observed_share),
                    percent(seen.imagined_share),
                    percent(seen.stilled_share),
                )?;
                match seen.painted_share {
                    Some(share) => write!(f, ", {} % painted over", percent(share)),
                    None => Ok(()),
                }
            }
        }
    }
}
