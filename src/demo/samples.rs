//! The stills that the demo brings along, drawn by our own procedural world.

/// A still inside the program.
pub(super) struct Sample {
    /// File name without its ending.
    pub(super) name: &'static str,
    /// The file.
    pub(super) jpeg: &'static [u8],
}

macro_rules! sample {
    ($name:literal) => {
        Sample {
            name: $name,
            jpeg: include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/models/samples/",
                $name,
                ".jpg"
            )),
        }
    };
}

/// In the order in which they are shown.
pub(super) const SAMPLES: [Sample; 6] = [
    sample!("lake_at_dusk"),
    sample!("waterfall"),
    sample!("street_with_flags"),
    sample!("cafe_cup_with_steam"),
    sample!("camp_fire"),
    sample!("meadow_under_clouds"),
];
