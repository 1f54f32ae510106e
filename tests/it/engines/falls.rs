//! Engines that fail in every way that is known of, and what goes on in their
//! place.

use std::{fs, path::Path};

use zoetrope::scene::Engine;

use super::libraries::{library, real, shim};
use crate::support::{Folder, repository, zoetrope};

/// A library that ends whoever loads it.
pub const CRASHES: &str = "#include <stdlib.h>\n\
    __attribute__((constructor)) static void begin(void) { abort(); }";
const IS_NONE: &str = "int nothing(void) { return 0; }";

/// Renders with that engine out of that library, which has to succeed, with one
/// line on what was passed over in which `words` stand.
#[track_caller]
fn falls(folder: &Folder, engine: Engine, library: &Path, lines: &[&[&str]]) {
    let clip = folder.path("clip.mp4");
    let photo = repository("models/samples/waterfall.jpg");
    let outcome = zoetrope([
        "render".as_ref(),
        photo.as_os_str(),
        "--output".as_ref(),
        clip.as_os_str(),
        "--size".as_ref(),
        "160x90".as_ref(),
        "--seconds".as_ref(),
        "0.5".as_ref(),
        "--engine".as_ref(),
        engine.name().as_ref(),
        "--library".as_ref(),
        library.as_os_str(),
    ]);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(fs::metadata(&clip).is_ok_and(|about| about.len() > 1000));
    fs::remove_file(&clip).expect("a clip");
    let told: Vec<&str> = (outcome.stderr.lines())
        .filter(|line| line.contains("passed over") || line.contains("onnxruntime: "))
        .collect();
    assert_eq!(told.len(), lines.len(), "{outcome:#?}");
    for (told, words) in told.iter().zip(lines) {
        for word in *words {
            assert!(told.contains(word), "{word:?} is not in {told}");
        }
    }
}

#[test]
fn a_library_that_cannot_be_loaded_is_passed_over_in_one_line() {
    let folder = Folder::new();
    let missing = folder.path("libonnxruntime.so");
    let text = folder.file("text.so", "no library at all, for sure");
    let mut other = fs::read("/proc/self/exe").expect("this program");
    other.truncate(4096);
    other[18] = 8;
    let other = folder.file("other.so", other);
    for (library, words) in [
        (&missing, "cannot be read: No such file"),
        (&text, "is no library"),
        (&other, "is for processor 8 of ELF's list"),
    ] {
        let line: &[&str] = &["onnxruntime: ", words, "tract runs the network"];
        for engine in [Engine::Tensorrt, Engine::OnnxruntimeCpu] {
            falls(&folder, engine, library, &[line]);
        }
    }
}

#[test]
fn a_library_that_crashes_or_is_another_one_ends_its_own_process_alone() {
    let folder = Folder::new();
    let crashes = library(&folder, "crashes", CRASHES);
    let line: &[&str] = &["engine onnxruntime-cpu", "signal: 6", "tract goes on"];
    falls(&folder, Engine::OnnxruntimeCpu, &crashes, &[line]);
    let none = library(&folder, "none", IS_NONE);
    let line: &[&str] = &[
        "engine onnxruntime-cpu",
        "is no ONNX Runtime",
        "tract goes on",
    ];
    falls(&folder, Engine::OnnxruntimeCpu, &none, &[line]);
}

#[test]
fn a_library_without_providers_leaves_its_own_processors() {
    let Some(library) = real() else { return };
    let folder = Folder::new();
    let lines: [&[&str]; 2] = [
        &["engine tensorrt", "cuda goes on"],
        &["engine cuda", "onnxruntime-cpu goes on"],
    ];
    falls(&folder, Engine::Tensorrt, &library, &lines);
    falls(&folder, Engine::Cuda, &library, &lines[1..]);
    falls(&folder, Engine::OnnxruntimeCpu, &library, &[]);
}

/// With the real library for GPUs, where one is named.
#[test]
fn providers_without_cuda_say_which_library_they_lack() {
    let Some(library) = std::env::var_os("ZOETROPE_TEST_ONNXRUNTIME_GPU") else {
        return;
    };
    let folder = Folder::new();
    let lines: [&[&str]; 2] = [
        &["engine tensorrt", ".so", "cuda goes on"],
        &["engine cuda", ".so", "onnxruntime-cpu goes on"],
    ];
    falls(&folder, Engine::Tensorrt, library.as_ref(), &lines);
}

#[test]
fn a_provider_without_cuda_leaves_the_processors() {
    let Some(real) = real() else { return };
    let folder = Folder::new();
    let lacks = "CUDA_ERROR=\"libcublasLt.so.12: cannot open shared object file\"";
    let library = shim(&folder, "lacks", &real, "Orin", &[lacks]);
    let line: &[&str] = &[
        "engine cuda",
        "libcublasLt.so.12",
        "onnxruntime-cpu goes on",
    ];
    falls(&folder, Engine::Cuda, &library, &[line]);
}

#[test]
fn an_engine_that_fails_on_a_picture_leaves_it_to_the_next() {
    let Some(real) = real() else { return };
    let folder = Folder::new();
    let fault = "RUN_ERROR=\"CUDA failure 2: out of memory ; GPU=0\"";
    let library = shim(&folder, "memory", &real, "Orin", &[fault]);
    let lines: [&[&str]; 2] = [
        &["engine cuda", "out of memory", "onnxruntime-cpu goes on"],
        &["engine onnxruntime-cpu", "out of memory", "tract goes on"],
    ];
    falls(&folder, Engine::Cuda, &library, &lines);
    let library = shim(&folder, "crash", &real, "Orin", &["RUN_CRASHES"]);
    let line: &[&str] = &["engine onnxruntime-cpu", "signal: 11", "tract goes on"];
    falls(&folder, Engine::OnnxruntimeCpu, &library, &[line]);
}
