//! The committed network, run by our engine, against what ONNX Runtime answered
//! to the same inputs when it was exported.

use serde_json::Value;
use zoetrope::{
    device::tract::TractNetwork,
    picture::Plane,
    scene::{HINT_CHANNELS, Network, NetworkInput, Profile, STYLE_LENGTH},
};

use crate::support::repository;

const DIFFERENCE_MAX: f64 = 1e-3;

/// The inputs of `check_inputs` in `models/training/zoetrope_train/export.py`.
fn check_input(profile: Profile) -> NetworkInput {
    let (width, height) = (profile.width_px, profile.height_px);
    let plane = |at: &dyn Fn(usize, usize) -> f32| Plane::from_fn(width, height, at).samples;
    let arrow = |value: f32| {
        plane(&|x, y| {
            if y < height / 2 && x < width / 3 {
                value
            } else {
                0.0
            }
        })
    };
    let mask = plane(&|x, y| match (y < height / 2, x) {
        (false, x) if x < width / 4 => -1.0,
        (false, x) if x >= width / 2 => 1.0,
        _ => 0.0,
    });
    let colour = |c: usize| plane(&move |x, y| ((13 * x + 7 * y + 50 * c) % 256) as f32 / 255.0);
    let noise = |odd: f32, even: f32| {
        let at = |x, y| if (x + y) % 2 == 1 { odd } else { even };
        Plane::from_fn(width / 4, height / 4, at).samples
    };
    let mut style = [0.0; STYLE_LENGTH];
    style[..3].copy_from_slice(&[0.8, 0.5, -0.2]);
    let (phasors, gains) = style[3..].split_at_mut(16);
    for phasor in phasors.chunks_exact_mut(2) {
        phasor.copy_from_slice(&[0.6, 0.8]);
    }
    for (class, gain) in gains.iter_mut().enumerate() {
        *gain = (5 + class) as f32 / 10.0;
    }
    let hints = [arrow(0.6), arrow(-0.8), arrow(0.7), mask].concat();
    assert_eq!(hints.len(), HINT_CHANNELS * width * height);
    NetworkInput {
        profile,
        rgb: [colour(0), colour(1), colour(2)].concat(),
        hints,
        noise: [noise(0.6, 1.0), noise(0.8, 0.0)].concat(),
        style,
    }
}

fn numbers(row: &Value) -> Vec<f64> {
    let row = row.as_array().expect("a row");
    row.iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let powers: Vec<f64> = logits.iter().map(|v| v.exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

#[test]
fn our_engine_answers_as_onnx_runtime_does_at_every_profile() {
    let text =
        std::fs::read_to_string(repository("models/motion.check.json")).expect("the answers");
    let answers: Value = serde_json::from_str(&text).expect("JSON");
    let network = TractNetwork::built_in().expect("the committed network");
    let profiles = network.profiles().to_vec();
    assert_eq!(answers.as_object().expect("profiles").len(), profiles.len());
    for profile in profiles {
        let name = format!("{}x{}", profile.width_px, profile.height_px);
        let expected = &answers[&name];
        let seen = network.infer(&check_input(profile)).expect("inference");
        let flow = [seen.flow_x, seen.flow_y, seen.flow_confidence];
        let outputs: [(&str, &[Plane<f32>]); 6] = [
            ("classes", &seen.classes),
            ("mobility", &[seen.mobility]),
            ("depth", &[seen.depth]),
            ("flow", &flow),
            ("spectrum", &seen.spectrum),
            ("light", &[seen.light]),
        ];
        for (output, planes) in outputs {
            let cells = expected["cells"].as_array().expect("cells");
            let rows = expected[output].as_array().expect("rows");
            assert_eq!((cells.len(), rows.len()), (12, 12), "{name} {output}");
            for (cell, row) in cells.iter().zip(rows) {
                let [x, y] = numbers(cell)[..] else {
                    panic!("{cell} is no cell");
                };
                let row = numbers(row);
                let row = if output == "classes" {
                    softmax(&row)
                } else {
                    row
                };
                assert_eq!(row.len(), planes.len(), "{name} {output}");
                for (plane, wanted) in planes.iter().zip(&row) {
                    let said = f64::from(plane.at(x as usize, y as usize));
                    assert!(
                        (said - wanted).abs() < DIFFERENCE_MAX,
                        "{name} {output} at {x}, {y}: {said}, ONNX Runtime {wanted}"
                    );
                }
            }
        }
    }
}
