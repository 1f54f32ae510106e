//! Runs the program as a person would, and watches what is allocated.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ffi::{OsStr, OsString},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The photographs in `models/samples`, by name.
pub const SAMPLES: [&str; 6] = [
    "lake_at_dusk",
    "waterfall",
    "street_with_flags",
    "cafe_cup_with_steam",
    "camp_fire",
    "meadow_under_clouds",
];

/// How a run of the program ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Fails unless the program ended with `code`, said all of `words` on
    /// standard error, and did not panic.
    #[track_caller]
    pub fn refuses(&self, name: &str, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{name}: {self:#?}");
        assert!(self.stderr.contains("error: "), "{name}: {self:#?}");
        assert!(!self.stderr.contains("panicked"), "{name}: {self:#?}");
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{name}: {word:?} is not in {self:#?}"
            );
        }
        assert_eq!(self.stdout, "", "{name}: an error has no result");
    }
}

/// The program that was built with the tests, or what `ZOETROPE_TEST_PROGRAM`
/// names: a script that runs one built for another machine.
pub fn program() -> OsString {
    std::env::var_os("ZOETROPE_TEST_PROGRAM")
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_zoetrope").into())
}

/// Runs the program to its end.
pub fn zoetrope<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Outcome {
    zoetrope_with(args, |command| command)
}

/// Runs the program to its end in another environment.
pub fn zoetrope_with<S: AsRef<OsStr>>(
    args: impl IntoIterator<Item = S>,
    change: impl FnOnce(&mut Command) -> &mut Command,
) -> Outcome {
    let mut command = Command::new(program());
    command
        .args(args)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    let output = change(&mut command).output().expect("the program starts");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A folder for one test, gone afterwards.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file in a temporary folder");
        path
    }

    /// Names of everything in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("a temporary folder");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

/// Says on the console that a test cannot run here, or fails if `tool` is listed
/// in `ZOETROPE_TEST_REQUIRE`.
pub fn missing_tool(tool: &str, remedy: &str) {
    let required = std::env::var("ZOETROPE_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name == tool),
        "{tool} is required but not installed: {remedy}"
    );
    // Not `eprintln!`, which the test harness swallows.
    let _ = writeln!(io::stderr(), "SKIPPED for want of {tool}: {remedy}");
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Size in bytes of the largest single allocation that `work` asks for on
/// this thread.
pub fn largest_allocation<T>(work: impl FnOnce() -> T) -> (T, usize) {
    LARGEST.set(0);
    let result = work();
    (result, LARGEST.get())
}

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

struct Watched;

fn note(bytes: usize) {
    // Gone while a thread ends; nobody measures there.
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(bytes)));
}

// SAFETY: every call goes to the system's allocator with its arguments as
// they came; noting a number in a constant-initialised cell allocates nothing.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(new_size);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;
