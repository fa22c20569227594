//! Registers of BAR 0: const tables from which the address decode, the driver, the model and the printed reference are made.
//!
//! All registers are 32 bits wide, little-endian, and are read and written whole. Reading an address without a register returns
//! 0; writing one, or writing a read-only register, does nothing. 64-bit values stand as `*_LO` and `*_HI`; how each
//! pair stays consistent stands with the registers.

pub use crate::counter::{COUNTERS, Counter};
mod reference;

use crate::{ABI_MAJOR, ABI_MINOR, MAGIC, limits, time};
pub use reference::{write_json, write_markdown};

/// How the bus may use a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The host reads what the card says; writes do nothing.
    ReadOnly,
    /// The host writes, the card obeys, reading returns what was written.
    ReadWrite,
    /// Writing 1 makes something happen once; reads as 0.
    Pulse,
}

/// A run of bits of a register.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Name in capitals, unique in its register.
    pub name: &'static str,
    /// Lowest bit.
    pub lsb: u32,
    /// Number of bits.
    pub width: u32,
    /// How the bus may use it.
    pub access: Access,
    /// Value after reset.
    pub reset: u32,
    /// One sentence.
    pub about: &'static str,
}

impl Field {
    /// Bits of the field, in place.
    pub const fn mask(&self) -> u32 {
        (u32::MAX >> (32 - self.width)) << self.lsb
    }

    /// The field's value in a register's value.
    pub const fn extract(&self, register: u32) -> u32 {
        (register & self.mask()) >> self.lsb
    }

    /// The value in its place; bits that do not fit are cut off.
    pub const fn place(&self, value: u32) -> u32 {
        (value << self.lsb) & self.mask()
    }
}

/// A register.
#[derive(Debug, Clone, Copy)]
pub struct Register {
    /// Name in capitals, unique in its block.
    pub name: &'static str,
    /// Byte offset in the block.
    pub offset: u32,
    /// Its fields, from the lowest bit up. Bits without a field read as 0.
    pub fields: &'static [Field],
}

/// A block of registers.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// Name in capitals, unique.
    pub name: &'static str,
    /// Byte offset in BAR 0.
    pub offset: u32,
    /// Bytes of BAR 0 that belong to it.
    pub bytes: u32,
    /// One sentence.
    pub about: &'static str,
    /// Its registers, by rising offset.
    pub registers: &'static [Register],
}

/// Bytes of BAR 0.
pub const BAR_BYTES: u32 = 0x1000;

macro_rules! register {
    ($name:literal, $offset:expr, $access:ident, $reset:expr, $about:literal) => {
        Register {
            name: $name,
            offset: $offset,
            fields: &[Field {
                name: "VALUE",
                lsb: 0,
                width: 32,
                access: Access::$access,
                reset: $reset,
                about: $about,
            }],
        }
    };
}

macro_rules! field {
    ($name:literal, $lsb:expr, $width:expr, $access:ident, $reset:expr, $about:literal) => {
        Field { name: $name, lsb: $lsb, width: $width, access: Access::$access, reset: $reset, about: $about }
    };
}

/// Who the card is. Everything here is constant.
pub mod identity {
    use super::*;
    /// Offset of the block.
    pub const OFFSET: u32 = 0x000;
    /// [`crate::MAGIC`].
    pub const MAGIC_AT: u32 = OFFSET;
    /// ABI version.
    pub const ABI_AT: u32 = OFFSET + 0x04;
    /// First of the eight words of the build hash.
    pub const BUILD_HASH_AT: u32 = OFFSET + 0x10;
    /// Words of the build hash.
    pub const BUILD_HASH_WORDS: u32 = 8;
    /// Minor version.
    pub const ABI_MINOR_FIELD: Field = field!("MINOR", 0, 16, ReadOnly, ABI_MINOR as u32, "ABI minor version.");
    /// Major version.
    pub const ABI_MAJOR_FIELD: Field = field!("MAJOR", 16, 16, ReadOnly, ABI_MAJOR as u32, "ABI major version.");
    /// Rows per way of table 0; those of table `n` stand 4 * n bytes behind.
    pub const TABLE_ROWS_AT: u32 = OFFSET + 0x30;
    /// Banks of rules.
    pub const RULE_BANKS_AT: u32 = OFFSET + 0x50;
    /// Rules in a bank.
    pub const RULES_PER_BANK_AT: u32 = OFFSET + 0x54;
    /// Match indices.
    pub const MATCH_INDICES_AT: u32 = OFFSET + 0x58;
    /// Record rings.
    pub const RECORD_RINGS_AT: u32 = OFFSET + 0x5c;
    pub(super) const REGISTERS: &[Register] = &[
        register!("MAGIC", 0x00, ReadOnly, MAGIC, "The letters WRIT; anything else is no Writ card."),
        Register { name: "ABI", offset: 0x04, fields: &[ABI_MINOR_FIELD, ABI_MAJOR_FIELD] },
        register!("BUILD_HASH_0", 0x10, ReadOnly, 0, "BLAKE3 of the emitted Verilog, bytes 0 to 3."),
        register!("BUILD_HASH_1", 0x14, ReadOnly, 0, "BLAKE3 of the emitted Verilog, bytes 4 to 7."),
        register!("BUILD_HASH_2", 0x18, ReadOnly, 0, "BLAKE3 of the emitted Verilog, bytes 8 to 11."),
        register!("BUILD_HASH_3", 0x1c, ReadOnly, 0, "BLAKE3 of the emitted Verilog, bytes 12 to 15."),
        register!("BUILD_HASH_4", 0x20, ReadOnly, 0, "BLAKE3 of the emitted Verilog, bytes 16 to 19."),
        register!("BUILD_HASH_5", 0x24, ReadOnly, 0, "BLAKE3 of the emitted Verilog, bytes 20 to 23."),
        register!("BUILD_HASH_6", 0x28, ReadOnly, 0, "BLAKE3 of the emitted Verilog, bytes 24 to 27."),
        register!("BUILD_HASH_7", 0x2c, ReadOnly, 0, "BLAKE3 of the emitted Verilog, bytes 28 to 31."),
        register!("ADDRESS_ROWS", 0x30, ReadOnly, limits::ADDRESS_ROWS_PER_WAY, "Rows per way of the address table."),
        register!("PREFIX_ROWS", 0x34, ReadOnly, limits::PREFIX_ROWS_PER_WAY, "Rows per way of the prefix table."),
        register!(
            "ENDPOINT_ROWS",
            0x38,
            ReadOnly,
            limits::ENDPOINT_ROWS_PER_WAY,
            "Rows per way of the endpoint table."
        ),
        register!(
            "FIVE_TUPLE_ROWS",
            0x3c,
            ReadOnly,
            limits::FIVE_TUPLE_ROWS_PER_WAY,
            "Rows per way of the 5-tuple table."
        ),
        register!("TUNNEL_ROWS", 0x40, ReadOnly, limits::TUNNEL_ROWS_PER_WAY, "Rows per way of the tunnel table."),
        register!("MAC_ROWS", 0x44, ReadOnly, limits::MAC_ROWS_PER_WAY, "Rows per way of the MAC table."),
        register!("VLAN_ROWS", 0x48, ReadOnly, limits::VLAN_ROWS_PER_WAY, "Rows per way of the VLAN table."),
        register!("RULE_BANKS", 0x50, ReadOnly, limits::RULE_BANKS as u32, "Banks of wildcard rules."),
        register!("RULES_PER_BANK", 0x54, ReadOnly, limits::RULES_PER_BANK, "Wildcard rules in a bank."),
        register!("MATCH_INDICES", 0x58, ReadOnly, limits::MATCH_INDEX_COUNT, "Match indices that a row may return."),
        register!("RECORD_RINGS", 0x5c, ReadOnly, limits::RECORD_RINGS as u32, "Record rings."),
    ];
}

/// Reset, arming, state.
pub mod control {
    use super::*;
    /// Offset of the block.
    pub const OFFSET: u32 = 0x100;
    /// Control register.
    pub const CONTROL_AT: u32 = OFFSET;
    /// Status register.
    pub const STATUS_AT: u32 = OFFSET + 0x04;
    /// While 0 no hit leaves the lookups.
    pub const ARMED: Field = field!("ARMED", 0, 1, ReadWrite, 0, "1: hits are copied. 0: the card is a wire.");
    /// Resets everything but the wire path.
    pub const RESET: Field = field!(
        "RESET",
        1,
        1,
        Pulse,
        0,
        "Disarms, empties copy path and rings, clears counters and time, then sweeps all rows; the wire is not touched."
    );
    /// Copies all counters into their registers.
    pub const SNAPSHOT: Field = field!(
        "SNAPSHOT",
        2,
        1,
        Pulse,
        0,
        "Copies all counters into the COUNTERS block; STATUS says when they are all there."
    );
    /// The sweep is over.
    pub const TABLES_READY: Field = field!(
        "TABLES_READY",
        0,
        1,
        ReadOnly,
        0,
        "All rows were swept since the last reset; row commands are accepted."
    );
    /// The record path holds nothing.
    pub const RECORDS_IDLE: Field = field!(
        "RECORDS_IDLE",
        1,
        1,
        ReadOnly,
        1,
        "No frame waits for its verdict, no record waits for the bus, and the last index write-back is done."
    );
    /// A batch is committed and not settled.
    pub const COMMITTED: Field = field!("COMMITTED", 2, 1, ReadOnly, 0, "A batch is committed and not yet settled.");
    /// Counters of a wire are still on their way.
    pub const SNAPSHOT_PENDING: Field = field!(
        "SNAPSHOT_PENDING",
        3,
        1,
        ReadOnly,
        0,
        "Counters of a wire are still on their way from its clock; as long as it is 1, SNAPSHOT does not copy those of that wire anew."
    );
    pub(super) const REGISTERS: &[Register] = &[
        Register { name: "CONTROL", offset: 0x00, fields: &[ARMED, RESET, SNAPSHOT] },
        Register { name: "STATUS", offset: 0x04, fields: &[TABLES_READY, RECORDS_IDLE, COMMITTED, SNAPSHOT_PENDING] },
    ];
}

/// What lookups depend on besides rows.
pub mod lookup {
    use super::*;
    /// Offset of the block.
    pub const OFFSET: u32 = 0x180;
    /// Prefix length.
    pub const PREFIX_AT: u32 = OFFSET;
    /// Tunnels of the carrier's own.
    pub const OWN_TUNNELS_AT: u32 = OFFSET + 0x04;
    /// Where the last damaged row stood.
    pub const DAMAGE_AT: u32 = OFFSET + 0x08;
    /// Length of the prefixes in the prefix table.
    pub const PREFIX_BITS: Field = field!(
        "BITS",
        0,
        8,
        ReadWrite,
        0,
        "Length of the IPv6 prefixes in the prefix table, 1 to 128; with any other value no prefix matches. Writes are ignored while armed."
    );
    /// Tunnel kinds, one bit each.
    pub const OWN_TUNNELS: Field = field!(
        "KINDS",
        0,
        10,
        ReadWrite,
        0,
        "Bit n: tunnels of kind n are the carrier's own, so that what is known of a packet is its inner IP header. Writes are ignored while armed."
    );
    /// Row of the damage.
    pub const DAMAGE_ROW: Field = field!("ROW", 0, 16, ReadOnly, 0, "Row of the way.");
    /// Way of the damage.
    pub const DAMAGE_WAY: Field = field!("WAY", 16, 4, ReadOnly, 0, "Way of the table.");
    /// Table of the damage.
    pub const DAMAGE_TABLE: Field = field!("TABLE", 20, 4, ReadOnly, 0, "Table; 15: the rules, whose bank is WAY.");
    /// Whether there was any.
    pub const DAMAGE_SEEN: Field = field!(
        "SEEN",
        31,
        1,
        ReadOnly,
        0,
        "A damaged row was found since the last reset; the other fields say where the last one stood."
    );
    pub(super) const REGISTERS: &[Register] = &[
        Register { name: "PREFIX", offset: 0x00, fields: &[PREFIX_BITS] },
        Register { name: "OWN_TUNNELS", offset: 0x04, fields: &[OWN_TUNNELS] },
        Register { name: "DAMAGE", offset: 0x08, fields: &[DAMAGE_ROW, DAMAGE_WAY, DAMAGE_TABLE, DAMAGE_SEEN] },
    ];
}

/// The card's clock, on the core's clock. Frames are stamped with it on the clock of their wire, where it is right to
/// [`time::STAMP_ERROR_NS_MAX`] and never goes back but by SET.
pub mod clock {
    use super::*;
    /// Offset of the block.
    pub const OFFSET: u32 = 0x140;
    /// Time to set, low word.
    pub const SET_LO_AT: u32 = OFFSET;
    /// Time to set, high word.
    pub const SET_HI_AT: u32 = OFFSET + 0x04;
    /// Apply and quality.
    pub const SET_AT: u32 = OFFSET + 0x08;
    /// Current time, low word; reading it latches the high word.
    pub const NOW_LO_AT: u32 = OFFSET + 0x0c;
    /// Current time, high word as latched.
    pub const NOW_HI_AT: u32 = OFFSET + 0x10;
    /// Nanoseconds a clock.
    pub const INCREMENT_NS_AT: u32 = OFFSET + 0x14;
    /// Fraction of a nanosecond a clock.
    pub const INCREMENT_FRACTION_AT: u32 = OFFSET + 0x18;
    /// Steps the clock.
    pub const APPLY: Field = field!(
        "APPLY",
        0,
        1,
        Pulse,
        0,
        "Sets the clock to SET and its fraction to 0; frames less than 64 clocks later may still get the time of before. While armed it leaves the time alone, but the quality is 0 until the card is disarmed. A row that had expired by the old time stays expired."
    );
    /// Quality to go with the time.
    pub const QUALITY: Field = field!(
        "QUALITY",
        1,
        2,
        ReadWrite,
        0,
        "How far the time can be trusted: 0 unset, 1 free, 2 locked. At 0 nothing is copied."
    );
    /// How fast a slew goes.
    pub const SLEW_INTERVAL_AT: u32 = OFFSET + 0x1c;
    /// Slews the clock.
    pub const SLEW_AT: u32 = OFFSET + 0x20;
    /// What a slew still has to do.
    pub const SLEW_LEFT_AT: u32 = OFFSET + 0x24;
    /// Pulses of the pulse-per-second input; reading it latches the time of the last one.
    pub const PPS_COUNT_AT: u32 = OFFSET + 0x28;
    /// Time of the last pulse, low word as latched.
    pub const PPS_LO_AT: u32 = OFFSET + 0x2c;
    /// Time of the last pulse, high word as latched.
    pub const PPS_HI_AT: u32 = OFFSET + 0x30;
    /// How the clock does.
    pub const STATE_AT: u32 = OFFSET + 0x34;
    /// Clocks a nanosecond of a slew.
    pub const SLEW_INTERVAL: Field = field!(
        "CLOCKS",
        0,
        16,
        ReadWrite,
        0,
        "Core clocks from one nanosecond of a slew to the next, less one; 0 is taken for 1."
    );
    /// Offset to slew by.
    pub const SLEW_NS: Field =
        field!("NS", 0, 24, ReadWrite, 0, "Nanoseconds that START adds to the time, two's complement.");
    /// Starts a slew.
    pub const SLEW_START: Field = field!(
        "START",
        31,
        1,
        Pulse,
        0,
        "Starts to add NS, one nanosecond at a time, armed or not; the time never goes back. What is left of a slew before is dropped."
    );
    /// Rest of a slew.
    pub const SLEW_LEFT_NS: Field =
        field!("NS", 0, 24, ReadOnly, 0, "Nanoseconds that the slew still has to add, two's complement.");
    /// Quality that counts.
    pub const STATE_QUALITY: Field = field!(
        "QUALITY",
        0,
        2,
        ReadOnly,
        0,
        "Quality that stamps get: that of SET, or 0 if it has no meaning or REFUSED is 1."
    );
    /// A step came while armed.
    pub const STATE_REFUSED: Field =
        field!("REFUSED", 2, 1, ReadOnly, 0, "SET.APPLY was written while armed, and the card was not disarmed since.");
    /// Increment field.
    pub const INCREMENT_NS_FIELD: Field =
        field!("NS", 0, 8, ReadWrite, time::INCREMENT_NS, "Whole nanoseconds that the clock advances each core clock.");
    pub(super) const REGISTERS: &[Register] = &[
        register!("SET_LO", 0x00, ReadWrite, 0, "Time to set, ns of TAI since the PTP epoch, low word."),
        register!("SET_HI", 0x04, ReadWrite, 0, "Time to set, high word."),
        Register { name: "SET", offset: 0x08, fields: &[APPLY, QUALITY] },
        register!("NOW_LO", 0x0c, ReadOnly, 0, "Current time, low word; reading it latches NOW_HI."),
        register!("NOW_HI", 0x10, ReadOnly, 0, "Current time, high word, as latched by the last read of NOW_LO."),
        Register { name: "INCREMENT_NS", offset: 0x14, fields: &[INCREMENT_NS_FIELD] },
        register!(
            "INCREMENT_FRACTION",
            0x18,
            ReadWrite,
            time::INCREMENT_FRACTION,
            "Fraction in 2^-32 ns that the clock advances each core clock."
        ),
        Register { name: "SLEW_INTERVAL", offset: 0x1c, fields: &[SLEW_INTERVAL] },
        Register { name: "SLEW", offset: 0x20, fields: &[SLEW_NS, SLEW_START] },
        Register { name: "SLEW_LEFT", offset: 0x24, fields: &[SLEW_LEFT_NS] },
        register!(
            "PPS_COUNT",
            0x28,
            ReadOnly,
            0,
            "Rising edges of the pulse-per-second input; reading it latches PPS_LO and PPS_HI."
        ),
        register!(
            "PPS_LO",
            0x2c,
            ReadOnly,
            0,
            "Time 2 to 3 core clocks after the last edge, low word, as latched by the last read of PPS_COUNT."
        ),
        register!("PPS_HI", 0x30, ReadOnly, 0, "The same, high word."),
        Register { name: "STATE", offset: 0x34, fields: &[STATE_QUALITY, STATE_REFUSED] },
    ];
}

/// Frames that the card makes itself, to show that the copy path works from the window to the host: see [`crate::self_test`].
pub mod self_test {
    use super::*;
    /// Offset of the block.
    pub const OFFSET: u32 = 0x1c0;
    /// Ports that make frames.
    pub const ENABLE_AT: u32 = OFFSET;
    /// Clocks from frame to frame.
    pub const PERIOD_AT: u32 = OFFSET + 0x04;
    /// Token, low word.
    pub const TOKEN_LO_AT: u32 = OFFSET + 0x08;
    /// Token, high word.
    pub const TOKEN_HI_AT: u32 = OFFSET + 0x0c;
    /// Frames of port A.
    pub const SENT_A_AT: u32 = OFFSET + 0x10;
    /// Frames of port B.
    pub const SENT_B_AT: u32 = OFFSET + 0x14;
    /// One bit a port.
    pub const ENABLE_PORTS: Field =
        field!("PORTS", 0, 2, ReadWrite, 0, "Bit 0: make frames of port A. Bit 1: of port B. The first comes at once.");
    pub(super) const REGISTERS: &[Register] = &[
        Register { name: "ENABLE", offset: 0x00, fields: &[ENABLE_PORTS] },
        register!(
            "PERIOD",
            0x04,
            ReadWrite,
            time::CORE_CLOCK_HZ as u32 - 1,
            "Core clocks from one frame of a port to the next, less one. A frame waits for an idle clock of its port."
        ),
        register!("TOKEN_LO", 0x08, ReadWrite, 0, "Stands in each frame: chosen by the host, kept secret; low word."),
        register!("TOKEN_HI", 0x0c, ReadWrite, 0, "The same, high word."),
        register!(
            "SENT_A",
            0x10,
            ReadOnly,
            0,
            "Frames made of port A since the reset, which is the next one's sequence number."
        ),
        register!("SENT_B", 0x14, ReadOnly, 0, "The same of port B."),
    ];
}

/// Rings in host memory. All addresses are multiples of 64 bytes; all indices count lines (records), commands or completions since
/// the ring was enabled, modulo 2^32.
pub mod rings {
    use super::*;
    /// Offset of the block.
    pub const OFFSET: u32 = 0x200;
    /// Bytes between the registers of two record rings.
    pub const RECORD_STRIDE: u32 = 0x20;
    /// Address of record ring 0, low word; that of ring `n` stands `n * RECORD_STRIDE` bytes behind, like the five that follow.
    pub const RECORD_BASE_LO_AT: u32 = OFFSET;
    /// Address of the record ring, high word.
    pub const RECORD_BASE_HI_AT: u32 = OFFSET + 0x04;
    /// Size of the record ring.
    pub const RECORD_LINES_AT: u32 = OFFSET + 0x08;
    /// Address of the record index line, low word.
    pub const RECORD_INDEX_LO_AT: u32 = OFFSET + 0x0c;
    /// Address of the record index line, high word.
    pub const RECORD_INDEX_HI_AT: u32 = OFFSET + 0x10;
    /// Consumer index of the record ring.
    pub const RECORD_CONSUMER_AT: u32 = OFFSET + 0x14;
    /// Address of the command ring, low word.
    pub const COMMAND_BASE_LO_AT: u32 = OFFSET + 0x80;
    /// Address of the command ring, high word.
    pub const COMMAND_BASE_HI_AT: u32 = OFFSET + 0x84;
    /// Size of the command ring.
    pub const COMMAND_COUNT_AT: u32 = OFFSET + 0x88;
    /// Producer index of the command ring: the doorbell.
    pub const COMMAND_PRODUCER_AT: u32 = OFFSET + 0x8c;
    /// Address of the completion ring, low word.
    pub const COMPLETION_BASE_LO_AT: u32 = OFFSET + 0x90;
    /// Address of the completion ring, high word.
    pub const COMPLETION_BASE_HI_AT: u32 = OFFSET + 0x94;
    /// Size of the completion ring.
    pub const COMPLETION_COUNT_AT: u32 = OFFSET + 0x98;
    /// Address of the completion index line, low word.
    pub const COMPLETION_INDEX_LO_AT: u32 = OFFSET + 0x9c;
    /// Address of the completion index line, high word.
    pub const COMPLETION_INDEX_HI_AT: u32 = OFFSET + 0xa0;
    /// Enables.
    pub const ENABLE_AT: u32 = OFFSET + 0xa4;
    /// Enables the record rings.
    pub const ENABLE_RECORDS: Field = field!(
        "RECORDS",
        0,
        4,
        ReadWrite,
        0,
        "Bit n, 1: records are written to ring n; its producer starts at 0 when it turns 1. 0: they wait in the ring's FIFO, then are dropped."
    );
    /// Enables the command and completion rings.
    pub const ENABLE_COMMANDS: Field = field!(
        "COMMANDS",
        4,
        1,
        ReadWrite,
        0,
        "1: commands are fetched and completed; both indices start at 0 when it turns 1."
    );
    const _: () = assert!(limits::RECORD_RINGS == 4, "the registers below stand for four rings");
    /// How long an index of a record ring may be held back.
    pub const INDEX_DELAY_AT: u32 = OFFSET + 0xa8;
    /// The time.
    pub const INDEX_DELAY_CLOCKS: Field = field!(
        "CLOCKS",
        0,
        16,
        ReadWrite,
        0,
        "Core clocks from the first record that the host does not know of to the index line, if less than 16 records come and nothing else is to be written. \
         0: no wait. An index that the host has to know, because the ring is full, never waits."
    );
    pub(super) const REGISTERS: &[Register] = &[
        register!("RECORD0_BASE_LO", 0x00, ReadWrite, 0, "Address of record ring 0, low word."),
        register!("RECORD0_BASE_HI", 0x04, ReadWrite, 0, "Address of record ring 0, high word."),
        register!("RECORD0_LINES", 0x08, ReadWrite, 0, "Lines of 64 bytes of record ring 0, a power of two."),
        register!(
            "RECORD0_INDEX_LO",
            0x0c,
            ReadWrite,
            0,
            "Address of the line whose first four bytes the card sets to the producer index of record ring 0, low word."
        ),
        register!("RECORD0_INDEX_HI", 0x10, ReadWrite, 0, "The same, high word."),
        register!("RECORD0_CONSUMER", 0x14, ReadWrite, 0, "Lines of record ring 0 that the host has released."),
        register!("RECORD1_BASE_LO", 0x20, ReadWrite, 0, "Address of record ring 1, low word."),
        register!("RECORD1_BASE_HI", 0x24, ReadWrite, 0, "Address of record ring 1, high word."),
        register!("RECORD1_LINES", 0x28, ReadWrite, 0, "Lines of 64 bytes of record ring 1, a power of two."),
        register!(
            "RECORD1_INDEX_LO",
            0x2c,
            ReadWrite,
            0,
            "Address of the line whose first four bytes the card sets to the producer index of record ring 1, low word."
        ),
        register!("RECORD1_INDEX_HI", 0x30, ReadWrite, 0, "The same, high word."),
        register!("RECORD1_CONSUMER", 0x34, ReadWrite, 0, "Lines of record ring 1 that the host has released."),
        register!("RECORD2_BASE_LO", 0x40, ReadWrite, 0, "Address of record ring 2, low word."),
        register!("RECORD2_BASE_HI", 0x44, ReadWrite, 0, "Address of record ring 2, high word."),
        register!("RECORD2_LINES", 0x48, ReadWrite, 0, "Lines of 64 bytes of record ring 2, a power of two."),
        register!(
            "RECORD2_INDEX_LO",
            0x4c,
            ReadWrite,
            0,
            "Address of the line whose first four bytes the card sets to the producer index of record ring 2, low word."
        ),
        register!("RECORD2_INDEX_HI", 0x50, ReadWrite, 0, "The same, high word."),
        register!("RECORD2_CONSUMER", 0x54, ReadWrite, 0, "Lines of record ring 2 that the host has released."),
        register!("RECORD3_BASE_LO", 0x60, ReadWrite, 0, "Address of record ring 3, low word."),
        register!("RECORD3_BASE_HI", 0x64, ReadWrite, 0, "Address of record ring 3, high word."),
        register!("RECORD3_LINES", 0x68, ReadWrite, 0, "Lines of 64 bytes of record ring 3, a power of two."),
        register!(
            "RECORD3_INDEX_LO",
            0x6c,
            ReadWrite,
            0,
            "Address of the line whose first four bytes the card sets to the producer index of record ring 3, low word."
        ),
        register!("RECORD3_INDEX_HI", 0x70, ReadWrite, 0, "The same, high word."),
        register!("RECORD3_CONSUMER", 0x74, ReadWrite, 0, "Lines of record ring 3 that the host has released."),
        register!("COMMAND_BASE_LO", 0x80, ReadWrite, 0, "Address of the command ring, low word."),
        register!("COMMAND_BASE_HI", 0x84, ReadWrite, 0, "Address of the command ring, high word."),
        register!(
            "COMMAND_COUNT",
            0x88,
            ReadWrite,
            0,
            "Commands of 64 bytes that the command ring holds, a power of two."
        ),
        register!("COMMAND_PRODUCER", 0x8c, ReadWrite, 0, "Commands that the host has written: the doorbell."),
        register!("COMPLETION_BASE_LO", 0x90, ReadWrite, 0, "Address of the completion ring, low word."),
        register!("COMPLETION_BASE_HI", 0x94, ReadWrite, 0, "Address of the completion ring, high word."),
        register!(
            "COMPLETION_COUNT",
            0x98,
            ReadWrite,
            0,
            "Completions of 128 bytes that the completion ring holds, a power of two."
        ),
        register!(
            "COMPLETION_INDEX_LO",
            0x9c,
            ReadWrite,
            0,
            "Address of the line whose first four bytes the card sets to the completion producer index, low word."
        ),
        register!("COMPLETION_INDEX_HI", 0xa0, ReadWrite, 0, "The same, high word."),
        Register { name: "ENABLE", offset: 0xa4, fields: &[ENABLE_RECORDS, ENABLE_COMMANDS] },
        Register { name: "INDEX_DELAY", offset: 0xa8, fields: &[INDEX_DELAY_CLOCKS] },
    ];
}

/// The counters, as of the last snapshot.
///
/// Those of a wire (FRAMES_IN, BYTES_IN, FRAMES_OUT, DROP_WIRE_ERROR, DROP_TAP_FIFO, MAC_*) are counted on the wire's clock: those that
/// came in on one port, with the frames that left on the other one, are copied in one clock of that wire, and all others in one clock of the core.
/// They are all there when STATUS.SNAPSHOT_PENDING is 0.
///
/// Of port A, and likewise of port B, at every moment: FRAMES_IN_A + SELF_TEST_A = FRAMES_LOOKED_UP_A + DROP_WINDOW_FIFO_A +
/// DROP_TAP_FIFO_A - TAP_CUT_A + frames that are on their way.
pub mod counters {
    /// Offset of the block. Counter number `n` of [`super::COUNTERS`] stands at `OFFSET + 8 * n`, low word first.
    pub const OFFSET: u32 = 0x400;

    /// Address of the low word of a counter, or `None` if the ABI does not have it.
    pub fn address(counter: super::Counter) -> Option<u32> {
        let position = super::COUNTERS.iter().position(|(each, _, _)| *each == counter)?;
        Some(OFFSET + 8 * position as u32)
    }
}

/// All blocks but COUNTERS, whose registers come from [`COUNTERS`], by rising offset.
pub const BLOCKS: &[Block] = &[
    Block {
        name: "IDENTITY",
        offset: identity::OFFSET,
        bytes: 0x100,
        about: "Who the card is and how big its tables are.",
        registers: identity::REGISTERS,
    },
    Block {
        name: "CONTROL",
        offset: control::OFFSET,
        bytes: 0x40,
        about: "Reset, arming, state.",
        registers: control::REGISTERS,
    },
    Block {
        name: "CLOCK",
        offset: clock::OFFSET,
        bytes: 0x40,
        about: "The clock that stamps frames and expires rows.",
        registers: clock::REGISTERS,
    },
    Block {
        name: "LOOKUP",
        offset: lookup::OFFSET,
        bytes: 0x40,
        about: "What lookups depend on besides rows.",
        registers: lookup::REGISTERS,
    },
    Block {
        name: "SELF_TEST",
        offset: self_test::OFFSET,
        bytes: 0x40,
        about: "Frames that the card makes itself.",
        registers: self_test::REGISTERS,
    },
    Block {
        name: "RINGS",
        offset: rings::OFFSET,
        bytes: 0x100,
        about: "Rings in host memory.",
        registers: rings::REGISTERS,
    },
];

const fn check_blocks() {
    let mut free = 0;
    let mut b = 0;
    while b < BLOCKS.len() {
        let block = &BLOCKS[b];
        assert!(block.offset >= free, "blocks overlap");
        free = block.offset + block.bytes;
        let mut next = 0;
        let mut r = 0;
        while r < block.registers.len() {
            let register = &block.registers[r];
            assert!(register.offset.is_multiple_of(4) && register.offset >= next, "registers overlap");
            next = register.offset + 4;
            check_fields(register);
            r += 1;
        }
        assert!(next <= block.bytes, "register outside its block");
        b += 1;
    }
    assert!(free <= counters::OFFSET, "COUNTERS overlaps a block");
    assert!(counters::OFFSET + 8 * COUNTERS.len() as u32 <= BAR_BYTES, "BAR too small");
}

const fn check_fields(register: &Register) {
    let mut free = 0;
    let mut f = 0;
    while f < register.fields.len() {
        let field = &register.fields[f];
        assert!(field.width > 0 && field.lsb >= free, "fields overlap");
        free = field.lsb + field.width;
        assert!(free <= 32, "field outside its register");
        assert!(field.width == 32 || field.reset >> field.width == 0, "reset value does not fit its field");
        f += 1;
    }
    assert!(!register.fields.is_empty(), "register without fields");
}

const _: () = check_blocks();
