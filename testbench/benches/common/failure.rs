use std::fmt;

use writ_driver::{CardError, CommandError, RingError};

/// Why nothing could be measured.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for cannot be read.
    Asked(String),
    /// There is no memory for the card.
    Memory(std::io::Error),
    /// The card did not come up, or is gone.
    Card(CardError),
    /// The command channel failed.
    Command(CommandError),
    /// A ring holds what it must not hold.
    Ring(RingError),
    /// Something never came to its end.
    Endless(&'static str),
    /// The card did not do what it was asked, before anything was measured.
    Setup(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked(error) => f.write_str(error),
            Self::Memory(error) => write!(f, "memory for the card: {error}"),
            Self::Card(error) => error.fmt(f),
            Self::Command(error) => error.fmt(f),
            Self::Ring(error) => error.fmt(f),
            Self::Endless(what) => write!(f, "{what} never came to an end"),
            Self::Setup(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Failure {}

impl From<CardError> for Failure {
    fn from(error: CardError) -> Self {
        Self::Card(error)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

impl From<RingError> for Failure {
    fn from(error: RingError) -> Self {
        Self::Ring(error)
    }
}
