//! The verdict: what the receivers got, held against the ground truth.
//!
//! Nothing may be missing, nothing may be there that no order names, no header task may carry an octet past its cut, every
//! number has to follow its predecessor, a PDU that came twice has to be the same octet for octet, and no agency may see another's.

pub mod loss;
mod received;
pub mod ring_side;
mod verdict;

use std::fs;
use std::io;

use uuid::Uuid;

use crate::lemf::Connection;
use crate::truth::Selector;

pub use received::{Content, Identity, Kind, Packet, ReadError, Received, read_stream};
pub use verdict::{TaskVerdict, Verdict, judge};

/// Over which interfaces an order is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// HI2 and HI3, to a LEMF.
    Hi,
    /// X2 and X3, to a mediation function.
    X,
}

impl Delivery {
    /// The name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hi => "hi",
            Self::X => "x",
        }
    }
}

/// What the verdict has to know of an order.
#[derive(Debug, Clone)]
pub struct Order {
    /// The agency that it is delivered to.
    pub destination: String,
    /// Its identifier there.
    pub liid: String,
    /// The task.
    pub xid: Uuid,
    /// Over which interfaces.
    pub delivery: Delivery,
    /// What it selects.
    pub selector: Selector,
    /// Whether its end has been reached and reported.
    pub ended: bool,
}

/// Everything that one receiver got.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    /// The receiver's name.
    pub destination: String,
    /// Its PDUs without keep-alives, in the order of arrival, connection by connection.
    pub pdus: Vec<Received>,
    /// What could not be read, one sentence each. An incomplete PDU at the end of a broken connection is none.
    pub problems: Vec<String>,
}

impl Inbox {
    /// Reads the files of a receiver's connections.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn read(destination: &str, connections: &[Connection]) -> io::Result<Self> {
        let mut inbox = Self { destination: destination.to_owned(), ..Self::default() };
        for connection in connections {
            let octets = fs::read(&connection.file)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", connection.file.display())))?;
            let (pdus, problem) = read_stream(connection.interface, connection.number, &octets);
            inbox.pdus.extend(pdus);
            match problem {
                Some(ReadError::Incomplete { .. }) | None => {}
                Some(error @ ReadError::Malformed { .. }) => {
                    inbox.problems.push(format!("{destination}: {}: {error}", connection.file.display()));
                }
            }
        }
        Ok(inbox)
    }
}

#[cfg(test)]
mod tests;
