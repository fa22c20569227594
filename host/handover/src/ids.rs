//! Identifiers of the hand-over. Each type holds only values that its format can carry; those that point to a target or an
//! agency show at most a short prefix in `Debug` and have no `Display`.

use crate::redact::Prefix;
use std::fmt;

/// Why a value is no identifier. Says what is wrong, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdError {
    /// Too short or too long.
    Length {
        /// Which identifier.
        what: &'static str,
        /// The length given.
        length: usize,
        /// Shortest length allowed.
        length_min: usize,
        /// Longest length allowed.
        length_max: usize,
    },
    /// A character that the format does not allow.
    Character {
        /// Which identifier.
        what: &'static str,
        /// Index of the first such octet.
        index: usize,
    },
    /// A LIID that has neither of its forms.
    LiidForm,
    /// A hexadecimal LIID with an odd number of digits: there is no octet string for it.
    OddHex,
    /// A hexadecimal LIID whose octets are all printable: it is the same LIID as these characters, which have to be given instead,
    /// so that one LIID has one spelling.
    HexOfPrintable,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { what, length, length_min, length_max } => {
                write!(f, "{what}: {length} octets, allowed are {length_min} to {length_max}")
            }
            Self::Character { what, index } => write!(f, "{what}: character {index} (from 0) is not allowed"),
            Self::LiidForm => {
                write!(
                    f,
                    "LIID: 1 to 25 printable characters without spaces are wanted, or 26 to 50 lower-case hexadecimal digits"
                )
            }
            Self::OddHex => write!(
                f,
                "LIID: more than 25 characters are hexadecimal digits, two to an octet, and here one is left over"
            ),
            Self::HexOfPrintable => {
                write!(f, "LIID: these hexadecimal digits spell printable characters; give the characters themselves")
            }
        }
    }
}

impl std::error::Error for IdError {}

/// Up to `N` octets in place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Octets<const N: usize> {
    // The octets after `length` are zero, so that the derived comparisons are right.
    octets: [u8; N],
    length: u8,
}

impl<const N: usize> Octets<N> {
    fn new(what: &'static str, octets: &[u8]) -> Result<Self, IdError> {
        let wrong_length = IdError::Length { what, length: octets.len(), length_min: 1, length_max: N };
        let length = u8::try_from(octets.len()).map_err(|_| wrong_length)?;
        let mut held = [0; N];
        if octets.is_empty() {
            return Err(wrong_length);
        }
        held.get_mut(..octets.len()).ok_or(wrong_length)?.copy_from_slice(octets);
        Ok(Self { octets: held, length })
    }

    fn as_slice(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }
}

/// Lawful interception identifier: what the agency calls the interception (TS 103 280). Unique within one agency only.
///
/// Written `[!-~]{1,25}`, or as 26 to 50 lower-case hexadecimal digits if it is not printable; on the wire 1 to 25 octets. The two forms
/// map one to one: hexadecimal digits that spell printable characters are refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Liid(Octets<25>);

impl Liid {
    const WHAT: &'static str = "LIID";

    /// From its written form.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let octets = text.as_bytes();
        if octets.len() <= 25 {
            return match octets.iter().position(|octet| !octet.is_ascii_graphic()) {
                Some(index) => Err(IdError::Character { what: Self::WHAT, index }),
                None => Octets::new(Self::WHAT, octets).map(Self),
            };
        }
        if octets.len() > 50 {
            return Err(IdError::LiidForm);
        }
        if octets.iter().any(|&octet| hex_digit(octet).is_none()) {
            return Err(IdError::LiidForm);
        }
        let (pairs, []) = octets.as_chunks::<2>() else { return Err(IdError::OddHex) };
        let binary: Vec<u8> =
            pairs.iter().filter_map(|&[high, low]| Some(hex_digit(high)? << 4 | hex_digit(low)?)).collect();
        if binary.iter().all(u8::is_ascii_graphic) {
            return Err(IdError::HexOfPrintable);
        }
        Octets::new(Self::WHAT, &binary).map(Self)
    }

    /// From the octets on the wire: 1 to 25 printable ones, or 13 to 25 of which one at least is not printable.
    pub fn from_octets(octets: &[u8]) -> Result<Self, IdError> {
        match octets.iter().position(|octet| !octet.is_ascii_graphic()) {
            // Fewer than 13 octets have no hexadecimal spelling of 26 digits or more.
            Some(index) if octets.len() < 13 => Err(IdError::Character { what: Self::WHAT, index }),
            _ => Octets::new(Self::WHAT, octets).map(Self),
        }
    }

    /// The octets on the wire.
    pub fn as_octets(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Its written form: `Liid::parse(&liid.text())` gives it back. Identifies an interception: keep it out of logs.
    pub fn text(&self) -> String {
        let octets = self.as_octets();
        if octets.iter().all(u8::is_ascii_graphic) {
            octets.iter().map(|&octet| char::from(octet)).collect()
        } else {
            octets.iter().map(|octet| format!("{octet:02x}")).collect()
        }
    }
}

impl fmt::Debug for Liid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Liid").field(&Prefix(&self.text())).finish()
    }
}

fn hex_digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    }
}

/// Identifier of a task on X1, X2 and X3: a UUID (TS 103 221-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid(pub [u8; 16]);

impl Xid {
    /// What keep-alives carry: no task.
    pub const NIL: Self = Self([0; 16]);

    /// From its written form: 8-4-4-4-12 hexadecimal digits. Capitals are accepted here and never written.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const WHAT: &str = "XID";
        let octets = text.as_bytes();
        if octets.len() != 36 {
            return Err(IdError::Length { what: WHAT, length: octets.len(), length_min: 36, length_max: 36 });
        }
        let mut held = [0; 16];
        let mut nibbles = 0;
        for (index, &octet) in octets.iter().enumerate() {
            let wrong = IdError::Character { what: WHAT, index };
            if matches!(index, 8 | 13 | 18 | 23) {
                if octet != b'-' {
                    return Err(wrong);
                }
                continue;
            }
            let digit = hex_digit(octet.to_ascii_lowercase()).ok_or(wrong)?;
            held[nibbles / 2] = held[nibbles / 2] << 4 | digit;
            nibbles += 1;
        }
        Ok(Self(held))
    }

    /// Its written form: lower case, 8-4-4-4-12. Identifies an interception: keep it out of logs.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(36);
        for (index, octet) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for nibble in [octet >> 4, octet & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is a hexadecimal digit"));
            }
        }
        text
    }
}

impl fmt::Debug for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Xid").field(&Prefix(&self.text())).finish()
    }
}

/// Communication identity number: tells the communications of one LIID apart (TS 102 232-1 clause 5.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cin(pub u32);

/// ISO 3166-1 country code of two capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    const WHAT: &'static str = "country code";

    /// From two capital letters.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let octets = text.as_bytes();
        let held = <[u8; 2]>::try_from(octets).map_err(|_| IdError::Length {
            what: Self::WHAT,
            length: octets.len(),
            length_min: 2,
            length_max: 2,
        })?;
        match held.iter().position(|octet| !octet.is_ascii_uppercase()) {
            Some(index) => Err(IdError::Character { what: Self::WHAT, index }),
            None => Ok(Self(held)),
        }
    }

    /// The two octets on the wire.
    pub const fn as_octets(&self) -> &[u8; 2] {
        &self.0
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("capital letters are UTF-8")
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CountryCode").field(&self.as_str()).finish()
    }
}

/// Defines a public identifier of printable characters held in place.
macro_rules! printable_identifier {
    ($(#[$doc:meta])* $name:ident, $octets:literal, $what:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Octets<$octets>);

        impl $name {
            /// From its written form.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                match text.bytes().position(|octet| !$allowed(octet)) {
                    Some(index) => Err(IdError::Character { what: $what, index }),
                    None => Octets::new($what, text.as_bytes()).map(Self),
                }
            }

            /// The octets on the wire.
            pub fn as_octets(&self) -> &[u8] {
                self.0.as_slice()
            }

            /// Its written form.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(self.0.as_slice()).expect("parse admits ASCII only")
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }
    };
}

const fn is_printable_ascii(octet: u8) -> bool {
    matches!(octet, b' '..=b'~')
}

/// The alphabet of ASN.1 PrintableString.
pub(crate) const fn is_printable_string(octet: u8) -> bool {
    matches!(octet, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b' ' | b'\'' | b'(' | b')' | b'+' | b',' | b'-' | b'.' | b'/' | b':' | b'=' | b'?')
}

printable_identifier!(
    /// The operator: `operatorIdentifier` of TS 102 232-1, 1 to 16 printable characters.
    OperatorId, 16, "operator identifier", is_printable_ascii
);
printable_identifier!(
    /// The network element: `networkElementIdentifier` of TS 102 232-1, 1 to 16 printable characters.
    NetworkElementId, 16, "network element identifier", is_printable_ascii
);
printable_identifier!(
    /// Where in the network the copy was taken: `interceptionPointID` of TS 102 232-1, 1 to 8 characters of PrintableString.
    InterceptionPointId, 8, "interception point identifier", is_printable_string
);
printable_identifier!(
    /// The network function that intercepts: attribute NFID of TS 103 221-2, 1 to 128 printable characters (the standard sets no limit;
    /// this one is ours).
    NetworkFunctionId, 128, "network function identifier", is_printable_ascii
);
printable_identifier!(
    /// The point of interception within a network function: attribute IPID of TS 103 221-2, 1 to 128 printable characters (the standard
    /// sets no limit; this one is ours).
    PointOfInterceptionId, 128, "point of interception identifier", is_printable_ascii
);
