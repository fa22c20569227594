//! Octet strings and elements kept as they are.

use crate::{ber, redact::Redacted};
use std::{borrow::Cow, fmt, ops::Deref};

/// The value of a string type, borrowed where it can be. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Octets<'a>(Cow<'a, [u8]>);

impl<'a> Octets<'a> {
    /// Borrows the octets.
    pub const fn borrowed(octets: &'a [u8]) -> Self {
        Self(Cow::Borrowed(octets))
    }

    /// As text, if it is UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Octets<'static> {
        Octets(Cow::Owned(self.0.into_owned()))
    }
}

impl Deref for Octets<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<'a> From<&'a [u8]> for Octets<'a> {
    fn from(octets: &'a [u8]) -> Self {
        Self(Cow::Borrowed(octets))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Octets<'a> {
    fn from(octets: &'a [u8; N]) -> Self {
        Self(Cow::Borrowed(octets))
    }
}

impl<'a> From<&'a str> for Octets<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text.as_bytes()))
    }
}

impl From<Vec<u8>> for Octets<'_> {
    fn from(octets: Vec<u8>) -> Self {
        Self(Cow::Owned(octets))
    }
}

impl From<String> for Octets<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text.into_bytes()))
    }
}

impl<'a> From<Cow<'a, [u8]>> for Octets<'a> {
    fn from(octets: Cow<'a, [u8]>) -> Self {
        Self(octets)
    }
}

impl fmt::Debug for Octets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Redacted(self.0.len()).fmt(f)
    }
}

/// An element that is kept as it was: tag, length and contents. `Debug` shows tag and length only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawElement<'a> {
    tag: ber::Tag,
    octets: Octets<'a>,
}

impl<'a> RawElement<'a> {
    /// An element that was read.
    pub(crate) const fn from_element(element: &ber::Element<'a>) -> Self {
        Self { tag: element.tag(), octets: Octets::borrowed(element.raw()) }
    }

    /// From the octets of exactly one element.
    pub fn parse(octets: &'a [u8]) -> Result<Self, ber::Error> {
        let mut reader = ber::Reader::new(octets);
        let element = reader.require()?;
        reader.finish()?;
        Ok(Self::from_element(&element))
    }

    /// Its tag.
    pub const fn tag(&self) -> ber::Tag {
        self.tag
    }

    /// Tag, length and contents.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl fmt::Debug for RawElement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawElement").field("tag", &self.tag).field("octets", &self.octets).finish()
    }
}
