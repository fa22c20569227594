//! What the card must not do on the bus, and the watch over the handshake of its streams.

use std::fmt;

/// A rule of RQ, of CC, or of PCIe behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A TLP ends before its length is over, or goes on behind it.
    Length,
    /// A TLP begins inside another one, or a beat holds none.
    Framing,
    /// Byte enables that do not fit the length.
    Enables,
    /// A request type that the card has no use for.
    Type,
    /// More payload than the maximum payload size, or none.
    Payload,
    /// A write or a read over a multiple of 4096 bytes.
    PageBoundary,
    /// A descriptor's field that has to be 0 and is not: address type, poison, IDs and tag that the hard block fills in, class, attributes, reserved bits.
    Descriptor,
    /// A bit of the sideband that has to be 0 and is not: hints, sequence numbers, parity.
    Sideband,
    /// `discontinue`: the card gives a TLP up in its middle.
    Discontinue,
    /// Valid went away before the beat was taken.
    Withdrawn,
    /// A beat changed before it was taken.
    Changed,
    /// A request begins though bus master is off, or the function is being reset, and has been for a while.
    NotBusMaster,
    /// A read that finds neither credit nor tag and holds up the writes behind it.
    ReadBlocks,
    /// An answer on CC that is not shaped as one: framing, length, status.
    Completion,
    /// An answer that nobody waits for.
    UnknownTag,
    /// A second answer to one request.
    AnsweredTwice,
    /// An answer whose requester, class or attributes are not those of the request.
    Echo,
    /// An answer with another lower address or number of bytes than was asked for.
    Bytes,
}

/// How the card broke a rule. The gateware is at fault.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The hard block's clock.
    pub clock: u64,
    /// What was seen. Never payload.
    pub evidence: String,
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in clock {}: {}", self.rule, self.clock, self.evidence)
    }
}

/// A rule that was broken, before anybody knows when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) rule: Rule,
    pub(super) evidence: String,
}

impl Breach {
    pub(super) fn new(rule: Rule, evidence: impl Into<String>) -> Self {
        Self { rule, evidence: evidence.into() }
    }
}

/// What a stream shows besides valid, by the names of its signals.
pub(super) type Shown<'a> = [(&'static str, &'a [u32])];

/// A stream's handshake: what is shown stays as it is until it is taken.
#[derive(Default)]
pub(super) struct Handshake {
    waiting: Option<Vec<Vec<u32>>>,
}

impl Handshake {
    /// A reset: the card may do what it likes.
    pub(super) fn reset(&mut self) {
        self.waiting = None;
    }

    /// A beat that was shown before and not taken is still there.
    pub(super) fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    /// One clock of the stream that is called so.
    pub(super) fn clock(&mut self, stream: &str, valid: bool, shown: &Shown<'_>, ready: bool) -> Option<Breach> {
        let before = self.waiting.take();
        if valid && !ready {
            self.waiting = Some(shown.iter().map(|(_, words)| words.to_vec()).collect());
        }
        let before = before?;
        if !valid {
            return Some(Breach::new(Rule::Withdrawn, format!("{stream} shows nothing any more")));
        }
        let differs = |(old, (name, new)): (&Vec<u32>, &(&str, &[u32]))| {
            let word = old.iter().zip(*new).position(|(old, new)| old != new)?;
            Some(Breach::new(Rule::Changed, format!("word {word} of {stream}'s {name}")))
        };
        before.iter().zip(shown).find_map(differs)
    }
}
