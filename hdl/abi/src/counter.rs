//! The card's counters.

use crate::record::DropCause;

/// A 64-bit counter of the COUNTERS block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Frames that arrived on port A.
    FramesInA,
    /// Frames that arrived on port B.
    FramesInB,
    /// Bytes with FCS that arrived on port A.
    BytesInA,
    /// Bytes with FCS that arrived on port B.
    BytesInB,
    /// Frames that left on port A.
    FramesOutA,
    /// Frames that left on port B.
    FramesOutB,
    /// Frames from port A whose keys entered lookup.
    FramesLookedUpA,
    /// Frames from port B whose keys entered lookup.
    FramesLookedUpB,
    /// Looked-up frames of a parse class, by its number.
    Class(u8),
    /// Looked-up frames with at least one hit that counted, but those that the MAC marked as damaged.
    FramesHit,
    /// Records due: one for each ring that the hits of a frame name.
    RecordsDue,
    /// Packet records given to the rings' FIFOs.
    Records,
    /// Gap records given to the rings' FIFOs.
    GapRecords,
    /// Drops by the number of their [`DropCause`]: of `WireError` and `WindowFifo` frames, matched or not, of the others records that were due.
    Drop(u8),
    /// Frames of port A among those of [`DropCause::WindowFifo`].
    WindowFifoA,
    /// Records whose drop could not be counted per match, because the queue of hit lists was full.
    DropUnattributed,
    /// Frames with a live, matching row that was suppressed because the time quality is unset.
    SuppressedTime,
    /// Lookups that found a matching row which had expired, and none that lives, while armed.
    ExpiredHits,
    /// Lookups that found two visible, live rows that differ, while armed.
    MultiHits,
    /// Lookups that read a damaged row, while armed.
    DamagedReads,
    /// Damaged rows that the scrubber found; it finds each one again every round until the row is written.
    DamagedRows,
    /// Rounds of the scrubber through all rows.
    ScrubRounds,
    /// Commands completed with any status.
    Commands,
    /// Frames of port A that were lost, whole or their end, on the way from the MAC to the copy side.
    TapFifoA,
    /// Frames of port B that were lost, whole or their end, on the way from the MAC to the copy side.
    TapFifoB,
    /// Frames of port A among those of [`Counter::TapFifoA`] that lost only their end; they go to lookup and are never copied.
    TapCutA,
    /// Frames of port B among those of [`Counter::TapFifoB`] that lost only their end; they go to lookup and are never copied.
    TapCutB,
    /// Frames that the card made on port A itself.
    SelfTestA,
    /// Frames that the card made on port B itself.
    SelfTestB,
    /// Frames lost or cut in front of the transmitter of port A.
    MacOverflowA,
    /// Frames lost or cut in front of the transmitter of port B.
    MacOverflowB,
    /// Clocks in which the transmitter of port A wanted a beat inside a frame and got none.
    MacUnderflowA,
    /// Clocks in which the transmitter of port B wanted a beat inside a frame and got none.
    MacUnderflowB,
    /// Frames whose lookup found at least one hit that counts, damaged ones too.
    VerdictsHit,
    /// Frames among those of [`Counter::VerdictsHit`] that the MAC marked as damaged or that lost their end; no record is due for them.
    FlaggedHits,
    /// A level: frames of port A that wait between their window and lookup.
    InFlightA,
    /// A level: frames of port B that wait between their window and lookup.
    InFlightB,
    /// A level: frames with hits that wait for the decision on their first record.
    InFlightHits,
}

/// Every counter, with its name in the reference, in the order of the COUNTERS block.
pub const COUNTERS: &[(Counter, &str, &str)] = &[
    (Counter::FramesInA, "FRAMES_IN_A", "Frames that arrived on port A."),
    (Counter::FramesInB, "FRAMES_IN_B", "Frames that arrived on port B."),
    (Counter::BytesInA, "BYTES_IN_A", "Bytes with FCS that arrived on port A."),
    (Counter::BytesInB, "BYTES_IN_B", "Bytes with FCS that arrived on port B."),
    (Counter::FramesOutA, "FRAMES_OUT_A", "Frames that left on port A."),
    (Counter::FramesOutB, "FRAMES_OUT_B", "Frames that left on port B."),
    (Counter::FramesLookedUpA, "FRAMES_LOOKED_UP_A", "Frames from port A whose keys entered lookup."),
    (Counter::FramesLookedUpB, "FRAMES_LOOKED_UP_B", "Frames from port B whose keys entered lookup."),
    (Counter::Class(0), "CLASS_NON_IP", "Looked-up frames without IP."),
    (Counter::Class(1), "CLASS_TRUNCATED", "Looked-up frames that end inside a header."),
    (Counter::Class(2), "CLASS_VLAN_DEPTH", "Looked-up frames with too many VLAN tags."),
    (Counter::Class(3), "CLASS_MALFORMED_IP", "Looked-up frames with a contradictory IP header."),
    (Counter::Class(4), "CLASS_PORTS", "Looked-up frames with addresses and ports."),
    (Counter::Class(5), "CLASS_NO_PORTS", "Looked-up frames with addresses and a protocol without known ports."),
    (Counter::Class(6), "CLASS_FRAGMENT", "Looked-up fragments that are not the first."),
    (Counter::Class(7), "CLASS_EXTENSION_DEPTH", "Looked-up frames with too many IPv6 extension headers."),
    (Counter::Class(8), "CLASS_L4_TRUNCATED", "Looked-up frames whose transport header is not wholly there."),
    (Counter::Class(9), "CLASS_WINDOW_EXCEEDED", "Looked-up frames with headers that run past the window."),
    (Counter::Class(10), "CLASS_MPLS_DEPTH", "Looked-up frames with too many MPLS labels."),
    (Counter::Class(11), "CLASS_LINK_PAYLOAD", "Looked-up PPPoE or MPLS frames without IP inside."),
    (Counter::Class(12), "CLASS_TUNNEL_PAYLOAD", "Looked-up frames of tunnels without IP inside."),
    (Counter::Class(13), "CLASS_TUNNEL_HEADER", "Looked-up frames with a tunnel header that is not understood."),
    (Counter::Class(14), "CLASS_TUNNEL_DEPTH", "Looked-up frames with a tunnel in a tunnel."),
    (Counter::Class(15), "CLASS_INNER_IP", "Looked-up frames with a contradictory inner IP header."),
    (Counter::FramesHit, "FRAMES_HIT", "Looked-up frames with at least one hit that counted, without damaged ones."),
    (Counter::RecordsDue, "RECORDS_DUE", "Records due: one for each ring that the hits of a frame name."),
    (Counter::Records, "RECORDS", "Packet records given to the rings' FIFOs."),
    (Counter::GapRecords, "GAP_RECORDS", "Gap records given to the rings' FIFOs."),
    (Counter::Drop(0), "DROP_COPY_FIFO", "Records not made: copy frame FIFO full."),
    (Counter::Drop(1), "DROP_RECORD_FIFO", "Records not made: the ring's FIFO full."),
    (Counter::Drop(2), "DROP_OVERSIZE", "Records not made: frame longer than the copy path takes."),
    (
        Counter::Drop(3),
        "DROP_WIRE_ERROR",
        "Frames, matched or not, that the MAC marked as damaged and that were not copied.",
    ),
    (Counter::Drop(4), "DROP_WINDOW_FIFO", "Frames never looked up: window FIFO full."),
    (Counter::WindowFifoA, "DROP_WINDOW_FIFO_A", "Frames of port A among those of DROP_WINDOW_FIFO."),
    (Counter::DropUnattributed, "DROP_UNATTRIBUTED", "Records not made that the per-match counters missed."),
    (
        Counter::SuppressedTime,
        "SUPPRESSED_TIME",
        "Frames that would have hit while armed, suppressed because the time quality is unset.",
    ),
    (Counter::ExpiredHits, "EXPIRED_HITS", "Lookups that found a matching but expired row while armed."),
    (Counter::MultiHits, "MULTI_HITS", "Lookups that found two visible, live rows that differ, while armed."),
    (Counter::DamagedReads, "DAMAGED_READS", "Lookups that read a damaged row, while armed."),
    (Counter::DamagedRows, "DAMAGED_ROWS", "Damaged rows that the scrubber found, again in every round."),
    (Counter::ScrubRounds, "SCRUB_ROUNDS", "Rounds of the scrubber through all rows."),
    (Counter::Commands, "COMMANDS", "Commands completed with any status."),
    (Counter::TapFifoA, "DROP_TAP_FIFO_A", "Frames of port A lost, whole or their end, between MAC and copy side."),
    (Counter::TapFifoB, "DROP_TAP_FIFO_B", "Frames of port B lost, whole or their end, between MAC and copy side."),
    (Counter::TapCutA, "TAP_CUT_A", "Frames of DROP_TAP_FIFO_A that lost only their end: looked up, never copied."),
    (Counter::TapCutB, "TAP_CUT_B", "Frames of DROP_TAP_FIFO_B that lost only their end: looked up, never copied."),
    (Counter::SelfTestA, "SELF_TEST_A", "Frames that the card made on port A itself."),
    (Counter::SelfTestB, "SELF_TEST_B", "Frames that the card made on port B itself."),
    (Counter::MacOverflowA, "MAC_OVERFLOW_A", "Frames lost or cut in front of the transmitter of port A."),
    (Counter::MacOverflowB, "MAC_OVERFLOW_B", "Frames lost or cut in front of the transmitter of port B."),
    (
        Counter::MacUnderflowA,
        "MAC_UNDERFLOW_A",
        "Clocks in which the transmitter of port A was starved inside a frame.",
    ),
    (
        Counter::MacUnderflowB,
        "MAC_UNDERFLOW_B",
        "Clocks in which the transmitter of port B was starved inside a frame.",
    ),
    (Counter::VerdictsHit, "VERDICTS_HIT", "Frames whose lookup found at least one hit that counts, damaged ones too."),
    (
        Counter::FlaggedHits,
        "FLAGGED_HITS",
        "Frames of VERDICTS_HIT that the MAC marked as damaged or that lost their end; no record is due for them.",
    ),
    (Counter::InFlightA, "IN_FLIGHT_A", "A level: frames of port A that wait between their window and lookup."),
    (Counter::InFlightB, "IN_FLIGHT_B", "A level: frames of port B that wait between their window and lookup."),
    (
        Counter::InFlightHits,
        "IN_FLIGHT_HITS",
        "A level: frames with hits that wait for the decision on their first record.",
    ),
];

const _: () = assert!(DropCause::ALL.len() == 5 && crate::parse::ParseClass::ALL.len() == 16);
