//! Why an encoder wrote nothing.

/// Why an encoder wrote nothing. The output then holds nothing that may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The output is too short; nothing was written.
    NoRoom {
        /// Octets that this PDU needs.
        needed: usize,
    },
    /// A field is longer than its format can say.
    FieldTooLong {
        /// The field's name in the standard.
        field: &'static str,
        /// The length given.
        length: usize,
        /// The longest length possible.
        length_max: usize,
    },
    /// A field is absent that its type demands.
    Missing {
        /// The field's name in the standard.
        field: &'static str,
    },
    /// A field has a value that the format has no room for.
    ValueOutOfRange {
        /// The field's name in the standard.
        field: &'static str,
    },
}

impl std::fmt::Display for EncodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRoom { needed } => write!(f, "the output is too short: {needed} octets are needed"),
            Self::FieldTooLong { field, length, length_max } => {
                write!(f, "{field} is {length} octets long; the format allows at most {length_max}")
            }
            Self::Missing { field } => write!(f, "{field} is missing"),
            Self::ValueOutOfRange { field } => write!(f, "the value of {field} does not fit its format"),
        }
    }
}

impl std::error::Error for EncodeError {}
