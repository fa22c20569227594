//! What a destination wants otherwise than the daemon's configuration has it.

use core::{fmt, net::IpAddr};
use serde::{Deserialize, Serialize};

/// Version that X2/X3 PDUs say they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum XVersion {
    /// 0.5, as TS 103 221-2 V1.6.1 to V1.9.1 have it.
    #[serde(rename = "0.5")]
    V0_5,
    /// 0.6, as TS 103 221-2 V1.10.1 has it.
    #[serde(rename = "0.6")]
    V0_6,
}

impl XVersion {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V0_5, Self::V0_6];

    /// The version, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0_5 => "0.5",
            Self::V0_6 => "0.6",
        }
    }
}

/// Hash function of integrity checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The function, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

/// Integrity checks on HI2 and HI3 (TS 102 232-1 clause 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integrity {
    /// With what.
    pub hash: Hash,
    /// A hash after so many PDUs,
    pub pdus: u32,
    /// or when the first of them is so old, ms.
    pub ms: u32,
    /// Signatures over hashes, with the daemon's key.
    pub sign: bool,
}

impl Integrity {
    /// PDUs of a hash, if nothing else is said.
    pub const PDUS: u32 = 1000;
    /// Most PDUs of a hash.
    pub const PDUS_MAX: u32 = 10_000;
    /// Age for a hash, if nothing else is said, ms.
    pub const MS: u32 = 1000;
}

/// Oldest version of LI-PS-PDU that may be said.
pub const LI_VERSION_MIN: u8 = 17;
/// Shortest time of a setting, ms.
pub const TIME_MS_MIN: u32 = 100;
/// Longest time of a setting, ms: a day.
pub const TIME_MS_MAX: u32 = 86_400_000;
/// Lowest rate, bytes a second: one full packet in a tenth of a second.
pub const RATE_MIN: u64 = 16_384;
/// Highest code point.
pub const DSCP_MAX: u8 = 63;

/// Settings of one destination. What is absent is as the daemon's configuration, or the standard, has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DestinationSettings {
    /// HI: N of `li-psDomainId {0 4 0 2 2 5 1 N}`. Orders for headers need 40 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub li_version: Option<u8>,
    /// X: version in the header of each PDU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_version: Option<XVersion>,
    /// Silence (HI) or time (X) after which a keep-alive is sent, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_idle_ms: Option<u32>,
    /// How long an answer may be owed before the connection is given up, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_answer_ms: Option<u32>,
    /// With `barrier`: how long something may be unconfirmed before a confirmation is asked for, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barrier_ms: Option<u32>,
    /// Address of this host that connections come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// Differentiated services code point of what is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dscp: Option<u8>,
    /// Most bytes of PDUs a second, of each of the two interfaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_bytes_per_s: Option<u64>,
    /// HI: hashes and signatures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrity: Option<Integrity>,
    /// HI: encrypt payloads with the key of this name, one of the daemon's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_key: Option<String>,
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// Its name.
    pub setting: &'static str,
    /// What is wanted.
    pub wanted: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.wanted)
    }
}

impl std::error::Error for SettingError {}

impl DestinationSettings {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Finds what cannot be for a destination that takes `hi` (or X), at `addresses`.
    ///
    /// # Errors
    /// [`SettingError`] with the first one.
    pub fn check(&self, hi: bool, addresses: &[IpAddr]) -> Result<(), SettingError> {
        let fail = |setting, wanted: &str| Err(SettingError { setting, wanted: wanted.to_owned() });
        match (hi, self.li_version, self.x_version) {
            (false, Some(_), _) => return fail("li_version", "is for HI2 and HI3 only"),
            (true, _, Some(_)) => return fail("x_version", "is for X2 and X3 only"),
            (true, Some(version), _) if version < LI_VERSION_MIN => {
                return fail("li_version", &format!("{LI_VERSION_MIN} to 255 is wanted"));
            }
            _ => {}
        }
        for (setting, time) in [
            ("keepalive_idle_ms", self.keepalive_idle_ms),
            ("keepalive_answer_ms", self.keepalive_answer_ms),
            ("barrier_ms", self.barrier_ms),
        ] {
            if time.is_some_and(|time| !(TIME_MS_MIN..=TIME_MS_MAX).contains(&time)) {
                return fail(setting, &format!("{TIME_MS_MIN} to {TIME_MS_MAX} is wanted"));
            }
        }
        if self.dscp.is_some_and(|dscp| dscp > DSCP_MAX) {
            return fail("dscp", &format!("0 to {DSCP_MAX} is wanted"));
        }
        if self.rate_bytes_per_s.is_some_and(|rate| rate < RATE_MIN) {
            return fail("rate_bytes_per_s", &format!("at least {RATE_MIN} is wanted"));
        }
        if let Some(Integrity { pdus, ms, .. }) = self.integrity {
            let is_good = (1..=Integrity::PDUS_MAX).contains(&pdus) && (TIME_MS_MIN..=TIME_MS_MAX).contains(&ms);
            if !hi {
                return fail("integrity", "is for HI2 and HI3 only");
            }
            if !is_good {
                let most = Integrity::PDUS_MAX;
                return fail(
                    "integrity",
                    &format!("1 to {most} PDUs and {TIME_MS_MIN} to {TIME_MS_MAX} ms are wanted"),
                );
            }
        }
        if self.payload_key.is_some() && !hi {
            return fail("payload_key", "is for HI2 and HI3 only");
        }
        let Some(source) = self.source else { return Ok(()) };
        if source.is_unspecified() || source.is_multicast() {
            return fail("source", "one address of this host is wanted");
        }
        if addresses.iter().any(|address| address.is_ipv4() != source.is_ipv4()) {
            return fail("source", "an address of the same version of IP as the destination's is wanted");
        }
        Ok(())
    }

    /// What is set, as names and values: for people and for the audit log.
    pub fn named(&self) -> Vec<(&'static str, String)> {
        let number = |name, value: Option<u64>| value.map(|value| (name, value.to_string()));
        [
            number("li_version", self.li_version.map(u64::from)),
            self.x_version.map(|version| ("x_version", version.name().to_owned())),
            number("keepalive_idle_ms", self.keepalive_idle_ms.map(u64::from)),
            number("keepalive_answer_ms", self.keepalive_answer_ms.map(u64::from)),
            number("barrier_ms", self.barrier_ms.map(u64::from)),
            self.source.map(|source| ("source", source.to_string())),
            number("dscp", self.dscp.map(u64::from)),
            number("rate_bytes_per_s", self.rate_bytes_per_s),
            self.integrity.map(|Integrity { hash, pdus, ms, sign }| {
                let signed = if sign { ", signed" } else { "" };
                ("integrity", format!("{} every {pdus} PDUs or {ms} ms{signed}", hash.name()))
            }),
            self.payload_key.clone().map(|name| ("payload_key", name)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTEGRITY: Integrity = Integrity { hash: Hash::Sha256, pdus: Integrity::PDUS, ms: Integrity::MS, sign: true };

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn what_cannot_be_is_named() {
        let none = DestinationSettings::default;
        let v4 = [address("192.0.2.1")];
        assert!(none().is_empty() && none().named().is_empty());
        assert_eq!((none().check(true, &v4), none().check(false, &v4)), (Ok(()), Ok(())));
        for (settings, hi, named) in [
            (DestinationSettings { li_version: Some(40), ..none() }, false, "li_version"),
            (DestinationSettings { li_version: Some(16), ..none() }, true, "li_version"),
            (DestinationSettings { x_version: Some(XVersion::V0_6), ..none() }, true, "x_version"),
            (DestinationSettings { keepalive_idle_ms: Some(99), ..none() }, true, "keepalive_idle_ms"),
            (DestinationSettings { keepalive_answer_ms: Some(0), ..none() }, false, "keepalive_answer_ms"),
            (DestinationSettings { barrier_ms: Some(TIME_MS_MAX + 1), ..none() }, true, "barrier_ms"),
            (DestinationSettings { dscp: Some(64), ..none() }, true, "dscp"),
            (DestinationSettings { rate_bytes_per_s: Some(RATE_MIN - 1), ..none() }, true, "rate_bytes_per_s"),
            (DestinationSettings { integrity: Some(INTEGRITY), ..none() }, false, "integrity"),
            (DestinationSettings { payload_key: Some("a".into()), ..none() }, false, "payload_key"),
            (DestinationSettings { integrity: Some(Integrity { pdus: 0, ..INTEGRITY }), ..none() }, true, "integrity"),
            (DestinationSettings { integrity: Some(Integrity { ms: 1, ..INTEGRITY }), ..none() }, true, "integrity"),
            (DestinationSettings { source: Some(address("2001:db8::1")), ..none() }, true, "source"),
            (DestinationSettings { source: Some(address("0.0.0.0")), ..none() }, true, "source"),
        ] {
            let error = settings.check(hi, &v4).expect_err(named);
            assert_eq!(error.setting, named, "{error}");
        }
        let all = DestinationSettings {
            li_version: Some(43),
            keepalive_idle_ms: Some(100),
            source: Some(address("127.0.0.1")),
            dscp: Some(63),
            rate_bytes_per_s: Some(RATE_MIN),
            ..none()
        };
        assert_eq!(all.check(true, &v4), Ok(()));
        assert_eq!(all.named().len(), 5);
    }

    #[test]
    fn text_of_a_store_without_settings_is_read_and_a_typing_error_is_not() {
        let read = |text: &str| serde_json::from_str::<DestinationSettings>(text);
        assert!(read("{}").expect("empty").is_empty());
        assert_eq!(read(r#"{"x_version":"0.6"}"#).expect("good").x_version, Some(XVersion::V0_6));
        assert!(read(r#"{"dcsp":3}"#).is_err());
        assert_eq!(serde_json::to_string(&DestinationSettings::default()).expect("text"), "{}");
    }
}
