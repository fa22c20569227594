//! Which crate may know which. The picture in one place, held against what Cargo sees.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// What a crate may depend on among ours, in what ships. Every member stands here.
const ALLOWED: &[(&str, &[&str])] = &[
    ("writ-abi", &[]),
    ("writ-hdl", &["writ-abi"]),
    ("writ-driver", &["writ-abi"]),
    ("writ-tables", &["writ-abi"]),
    ("writ-handover", &[]),
    ("writ-mediation", &["writ-handover"]),
    ("writ-control", &[]),
    ("writ-cli", &["writ-control", "writ-driver"]), // the driver: cards before there is a daemon
    ("writ-sim", &["writ-abi", "writ-driver"]),
    (
        "writ-daemon",
        &["writ-abi", "writ-control", "writ-driver", "writ-handover", "writ-mediation", "writ-sim", "writ-tables"],
    ),
    (
        "writ-testbench",
        &[
            "writ-abi",
            "writ-cli",
            "writ-control",
            "writ-daemon",
            "writ-driver",
            "writ-handover",
            "writ-hdl",
            "writ-mediation",
            "writ-sim",
            "writ-tables",
        ],
    ),
    ("xtask", &["writ-abi", "writ-control", "writ-testbench"]),
];

/// What a crate may depend on beyond that when it is built.
const ALLOWED_BUILD: &[(&str, &[&str])] = &[("writ-sim", &["writ-hdl"])];

/// Others' crates that pure crates may use in what ships: nothing that does I/O, reads a clock or draws numbers by itself.
const ALLOWED_OTHERS: &[(&str, &[&str])] = &[
    ("writ-abi", &["zerocopy"]),
    ("writ-tables", &[]),
    ("writ-handover", &[]),
    ("writ-mediation", &["aes", "aws-lc-rs", "blake3", "cbc", "serde", "serde_json"]),
    ("writ-control", &["serde", "serde_json", "uuid"]),
];

/// Others' crates that stand behind one of ours, so that they can be replaced there.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rust-hdl", &["writ-hdl"]),
    ("rusqlite", &["writ-daemon"]),
    ("tokio", &["writ-daemon", "writ-testbench"]),
    ("memmap2", &["writ-driver"]),
    ("pci-driver", &["writ-driver"]),
    ("vfio_user", &["writ-sim"]),
    ("vfio-bindings", &["writ-sim"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Normal,
    Build,
    Dev,
}

/// One dependency of a member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: String,
    to: String,
    kind: Kind,
}

fn edges(metadata: &Value) -> (BTreeSet<String>, Vec<Edge>) {
    let text = |value: &Value| value.as_str().expect("cargo names its packages").to_owned();
    let packages = metadata["packages"].as_array().expect("cargo lists its packages");
    let members = packages.iter().map(|package| text(&package["name"])).collect();
    let mut edges = Vec::new();
    for package in packages {
        for dependency in package["dependencies"].as_array().expect("cargo lists dependencies") {
            let kind = match dependency["kind"].as_str() {
                None => Kind::Normal,
                Some("build") => Kind::Build,
                Some("dev") => Kind::Dev,
                Some(other) => panic!("a kind of dependency that this test does not know: {other}"),
            };
            edges.push(Edge { from: text(&package["name"]), to: text(&dependency["name"]), kind });
        }
    }
    (members, edges)
}

fn list(table: &'static [(&str, &[&'static str])], name: &str) -> Option<&'static [&'static str]> {
    table.iter().find(|(each, _)| *each == name).map(|(_, list)| *list)
}

fn among_ours(edge: &Edge) -> Result<(), String> {
    let Edge { from, to, kind } = edge;
    let listed = |table| list(table, from).is_some_and(|allowed| allowed.contains(&to.as_str()));
    // Tests may reach for any layer that ships below the programs, but the bench stands on top of everything.
    let top = ["writ-testbench", "xtask", "writ-daemon", "writ-cli"].contains(&to.as_str());
    let ok = match kind {
        Kind::Normal => listed(ALLOWED),
        Kind::Build => listed(ALLOWED) || listed(ALLOWED_BUILD),
        Kind::Dev => listed(ALLOWED) || !top,
    };
    let allowed = list(ALLOWED, from).unwrap_or_default();
    let may = if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") };
    let advice = "hand the thing in as an argument or a trait, or move it to the crate where both may see it";
    if ok { Ok(()) } else { Err(format!("{from} -> {to} ({kind:?}): {from} may depend on {may}; {advice}")) }
}

fn on_others(edge: &Edge) -> Result<(), String> {
    let Edge { from, to, kind } = edge;
    if *kind == Kind::Dev {
        return Ok(());
    }
    if list(ALLOWED_OTHERS, from).is_some_and(|allowed| !allowed.contains(&to.as_str())) {
        return Err(format!(
            "{from} -> {to}: {from} is pure; if {to} has no I/O, clock or randomness of its own, list it"
        ));
    }
    match list(ONLY_IN, to) {
        Some(only) if !only.contains(&from.as_str()) => {
            Err(format!("{from} -> {to}: {to} stays behind {}; use what that crate offers", only.join(", ")))
        }
        _ => Ok(()),
    }
}

fn findings(members: &BTreeSet<String>, edges: &[Edge]) -> Vec<String> {
    let known: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unlisted =
        members.difference(&known).map(|name| format!("{name} is a member: say in ALLOWED what it may know"));
    let gone = known.difference(members).map(|name| format!("{name} stands in ALLOWED but is no member"));
    let check = |edge: &Edge| if members.contains(&edge.to) { among_ours(edge) } else { on_others(edge) };
    unlisted.chain(gone).chain(edges.iter().filter_map(|edge| check(edge).err())).collect()
}

#[test]
fn only_the_edges_that_are_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the test bench stands in the workspace");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .output()
        .expect("cargo runs, it has built this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let (members, edges) = edges(&metadata);
    let findings = findings(&members, &edges);
    assert!(findings.is_empty(), "{} edges that nobody has drawn:\n{}", findings.len(), findings.join("\n"));
}

/// The picture itself has no circle, build edges included.
#[test]
fn the_picture_has_layers() {
    let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in ALLOWED.iter().chain(ALLOWED_BUILD) {
        below.entry(from).or_default().extend(*to);
    }
    while !below.is_empty() {
        let lowest: Vec<&str> = below.iter().filter(|(_, to)| to.is_empty()).map(|(from, _)| *from).collect();
        assert!(!lowest.is_empty(), "a circle among {:?}", below.keys());
        below.retain(|from, _| !lowest.contains(from));
        below.values_mut().for_each(|to| to.retain(|name| !lowest.contains(name)));
    }
}

#[cfg(test)]
fn edge(from: &str, to: &str, kind: Kind) -> Edge {
    Edge { from: from.to_owned(), to: to.to_owned(), kind }
}

#[test]
fn other_edges_are_found() {
    let members: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let bad = [
        edge("writ-abi", "writ-tables", Kind::Normal),
        edge("writ-handover", "writ-abi", Kind::Normal),
        edge("writ-tables", "writ-driver", Kind::Normal),
        edge("writ-cli", "writ-daemon", Kind::Normal),
        edge("writ-sim", "writ-hdl", Kind::Normal),
        edge("writ-driver", "writ-hdl", Kind::Build),
        edge("writ-daemon", "writ-testbench", Kind::Normal),
        edge("writ-daemon", "writ-testbench", Kind::Dev),
        edge("writ-mediation", "writ-daemon", Kind::Dev),
        edge("writ-tables", "tokio", Kind::Normal),
        edge("writ-abi", "serde", Kind::Build),
        edge("writ-sim", "rust-hdl", Kind::Normal),
        edge("writ-cli", "rusqlite", Kind::Normal),
    ];
    for each in bad {
        assert_eq!(findings(&members, std::slice::from_ref(&each)).len(), 1, "not found: {each:?}");
    }
    let good = [
        edge("writ-sim", "writ-hdl", Kind::Build),
        edge("writ-daemon", "writ-sim", Kind::Normal),
        edge("writ-tables", "writ-sim", Kind::Dev),
        edge("writ-tables", "proptest", Kind::Dev),
        edge("writ-daemon", "tokio", Kind::Normal),
        edge("xtask", "writ-testbench", Kind::Normal),
    ];
    assert_eq!(findings(&members, &good), [""; 0]);
}

#[test]
fn members_that_nobody_has_listed_are_found() {
    let mut members: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    members.insert("writ-new".to_owned());
    members.remove("writ-cli");
    assert_eq!(findings(&members, &[]).len(), 2);
}

#[test]
fn metadata_is_read_with_its_kinds() {
    let text = r#"{"packages": [
        {"name": "a", "dependencies": [{"name": "b", "kind": null}, {"name": "c", "kind": "dev"}]},
        {"name": "b", "dependencies": [{"name": "d", "kind": "build"}]}
    ]}"#;
    let (members, edges) = edges(&serde_json::from_str(text).expect("JSON"));
    assert_eq!(members.len(), 2);
    assert_eq!(edges, [edge("a", "b", Kind::Normal), edge("a", "c", Kind::Dev), edge("b", "d", Kind::Build)]);
}
