//! Values that people type, read once and strictly.

use crate::calendar::{CalendarError, UtcTime};
use core::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};
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

/// A transport protocol of an endpoint that can be tapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP, IP protocol 6.
    Tcp,
    /// UDP, IP protocol 17.
    Udp,
}

impl Protocol {
    /// The IP protocol number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    /// Its name in targets.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// What to intercept. Typed and printed as `ipv4=192.0.2.1`, `ipv6=2001:db8::1`, `endpoint=192.0.2.1:5060/udp` or
/// `endpoint=[2001:db8::1]:5060/udp`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// All packets from or to an IPv4 address.
    Ipv4 {
        /// The address.
        address: Ipv4Addr,
    },
    /// All packets from or to an IPv6 address.
    Ipv6 {
        /// The address.
        address: Ipv6Addr,
    },
    /// All packets from or to a port of an address.
    Endpoint {
        /// The address.
        address: IpAddr,
        /// The port, not 0.
        port: u16,
        /// Its protocol.
        protocol: Protocol,
    },
}

impl Target {
    /// The kind, as it is typed.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ipv4 { .. } => "ipv4",
            Self::Ipv6 { .. } => "ipv6",
            Self::Endpoint { .. } => "endpoint",
        }
    }

    /// The value, as it is typed. It is the identity of a target: it belongs in front of authorised eyes only.
    pub fn reveal_value(&self) -> String {
        match self {
            Self::Ipv4 { address } => address.to_string(),
            Self::Ipv6 { address } => address.to_string(),
            Self::Endpoint { address: IpAddr::V4(v4), port, protocol } => format!("{v4}:{port}/{}", protocol.name()),
            Self::Endpoint { address: IpAddr::V6(v6), port, protocol } => format!("[{v6}]:{port}/{}", protocol.name()),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=<redacted>", self.kind())
    }
}

/// What is wrong with a typed value. Says what was expected, never what was typed: that might be a target's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueError {
    /// No `=` between kind and value.
    NoKind,
    /// The kind does not exist.
    UnknownKind,
    /// The value does not have the form of its kind; the form.
    Form(&'static str),
    /// An address that names no single subscriber; why.
    NotASubscriber(&'static str),
    /// Not a date and time.
    Calendar(CalendarError),
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKind => write!(f, "expected KIND=VALUE"),
            Self::UnknownKind => write!(f, "unknown kind; known are ipv4, ipv6 and endpoint"),
            Self::Form(form) => write!(f, "expected {form}"),
            Self::NotASubscriber(why) => write!(f, "{why} address: it names no single subscriber"),
            Self::Calendar(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ValueError {}

const FORM_IPV4: &str = "an IPv4 address, like ipv4=192.0.2.1";
const FORM_IPV6: &str = "an IPv6 address, like ipv6=2001:db8::1";
const FORM_ENDPOINT: &str =
    "ADDR:PORT/tcp or ADDR:PORT/udp, like endpoint=192.0.2.1:5060/udp or endpoint=[2001:db8::1]:5060/udp";

impl FromStr for Target {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (kind, value) = text.split_once('=').ok_or(ValueError::NoKind)?;
        let target = match kind {
            "ipv4" => Self::Ipv4 { address: value.parse().map_err(|_| ValueError::Form(FORM_IPV4))? },
            "ipv6" => Self::Ipv6 { address: value.parse().map_err(|_| ValueError::Form(FORM_IPV6))? },
            "endpoint" => parse_endpoint(value)?,
            _ => return Err(ValueError::UnknownKind),
        };
        target.check()?;
        Ok(target)
    }
}

impl Target {
    /// Refuses addresses that belong to nobody or to everybody. A target that was read from text has passed this
    /// already; one that came in a request has not.
    ///
    /// # Errors
    /// [`ValueError`].
    pub fn check(&self) -> Result<(), ValueError> {
        let (address, port) = match *self {
            Self::Ipv4 { address } => (IpAddr::V4(address), None),
            Self::Ipv6 { address } => (IpAddr::V6(address), None),
            Self::Endpoint { address, port, .. } => (address, Some(port)),
        };
        if port == Some(0) {
            return Err(ValueError::Form("a port from 1 to 65535"));
        }
        let refuse = |why| Err(ValueError::NotASubscriber(why));
        match address {
            address if address.is_unspecified() => refuse("unspecified"),
            address if address.is_multicast() => refuse("multicast"),
            IpAddr::V4(v4) if v4.is_broadcast() => refuse("broadcast"),
            // On the wire such a packet is an IPv4 packet: a row for the mapped address would never match.
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => refuse("IPv4-mapped"),
            _ => Ok(()),
        }
    }
}

fn parse_endpoint(value: &str) -> Result<Target, ValueError> {
    let form = || ValueError::Form(FORM_ENDPOINT);
    let (socket, protocol) = value.rsplit_once('/').ok_or_else(form)?;
    let protocol = match protocol {
        "tcp" | "TCP" => Protocol::Tcp,
        "udp" | "UDP" => Protocol::Udp,
        _ => return Err(form()),
    };
    let (address, port) = socket.rsplit_once(':').ok_or_else(form)?;
    let address = match address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) => IpAddr::V6(inner.parse().map_err(|_| form())?),
        None => IpAddr::V4(address.parse().map_err(|_| form())?),
    };
    if !is_digits(port) {
        return Err(form());
    }
    Ok(Target::Endpoint { address, port: port.parse().map_err(|_| form())?, protocol })
}

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
        for text in
            ["ipv4=192.0.2.1", "ipv6=2001:db8::1", "endpoint=192.0.2.7:5060/udp", "endpoint=[2001:db8::7]:443/tcp"]
        {
            let target: Target = text.parse().expect(text);
            assert_eq!(format!("{}={}", target.kind(), target.reveal_value()), text);
            let debug = format!("{target:?} {:?}", Sensitive::new(text));
            assert!(!debug.contains("192.0") && !debug.contains("2001"), "{debug}");
            let json = serde_json::to_string(&target).expect("plain data");
            assert_eq!(serde_json::from_str::<Target>(&json).expect("just written"), target);
        }
    }

    #[test]
    fn bad_targets_are_refused_without_showing_them() {
        let cases = [
            "198.51.100.1",
            "ipv4=198.51.100.256",
            "ipv4=198.51.100.1/24",
            "ipv6=198.51.100.1",
            "ipv6=::ffff:198.51.100.1",
            "ipv4=0.0.0.0",
            "ipv4=255.255.255.255",
            "ipv4=224.0.0.1",
            "ipv6=ff02::1",
            "mac=00:11:22:33:44:55",
            "endpoint=198.51.100.1:5060",
            "endpoint=198.51.100.1:0/udp",
            "endpoint=198.51.100.1:65536/udp",
            "endpoint=198.51.100.1:+80/udp",
            "endpoint=198.51.100.1:80/sctp",
            "endpoint=2001:db8::9:80/tcp",
        ];
        for text in cases {
            let error = text.parse::<Target>().expect_err(text).to_string();
            let value = text.split_once('=').map_or(text, |(_, value)| value);
            assert!(!error.contains(value), "{text}: {error}");
        }
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
