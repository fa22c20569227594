//! Just enough of Rust's syntax to tell code from comments and literals, and tests from what ships.

/// What a character of a source file belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

/// The text with comments and the content of literals turned into spaces. Lines and columns stay.
pub(crate) fn code(text: &str) -> String {
    keep(text, |part| part == Part::Code)
}

/// The text of the comments alone. Lines and columns stay.
pub(crate) fn comments(text: &str) -> String {
    keep(text, |part| part == Part::Comment)
}

fn keep(text: &str, wanted: impl Fn(Part) -> bool) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let (part, length) = next(&characters[at..], at.checked_sub(1).map(|before| characters[before]));
        for &character in &characters[at..at + length] {
            out.push(if character == '\n' || wanted(part) { character } else { ' ' });
        }
        at += length;
    }
    out
}

/// The part that begins here, and how many characters it has.
fn next(rest: &[char], before: Option<char>) -> (Part, usize) {
    let starts = |prefix: &str| prefix.chars().enumerate().all(|(i, wanted)| rest.get(i) == Some(&wanted));
    if starts("//") {
        return (Part::Comment, rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()));
    }
    if starts("/*") {
        return (Part::Comment, block_comment(rest));
    }
    let inside_name = before.is_some_and(|c| c == '_' || c.is_alphanumeric());
    if !inside_name && let Some(length) = raw_string(rest) {
        return (Part::Literal, length);
    }
    match rest[0] {
        '"' => (Part::Literal, quoted(rest)),
        '\'' => character(rest).map_or((Part::Code, 1), |length| (Part::Literal, length)),
        _ => (Part::Code, 1),
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of `r"…"`, `r#"…"#`, `br"…"` and the like, if one begins here.
fn raw_string(rest: &[char]) -> Option<usize> {
    let start = rest.iter().take(2).take_while(|c| ['b', 'c', 'r'].contains(c)).count();
    if start == 0 || rest[start - 1] != 'r' {
        return None;
    }
    let hashes = rest[start..].iter().take_while(|c| **c == '#').count();
    if rest.get(start + hashes) != Some(&'"') {
        return None;
    }
    let mut at = start + hashes + 1;
    while at < rest.len() {
        let closing = rest[at] == '"' && rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
        if closing {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(rest.len())
}

/// Length of a character literal, if one begins here; a lifetime is none.
fn character(rest: &[char]) -> Option<usize> {
    match (rest.get(1), rest.get(2)) {
        (Some('\\'), _) => Some(rest.iter().skip(3).position(|c| *c == '\'')? + 4),
        (Some(_), Some('\'')) => Some(3),
        _ => None,
    }
}

/// Code with everything under `#[cfg(test)]` turned into spaces. Takes what [`code`] returns.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = item_end(&out[start..]) + start;
        let blank: String = out[start..end].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        out.replace_range(start..end, &blank);
    }
    out
}

/// Where the item that begins here ends: behind its block, or behind its semicolon.
pub(crate) fn item_end(code: &str) -> usize {
    let mut depth = 0_usize;
    let mut round = 0_usize;
    for (at, character) in code.char_indices() {
        match character {
            '(' | '[' => round += 1,
            ')' | ']' => round = round.saturating_sub(1),
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 && round == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Line of a byte, from 1 on.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where `word` stands as a word of its own.
pub(crate) fn words(code: &str, word: &str) -> Vec<usize> {
    let part_of_name = |c: char| c == '_' || c.is_alphanumeric();
    let alone = |at: &usize| {
        let before = code[..*at].chars().next_back().is_some_and(part_of_name);
        let behind = code[at + word.len()..].chars().next().is_some_and(part_of_name);
        !before && !behind
    };
    code.match_indices(word).map(|(at, _)| at).filter(alone).collect()
}

/// Whether a file holds tests only, by its path.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = "let a = \"// x\"; // say \"y\"\n/* b /* c */ d */ let e = 'f'; let g = r#\"h\"i\"#; let j: &'k str = \"l\\\"m\";";
    let code = code(text);
    for gone in ["x", "y", "b", "c", "d", "f'", "h", "i\"", "l\\", "m"] {
        assert!(words(&code, gone).is_empty(), "{gone} is in {code}");
    }
    for kept in ["a", "e", "g", "j", "k", "str"] {
        assert_eq!(words(&code, kept).len(), 1, "{kept} is not in {code}");
    }
    assert_eq!(code.lines().count(), 2);
    assert_eq!(comments(text).split_whitespace().collect::<Vec<_>>().join(" "), "// say \"y\" /* b /* c */ d */");
    assert_eq!(words(&self::code(r"let q = '\''; let r = '\u{1F600}'; s"), "s").len(), 1);
    assert_eq!(words(&self::code("for_r\"x\" t"), "t").len(), 1);
}

#[test]
fn tests_are_left_out_and_nothing_else() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { if c {} } }\nfn d() {}\n#[cfg(test)]\nmod e;\nfn f() {}";
    let left = without_tests(&code(text));
    assert!(["a", "d", "f"].iter().all(|name| words(&left, name).len() == 1), "{left}");
    assert!(["b", "c", "e", "tests"].iter().all(|name| words(&left, name).is_empty()), "{left}");
    assert_eq!(line_of(&left, words(&left, "f")[0]), 7);
}
