//! Where ONNX Runtime's library is, and whether this program can load it.

use std::{
    env::consts::ARCH,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// What the library is called, with or without its version behind.
const NAME: &str = "libonnxruntime.so";

/// Folders where it may lie; `*` stands for one name or a part of one. The last
/// ones are where pip puts the `onnxruntime` and `onnxruntime-gpu` wheels.
const PLACES: [&str; 9] = [
    "/usr/lib/zoetrope",
    "/usr/local/lib",
    "/usr/lib/*-linux-gnu",
    "/usr/lib",
    "/usr/lib64",
    "/opt/onnxruntime/lib",
    "/usr/local/lib/python3*/dist-packages/onnxruntime/capi",
    "/usr/local/lib/python3*/site-packages/onnxruntime/capi",
    "/usr/lib/python3*/dist-packages/onnxruntime/capi",
];

/// The library: the configured one, or the first that is found in the usual places.
///
/// # Errors
/// Why there is none that can be loaded.
pub(super) fn find(configured: Option<&Path>) -> Result<PathBuf, String> {
    let file = match configured {
        Some(file) => file.to_owned(),
        None => PLACES
            .iter()
            .find_map(|place| found_in(place))
            .ok_or_else(|| format!("there is no {NAME} in the usual places"))?,
    };
    check(&file).map_err(|reason| format!("{} {reason}", file.display()))?;
    // What is loaded later lies beside the file itself, not beside links to it.
    fs::canonicalize(&file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The library in the folders that the pattern stands for; of several the first by
/// name, which is the one without a version.
fn found_in(pattern: &str) -> Option<PathBuf> {
    let mut folders = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        folders = match part.split_once('*') {
            None => folders.iter().map(|folder| folder.join(part)).collect(),
            Some((head, tail)) => (folders.iter())
                .flat_map(|folder| names(folder))
                .filter(|path| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    name.len() >= head.len() + tail.len()
                        && name.starts_with(head)
                        && name.ends_with(tail)
                })
                .collect(),
        };
    }
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix(NAME)
            .is_some_and(|version| version.is_empty() || version.starts_with('.'))
    };
    let mut found: Vec<PathBuf> = (folders.iter())
        .flat_map(|folder| names(folder))
        .filter(is_library)
        .collect();
    found.sort();
    found.into_iter().next()
}

/// Everything in a folder; nothing, if it cannot be read.
fn names(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default()
}

/// Processors by their number in ELF's `e_machine`, named as Rust names them.
const MACHINES: [(u16, &str); 4] = [(3, "x86"), (40, "arm"), (62, "x86_64"), (183, "aarch64")];

/// Whether the file is a library for this processor: the loader's own words about
/// another one ("cannot open shared object file") mislead.
fn check(file: &Path) -> Result<(), String> {
    let mut head = [0; 20];
    (File::open(file).and_then(|mut file| file.read_exact(&mut head)))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if head[..4] != *b"\x7fELF" {
        return Err("is no library".to_owned());
    }
    let bytes = [head[18], head[19]];
    let number = match head[5] {
        2 => u16::from_be_bytes(bytes),
        _ => u16::from_le_bytes(bytes),
    };
    let machine = MACHINES.iter().find(|(known, _)| *known == number);
    match machine {
        Some((_, name)) if *name == ARCH => Ok(()),
        Some((_, name)) => Err(format!("is for {name}, this program for {ARCH}")),
        None => Err(format!(
            "is for processor {number} of ELF's list, this program for {ARCH}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u16) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(18, 0);
        bytes.extend(machine.to_le_bytes());
        bytes.resize(64, 0);
        bytes
    }

    #[test]
    fn a_library_of_another_processor_is_told_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let other = if ARCH == "aarch64" { 62 } else { 183 };
        for (content, words) in [
            (elf(other), "is for "),
            (elf(9), "processor 9 of ELF's list"),
            (b"MZ a library of another system".to_vec(), "is no library"),
            (b"\x7fELF".to_vec(), "cannot be read"),
        ] {
            let file = folder.path().join(NAME);
            fs::write(&file, content).unwrap();
            let said = find(Some(&file)).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn a_pattern_finds_the_library_with_and_without_version() {
        let folder = tempfile::tempdir().unwrap();
        let capi = folder.path().join("python3.12/onnxruntime/capi");
        fs::create_dir_all(&capi).unwrap();
        let pattern = format!("{}/python3*/onnxruntime/capi", folder.path().display());
        assert_eq!(found_in(&pattern), None);
        fs::write(capi.join("libonnxruntime_providers_cuda.so"), b"").unwrap();
        assert_eq!(found_in(&pattern), None);
        let versioned = capi.join("libonnxruntime.so.1.23.0");
        fs::write(&versioned, b"").unwrap();
        assert_eq!(found_in(&pattern), Some(versioned));
        fs::write(capi.join(NAME), b"").unwrap();
        assert_eq!(found_in(&pattern), Some(capi.join(NAME)));
    }
}
