use std::f32::consts::TAU;

use super::*;

const WIDTH: usize = 192;
const HEIGHT: usize = 112;
const RATE: f32 = 12.5;
const COUNT: usize = 26;

fn moments() -> Vec<f32> {
    (0..COUNT)
        .map(|index| (index as f32 - COUNT as f32) / RATE)
        .collect()
}

/// Texture at every scale, the same at every call; 20 to 236.
fn texture(x: f32, y: f32) -> f32 {
    let wave = |a: f32, b: f32, phase: f32| (a * x + b * y + phase).sin();
    128.0
        + 30.0 * wave(0.21, 0.09, 0.3)
        + 26.0 * wave(-0.13, 0.31, 1.1)
        + 26.0 * wave(0.45, 0.37, 2.0)
        + 26.0 * wave(0.6, -0.5, 0.7)
}

/// Noise of unit variance.
fn noise(rng: &mut fastrand::Rng) -> f32 {
    (0..12).map(|_| rng.f32()).sum::<f32>() - 6.0
}

/// Pictures in which what stands at (x, y) at a moment comes from `from(x, y, s)`.
fn scene(from: impl Fn(f32, f32, f32) -> [f32; 2], noise_levels: f32) -> Vec<Plane<f32>> {
    let mut rng = fastrand::Rng::with_seed(11);
    moments()
        .into_iter()
        .map(|time_s| {
            Plane::from_fn(WIDTH, HEIGHT, |x, y| {
                let [x, y] = from(x as f32, y as f32, time_s);
                let level = texture(x, y) + noise_levels * noise(&mut rng);
                level.clamp(0.0, 255.0).round()
            })
        })
        .collect()
}

fn share(plane: &Plane<f32>, columns: std::ops::Range<usize>, counts: impl Fn(f32) -> bool) -> f32 {
    let inside = plane
        .samples
        .iter()
        .enumerate()
        .filter(|(index, _)| columns.contains(&(index % plane.width_px)));
    let (mut all, mut counted) = (0.0f32, 0.0f32);
    for (_, value) in inside {
        all += 1.0;
        counted += f32::from(u8::from(counts(*value)));
    }
    counted / all
}

fn measured(frames: &[Plane<f32>]) -> Observation {
    let pyramids: Vec<Pyramid> = frames.iter().map(Pyramid::of).collect();
    measure(&pyramids, &moments(), 0.0)
}

#[test]
fn noise_is_no_motion() {
    for noise_levels in [0.0, 3.0, 12.0] {
        let seen = measured(&scene(|x, y, _| [x, y], noise_levels));
        let moving = share(&seen.ratio, 0..WIDTH, |ratio| ratio > 1.0);
        assert!(moving <= 0.02, "{noise_levels} levels: {moving}");
        assert!(seen.watch.rhythm_hz.is_none());
        let light = share(&seen.light, 0..WIDTH, |light| light > 0.06);
        assert!(light <= 0.02, "{noise_levels} levels: {light}");
    }
}

/// The right half streams down and to the left, the left half stands.
#[test]
fn a_stream_is_measured_beside_a_wall() {
    let speed = 0.03 * WIDTH as f32;
    let seen = measured(&scene(
        |x, y, time_s| {
            if x < 96.0 {
                [x, y]
            } else {
                [x + 0.8 * speed * time_s, y - 0.6 * speed * time_s]
            }
        },
        2.0,
    ));
    assert!(share(&seen.ratio, 0..22, |ratio| ratio > 1.0) < 0.02);
    assert!(share(&seen.ratio, 27..48, |ratio| ratio > 1.0) > 0.9);
    assert!(share(&seen.activity, 27..48, |activity| activity > 0.8) > 0.9);
    let mut turned = Vec::new();
    let mut speeds = Vec::new();
    for y in 2..26 {
        for x in 28..46 {
            let (right, down) = (seen.flow_x.at(x, y), seen.flow_y.at(x, y));
            turned.push((down.atan2(right) - 0.6f32.atan2(-0.8)).abs());
            speeds.push(right.hypot(down));
        }
    }
    let middle = |values: &[f32]| median(values.to_vec());
    assert!(middle(&turned) < 0.05, "{}", middle(&turned));
    assert!(
        (middle(&speeds) / 0.03 - 1.0).abs() < 0.1,
        "{}",
        middle(&speeds)
    );
    assert!(share(&seen.steadiness, 28..46, |share| share > 0.8) > 0.9);
}

#[test]
fn a_swing_is_measured_with_size_and_rhythm() {
    let hz = 0.75;
    let size = 0.008;
    let seen = measured(&scene(
        |x, y, time_s| {
            let away = size * WIDTH as f32 * (TAU * hz * time_s + 0.4).sin();
            if x < 96.0 { [x, y] } else { [x - away, y] }
        },
        1.0,
    ));
    let found = seen.watch.rhythm_hz.expect("a rhythm");
    assert!((found - hz).abs() < 0.11, "{found}");
    assert!(share(&seen.ratio, 27..48, |ratio| ratio > 1.0) > 0.9);
    let sways: Vec<f32> = (28..46)
        .flat_map(|x| (4..24).map(move |y| (x, y)))
        .map(|(x, y)| {
            let power: f32 = seen
                .harmonics
                .iter()
                .flat_map(|plane| plane.at(x, y))
                .map(|part| part * part)
                .sum();
            (power / 2.0).sqrt()
        })
        .collect();
    let rms = median(sways);
    assert!((0.6..1.5).contains(&(rms / (size / 2f32.sqrt()))), "{rms}");
}

/// A dark thing crosses in a second; what is behind it stands.
#[test]
fn who_passes_by_is_told_from_what_moves() {
    let frames = {
        let mut frames = scene(|x, y, _| [x, y], 1.0);
        for (luma, time_s) in frames.iter_mut().zip(moments()) {
            let left = ((time_s + 1.6) * 160.0) as isize - 30;
            for y in 40..80 {
                for x in left.max(0)..(left + 24).clamp(0, WIDTH as isize) {
                    luma.row_mut(y)[x as usize] = 10.0;
                }
            }
        }
        frames
    };
    let seen = measured(&frames);
    let cell = (24, 15);
    assert!(seen.passing.at(cell.0, cell.1) > 0.05);
    assert!(seen.activity.at(cell.0, cell.1) < 0.5);
    assert_eq!(seen.passing.at(24, 4), 0.0);
}

#[test]
fn a_burst_of_another_scene_is_told() {
    let here = Plane::from_fn(WIDTH, HEIGHT, |x, y| texture(x as f32, y as f32));
    let there = Plane::from_fn(WIDTH, HEIGHT, |x, y| {
        texture(1.7 * y as f32 + 300.0, 2.3 * x as f32)
    });
    assert!(correlation(&here, &here) > 0.999);
    assert!(correlation(&here, &there) < ALIKE);
    let darker = here.map(|level| 0.5 * level + 10.0);
    assert!(correlation(&here, &darker) > 0.99);
}
