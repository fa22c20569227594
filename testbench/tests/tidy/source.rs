//! Size of files and functions, `unsafe`, lint attributes, crate documentation.

use crate::rust::{code, is_test_file, item_end, line_of, words};
use crate::{File, Finding, apply, exceptions, rust_files};

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;
/// RustHDL takes the logic of a block as one function, `update`, which can call no other; a block that needs more is two blocks.
const UPDATE_LINES_MAX: usize = 250;

/// Where `unsafe` may stand. The other crates forbid it at their root, too.
const UNSAFE_FOLDERS: [&str; 2] = ["host/driver/", "sim/"];

fn file_length(file: &File) -> Vec<Finding> {
    let lines = file.text.lines().count();
    if lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![Finding::new(lines, format!("{lines} lines, {FILE_LINES_MAX} at most: split the file"))]
}

/// Functions with their line and their number of lines.
pub(crate) fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let code = code(text);
    let name = |at: usize| -> String {
        code[at + 2..].trim_start().chars().take_while(|c| *c == '_' || c.is_alphanumeric()).collect()
    };
    let length = |at: usize| code[at..at + item_end(&code[at..])].lines().count();
    let found = words(&code, "fn").into_iter().map(|at| (name(at), line_of(&code, at), length(at)));
    // A type `fn(u8)` has no name.
    found.filter(|(name, ..)| !name.is_empty()).collect()
}

fn function_length(file: &File, exceptions: &[(&str, &str, usize)]) -> Vec<Finding> {
    let allowed = |name: &str| {
        let own = exceptions.iter().find(|(path, function, _)| *path == file.path && *function == name);
        // A block says what it does in one function, and makes each port and part on a line of its own.
        let is_block = file.path.starts_with("hdl/src/") && ["update", "default"].contains(&name);
        own.map_or(if is_block { UPDATE_LINES_MAX } else { FUNCTION_LINES_MAX }, |(.., lines)| *lines)
    };
    let too_long = |(name, line, lines): (String, usize, usize)| {
        let maximum = allowed(&name);
        let what = || format!("function {name} has {lines} lines, {maximum} at most: split it");
        (lines > maximum).then(|| Finding::new(line, what()))
    };
    functions(&file.text).into_iter().filter_map(too_long).collect()
}

fn unsafe_outside(file: &File) -> Vec<Finding> {
    if UNSAFE_FOLDERS.iter().any(|folder| file.path.starts_with(folder)) {
        return Vec::new();
    }
    let code = code(&file.text);
    let finding = |at| Finding::new(line_of(&code, at), "`unsafe` stands in writ-driver and writ-sim only");
    words(&code, "unsafe").into_iter().map(finding).collect()
}

/// Root files of crates, not of their tests.
fn is_crate_root(path: &str) -> bool {
    path.ends_with("src/lib.rs") || path.ends_with("src/main.rs")
}

fn crate_docs(file: &File) -> Vec<Finding> {
    if !is_crate_root(&file.path) || file.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![Finding::new(1, "a crate begins with its documentation: what it does, what it refuses")]
}

/// Attributes that turn a lint off say why, in the attribute or in a comment on its line.
fn reasons(file: &File) -> Vec<Finding> {
    let code = code(&file.text);
    let mut findings = Vec::new();
    for opening in ["[allow(", "[expect("] {
        for (at, _) in code.match_indices(opening) {
            let attribute = &file.text[at..at + code[at..].find(']').unwrap_or(0)];
            let line = line_of(&code, at);
            let comment = file.text.lines().nth(line - 1).is_some_and(|line| line.contains("//"));
            if code[..at].ends_with(['#', '!']) && !attribute.contains("reason =") && !comment {
                findings.push(Finding::new(line, "say why the lint does not hold here: reason = \"…\""));
            }
        }
    }
    findings
}

#[test]
fn files_are_short() {
    apply(&rust_files(), file_length);
}

#[test]
fn functions_are_short() {
    apply(&rust_files(), |file| function_length(file, exceptions::LONG_FUNCTIONS));
}

#[test]
fn exceptions_for_long_functions_are_still_needed() {
    let files = rust_files();
    for (path, name, lines) in exceptions::LONG_FUNCTIONS {
        let file = files.iter().find(|file| file.path == *path);
        let file = file.unwrap_or_else(|| panic!("{path} does not exist: take it off the list"));
        let longest =
            functions(&file.text).into_iter().filter(|(found, ..)| found == name).map(|(.., lines)| lines).max();
        assert!(longest > Some(FUNCTION_LINES_MAX), "{path}: {name} is short now: take it off the list");
        assert_eq!(longest, Some(*lines), "{path}: {name} is shorter than the list says: correct the list");
    }
}

#[test]
fn unsafe_stands_where_it_may() {
    apply(&rust_files(), unsafe_outside);
}

#[test]
fn crates_are_documented() {
    apply(&rust_files(), crate_docs);
}

#[test]
fn lints_are_turned_off_with_a_reason() {
    apply(&rust_files(), |file| if is_test_file(&file.path) { Vec::new() } else { reasons(file) });
}

#[cfg(test)]
fn sample(path: &str, text: impl Into<String>) -> File {
    File { path: path.to_owned(), text: text.into() }
}

#[test]
fn long_files_are_found() {
    assert_eq!(file_length(&sample("a.rs", "x\n".repeat(800))), []);
    assert_eq!(file_length(&sample("a.rs", "x\n".repeat(801))).len(), 1);
}

#[test]
fn long_functions_are_found() {
    let function = |lines: usize| format!("struct A;\n\npub fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2));
    assert_eq!(functions(&function(70)), [("long".to_owned(), 3, 70)]);
    assert_eq!(function_length(&sample("a.rs", function(70)), &[]), []);
    assert_eq!(function_length(&sample("a.rs", function(71)), &[])[0].line, 3);
    let exceptions = [("a.rs", "long", 80)];
    assert_eq!(function_length(&sample("a.rs", function(80)), &exceptions), []);
    assert_eq!(function_length(&sample("a.rs", function(81)), &exceptions).len(), 1);
    assert_eq!(function_length(&sample("b.rs", function(80)), &exceptions).len(), 1);
    assert_eq!(
        functions("trait B { fn c(&self); }\ntype D = fn(u8); // fn e() {}\nfn f(x: [u8; 2]) {\n}"),
        [("c".to_owned(), 1, 1), ("f".to_owned(), 3, 2)]
    );
}

#[test]
fn unsafe_is_found() {
    let text = "#![forbid(unsafe_code)]\n// unsafe\nfn a() { unsafe { b() } }";
    assert_eq!(unsafe_outside(&sample("host/tables/src/lib.rs", text))[0].line, 3);
    assert_eq!(unsafe_outside(&sample("sim/src/lib.rs", text)), []);
    assert_eq!(unsafe_outside(&sample("host/cli/src/main.rs", "let a = \"unsafe\";")), []);
}

#[test]
fn missing_crate_docs_are_found() {
    assert_eq!(crate_docs(&sample("sim/src/lib.rs", "use a;\n//! Late.")).len(), 1);
    assert_eq!(crate_docs(&sample("sim/src/lib.rs", "//! A simulator.")), []);
    assert_eq!(crate_docs(&sample("sim/src/other.rs", "use a;")), []);
}

#[test]
fn missing_reasons_are_found() {
    assert_eq!(reasons(&sample("a.rs", "\n#[allow(dead_code)]\nfn a() {}"))[0].line, 2);
    assert_eq!(reasons(&sample("a.rs", "#[allow(dead_code, reason = \"b\")]\nfn a() {}")), []);
    assert_eq!(reasons(&sample("a.rs", "#![allow(missing_docs)] // a macro writes them")), []);
    assert_eq!(reasons(&sample("a.rs", "fn a() { b[expect(c)]; }")), []);
}
