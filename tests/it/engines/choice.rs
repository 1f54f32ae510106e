//! Which engine takes over, and what is built and kept for it.

use std::{fs, path::PathBuf, sync::Arc, thread};

use zoetrope::{
    config::EngineChoice,
    device::inference::{Engines, test_picture},
    scene::{Engine, Network},
};

use super::libraries::{built, engines, real, shim};
use crate::support::Folder;

fn infer(engines: &Engines) -> Engine {
    let seen = engines.infer(&test_picture(engines.profiles()[0]));
    seen.expect("an answer");
    engines.engine().engine
}

fn reason(engines: &Engines, engine: Engine) -> String {
    let report = engines.engine();
    let mut passed = report.passed_over.iter();
    let passed = passed.find(|passed| passed.engine == engine);
    passed
        .map(|passed| passed.reason.clone())
        .unwrap_or_default()
}

#[test]
fn the_fastest_takes_over_and_is_known_at_the_next_start() {
    let Some(real) = real() else { return };
    let folder = Folder::new();
    let cache = Some(folder.path("cache"));
    let lacks = "CUDA_ERROR=\"no CUDA\"";
    let slow = shim(
        &folder,
        "slow",
        &real,
        "Orin",
        &[lacks, "RUN_PAUSE_MS=3000"],
    );
    let first = engines(EngineChoice::Auto, &slow, cache.clone());
    assert_eq!(infer(&first), Engine::Tract);
    assert_eq!(
        reason(&first, Engine::OnnxruntimeCpu),
        "is not tried out yet"
    );
    first.prepare();
    assert_eq!(infer(&first), Engine::Tract);
    assert!(reason(&first, Engine::OnnxruntimeCpu).contains("is slower here: "));
    assert!(reason(&first, Engine::Cuda).contains("no CUDA"));
    let kept = folder.path("cache/engines.json");
    assert!(
        fs::read_to_string(&kept)
            .expect("what was measured")
            .contains("tract")
    );

    // Whichever is the faster of the two here.
    let library = shim(&folder, "plain", &real, "Orin", &[lacks]);
    let second = engines(EngineChoice::Auto, &library, cache.clone());
    assert_eq!(
        reason(&second, Engine::OnnxruntimeCpu),
        "is not tried out yet"
    );
    second.prepare();
    let fastest = infer(&second);
    let measured: serde_json::Value =
        serde_json::from_slice(&fs::read(&kept).expect("measured")).expect("JSON");
    let pace = |pace: &serde_json::Value| {
        let time = pace["median_ms"].as_f64().expect("a time");
        (time, pace["engine"].as_str().expect("a name").to_owned())
    };
    let mut paces: Vec<_> = measured["paces"]
        .as_array()
        .expect("paces")
        .iter()
        .map(pace)
        .collect();
    paces.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert_eq!(paces.len(), 2);
    assert_eq!(paces[0].1, fastest.name());
    let third = engines(EngineChoice::Auto, &library, cache);
    assert_eq!(third.engine().engine, fastest);
}

#[test]
fn an_engine_with_other_answers_is_not_used() {
    let Some(real) = real() else { return };
    let folder = Folder::new();
    let library = shim(
        &folder,
        "wrong",
        &real,
        "Orin",
        &["RUN_ADDS=5.0f", "CUDA_ERROR=\"none\""],
    );
    let engines = engines(EngineChoice::Only(Engine::OnnxruntimeCpu), &library, None);
    engines.prepare();
    assert_eq!(infer(&engines), Engine::Tract);
    let said = reason(&engines, Engine::OnnxruntimeCpu);
    assert!(said.contains("answers otherwise than tract"), "{said}");
}

#[test]
fn tensorrt_is_built_once_while_the_next_engine_goes_on() {
    let Some(real) = real() else { return };
    let folder = Folder::new();
    let cache = Some(folder.path("cache"));
    let library = shim(&folder, "builds", &real, "Orin", &["BUILD_PAUSE_MS=1500"]);
    let only = EngineChoice::Only(Engine::Tensorrt);
    let first = Arc::new(engines(only, &library, cache.clone()));
    let mut told = first.watch();
    told.mark_unchanged();
    let builder = {
        let first = Arc::clone(&first);
        thread::spawn(move || first.prepare())
    };
    let is_preparing = || first.engine().preparing == Some(Engine::Tensorrt);
    while !is_preparing() && !builder.is_finished() {
        thread::yield_now();
    }
    assert!(is_preparing(), "{:?}", first.engine());
    assert_eq!(infer(&first), Engine::Cuda);
    assert!(reason(&first, Engine::Tensorrt).contains("is being built"));
    builder.join().expect("no panic");
    assert_eq!(first.engine().preparing, None);
    assert_eq!(infer(&first), Engine::Tensorrt);
    let files = built(&folder.path("cache"));
    assert_eq!(files.len(), first.profiles().len());
    drop(first);

    // Used as it is at the next start, and rebuilt where it is not what was built.
    let when = |file: &PathBuf| {
        fs::metadata(file)
            .expect("an engine")
            .modified()
            .expect("a time")
    };
    let second = engines(only, &library, cache.clone());
    assert_eq!(infer(&second), Engine::Tensorrt);
    let before = when(&files[0]);
    second.prepare();
    assert_eq!(when(&files[0]), before);
    drop(second);
    fs::write(&files[0], "machine cod3").expect("an engine");
    let third = engines(only, &library, cache.clone());
    assert_eq!(infer(&third), Engine::Cuda);
    let said = reason(&third, Engine::Tensorrt);
    assert!(said.contains("altered, missing or foreign"), "{said}");
    third.prepare();
    assert_eq!(infer(&third), Engine::Tensorrt);
    assert_eq!(fs::read(&files[0]).expect("an engine"), b"machine code");
    drop(third);

    // Another GPU has engines of its own.
    let library = shim(&folder, "moved", &real, "Thor", &[]);
    let fourth = engines(only, &library, cache);
    assert_eq!(infer(&fourth), Engine::Cuda);
    fourth.prepare();
    assert_eq!(infer(&fourth), Engine::Tensorrt);
    assert_eq!(built(&folder.path("cache")).len(), 2 * files.len());
}
