use std::{sync::Arc, time::SystemTime};

use super::*;
use crate::{
    observation::Watch,
    picture::Yuv420,
    scene::{HARMONIC_COUNT, NetworkOutput, Profile, Shown},
    still::{Origin, Still},
};

const WIDTH: usize = 48;
const HEIGHT: usize = 28;
/// The left half of the picture is one thing, the right half another.
const LEFT: (usize, usize) = (10, 14);
const RIGHT: (usize, usize) = (38, 14);

fn everywhere(value: f32) -> Plane<f32> {
    Plane::filled(WIDTH, HEIGHT, value)
}

fn halves(left: f32, right: f32) -> Plane<f32> {
    Plane::from_fn(
        WIDTH,
        HEIGHT,
        |x, _| if x < WIDTH / 2 { left } else { right },
    )
}

/// What the network says of two things: that both flow to the right and sway.
fn scene(left: Class, right: Class) -> Scene {
    let share = |is: bool| f32::from(u8::from(is));
    let classes = Class::ALL
        .iter()
        .map(|class| halves(share(*class == left), share(*class == right)))
        .collect();
    let mut spectrum = vec![everywhere(0.0); 4 * HARMONIC_COUNT];
    spectrum[0] = everywhere(0.002);
    let planes = Arc::new(Yuv420 {
        y: Plane::from_fn(4 * WIDTH, 4 * HEIGHT, |x, y| {
            (40 + (x * 7 + y * 5) % 160) as u8
        }),
        u: Plane::filled(2 * WIDTH, 2 * HEIGHT, 128),
        v: Plane::filled(2 * WIDTH, 2 * HEIGHT, 128),
    });
    let profile = Profile {
        width_px: 4 * WIDTH,
        height_px: 4 * HEIGHT,
    };
    let shown = Shown::at(profile, &planes);
    Scene {
        still: Still {
            planes,
            captured_at: SystemTime::UNIX_EPOCH,
            origin: Origin::Camera,
        },
        shown: Arc::new(shown),
        wind: [1.0, 0.0],
        seen: NetworkOutput {
            classes,
            mobility: everywhere(1.0),
            depth: everywhere(0.5),
            flow_x: everywhere(0.02),
            flow_y: everywhere(0.0),
            flow_confidence: everywhere(1.0),
            spectrum,
            light: everywhere(0.3),
        },
    }
}

/// Nothing was seen to move, and everything could have been.
fn nothing_moved() -> Observation {
    Observation {
        watch: Watch {
            pictures: 26,
            seconds: 2.0,
            noise_levels: 0.3,
            shake: 0.0,
            rhythm_hz: None,
        },
        ratio: everywhere(0.1),
        unseen: everywhere(0.0),
        activity: everywhere(0.0),
        calm: everywhere(1.0),
        passing: everywhere(0.0),
        flow_x: everywhere(0.0),
        flow_y: everywhere(0.0),
        steadiness: everywhere(0.0),
        harmonics: vec![Plane::filled(WIDTH, HEIGHT, [0.0; 4]); HARMONIC_COUNT],
        light: everywhere(0.0),
    }
}

/// Everything was seen to stream downwards and to sway all the time.
fn all_streamed() -> Observation {
    Observation {
        ratio: everywhere(3.0),
        activity: everywhere(1.0),
        calm: everywhere(0.0),
        flow_y: everywhere(0.03),
        steadiness: everywhere(0.9),
        harmonics: vec![Plane::filled(WIDTH, HEIGHT, [0.002, 0.0, 0.0, 0.0]); HARMONIC_COUNT],
        ..nothing_moved()
    }
}

fn fused(scene: &Scene, seen: &Observation, look: &Look) -> (Motion, Shares) {
    Motion::observe(scene, seen, 4.0, look)
}

#[test]
fn what_was_measured_as_still_rests() {
    let scene = scene(Class::WaterFlow, Class::Rigid);
    let (motion, shares) = fused(&scene, &nothing_moved(), &Look::default());
    assert!(motion.is_breath, "nothing is left to move");
    assert!((0.4..0.6).contains(&shares.stilled), "{shares:?}");
    assert_eq!((shares.observed, shares.imagined), (0.0, 0.0));
}

#[test]
fn what_was_measured_to_move_moves_as_it_was_measured() {
    let scene = scene(Class::WaterFlow, Class::Rigid);
    let mut seen = all_streamed();
    seen.activity = halves(1.0, 0.0);
    let (motion, shares) = fused(&scene, &seen, &Look::default());
    assert_eq!(motion.gate.at(LEFT.0, LEFT.1), 1.0);
    assert_eq!(motion.gate.at(RIGHT.0, RIGHT.1), 0.0);
    assert!((motion.flow_y.at(LEFT.0, LEFT.1) - 0.03).abs() < 1e-4);
    assert!(
        motion.flow_x.at(LEFT.0, LEFT.1).abs() < 1e-4,
        "not as imagined"
    );
    assert!((0.4..0.6).contains(&shares.observed), "{shares:?}");
    // Nothing flickered, whatever the network imagines.
    assert!(motion.light.samples.iter().all(|light| *light == 0.0));
}

#[test]
fn what_could_not_be_seen_amid_a_stream_flows_with_it() {
    let hidden = |x: usize| LEFT.0.abs_diff(x) <= 1;
    let mut seen = all_streamed();
    let where_hidden = |hidden_value: f32, value: f32| {
        Plane::from_fn(
            WIDTH,
            HEIGHT,
            |x, _| if hidden(x) { hidden_value } else { value },
        )
    };
    seen.unseen = where_hidden(1.0, 0.0);
    seen.ratio = where_hidden(0.0, 3.0);
    seen.activity = where_hidden(0.0, 1.0);
    for (class, expected) in [
        (Class::WaterFlow, [0.0, 0.03]),
        (Class::Foliage, [0.0, 0.0]),
    ] {
        let (motion, shares) = fused(&scene(class, Class::Rigid), &seen, &Look::default());
        assert!(shares.imagined > 0.0, "{class:?}: {shares:?}");
        let flow = [&motion.flow_x, &motion.flow_y].map(|flow| flow.at(LEFT.0, LEFT.1));
        let off = [0, 1].map(|axis| (flow[axis] - expected[axis]).abs());
        assert!(off[0] < 1e-3 && off[1] < 1e-3, "{class:?}: {flow:?}");
    }
}

#[test]
fn strength_and_direction_overrule_what_was_seen() {
    let scene = scene(Class::WaterFlow, Class::WaterFlow);
    let look = Look {
        strength: 0.5,
        direction_deg: Some(180.0),
        ..Look::default()
    };
    let (motion, _) = fused(&scene, &all_streamed(), &look);
    let flow = [
        motion.flow_x.at(LEFT.0, LEFT.1),
        motion.flow_y.at(LEFT.0, LEFT.1),
    ];
    assert!(
        (flow[0] + 0.015).abs() < 1e-4 && flow[1].abs() < 1e-4,
        "{flow:?}"
    );
}

#[test]
fn people_and_vehicles_rest_though_they_move() {
    for actor in [Class::Person, Class::Vehicle] {
        let scene = scene(Class::WaterFlow, actor);
        let (motion, _) = fused(&scene, &all_streamed(), &Look::default());
        assert_eq!(motion.gate.at(LEFT.0, LEFT.1), 1.0);
        assert_eq!(motion.gate.at(RIGHT.0, RIGHT.1), 0.0, "{actor:?}");
    }
}

#[test]
fn a_road_rests_and_what_the_network_wrongly_takes_for_a_wall_moves() {
    let scene = scene(Class::Rigid, Class::Rigid);
    let traffic_and_fire = Observation {
        activity: halves(0.8, 1.0),
        calm: halves(0.3, 0.0),
        ..all_streamed()
    };
    let dense_traffic_and_flag = Observation {
        steadiness: halves(0.99, 0.75),
        ..all_streamed()
    };
    for seen in [traffic_and_fire, dense_traffic_and_flag] {
        let (motion, _) = fused(&scene, &seen, &Look::default());
        assert_eq!(motion.gate.at(LEFT.0, LEFT.1), 0.0);
        assert_eq!(motion.gate.at(RIGHT.0, RIGHT.1), 1.0);
        let [left, right] = [LEFT, RIGHT].map(|(x, y)| motion.matte.at(4 * x, 4 * y));
        assert_eq!((left, right), (0.0, 1.0));
    }
}

#[test]
fn a_narrow_road_rests_amid_what_rests() {
    let on_road = |value: f32| {
        let is_road = |x: usize| LEFT.0.abs_diff(x) <= 2;
        Plane::from_fn(WIDTH, HEIGHT, |x, _| if is_road(x) { value } else { 0.0 })
    };
    let seen = Observation {
        ratio: on_road(3.0),
        activity: on_road(1.0),
        steadiness: on_road(0.99),
        ..all_streamed()
    };
    let (motion, _) = fused(&scene(Class::Rigid, Class::Rigid), &seen, &Look::default());
    assert!(motion.is_breath);
}

#[test]
fn flames_rise_and_lights_that_drive_are_none() {
    let seen = Observation {
        flow_y: halves(0.03, -0.03),
        steadiness: everywhere(0.99),
        ..all_streamed()
    };
    let (motion, _) = fused(&scene(Class::Fire, Class::Fire), &seen, &Look::default());
    assert_eq!(motion.gate.at(LEFT.0, LEFT.1), 0.0);
    assert_eq!(motion.gate.at(RIGHT.0, RIGHT.1), 1.0);
}

#[test]
fn what_is_known_to_move_is_believed_sooner() {
    let scene = scene(Class::WaterStill, Class::Rigid);
    let mut seen = all_streamed();
    seen.ratio = everywhere(0.95);
    seen.activity = everywhere(0.6);
    let (motion, _) = fused(&scene, &seen, &Look::default());
    assert_eq!(motion.gate.at(LEFT.0, LEFT.1), 1.0);
    assert_eq!(motion.gate.at(RIGHT.0, RIGHT.1), 0.0);
    seen.ratio = everywhere(0.5);
    let (motion, _) = fused(&scene, &seen, &Look::default());
    assert!(motion.is_breath, "nothing is sure to move");
}

#[test]
fn where_something_passes_nothing_moves() {
    let scene = scene(Class::Foliage, Class::Foliage);
    let mut seen = all_streamed();
    seen.passing = halves(0.3, 0.0);
    seen.activity = halves(0.2, 1.0);
    let (motion, shares) = fused(&scene, &seen, &Look::default());
    assert_eq!(motion.gate.at(LEFT.0, LEFT.1), 0.0);
    assert_eq!(motion.gate.at(RIGHT.0, RIGHT.1), 1.0);
    assert!((0.4..0.6).contains(&shares.passing), "{shares:?}");
}

#[test]
fn what_could_not_be_seen_is_imagined_if_it_may_have_been_calm() {
    let scene = scene(Class::Foliage, Class::Sky);
    let mut seen = nothing_moved();
    seen.unseen = everywhere(1.0);
    let (motion, shares) = fused(&scene, &seen, &Look::default());
    assert_eq!(motion.gate.at(LEFT.0, LEFT.1), 1.0);
    assert_eq!(motion.gate.at(RIGHT.0, RIGHT.1), 0.0);
    let sways = motion.harmonics[0].at(LEFT.0, LEFT.1);
    assert_ne!(sways, Harmonic::default());
    assert!((0.4..0.6).contains(&shares.imagined), "{shares:?}");
}

#[test]
fn a_few_cells_alone_are_chance() {
    let scene = scene(Class::WaterFlow, Class::WaterFlow);
    let mut lone = all_streamed();
    lone.ratio = Plane::from_fn(WIDTH, HEIGHT, |x, y| {
        let is_lone = x.abs_diff(20) < 1 && y.abs_diff(10) < 2;
        if is_lone { 5.0 } else { 0.1 }
    });
    let (motion, _) = fused(&scene, &lone, &Look::default());
    assert!(motion.is_breath);
}
