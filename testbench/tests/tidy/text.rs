//! White space, notes to oneself, and what does not belong into the product's text.

use crate::{File, Finding, apply, files};

const ENDINGS: [&str; 9] = [".rs", ".toml", ".md", ".txt", ".json", ".cpp", ".h", ".sh", ".ci/run"];

fn white_space(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(file.text.split('\n')) {
        if line.ends_with('\r') {
            findings.push(Finding::new(number, "a line ends with a line feed alone"));
        } else if line.ends_with([' ', '\t']) {
            findings.push(Finding::new(number, "white space at the end of the line"));
        }
        if line.contains('\t') {
            findings.push(Finding::new(number, "a tab: spaces indent"));
        }
    }
    if !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n")) {
        findings.push(Finding::new(file.text.lines().count(), "a file ends with exactly one line feed"));
    }
    findings
}

/// Put together, so that this file does not break its own rule.
fn notes() -> [String; 6] {
    [["TO", "DO"], ["FIX", "ME"], ["XX", "X:"], ["dbg", "!("], ["todo", "!("], ["unimplemented", "!("]]
        .map(|it| it.concat())
}

fn unfinished(file: &File) -> Vec<Finding> {
    let find = |(number, line): (usize, &str)| {
        let note = notes().into_iter().find(|note| line.contains(note.as_str()))?;
        Some(Finding::new(number, format!("`{note}`: finish it, or write down what is missing where users read it")))
    };
    (1..).zip(file.text.lines()).filter_map(find).collect()
}

/// Places that exist on one machine only.
fn workplaces() -> [String; 5] {
    [["/", "work/"], ["/tmp", "/w/"], ["/", "root/"], ["/", "home/"], ["/", "Users/"]].map(|parts| parts.concat())
}

fn workplace_paths(file: &File) -> Vec<Finding> {
    // In the middle of a longer path, or of an address, it is no such place.
    let stands_alone = |line: &str, place: &str| {
        let before = |at: usize| line[..at].chars().next_back();
        line.match_indices(place)
            .any(|(at, _)| !before(at).is_some_and(|c| c.is_alphanumeric() || "._-/~}".contains(c)))
    };
    let find = |(number, line): (usize, &str)| {
        let place = workplaces().into_iter().find(|place| stands_alone(line, place))?;
        Some(Finding::new(
            number,
            format!("`{place}` exists on one machine only: use a path from the workspace's root"),
        ))
    };
    (1..).zip(file.text.lines()).filter_map(find).collect()
}

#[test]
fn white_space_is_tidy() {
    apply(&files(&ENDINGS), white_space);
}

#[test]
fn nothing_is_left_unfinished() {
    apply(&files(&ENDINGS), unfinished);
}

#[test]
fn no_path_of_a_workplace() {
    apply(&files(&ENDINGS), workplace_paths);
}

#[cfg(test)]
fn sample(text: impl Into<String>) -> File {
    File { path: "a.rs".to_owned(), text: text.into() }
}

#[test]
fn untidy_white_space_is_found() {
    for (text, line) in [("a\nb \n", 2), ("a\r\n", 1), ("\tb\n", 1), ("a\nb", 2), ("a\n\n", 2)] {
        assert_eq!(white_space(&sample(text)).first().map(|finding| finding.line), Some(line), "{text:?}");
    }
    assert_eq!(white_space(&sample("a\n\nb\n")), []);
    assert_eq!(white_space(&sample("")), []);
}

#[test]
fn notes_are_found() {
    for note in notes() {
        assert_eq!(unfinished(&sample(format!("a\n// {note} b)\n")))[0].line, 2, "{note}");
    }
    assert_eq!(unfinished(&sample("// to do: nothing\nlet mastodon = todos;\n")), []);
}

#[test]
fn workplaces_are_found() {
    for place in workplaces() {
        assert_eq!(workplace_paths(&sample(format!("let a = \"{place}b\";\n"))).len(), 1, "{place}");
        assert_eq!(workplace_paths(&sample(format!("see https://example.org{place}b\n"))), [], "{place}");
    }
}
