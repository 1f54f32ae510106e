//! Parts of topics that stand in the file: the fleet's group and Home
//! Assistant's prefix.

use toml::Spanned;

use super::{
    ConfigError, DEVICE_ID_CHARS_MAX,
    raw::{RawFleet, RawHomeAssistant},
    text::Text,
};
use crate::publication::Discovery;

const HOME_ASSISTANT_PREFIX_DEFAULT: &str = "homeassistant";

/// Whether `level` can be one level of a topic that is nowhere special.
pub(super) fn is_level(level: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=DEVICE_ID_CHARS_MAX).contains(&level.len()) && level.chars().all(is_legal)
}

pub(super) fn fleet_group(text: &Text, section: Spanned<RawFleet>) -> Result<String, ConfigError> {
    let place = section.span();
    let Some(group) = section.into_inner().group else {
        return Err(text.error(place, "fleet.group is missing".to_owned()));
    };
    if is_level(group.get_ref()) {
        return Ok(group.into_inner());
    }
    let reason = format!(
        "fleet.group is {:?}, allowed are 1 to {DEVICE_ID_CHARS_MAX} of a-z A-Z 0-9 - _",
        group.get_ref()
    );
    Err(text.error(group.span(), reason))
}

pub(super) fn home_assistant(
    text: &Text,
    section: RawHomeAssistant,
) -> Result<Discovery, ConfigError> {
    let Some(prefix) = section.prefix else {
        return Ok(Discovery {
            prefix: HOME_ASSISTANT_PREFIX_DEFAULT.to_owned(),
        });
    };
    if prefix.get_ref().split('/').all(is_level) {
        return Ok(Discovery {
            prefix: prefix.into_inner(),
        });
    }
    let reason = format!(
        "homeassistant.prefix is {:?}, allowed are levels of 1 to {DEVICE_ID_CHARS_MAX} of \
         a-z A-Z 0-9 - _ with / between them",
        prefix.get_ref()
    );
    Err(text.error(prefix.span(), reason))
}
