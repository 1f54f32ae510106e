//! Every way in which an engine is known to fail, in a daemon, which goes on with the
//! next one and says why; and how soon it goes on, printed on demand:
//!
//! ```sh
//! cargo test --test it -- --ignored --nocapture engines::reasons::how_soon
//! ```

use std::{
    env::{self, consts::ARCH},
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mqtt5::types::Message;
use zoetrope::{
    config::EngineChoice,
    device::inference::{Engines, test_picture},
    scene::{Engine, EngineReport, Network},
};

use super::{
    falls::CRASHES,
    libraries::{built, engines, library, real, shim},
};
use crate::{
    mqtt::{
        bench::{DEVICE, Display, PATIENCE, loopback},
        process::Process,
    },
    photos,
    support::Folder,
};

/// Times that each is measured.
const MEASURED_COUNT: usize = 5;

/// An engine that is wanted and fails.
struct Fault {
    name: &'static str,
    wanted: Engine,
    library: PathBuf,
    cache_dir: PathBuf,
    /// The file that makes an engine fail which has worked so far.
    strike: Option<PathBuf>,
    /// What is passed over, and words of the reason.
    passed_over: Vec<(Engine, &'static str)>,
    goes_on: Engine,
}

impl Fault {
    fn is_told_by(&self, report: &EngineReport) -> bool {
        let mut expected = self.passed_over.iter();
        let is_told = |(engine, words): &(Engine, &str)| {
            let mut passed = report.passed_over.iter();
            passed.any(|passed| passed.engine == *engine && passed.reason.contains(words))
        };
        report.engine == self.goes_on && expected.all(is_told)
    }

    /// This engine wanted, under the same circumstances.
    fn engines(&self, wanted: Engine) -> Engines {
        let cache_dir = Some(self.cache_dir.clone());
        engines(EngineChoice::Only(wanted), &self.library, cache_dir)
    }

    /// Takes the strike back.
    fn calm(&self) {
        if let Some(strike) = &self.strike {
            let _ = fs::remove_file(strike);
        }
    }
}

/// A header of ELF alone, for a processor that is not this one's.
fn foreign(folder: &Folder) -> PathBuf {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18] = if ARCH == "aarch64" { 62 } else { 183 };
    folder.file("foreign.so", bytes)
}

/// A cache in which TensorRT's engine is not what was built.
fn spoilt_cache(folder: &Folder, real: &Path) -> PathBuf {
    let cache_dir = folder.path("spoilt");
    let builds = shim(folder, "builds", real, "Orin", &[]);
    let wanted = EngineChoice::Only(Engine::Tensorrt);
    engines(wanted, &builds, Some(cache_dir.clone())).prepare();
    fs::write(&built(&cache_dir)[0], "machine cod3").unwrap();
    cache_dir
}

fn faults(folder: &Folder, real: &Path) -> Vec<Fault> {
    use Engine::{Cuda, OnnxruntimeCpu, Tensorrt, Tract};
    let whole = |words| vec![(Cuda, words), (OnnxruntimeCpu, words)];
    let fault = |name, wanted, library, passed_over, goes_on| Fault {
        name,
        wanted,
        library,
        cache_dir: folder.path("cache"),
        strike: None,
        passed_over,
        goes_on,
    };
    // With a fault that comes while the engine is at work.
    let struck = |name, wanted, at_fault: &str, passed_over, goes_on| {
        let strike = folder.path(&format!("{name}.strike"));
        let when = format!("FAULT_FILE=\"{}\"", strike.display());
        let library = shim(folder, name, real, "Orin", &[&when, at_fault]);
        Fault {
            strike: Some(strike),
            ..fault(name, wanted, library, passed_over, goes_on)
        }
    };
    let no_cuda = "CUDA_ERROR=\"libcublasLt.so.12: cannot open shared object file\"";
    let memory = "RUN_ERROR=\"CUDA failure 2: out of memory\"";
    let builds_long = shim(
        folder,
        "builds-long",
        real,
        "Orin",
        &["BUILD_PAUSE_MS=600000"],
    );
    let mut faults = vec![
        fault(
            "missing library",
            Cuda,
            folder.path("libonnxruntime.so"),
            whole("cannot be read"),
            Tract,
        ),
        fault(
            "library for another processor",
            Cuda,
            foreign(folder),
            whole(", this program for "),
            Tract,
        ),
        fault(
            "library without providers",
            Tensorrt,
            real.to_owned(),
            vec![(Tensorrt, "TensorRT"), (Cuda, "CUDA")],
            OnnxruntimeCpu,
        ),
        fault(
            "provider without CUDA",
            Cuda,
            shim(folder, "no-cuda", real, "Orin", &[no_cuda]),
            vec![(Cuda, "libcublasLt.so.12")],
            OnnxruntimeCpu,
        ),
        Fault {
            cache_dir: spoilt_cache(folder, real),
            ..fault(
                "spoilt engine in the cache",
                Tensorrt,
                builds_long,
                vec![(Tensorrt, "altered, missing or foreign")],
                Cuda,
            )
        },
        fault(
            "library that crashes when loaded",
            OnnxruntimeCpu,
            library(folder, "aborts", CRASHES),
            vec![(OnnxruntimeCpu, "signal: 6")],
            Tract,
        ),
        struck(
            "out of the GPU's memory",
            Cuda,
            memory,
            vec![(Cuda, "out of memory"), (OnnxruntimeCpu, "out of memory")],
            Tract,
        ),
        struck(
            "crash on a picture",
            OnnxruntimeCpu,
            "RUN_CRASHES",
            vec![(OnnxruntimeCpu, "signal: 11")],
            Tract,
        ),
        struck(
            "hang on a picture",
            OnnxruntimeCpu,
            "RUN_HANGS",
            vec![(OnnxruntimeCpu, "no answer within ")],
            Tract,
        ),
    ];
    if let Some(library) = env::var_os("ZOETROPE_TEST_ONNXRUNTIME_GPU") {
        faults.push(fault(
            "NVIDIA's providers without CUDA",
            Tensorrt,
            library.into(),
            vec![(Tensorrt, ".so"), (Cuda, ".so")],
            OnnxruntimeCpu,
        ));
    }
    faults
}

/// Waits until all of these topics of the board carry a report that fits.
async fn hears(display: &mut Display, leaves: &[&str], fits: impl Fn(&EngineReport) -> bool) {
    let is_on = |message: &Message, leaf: &str| {
        message.topic == format!("zoetrope/{DEVICE}/{leaf}")
            && serde_json::from_slice::<serde_json::Value>(&message.payload)
                .ok()
                .and_then(|mut told| serde_json::from_value(told["inference"].take()).ok())
                .is_some_and(|report| fits(&report))
    };
    let mut missing = leaves.to_vec();
    while !missing.is_empty() {
        let message = display.next("", |_| true).await;
        missing.retain(|leaf| !is_on(&message, leaf));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_goes_on_and_says_why() {
    let Some(real) = real() else { return };
    let folder = Folder::new();
    for (number, fault) in faults(&folder, &real).iter().enumerate() {
        let broker = loopback().await;
        let port = broker.address().port();
        let board = Folder::new();
        let config = board.file(
            "zoetrope.toml",
            format!(
                "device_id = \"{DEVICE}\"\nclips_dir = \"clips\"\n\
                 [broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
                 [shape]\nsize = \"96x64\"\nduration_ms = 500\nframe_rate = 10\n\
                 [inference]\nengine = \"{}\"\nlibrary = \"{}\"\ncache_dir = \"{}\"\n",
                fault.wanted,
                fault.library.display(),
                fault.cache_dir.display(),
            ),
        );
        let log = board.path("log");
        let mut display = Display::connect(port, &format!("display-{number}")).await;
        let daemon = Process::run_with(&config, |command| {
            command.stderr(File::create(&log).unwrap())
        });
        let told = |report: &EngineReport| fault.is_told_by(report);
        let after = match &fault.strike {
            Some(strike) => {
                display.state("ready").await;
                // Known pictures, so that a hang is known, too.
                for seed in ["1", "2", "3"] {
                    display
                        .send_photo(&photos::jpeg(96, 64), &[("seed", seed)])
                        .await;
                    let at_work = |report: &EngineReport| report.engine == fault.wanted;
                    hears(&mut display, &["clip/info"], at_work).await;
                }
                File::create(strike).unwrap();
                &["state", "info", "clip/info"][..]
            }
            None => {
                let heard = hears(&mut display, &["state", "info"], told);
                (tokio::time::timeout(PATIENCE, heard).await)
                    .unwrap_or_else(|_| panic!("{}: not told", fault.name));
                &["clip/info"][..]
            }
        };
        display.send_photo(&photos::jpeg(96, 64), &[]).await;
        (tokio::time::timeout(PATIENCE, hears(&mut display, after, told)).await)
            .unwrap_or_else(|_| panic!("{}: no clip, or not told why", fault.name));
        drop(daemon);
        let log = fs::read_to_string(&log).unwrap();
        for (engine, words) in &fault.passed_over {
            let about: Vec<&str> = (log.lines())
                .filter(|line| {
                    line.contains(&format!("engine {engine} is ")) || line.contains("onnxruntime: ")
                })
                .collect();
            assert_eq!(about.len(), 1, "{}, {engine}: {log}", fault.name);
            assert!(about[0].contains(words), "{}: {log}", fault.name);
        }
    }
}

/// Time from the question to the answer, whoever gives it.
fn answer_time(engines: &Engines) -> Duration {
    let input = test_picture(engines.profiles()[0]);
    let asked_at = Instant::now();
    engines.infer(&input).unwrap();
    asked_at.elapsed()
}

#[test]
#[ignore = "measures for a minute"]
fn how_soon() {
    let Some(real) = real() else { return };
    let folder = Folder::new();
    println!("| fault | passed over | goes on | answer after | its own first answer alone |");
    println!("|---|---|---|---|---|");
    for fault in faults(&folder, &real) {
        let (mut slowest, mut own) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..MEASURED_COUNT {
            fault.calm();
            let engines = fault.engines(fault.wanted);
            if let Some(strike) = &fault.strike {
                for _ in 0..3 {
                    answer_time(&engines);
                }
                assert_eq!(engines.engine().engine, fault.wanted);
                File::create(strike).unwrap();
            }
            slowest = slowest.max(answer_time(&engines));
            let report = engines.engine();
            assert!(fault.is_told_by(&report), "{report:?}");
            fault.calm();
            own = own.max(answer_time(&fault.engines(fault.goes_on)));
        }
        let passed_over: Vec<&str> = (fault.passed_over.iter())
            .map(|(engine, _)| engine.name())
            .collect();
        println!(
            "| {} | {} | {} | {:.2} s | {:.2} s |",
            fault.name,
            passed_over.join(", "),
            fault.goes_on,
            slowest.as_secs_f32(),
            own.as_secs_f32()
        );
    }
}
