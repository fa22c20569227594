//! Cargo manifests: a reason for every dependency, versions in one place, the workspace's lints everywhere.

use crate::{File, Finding, apply, files};

/// Lines of a section, with their numbers.
fn section<'a>(text: &'a str, name: &str) -> Vec<(usize, &'a str)> {
    let header = format!("[{name}]");
    let lines = (1..).zip(text.lines());
    let inside = lines.skip_while(|(_, line)| line.trim() != header).skip(1);
    inside.take_while(|(_, line)| !line.starts_with('[')).collect()
}

/// Every dependency of others in the root manifest says on its line why it is there, and every member what it is.
fn dependency_reasons(text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in section(text, "workspace.dependencies") {
        let entry = !line.trim_start().starts_with('#') && line.contains('=');
        let ours = line.contains("path = ");
        let reason = line.rsplit_once("# ").is_some_and(|(_, reason)| reason.trim().len() >= 3);
        if entry && !ours && !reason {
            findings.push(Finding::new(number, "say on the line why the dependency is here: # …"));
        }
    }
    for (number, line) in section(text, "workspace") {
        if line.trim_start().starts_with('"') && !line.contains("# ") {
            findings.push(Finding::new(number, "say on the line what the member is: # …"));
        }
    }
    findings
}

/// A member inherits lints and package fields, and names no version of its own.
fn inheritance(text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !section(text, "lints").iter().any(|(_, line)| line.trim() == "workspace = true") {
        findings.push(Finding::new(1, "the member does not inherit the lints: [lints] workspace = true"));
    }
    for field in ["version", "edition", "rust-version", "license", "publish"] {
        if !section(text, "package").iter().any(|(_, line)| line.trim() == format!("{field}.workspace = true")) {
            findings.push(Finding::new(1, format!("the package does not inherit: {field}.workspace = true")));
        }
    }
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (number, line) in section(text, kind) {
            let entry = !line.trim_start().starts_with('#') && line.contains('=');
            if entry && !line.contains(".workspace = true") && !line.contains("workspace = true,") {
                findings
                    .push(Finding::new(number, "versions and paths stand in the root manifest: NAME.workspace = true"));
            }
        }
    }
    findings
}

fn manifests() -> Vec<File> {
    let manifests = files(&["Cargo.toml"]);
    assert!(manifests.len() >= 10, "only {} manifests: looked in the wrong place", manifests.len());
    manifests
}

#[test]
fn every_dependency_has_a_reason() {
    let root: Vec<File> = manifests().into_iter().filter(|file| file.path == "Cargo.toml").collect();
    assert_eq!(root.len(), 1);
    assert!(
        section(&root[0].text, "workspace.dependencies").len() > 10,
        "the root manifest is not understood any more"
    );
    apply(&root, |file| dependency_reasons(&file.text));
}

#[test]
fn members_inherit() {
    let members: Vec<File> = manifests().into_iter().filter(|file| file.path != "Cargo.toml").collect();
    apply(&members, |file| inheritance(&file.text));
}

#[test]
fn missing_reasons_are_found() {
    let text = "[workspace]\nmembers = [\n    \"a\", # what it is\n    \"b\",\n]\n[workspace.dependencies]\n# Ours.\na = { path = \"a\" }\n\
                c = \"1\" # why\nd = { version = \"1\", features = [\"x\"] } # because of y\ne = \"1\"\nf = \"2\" # it\n";
    assert_eq!(dependency_reasons(text).iter().map(|finding| finding.line).collect::<Vec<_>>(), [11, 12, 4]);
}

#[test]
fn missing_inheritance_is_found() {
    let fields =
        ["version", "edition", "rust-version", "license", "publish"].map(|it| format!("{it}.workspace = true\n"));
    let good = format!(
        "[package]\nname = \"a\"\n{}\n[lints]\nworkspace = true\n\n[dependencies]\nb.workspace = true\nc = {{ workspace = true, optional = true }}\n",
        fields.concat()
    );
    assert_eq!(inheritance(&good), []);
    assert_eq!(inheritance(&good.replace("[lints]\nworkspace = true", "")).len(), 1);
    for field in &fields {
        // With the line feed before it: one field ends like another.
        assert_eq!(inheritance(&good.replace(&format!("\n{field}"), "\n")).len(), 1, "{field}");
    }
    assert_eq!(inheritance(&good.replace("b.workspace = true", "b = \"1\"")).len(), 1);
    assert_eq!(inheritance(&format!("{good}[build-dependencies]\nd = {{ path = \"../d\" }}\n")).len(), 1);
}
