//! Rules of the house that no compiler checks, over every file of the workspace.
//!
//! Each rule is a function from text to findings; the tests at its side show that it can fail, those here apply it to the repository. What
//! may break a rule stands in [`exceptions`], with its measure, and has to leave from there as soon as it no longer does.

mod exceptions;
mod layout;
mod manifests;
mod pure;
mod rust;
mod source;
mod text;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Line, from 1 on.
    pub(crate) line: usize,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

/// A file of the repository: path from the root on, with `/`, and text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("the test bench stands in the workspace").to_path_buf()
}

/// Folders and files that hold nothing of ours.
fn is_foreign(name: &str) -> bool {
    ["target", ".git", "Cargo.lock"].contains(&name)
}

/// Entries of a folder that belong to the repository, by name.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = read.map(|entry| entry.expect("a readable folder").path()).collect();
    entries.retain(|path| !path.file_name().is_some_and(|name| is_foreign(&name.to_string_lossy())));
    entries.sort();
    entries
}

/// Every file with one of the endings below `folder`. What is not text has no such ending.
pub(crate) fn files(endings: &[&str]) -> Vec<File> {
    let root = root();
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(&root).expect("found below the root");
            let relative = relative.to_string_lossy().replace('\\', "/");
            if endings.iter().any(|ending| relative.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{relative}: {error}"));
                files.push(File { path: relative, text });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

pub(crate) fn rust_files() -> Vec<File> {
    let files = files(&[".rs"]);
    assert!(files.len() > 50, "only {} source files: looked in the wrong place", files.len());
    files
}

/// Applies a rule to files and fails with everything that it finds.
pub(crate) fn apply(files: &[File], rule: impl Fn(&File) -> Vec<Finding>) {
    let show =
        |file: &File| rule(file).into_iter().map(|finding| format!("{}:{finding}", file.path)).collect::<Vec<_>>();
    let findings: Vec<String> = files.iter().flat_map(show).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}
