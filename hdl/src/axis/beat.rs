//! What travels in one clock.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::prelude::*;

/// Width of the data path.
pub const BEAT_BITS: usize = writ_abi::limits::LINE_BYTES * 8;
const _: () = assert!(BEAT_BITS == 512, "kernels write the width as 512");

/// A beat as the MAC gives it, all but its data. Byte `i` of the beat is bits `8 * i` to `8 * i + 7` of the data.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Beat {
    /// There is a beat.
    pub valid: Bit,
    /// It is the frame's last one.
    pub last: Bit,
    /// The MAC marks the frame as damaged. Looked at together with `last` only.
    pub error: Bit,
    /// Bytes in the beat, 1 to 64. Looked at together with `last` only; every other beat is full.
    pub bytes: Bits<7>,
}

/// A beat as the copy side sees it, all but its data.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct TapBeat {
    /// There is a beat of a frame that was seen from its start.
    pub valid: Bit,
    /// It is the frame's first one.
    pub first: Bit,
    /// It is the frame's last one.
    pub last: Bit,
    /// With `last`: the MAC marks the frame as damaged.
    pub error: Bit,
    /// Bytes of the frame up to and including this beat, FCS included; stays at 65535 when it gets there.
    pub length: Bits<16>,
}

/// A beat on its way to the core, all but its data.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct TapHead {
    /// See [`TapBeat`].
    pub first: Bit,
    /// See [`TapBeat`].
    pub last: Bit,
    /// See [`TapBeat`].
    pub error: Bit,
    /// The frame ends here because the FIFO was full.
    pub cut: Bit,
    /// See [`TapBeat`].
    pub length: Bits<16>,
    /// The frame's stamp.
    pub stamp: Bits<64>,
    /// Its quality.
    pub quality: Bits<2>,
}

/// A count on its way to the core.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct CountWord {
    /// Which, from 1.
    pub number: Bits<3>,
    /// The count.
    pub value: Bits<64>,
}

/// A beat on its way to a transmitter, all but its data.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct MacHead {
    /// See [`Beat`].
    pub last: Bit,
    /// See [`Beat`].
    pub error: Bit,
    /// The frame ends here because there was no room.
    pub cut: Bit,
    /// See [`Beat`].
    pub bytes: Bits<7>,
}
