//! What is drawn, held against the ways in which a loop made of a still betrays
//! itself.

use std::time::SystemTime;

use super::*;
use crate::{
    frames::{contrast::fine_contrast, tiles::runs},
    motion::Harmonic,
    picture::{box_mean, median},
    scene::{HARMONIC_COUNT, NetworkOutput, Profile, Shown},
    still::{Origin, Still},
};

const WIDTH: usize = 320;
const HEIGHT: usize = 192;
/// Cells of the network's grid.
const GRID: (usize, usize) = (80, 48);

/// A scene of which the renderer looks at the picture only.
fn scene(luma: Plane<u8>) -> Scene {
    let grey = Plane::filled(luma.width_px / 2, luma.height_px / 2, 128);
    let nothing = Plane::filled(GRID.0, GRID.1, 0.0);
    let planes = Arc::new(Yuv420 {
        y: luma,
        u: grey.clone(),
        v: grey,
    });
    let profile = Profile {
        width_px: 4 * GRID.0,
        height_px: 4 * GRID.1,
    };
    let shown = Shown::at(profile, &planes);
    Scene {
        still: Still {
            planes,
            captured_at: SystemTime::UNIX_EPOCH,
            origin: Origin::File,
        },
        shown: Arc::new(shown),
        wind: [1.0, 0.0],
        seen: NetworkOutput {
            classes: Vec::new(),
            mobility: nothing.clone(),
            depth: nothing.clone(),
            flow_x: nothing.clone(),
            flow_y: nothing.clone(),
            flow_confidence: nothing.clone(),
            spectrum: Vec::new(),
            light: nothing,
        },
    }
}

/// Nothing moves yet where the gate, given for each cell, is open.
fn motion(gate: impl Fn(usize, usize) -> bool) -> Motion {
    let gate = Plane::from_fn(GRID.0, GRID.1, |x, y| f32::from(u8::from(gate(x, y))));
    let nothing = gate.map(|_| 0.0);
    Motion {
        flow_x: nothing.clone(),
        flow_y: nothing.clone(),
        harmonics: vec![gate.map(|_| Harmonic::default()); HARMONIC_COUNT],
        turns: [1, 2, 3, 4, 5, 6, 7, 8],
        light: nothing.clone(),
        phase: nothing,
        is_breath: false,
        matte: gate.map(|_| 1.0),
        gate,
    }
}

/// A stream, in widths per second.
fn streaming(gate: impl Fn(usize, usize) -> bool, [x, y]: [f32; 2]) -> Motion {
    let mut motion = motion(gate);
    motion.flow_x.samples.fill(x);
    motion.flow_y.samples.fill(y);
    motion
}

/// Ripples of several harmonics that cross the picture, `size` widths high.
fn rippling(gate: impl Fn(usize, usize) -> bool, size: f32) -> Motion {
    let mut motion = motion(gate);
    for (index, plane) in motion.harmonics.iter_mut().enumerate().take(4) {
        let size = size / (1 + index) as f32;
        *plane = Plane::from_fn(GRID.0, GRID.1, |x, y| {
            let along = 0.11 * x as f32 + 0.06 * (1 + index) as f32 * y as f32;
            let (sine, cosine) = (along + 1.7 * index as f32).sin_cos();
            Harmonic {
                x: [0.5 * size * cosine, 0.5 * size * sine],
                y: [size * sine, size * cosine],
            }
        });
    }
    motion
}

fn renderer(luma: Plane<u8>, motion: &Motion) -> Renderer {
    let shape = Shape {
        size: None,
        duration_ms: Some(4_000),
        frame_rate: 30,
    };
    Renderer::new(&scene(luma), motion, shape)
}

#[test]
fn a_frame_does_not_tell_what_was_drawn_before_it() {
    // Light on things that rest and on things that move, so weak that its change
    // is now and then too small for a whole number.
    let mut motion = streaming(|x, _| x > 50, [0.02, 0.0]);
    for amplitude in [0.002, 0.01, 0.3] {
        motion.light = Plane::from_fn(GRID.0, GRID.1, |_, y| if y > 20 { amplitude } else { 0.0 });
        let renderer = renderer(texture(30.0, 220.0), &motion);
        let mut reused = renderer.blank();
        for index in 0..renderer.frame_count() {
            renderer.draw(index, &mut reused);
            let mut fresh = renderer.blank();
            renderer.draw(index, &mut fresh);
            assert!(fresh.planes == reused.planes, "{amplitude}: frame {index}");
        }
    }
}

/// Every `step`-th frame of the loop, the still first.
fn frames(renderer: &Renderer, step: usize) -> Vec<Plane<u8>> {
    let mut frame = renderer.blank();
    let indices = (0..renderer.frame_count()).step_by(step);
    let drawn = indices.map(|index| {
        renderer.draw(index, &mut frame);
        frame.planes.y.clone()
    });
    drawn.collect()
}

/// Noise of all scales down to a few pixels, as photographs have it.
fn texture(low: f32, high: f32) -> Plane<u8> {
    let mut rng = fastrand::Rng::with_seed(5);
    let scales: Vec<Plane<f32>> = [2.0, 5.0, 17.0]
        .map(|period| crate::picture::smooth_noise(WIDTH, HEIGHT, period, &mut rng))
        .to_vec();
    Plane::from_fn(WIDTH, HEIGHT, |x, y| {
        let noise = scales.iter().map(|scale| scale.at(x, y)).sum::<f32>() / 6.0 + 0.5;
        (low + (high - low) * noise.clamp(0.0, 1.0)) as u8
    })
}

/// Power of the detail, in squared grey levels, in some columns.
fn detail_power(luma: &Plane<u8>, columns: std::ops::Range<usize>) -> f32 {
    let luma = luma.map(f32::from);
    let base = box_mean(&luma, 4);
    let mut power = 0.0;
    for y in 0..HEIGHT {
        let pairs = luma.row(y).iter().zip(base.row(y));
        let pairs = pairs.take(columns.end).skip(columns.start);
        power += pairs.map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    }
    power / (HEIGHT * columns.len()) as f32
}

fn everywhere(_: usize, _: usize) -> bool {
    true
}

#[test]
fn moving_texture_keeps_its_detail_and_never_pulses() {
    let still = texture(30.0, 220.0);
    for (name, motion) in [
        ("stream", streaming(everywhere, [0.03, 0.011])),
        ("slow stream", streaming(everywhere, [0.006, 0.0])),
        ("ripples", rippling(everywhere, 0.006)),
    ] {
        let drawn = frames(&renderer(still.clone(), &motion), 5);
        assert_eq!(drawn[0], still, "{name}: the first frame is not the still");
        let whole = detail_power(&still, 0..WIDTH);
        let kept: Vec<f32> = drawn
            .iter()
            .map(|frame| detail_power(frame, 0..WIDTH) / whole)
            .collect();
        let range = |values: &[f32]| {
            let least = values.iter().fold(f32::INFINITY, |a, b| a.min(*b));
            (least, values.iter().fold(0.0f32, |a, b| a.max(*b)))
        };
        let (least, _) = range(&kept);
        assert!(
            least >= 0.92,
            "{name}: {least} of the detail's energy is left"
        );
        let all = Plane::filled(WIDTH / TILE_PX, HEIGHT / TILE_PX, true);
        let contrasts: Vec<f32> = drawn
            .iter()
            .map(|frame| fine_contrast(frame, &runs(&all)))
            .collect();
        let (least, most) = range(&contrasts);
        assert!(least / most >= 0.95, "{name}: {least} to {most}");
    }
}

#[test]
fn sparks_that_drift_into_the_dark_are_no_pulse() {
    let is_dark = |x: usize| x < WIDTH / 2;
    let still = Plane::from_fn(WIDTH, HEIGHT, |x, y| match is_dark(x) {
        true => 10 + (x / 5 + y / 5) as u8 % 2,
        false => 40 + 180 * u8::from((x / 5 + y / 5) % 2 == 0),
    });
    let mut motion = streaming(everywhere, [-0.004, 0.0]);
    // From a cell beyond the edge on, so that sparks soon drift where the light is even.
    motion.light = Plane::from_fn(GRID.0, GRID.1, |x, _| match is_dark(4 * x - x.min(4)) {
        true => 0.0,
        false => 0.3,
    });
    let renderer = renderer(still.clone(), &motion);
    assert!(!renderer.evenly_lit().is_empty());
    let contrasts = |seen: &dyn Fn(&Plane<u8>) -> f32| {
        let drawn = frames(&renderer, 10);
        let seen = drawn.iter().map(seen);
        let [least, most] = [f32::min as fn(f32, f32) -> f32, f32::max]
            .map(|extreme| seen.clone().reduce(extreme).unwrap_or_default());
        least / most
    };
    let by_itself = contrasts(&|frame| fine_contrast(frame, renderer.evenly_lit()));
    let against_the_fire = contrasts(&|frame| renderer.contrast(frame));
    assert!(
        by_itself < 0.7 && against_the_fire >= 0.95,
        "{by_itself} {against_the_fire}"
    );
}

#[test]
fn the_margins_are_neither_empty_nor_stretched() {
    let still = texture(30.0, 220.0);
    for flow in [[0.06, 0.0], [-0.06, 0.02]] {
        let drawn = frames(&renderer(still.clone(), &streaming(everywhere, flow)), 10);
        for (index, frame) in drawn.iter().enumerate().skip(1) {
            let inside = detail_power(frame, 100..220) / detail_power(&still, 100..220);
            for columns in [0..12, WIDTH - 12..WIDTH] {
                let kept = detail_power(frame, columns.clone()) / detail_power(&still, columns);
                let relative = kept / inside;
                assert!(
                    (0.6..1.6).contains(&relative),
                    "{flow:?} {index}: {relative}"
                );
            }
        }
    }
}

/// A bright thing that rests in dark water.
fn island(x: usize, y: usize) -> bool {
    (140..190).contains(&x) && (70..120).contains(&y)
}

fn water_around_an_island() -> Plane<u8> {
    let water = texture(40.0, 90.0);
    Plane::from_fn(WIDTH, HEIGHT, |x, y| {
        if island(x, y) {
            200 + (x * 7 % 40) as u8
        } else {
            water.at(x, y)
        }
    })
}

fn is_water_cell(x: usize, y: usize) -> bool {
    !island(4 * x + 2, 4 * y + 2)
}

#[test]
fn what_rests_is_never_touched_and_never_carried_along() {
    let still = water_around_an_island();
    for motion in [
        streaming(is_water_cell, [0.03, 0.0]),
        rippling(is_water_cell, 0.012),
    ] {
        let renderer = renderer(still.clone(), &motion);
        for frame in frames(&renderer, 6) {
            let mut carried = 0;
            for y in 0..HEIGHT {
                for x in 0..WIDTH {
                    let (now, then) = (frame.at(x, y), still.at(x, y));
                    if renderer.mask().at(x, y) == 0 {
                        assert_eq!(now, then, "{x},{y} rests");
                    }
                    // The outermost pixels beside it may be mixed with its edge.
                    let is_near = (133..197).contains(&x) && (63..127).contains(&y);
                    carried += u32::from(!is_near && now > 120);
                }
            }
            assert_eq!(carried, 0, "pixels of the island swim in the water");
        }
    }
}

#[test]
fn no_edge_of_what_moves_is_jagged() {
    let still = water_around_an_island();
    // The second is cut off along a slanted line, which the coarse gate shows as
    // a staircase.
    let slanted = |x: usize, y: usize| 2 * x + y > 90;
    for motion in [
        streaming(is_water_cell, [0.03, 0.01]),
        rippling(is_water_cell, 0.006),
        streaming(slanted, [0.02, 0.02]),
    ] {
        let renderer = renderer(still.clone(), &motion);
        for moment in 1..12 {
            let displacement = renderer.displacement(moment as f32 / 12.0);
            for plane in &displacement {
                let most = plane.samples.iter().fold(0.0f32, |a, b| a.max(b.abs()));
                for y in 0..HEIGHT - 1 {
                    for x in 0..WIDTH - 1 {
                        let here = plane.at(x, y);
                        let right = (plane.at(x + 1, y) - here).abs();
                        let below = (plane.at(x, y + 1) - here).abs();
                        let jump = right.max(below);
                        // A step of the coarse gate would be all of it.
                        let share = jump / most.max(1.0);
                        assert!(share < 0.36, "{moment}: {share} at {x},{y}");
                    }
                }
            }
        }
    }
}

#[test]
fn ripples_do_not_repeat_within_the_loop() {
    let still = texture(30.0, 220.0);
    let drawn = frames(&renderer(still, &rippling(everywhere, 0.006)), 5);
    let difference = |a: usize, b: usize| pace::step(&drawn[a].samples, &drawn[b % 24].samples);
    let apart: Vec<f32> = (0..24)
        .flat_map(|a| (5..12).map(move |b| (a, a + b)))
        .map(|(a, b)| difference(a, b))
        .collect();
    let usual = median(apart);
    for period in [6, 8, 12] {
        for start in 0..24 {
            let share = difference(start, start + period) / usual;
            assert!(share > 0.6, "frame {start} returns after {period}: {share}");
        }
    }
}
