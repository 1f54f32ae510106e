//! Random motion fields, most of them absurd.

use std::sync::Mutex;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use zoetrope::{
    director::Verdict,
    motion::{Harmonic, Motion},
    picture::{Plane, smooth_noise},
};

use super::{GRID, check, honest, rest};

/// Any motion: cells of any size, mostly plausible ones, some of them no numbers.
fn any_motion() -> impl Strategy<Value = Motion> {
    let seed = any::<u64>();
    let size = prop_oneof![0.001f32..0.02, 0.01f32..0.3, 0.1f32..1e9];
    let period = prop_oneof![Just(1.0f32), 1.0f32..6.0, 4.0f32..16.0];
    let wrong = prop_oneof![4 => Just(0.0), 1 => 0.0..0.1f64];
    let turns = prop_oneof![3 => Just([1, 2, 3, 4, 5, 6, 7, 8]), 1 => any::<[u32; 8]>()];
    let light = prop_oneof![2 => Just(0.0f32), 1 => 0.0f32..3.0];
    (seed, size, period, wrong, turns, light).prop_map(
        |(seed, size, period, wrong, turns, light)| {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut plane = |scale: f32| {
                let noise = smooth_noise(GRID.0, GRID.1, period, &mut rng);
                let wrongs = [f32::NAN, f32::INFINITY, f32::MIN, f32::MAX];
                noise.map(|value| match rng.f64() < wrong {
                    true => wrongs[rng.usize(..4)],
                    false => value * scale,
                })
            };
            let mut motion = rest();
            motion.gate = plane(2.0).map(|gate| gate + 0.5);
            motion.flow_x = plane(size);
            motion.flow_y = plane(size);
            motion.light = plane(light);
            motion.phase = plane(1.0 + size);
            for harmonic in &mut motion.harmonics {
                let [a, b, c, d] = [(); 4].map(|()| plane(0.5 * size));
                *harmonic = Plane::from_fn(GRID.0, GRID.1, |x, y| Harmonic {
                    x: [a.at(x, y), b.at(x, y)],
                    y: [c.at(x, y), d.at(x, y)],
                });
            }
            motion.turns = turns;
            motion
        },
    )
}

#[test]
fn any_motion_whatever_is_within_the_bounds_in_the_end_or_refused() {
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let verdicts = Mutex::new(Vec::new());
    let done = runner.run(&any_motion(), |motion| {
        let verdict = match honest(motion) {
            Ok(filmed) => {
                check(&filmed);
                filmed.report.verdict()
            }
            Err(refusal) => {
                prop_assert!(!refusal.report.complaints().is_empty());
                refusal.report.verdict()
            }
        };
        verdicts.lock().unwrap().push(verdict);
        Ok(())
    });
    done.unwrap();
    // Were all of them refused, nothing would have been shown.
    let verdicts = verdicts.into_inner().unwrap();
    println!("{verdicts:?}");
    let calmed = verdicts.iter().filter(|v| **v == Verdict::Calmed).count();
    assert!(calmed >= 8, "{verdicts:?}");
}
