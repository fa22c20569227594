//! Crates without a world: time, randomness, storage and transport are given to them.

use crate::rust::{code, is_test_file, item_end, line_of, without_tests, words};
use crate::{File, Finding, apply, rust_files};

/// Folders of the pure crates.
const PURE: [&str; 5] = ["hdl/abi/", "host/tables/", "host/handover/", "host/mediation/", "host/control/"];

/// Modules of the standard library that reach into the world. Types of addresses come from `core::net`, spans from `core::time`.
const MODULES: [&str; 8] =
    ["std::net", "std::fs", "std::time", "std::env", "std::process", "std::thread", "std::os", "std::io::stdin"];

/// Names that bring randomness or an order that differs from run to run, wherever they come from. Clocks come from `std::time`.
const NAMES: [&str; 11] = [
    "HashMap",
    "HashSet",
    "RandomState",
    "DefaultHasher",
    "SystemRandom",
    "OsRng",
    "thread_rng",
    "getrandom",
    "new_v4",
    "now_v7",
    "UdpSocket",
];

/// Crates that do.
const CRATES: [&str; 7] = ["rand", "tokio", "mio", "rustix", "libc", "memmap2", "socket2"];

/// Every path that code names, with the trees of `use` written out, and where it begins.
fn paths(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    let mut inline = code.to_owned();
    for at in words(code, "use") {
        let end = at + item_end_of_use(&code[at..]);
        for path in expand(code[at + 3..end].trim_end_matches(';')) {
            paths.push((at, path));
        }
        let blank: String = code[at..end].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        inline.replace_range(at..end, &blank);
    }
    let part = |c: char| c == '_' || c == ':' || c.is_alphanumeric();
    let mut from = 0;
    for piece in inline.split(|c: char| !part(c)) {
        if piece.contains("::") {
            paths.push((from, piece.trim_start_matches(':').to_owned()));
        }
        from += piece.len() + inline[from + piece.len()..].chars().next().map_or(0, char::len_utf8);
    }
    paths
}

fn item_end_of_use(code: &str) -> usize {
    code.find(';').map_or_else(|| item_end(code), |at| at + 1)
}

/// `a::{b, c::{d as e}}` gives `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split_whitespace().next().unwrap_or_default();
        return vec![path.trim_start_matches("::").to_owned()];
    };
    let (head, inner) = (tree[..open].trim(), &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())]);
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(expand).map(|part| format!("{}{part}", head.trim_start_matches("::"))).collect()
}

fn world(file: &File) -> Vec<Finding> {
    if !PURE.iter().any(|folder| file.path.starts_with(folder)) || is_test_file(&file.path) {
        return Vec::new();
    }
    let code = without_tests(&code(&file.text));
    let mut findings = Vec::new();
    let give = "a pure crate is given its world: take it as an argument; address types come from core::net";
    for (at, path) in paths(&code) {
        let below =
            |module: &&&str| path.strip_prefix(**module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        let whole = ["std", "std::self", "std::*"].contains(&path.as_str());
        let by_name = path.split("::").next().is_some_and(|first| CRATES.contains(&first));
        if MODULES.iter().any(|module| below(&module)) || whole || by_name {
            findings.push(Finding::new(line_of(&code, at), format!("`{path}`: {give}")));
        }
    }
    for name in NAMES {
        findings.extend(
            words(&code, name)
                .into_iter()
                .map(|at| Finding::new(line_of(&code, at), format!("`{name}`: {give} (and order with BTreeMap)"))),
        );
    }
    findings
}

#[test]
fn pure_crates_have_no_world() {
    let files = rust_files();
    for folder in PURE {
        assert!(files.iter().any(|file| file.path.starts_with(folder)), "{folder} is not where it was");
    }
    apply(&files, world);
}

#[cfg(test)]
fn found(text: &str) -> usize {
    world(&File { path: "host/tables/src/a.rs".to_owned(), text: text.to_owned() }).len()
}

#[test]
fn a_world_is_found_however_it_comes_in() {
    for text in [
        "use std::fs;",
        "use std::fs::File;",
        "use ::std::net::IpAddr;",
        "use std::{fmt, fs};",
        "use std::{collections::BTreeMap, net::{IpAddr, Ipv4Addr}};",
        "use std as s;",
        "use std::*;",
        "use std::{self};",
        "fn a() { let b = std::fs::read(c); }",
        "fn a() { ::std::thread::sleep(b); }",
        "use std::time::Duration;",
        "fn a() { std::time::Instant::now(); }",
        "use std::time::{self, SystemTime};",
        "fn a(b: HashMap<u8, u8>) {}",
        "use std::collections::{BTreeMap, HashSet};",
        "use aws_lc_rs::rand::SystemRandom;",
        "fn a() -> Uuid { Uuid::new_v4() }",
        "use rand::random;",
        "fn a() { tokio::spawn(b); }",
    ] {
        assert!(found(text) > 0, "not found: {text}");
    }
}

#[test]
fn what_is_no_world_is_not_found() {
    for text in [
        "use core::net::IpAddr;\nuse core::time::Duration;",
        "use std::collections::{BTreeMap, VecDeque};\nuse std::sync::Arc;\nuse std::fmt;",
        "// std::fs is for others\nconst A: &str = \"std::net HashMap\";",
        "#[cfg(test)]\nmod tests {\n    use std::fs;\n}",
        "use crate::network::fs_like;\nmod time;\nuse crate::time::leap;",
        "pub struct Instant(u64);\nfn a(at: Instant) {}",
        "fn a() { brand::new(); operand::rand_like(); }",
    ] {
        assert_eq!(found(text), 0, "found: {text}");
    }
    let elsewhere = File { path: "host/daemon/src/a.rs".to_owned(), text: "use std::fs;".to_owned() };
    assert_eq!(world(&elsewhere), []);
    let test = File { path: "host/tables/tests/a.rs".to_owned(), text: "use std::fs;".to_owned() };
    assert_eq!(world(&test), []);
}

#[test]
fn trees_are_written_out() {
    assert_eq!(expand(" a::{b, c::{d as e, f}, self, }"), ["a::b", "a::c::d", "a::c::f", "a::self"]);
    assert_eq!(expand("::a::b as c"), ["a::b"]);
}
