//! The rules of style that can be checked by reading the sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::repository;

const LINES_MAX: usize = 400;
const MAIN_LINES_MAX: usize = 80;

/// Every file with one of these extensions below these folders.
fn files(folders: &[&str], extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| repository(folder)).collect();
    while let Some(folder) = folders.pop() {
        // Not every folder is there from the first day on.
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                folders.push(path);
            } else if extensions.contains(&&*extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    let found = files(&["src"], &["rs"]);
    assert!(
        found.len() > 10,
        "the sources are not where they are looked for"
    );
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `src/a/b.rs` as it is called in messages.
fn name(path: &Path) -> String {
    let root = repository("");
    path.strip_prefix(root)
        .expect("below the repository")
        .display()
        .to_string()
}

/// Modules in reading order, as lib.rs lists them.
fn modules() -> Vec<String> {
    read(&repository("src/lib.rs"))
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .map(|line| line.trim_end_matches(';').to_owned())
        .collect()
}

/// The code of a file: lines before its `#[cfg(test)]` module, with their
/// numbers, without comments. Sources keep their tests at the end.
fn code(path: &Path) -> Vec<(usize, String)> {
    read(path)
        .lines()
        .map(str::trim)
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.starts_with("//"))
        .map(|(index, line)| (index + 1, line.to_owned()))
        .collect()
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
}

/// Names that follow `crate::` in the code, with their line: the one name of
/// `crate::a::b` or the several of `crate::{a, b::c}`, even over many lines.
fn crate_names(path: &Path) -> Vec<(usize, String)> {
    let lines = code(path);
    let mut names = Vec::new();
    for (at, (number, line)) in lines.iter().enumerate() {
        for (place, _) in line.match_indices("crate::") {
            let before = line[..place].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let mut rest = line[place + "crate::".len()..].to_owned();
            for (_, line) in &lines[at + 1..] {
                if braces_closed(&rest) {
                    break;
                }
                rest.push(' ');
                rest.push_str(line);
            }
            names.extend(first_names(&rest).into_iter().map(|name| (*number, name)));
        }
    }
    names
}

fn braces_closed(text: &str) -> bool {
    !text.starts_with('{') || text.matches('{').count() <= text.matches('}').count()
}

/// The names at the top of `a::b` or of `{a, b::{c, d}}`.
fn first_names(tree: &str) -> Vec<String> {
    let Some(list) = tree.strip_prefix('{') else {
        return vec![word(tree)];
    };
    let mut names = Vec::new();
    let (mut depth, mut item) = (0, String::new());
    for c in list.chars() {
        match c {
            ',' if depth == 0 => names.push(word(&std::mem::take(&mut item))),
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 => item.push(c),
            _ => {}
        }
    }
    names.push(word(&item));
    names.retain(|name| !name.is_empty());
    names
}

fn word(text: &str) -> String {
    let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
    text.trim_start().chars().take_while(is_part).collect()
}

#[test]
fn modules_name_only_modules_above_them() {
    let modules = modules();
    assert!(modules.len() > 8, "lib.rs lists {modules:?}");
    let mut wrong = Vec::new();
    for path in sources() {
        let name = name(&path);
        let own = name
            .trim_start_matches("src/")
            .split(['/', '.'])
            .next()
            .unwrap_or_default();
        let Some(own) = modules.iter().position(|module| module == own) else {
            assert!(
                matches!(own, "lib" | "main"),
                "{name} belongs to no module of lib.rs"
            );
            continue;
        };
        for (line, named) in crate_names(&path) {
            match modules.iter().position(|module| *module == named) {
                Some(other) if other <= own => {}
                _ => wrong.push(format!("{name}:{line}: names {named}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_are_understood() {
    assert_eq!(first_names("still::{Limits, Origin}"), ["still"]);
    assert_eq!(
        first_names("{clip::{Clip, E}, picture::Rgb, scene}"),
        ["clip", "picture", "scene"]
    );
    assert_eq!(
        first_names("{ clip::Clip, picture::{ A, B, }, };"),
        ["clip", "picture"]
    );
}

#[test]
fn files_are_short() {
    let mut paths = files(&["src", "tests", "benches"], &["rs"]);
    paths.extend(files(&["models"], &["py"]));
    paths.extend(files(&["board"], &["js", "html", "css", "py"]));
    let long: Vec<String> = paths
        .iter()
        .map(|path| (name(path), read(path).lines().count()))
        .filter(|(name, lines)| {
            *lines
                > if name == "src/main.rs" {
                    MAIN_LINES_MAX
                } else {
                    LINES_MAX
                }
        })
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn nothing_is_unwrapped_or_left_for_later() {
    // Put together here, so that this file does not find itself.
    let unwrap = [".unwrap", "()"].concat();
    let later = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["X", "XX"],
        ["todo", "!("],
        ["unimplemented", "!("],
    ]
    .map(|parts| parts.concat());
    let history = [
        ["this ", "session"],
        ["this ", "issue"],
        ["issue ", "#"],
        ["previous ", "version"],
    ]
    .map(|parts| parts.concat());
    let mut wrong = Vec::new();
    let mut paths = files(&["src", "tests", "benches"], &["rs"]);
    paths.extend(files(&["models"], &["py"]));
    paths.extend(files(&["board"], &["js"]));
    for path in paths {
        let name = name(&path);
        if name.starts_with("src") && !is_test(&path) {
            wrong.extend(
                (code(&path).iter())
                    .filter(|(_, line)| line.contains(&unwrap))
                    .map(|(number, _)| format!("{name}:{number}: {unwrap}")),
            );
        }
        for (index, line) in read(&path).lines().enumerate() {
            let found = later.iter().find(|word| line.contains(*word));
            let found = found.or_else(|| history.iter().find(|word| line.contains(*word)));
            wrong.extend(found.map(|word| format!("{name}:{}: {word}", index + 1)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_source_says_what_it_is_for() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|path| !is_test(path) && !read(path).starts_with("//! "))
        .map(|path| name(path))
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn missing_docs_are_errors() {
    let manifest = read(&repository("Cargo.toml"));
    assert!(manifest.contains("missing_docs = \"deny\""));
}
