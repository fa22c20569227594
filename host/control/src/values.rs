//! Values that people type, read once and strictly.

use crate::calendar::{CalendarError, UtcTime};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// Text that belongs to a target or a subscriber. Its `Debug` shows only that it is there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sensitive(String);

impl Sensitive {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// What to intercept: `KIND=VALUE`, like `ipv4=192.0.2.1`, `tunnel=gtpu:0x1a2b@192.0.2.1` or `vlan=a:100`.
///
/// It is text here: only the daemon reads the value, in one place for all who ask. From text by [`str::parse`], which looks at the kind, so that a
/// mistyped one is refused before anything is sent. One that came in a request was not looked at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Target(String);

impl Target {
    /// The kinds that there are.
    pub const KINDS: [&'static str; 7] = ["ipv4", "ipv6", "endpoint", "flow", "tunnel", "mac", "vlan"];

    /// The kind, as it is typed; `unknown` if there is no such kind.
    pub fn kind(&self) -> &'static str {
        let typed = self.0.split_once('=').map(|(kind, _)| kind);
        Self::KINDS.into_iter().find(|kind| typed == Some(*kind)).unwrap_or("unknown")
    }

    /// The whole text. It is the identity of a target: it belongs in front of authorised eyes only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=<redacted>", self.kind())
    }
}

impl FromStr for Target {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (kind, value) = text.split_once('=').ok_or(ValueError::NoKind)?;
        if !Self::KINDS.contains(&kind) {
            return Err(ValueError::UnknownKind);
        }
        if value.is_empty() {
            return Err(ValueError::NoValue);
        }
        Ok(Self(text.to_owned()))
    }
}

/// What is wrong with a typed value. Says what was expected, never what was typed: that might be a target's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueError {
    /// No `=` between kind and value.
    NoKind,
    /// The kind does not exist.
    UnknownKind,
    /// Nothing stands behind the `=`.
    NoValue,
    /// The value does not have its form; the form.
    Form(&'static str),
    /// Not a date and time.
    Calendar(CalendarError),
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKind => write!(f, "expected KIND=VALUE"),
            Self::UnknownKind => write!(f, "unknown kind; known are {}", Target::KINDS.join(", ")),
            Self::NoValue => write!(f, "expected KIND=VALUE, nothing stands behind the `=`"),
            Self::Form(form) => write!(f, "expected {form}"),
            Self::Calendar(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ValueError {}

/// The readers of the standard library take a sign as well.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// When something begins or ends. Typed as `now`, `@NANOSECONDS` (TAI since the PTP epoch), `+90m`, or a date and time of
/// RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TimeSpec {
    /// The card's present.
    Now,
    /// So many nanoseconds after the start (of a task), or after the present.
    After {
        /// Nanoseconds.
        nanos: u64,
    },
    /// The card's own time.
    Tai {
        /// Nanoseconds of TAI since the PTP epoch.
        nanos: u64,
    },
    /// Universal time.
    Utc {
        /// POSIX seconds.
        posix_s: u64,
        /// Nanoseconds of that second.
        nanos: u32,
    },
}

const FORM_TIME: &str = "a date and time like 2026-01-31T12:00:00Z or 2026-01-31T12:00:00.25+01:00, a duration like +30d, or @ and nanoseconds of TAI";
const FORM_DURATION: &str = "a duration like +30d, +48h, +90m, +45s, +500ms, +20us or +1ns";

impl FromStr for TimeSpec {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "now" {
            return Ok(Self::Now);
        }
        if let Some(digits) = text.strip_prefix('@') {
            let form = || ValueError::Form("@ and nanoseconds of TAI");
            if !is_digits(digits) {
                return Err(form());
            }
            let nanos = digits.parse().map_err(|_| form())?;
            return Ok(Self::Tai { nanos });
        }
        if let Some(duration) = text.strip_prefix('+') {
            return Ok(Self::After { nanos: parse_duration_ns(duration)? });
        }
        let utc = UtcTime::parse(text).map_err(|error| match error {
            CalendarError::Form => ValueError::Form(FORM_TIME),
            other => ValueError::Calendar(other),
        })?;
        Ok(Self::Utc { posix_s: utc.posix_s, nanos: utc.nanos })
    }
}

fn parse_duration_ns(text: &str) -> Result<u64, ValueError> {
    let form = || ValueError::Form(FORM_DURATION);
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(form)?;
    let (number, unit) = text.split_at(split);
    let unit_ns: u64 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return Err(form()),
    };
    let number: u64 = number.parse().map_err(|_| form())?;
    number.checked_mul(unit_ns).ok_or_else(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_survive_the_round_trip_and_hide_in_debug() {
        for text in [
            "ipv4=192.0.2.1",
            "ipv6=2001:db8::/56",
            "endpoint=[2001:db8::7]:443/tcp",
            "flow=192.0.2.1:1-192.0.2.2:2/udp",
            "tunnel=gtpu:0x2001@192.0.2.1",
            "mac=02:00:5e:20:01:01",
            "vlan=a:2001",
        ] {
            let target: Target = text.parse().expect(text);
            assert_eq!((target.reveal(), Some(target.kind())), (text, text.split('=').next()));
            let debug = format!("{target:?} {:?}", Sensitive::new(text));
            assert!(!["192.0", "2001", "20:01"].iter().any(|secret| debug.contains(secret)), "{debug}");
            let json = serde_json::to_string(&target).expect("plain data");
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Target>(&json).expect("just written"), target);
        }
    }

    #[test]
    fn bad_targets_are_refused_without_showing_them() {
        let cases = [
            ("198.51.100.1", ValueError::NoKind),
            ("imsi=001010000000001", ValueError::UnknownKind),
            ("IPv4=198.51.100.1", ValueError::UnknownKind),
            ("=198.51.100.1", ValueError::UnknownKind),
            ("tunnel=", ValueError::NoValue),
        ];
        for (text, wanted) in cases {
            let error = text.parse::<Target>().expect_err(text);
            assert_eq!(error, wanted, "{text}");
            let value = text.split_once('=').map_or(text, |(_, value)| value);
            assert!(value.is_empty() || !error.to_string().contains(value), "{text}: {error}");
        }
        // One that nobody looked at hides as well.
        let unseen: Target = serde_json::from_str("\"198.51.100.1=ipv4\"").expect("a string");
        assert_eq!((unseen.kind(), format!("{unseen:?}")), ("unknown", "unknown=<redacted>".to_owned()));
    }

    #[test]
    fn times() {
        assert_eq!("now".parse(), Ok(TimeSpec::Now));
        assert_eq!("@17".parse(), Ok(TimeSpec::Tai { nanos: 17 }));
        assert_eq!("+48h".parse(), Ok(TimeSpec::After { nanos: 172_800_000_000_000 }));
        assert_eq!("+250us".parse(), Ok(TimeSpec::After { nanos: 250_000 }));
        assert_eq!("2023-11-14T22:13:20Z".parse(), Ok(TimeSpec::Utc { posix_s: 1_700_000_000, nanos: 0 }));
        for bad in ["", "+", "+5", "+5y", "+h", "@", "@-1", "@+1", "tomorrow", "+99999999999999d"] {
            assert!(bad.parse::<TimeSpec>().is_err(), "{bad}");
        }
    }
}
