//! Tags (X.690 clause 8.1.2).

use std::fmt;

/// Class of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// Types of ASN.1 itself.
    Universal = 0,
    /// Types of an application.
    Application = 1,
    /// Fields: `[n]`.
    Context = 2,
    /// Private types.
    Private = 3,
}

/// Class and number of a tag.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The class.
    pub class: Class,
    /// The number.
    pub number: u32,
}

impl Tag {
    /// Universal 4.
    pub const OCTET_STRING: Self = Self::universal(4);
    /// Universal 16: SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: Self = Self::universal(16);
    /// Universal 2.
    pub const INTEGER: Self = Self::universal(2);

    /// `[number]`
    pub const fn context(number: u32) -> Self {
        Self { class: Class::Context, number }
    }

    /// A universal tag.
    pub const fn universal(number: u32) -> Self {
        Self { class: Class::Universal, number }
    }

    /// The number of a context tag.
    pub const fn context_number(self) -> Option<u32> {
        match self.class {
            Class::Context => Some(self.number),
            _ => None,
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class {
            Class::Universal => write!(f, "[UNIVERSAL {}]", self.number),
            Class::Application => write!(f, "[APPLICATION {}]", self.number),
            Class::Context => write!(f, "[{}]", self.number),
            Class::Private => write!(f, "[PRIVATE {}]", self.number),
        }
    }
}
