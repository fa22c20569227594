//! Array indices: the kernel's tree keeps `array[i + 1].port` as text.

use super::error::Problem;
use num_bigint::BigUint;

/// Loop variables and their values, the innermost last.
pub(super) type Loops = [(String, BigUint)];

/// The value of a loop variable.
pub(super) fn loop_variable<'a>(name: &str, loops: &'a Loops) -> Option<&'a BigUint> {
    loops.iter().rev().find(|(variable, _)| variable == name).map(|(_, value)| value)
}

/// `name` as RustHDL's probe calls it: without a leading dot, dots as `$`, `[i + 1]` as `$3`.
pub(super) fn resolve(name: &str, loops: &Loops) -> Result<String, Problem> {
    let mut resolved = String::new();
    let mut rest = name.strip_prefix('.').unwrap_or(name);
    while let Some((before, after)) = rest.split_once('[') {
        let (inside, behind) = split_bracket(after).ok_or_else(|| Problem::UnknownName(name.to_owned()))?;
        let mut parser = Parser { text: inside.as_bytes(), loops };
        let value = parser.sum().filter(|_| parser.text.is_empty());
        let value = value.filter(|&value| value >= 0);
        let value = value.ok_or_else(|| Problem::Unsupported(format!("array index `{inside}` in `{name}`")))?;
        resolved.push_str(before);
        resolved.push('$');
        resolved.push_str(&value.to_string());
        rest = behind;
    }
    resolved.push_str(rest);
    Ok(resolved.replace("::", "$").replace('.', "$"))
}

/// Splits `i+x[1]]tail` into `i+x[1]` and `tail`.
fn split_bracket(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            b']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// An integer as written in Rust: `12`, `0x1f`, `1_000_usize`.
pub(super) fn integer(text: &str) -> Option<BigUint> {
    let text = text.replace('_', "");
    let (radix, digits) = match text.get(..2) {
        Some("0x") => (16, &text[2..]),
        Some("0o") => (8, &text[2..]),
        Some("0b") => (2, &text[2..]),
        _ => (10, text.as_str()),
    };
    let suffix = ["usize", "u128", "u64", "u32", "u16", "u8", "i32", "i64"].iter().find_map(|s| digits.strip_suffix(s));
    BigUint::parse_bytes(suffix.unwrap_or(digits).as_bytes(), radix)
}

struct Parser<'a> {
    text: &'a [u8],
    loops: &'a Loops,
}

impl Parser<'_> {
    fn take(&mut self, wanted: &[u8]) -> Option<u8> {
        while self.text.first() == Some(&b' ') {
            self.text = &self.text[1..];
        }
        let byte = *self.text.first().filter(|byte| wanted.contains(byte))?;
        self.text = &self.text[1..];
        Some(byte)
    }

    fn sum(&mut self) -> Option<i64> {
        let mut value = self.product()?;
        while let Some(op) = self.take(b"+-") {
            let right = self.product()?;
            value = if op == b'+' { value.checked_add(right)? } else { value.checked_sub(right)? };
        }
        Some(value)
    }

    fn product(&mut self) -> Option<i64> {
        let mut value = self.primary()?;
        while let Some(op) = self.take(b"*/%") {
            let right = self.primary()?;
            value = match op {
                b'*' => value.checked_mul(right)?,
                b'/' => value.checked_div(right)?,
                _ => value.checked_rem(right)?,
            };
        }
        Some(value)
    }

    fn primary(&mut self) -> Option<i64> {
        if self.take(b"(").is_some() {
            let value = self.sum()?;
            return self.take(b")").map(|_| value);
        }
        while self.text.first() == Some(&b' ') {
            self.text = &self.text[1..];
        }
        let length = self.text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let (word, rest) = self.text.split_at(length);
        self.text = rest;
        let word = std::str::from_utf8(word).ok()?;
        let value = match loop_variable(word, self.loops) {
            Some(value) => value.clone(),
            None => integer(word)?,
        };
        i64::try_from(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loops() -> Vec<(String, BigUint)> {
        vec![("i".to_owned(), 3_u8.into()), ("j".to_owned(), 1_u8.into()), ("i".to_owned(), 5_u8.into())]
    }

    #[test]
    fn indices_are_computed() {
        for (name, expected) in [
            ("plain$d", "plain$d"),
            (".inner.ready", "inner$ready"),
            ("a[i]$q", "a$5$q"),
            ("a[i+1]$b[(j*2)+1]$q$next", "a$6$b$3$q$next"),
            ("a[ i - 1 ]", "a$4"),
            ("a[0x10usize]", "a$16"),
            ("a[7%4/1]", "a$3"),
            ("State::Idle", "State$Idle"),
        ] {
            assert_eq!(resolve(name, &loops()).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for name in ["a[N-1]", "a[i", "a[j-2]", "a[iasusize]", "a[]", "a[1/0]", "a[i 3]"] {
            assert!(resolve(name, &loops()).is_err(), "{name}");
        }
    }
}
