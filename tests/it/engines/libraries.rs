//! Libraries that pass for ONNX Runtime, real ones and made ones.

use std::{
    env, fs,
    mem::{offset_of, size_of},
    path::{Path, PathBuf},
    process::Command,
};

use ort::sys::OrtApi;
use zoetrope::{
    config::{EngineChoice, Inference},
    device::inference::Engines,
    scene::Engine,
};

use crate::support::{Folder, missing_tool, repository};

/// The program whose engines are started.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_zoetrope");

/// The network, run by this engine out of that library.
pub fn engines(engine: EngineChoice, library: &Path, cache_dir: Option<PathBuf>) -> Engines {
    let wanted = Inference {
        engine,
        library_file: Some(library.to_owned()),
        cache_dir,
    };
    Engines::open(None, wanted, None, PROGRAM.into()).expect("the committed network")
}

/// The real ONNX Runtime of `ZOETROPE_TEST_ONNXRUNTIME`, or else of one of the usual
/// places; without it, a test that needs it says so.
pub fn real() -> Option<PathBuf> {
    if let Some(named) = env::var_os("ZOETROPE_TEST_ONNXRUNTIME").map(PathBuf::from) {
        assert!(named.is_file(), "there is no {}", named.display());
        return Some(named);
    }
    let wanted = Inference {
        engine: EngineChoice::Only(Engine::OnnxruntimeCpu),
        library_file: None,
        cache_dir: None,
    };
    let engines = Engines::open(None, wanted, None, PROGRAM.into()).expect("the network");
    match engines.library() {
        Ok(library) => Some(library.to_owned()),
        Err(_) => {
            let remedy = "pip install onnxruntime, and its libonnxruntime.so in \
                          ZOETROPE_TEST_ONNXRUNTIME";
            missing_tool("onnxruntime", remedy);
            None
        }
    }
}

/// Compiles C to a library. The C compiler is the one that builds the encoder, or
/// that of `ZOETROPE_TEST_CC` where this runs as another processor's program.
fn compile(source: &Path, library: &Path, arguments: &[String]) {
    let compiler = env::var_os("ZOETROPE_TEST_CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-w", "-o"])
        .args([library, source])
        .args(arguments)
        .output()
        .expect("a C compiler");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// A library of this C source.
pub fn library(folder: &Folder, name: &str, source: &str) -> PathBuf {
    let source = folder.file(&format!("{name}.c"), source);
    let library = folder.path(&format!("{name}.so"));
    compile(&source, &library, &[]);
    library
}

/// The real library behind one that passes for it, with these macros of `shim.c`,
/// on a board with a GPU of this name.
pub fn shim(folder: &Folder, name: &str, real: &Path, gpu: &str, macros: &[&str]) -> PathBuf {
    let sources = repository("tests/it/engines");
    let drivers = folder.path(&format!("{name}.drivers"));
    fs::create_dir(&drivers).expect("a folder in a temporary folder");
    for soname in ["libcuda.so.1", "libnvinfer.so.10"] {
        let arguments = [format!("-DGPU=\"{gpu}\""), format!("-Wl,-soname,{soname}")];
        compile(&sources.join("driver.c"), &drivers.join(soname), &arguments);
    }
    macro_rules! at {
        ($field:ident) => {
            offset_of!(OrtApi, $field) / size_of::<usize>()
        };
    }
    let entries = [
        ("ENTRY_COUNT", size_of::<OrtApi>() / size_of::<usize>()),
        ("AT_CREATE_STATUS", at!(CreateStatus)),
        ("AT_RUN", at!(Run)),
        ("AT_CREATE_SESSION", at!(CreateSessionFromArray)),
        ("AT_TENSOR_DATA", at!(GetTensorMutableData)),
        ("AT_CREATE_CUDA", at!(CreateCUDAProviderOptions)),
        ("AT_UPDATE_CUDA", at!(UpdateCUDAProviderOptions)),
        ("AT_RELEASE_CUDA", at!(ReleaseCUDAProviderOptions)),
        (
            "AT_ADD_CUDA",
            at!(SessionOptionsAppendExecutionProvider_CUDA_V2),
        ),
        ("AT_CREATE_TENSORRT", at!(CreateTensorRTProviderOptions)),
        ("AT_UPDATE_TENSORRT", at!(UpdateTensorRTProviderOptions)),
        ("AT_RELEASE_TENSORRT", at!(ReleaseTensorRTProviderOptions)),
        (
            "AT_ADD_TENSORRT",
            at!(SessionOptionsAppendExecutionProvider_TensorRT_V2),
        ),
    ];
    let mut arguments: Vec<String> = (entries.iter())
        .map(|(name, value)| format!("-D{name}={value}"))
        .collect();
    arguments.push(format!("-DREAL=\"{}\"", real.display()));
    arguments.extend(macros.iter().map(|text| format!("-D{text}")));
    arguments.push(format!("-Wl,--no-as-needed,-rpath,{}", drivers.display()));
    arguments.extend(
        ["libcuda.so.1", "libnvinfer.so.10"]
            .map(|soname| drivers.join(soname).display().to_string()),
    );
    arguments.push("-ldl".to_owned());
    let library = folder.path(&format!("{name}.so"));
    compile(&sources.join("shim.c"), &library, &arguments);
    library
}

/// What TensorRT has built in a cache folder, sorted.
pub fn built(cache_dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![cache_dir.join("tensorrt")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|name| name == "engine") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
