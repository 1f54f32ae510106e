//! Reading a report back from its document.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

use super::{Measure, Report};

#[derive(Deserialize)]
struct Document {
    attempts: u32,
    calmed_share: f32,
    moving_share: f32,
    is_breath: bool,
    measures: HashMap<String, Figure>,
}

#[derive(Deserialize)]
struct Figure {
    value: Option<f32>,
}

impl<'de> Deserialize<'de> for Report {
    /// Takes the figures; bounds and verdict follow from them. A measure that
    /// the document does not have counts as at rest.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = Document::deserialize(deserializer)?;
        let mut report = Self {
            attempts: document.attempts,
            calmed_share: document.calmed_share,
            moving_share: document.moving_share,
            is_breath: document.is_breath,
            ..Self::default()
        };
        for measure in Measure::ALL {
            if let Some(figure) = document.measures.get(measure.name()) {
                report.note(measure, figure.value.unwrap_or(f32::NAN));
            }
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_back_as_the_same_document() {
        let mut report = Report {
            moving_share: 0.3,
            attempts: 2,
            ..Report::default()
        };
        report.note(Measure::Seam, 0.123_456_79);
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        report.note(Measure::Flash, f32::NAN);
        let text = serde_json::to_string(&report).unwrap();
        let back: Report = serde_json::from_str(&text).unwrap();
        assert!(back.value(Measure::Flash).is_nan());
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
}
