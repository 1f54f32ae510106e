//! The manual pages and the completions in `docs/` are what the command line is.

use std::{collections::BTreeMap, fs, path::Path};

use clap::CommandFactory;
use clap_complete::Shell;
use zoetrope::cli::Cli;

use crate::support::{Folder, repository};

/// Set, the tests write what they would otherwise find fault with.
const WRITE: &str = "ZOETROPE_TEST_WRITE";

/// Every file of a folder by its name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("a text");
            (name.into_owned(), text)
        })
        .collect()
}

#[track_caller]
fn stands_in(place: &str, made: &Path) {
    let folder = repository(place);
    let (made, stands) = (files(made), files(&folder));
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(&folder).expect("a folder");
        for name in stands.keys().filter(|name| !made.contains_key(*name)) {
            fs::remove_file(folder.join(name)).expect("a file that can go");
        }
        for (name, text) in &made {
            fs::write(folder.join(name), text).expect("a file");
        }
        return;
    }
    let mut names: Vec<_> = made.keys().chain(stands.keys()).collect();
    names.retain(|name| made.get(*name) != stands.get(*name));
    names.dedup();
    assert!(
        names.is_empty(),
        "{place} differs from the command line in {names:?}; write it anew: \
         {WRITE}=1 cargo test --test it manual::"
    );
}

#[test]
fn the_manual_pages_are_those_of_the_command_line() {
    let folder = Folder::new();
    clap_mangen::generate_to(Cli::command(), folder.path("")).expect("manual pages");
    stands_in("docs/man", &folder.path(""));
}

#[test]
fn the_completions_are_those_of_the_command_line() {
    let folder = Folder::new();
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let mut command = Cli::command();
        clap_complete::generate_to(shell, &mut command, "zoetrope", folder.path(""))
            .expect("completions");
    }
    stands_in("docs/completions", &folder.path(""));
}
