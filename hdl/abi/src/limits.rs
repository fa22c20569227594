//! Sizes that both sides of the bus rely on. A card states the ones it was built with in its capability registers; the
//! host takes them from there and uses these as upper bounds.

/// Ways of every exact-match table.
pub const WAYS: usize = 4;
/// Rows in one way of the address table; a power of two, like those of all tables.
pub const ADDRESS_ROWS_PER_WAY: u32 = 8192;
/// Rows in one way of the table of IPv6 prefixes of one length.
pub const PREFIX_ROWS_PER_WAY: u32 = 1024;
/// Rows in one way of the endpoint table.
pub const ENDPOINT_ROWS_PER_WAY: u32 = 2048;
/// Rows in one way of the 5-tuple table.
pub const FIVE_TUPLE_ROWS_PER_WAY: u32 = 2048;
/// Rows in one way of the tunnel table.
pub const TUNNEL_ROWS_PER_WAY: u32 = 2048;
/// Rows in one way of the MAC address table.
pub const MAC_ROWS_PER_WAY: u32 = 1024;
/// Rows in one way of the VLAN table.
pub const VLAN_ROWS_PER_WAY: u32 = 256;
/// Rows in one way of the biggest table.
pub const ROWS_PER_WAY_MAX: u32 = ADDRESS_ROWS_PER_WAY;
/// Banks of wildcard rules; one frame hits at most one rule of a bank.
pub const RULE_BANKS: usize = 4;
/// Wildcard rules in one bank.
pub const RULES_PER_BANK: u32 = 128;
/// Match indices that exist; a power of two. More than rows and rules, so that a freed index can rest before it is used again.
pub const MATCH_INDEX_COUNT: u32 = 1 << 17;
/// Match index of the rows that select the card's own frames ([`crate::self_test`]); no task has it.
pub const SELF_TEST_MATCH_INDEX: u32 = MATCH_INDEX_COUNT - 1;
/// Lookups of one frame that can hit together: the exact ones and one rule a bank.
pub const HITS_MAX: usize = 21;

/// Bytes of one beat of the data path, of one line of a ring, and the alignment of every DMA transfer.
pub const LINE_BYTES: usize = 64;
/// Bytes at the start of a frame that the parser sees.
pub const WINDOW_BYTES: usize = 192;
/// Bytes of the frame check sequence, which travels with the frame on the wire and never into a record.
pub const FCS_BYTES: usize = 4;
/// Longest frame that can be copied, FCS included. A longer one passes on the wire and is dropped from the copy path
/// with the cause [`crate::record::DropCause::Oversize`].
pub const FRAME_BYTES_MAX: usize = 9_668;
/// VLAN tags that the parser steps over.
pub const VLAN_TAGS_MAX: usize = 3;
/// VLAN tags that the parser steps over behind an Ethernet header inside a tunnel or pseudowire.
pub const INNER_VLAN_TAGS_MAX: usize = 2;
/// MPLS labels that the parser steps over.
pub const MPLS_LABELS_MAX: usize = 4;
/// IPv6 extension headers that the parser steps over.
pub const IPV6_EXTENSION_HEADERS_MAX: usize = 4;
/// GTP-U extension headers that the parser steps over.
pub const GTPU_EXTENSION_HEADERS_MAX: usize = 2;
/// UDP destination ports of GTP-U.
pub const GTPU_PORTS: [u16; 1] = [2152];
/// UDP destination ports of VXLAN.
pub const VXLAN_PORTS: [u16; 1] = [4789];
/// UDP destination ports of GENEVE.
pub const GENEVE_PORTS: [u16; 1] = [6081];
/// UDP ports of L2TP, either side.
pub const L2TP_PORTS: [u16; 1] = [1701];

/// Lines of the copy frame FIFO of one port.
pub const COPY_FIFO_LINES: usize = 2048;
/// Frames whose description the copy path can hold per port between their arrival and their verdict.
pub const COPY_FRAMES_MAX: usize = 512;
/// Lines of the record FIFO that each record ring has in front of its DMA writer.
pub const RECORD_FIFO_LINES: usize = 512;
/// Lines that have to be free in a record FIFO that was full, before it takes records again.
pub const RECORD_FIFO_RESUME_LINES: usize = 64;
/// Beats that wait at most between a MAC and the copy side, for the clock of the core.
pub const TAP_FIFO_BEATS: usize = 64;
/// Windows that one direction can hold while it waits for its slot in the merged pipeline.
pub const WINDOW_FIFO_FRAMES: usize = 64;
/// Hit lists of dropped records that can wait for the per-match drop counters.
pub const DROP_QUEUE_FRAMES: usize = 512;

/// Record rings.
pub const RECORD_RINGS: usize = 4;
/// Smallest ring, in lines. Bigger ones are powers of two up to [`RING_LINES_MAX`].
pub const RING_LINES_MIN: u32 = 256;
/// Biggest ring, in lines.
pub const RING_LINES_MAX: u32 = 1 << 24;
/// Records after which the producer index is written to host memory even though more records wait.
pub const INDEX_WRITE_BACK_RECORDS: u32 = 16;

const _: () = {
    let rows = [
        ADDRESS_ROWS_PER_WAY,
        PREFIX_ROWS_PER_WAY,
        ENDPOINT_ROWS_PER_WAY,
        FIVE_TUPLE_ROWS_PER_WAY,
        TUNNEL_ROWS_PER_WAY,
        MAC_ROWS_PER_WAY,
        VLAN_ROWS_PER_WAY,
    ];
    let mut all = 0;
    let mut table = 0;
    while table < rows.len() {
        assert!(
            rows[table].is_power_of_two()
                && rows[table] <= ROWS_PER_WAY_MAX
                && ROWS_PER_WAY_MAX <= crate::hash::ROWS_PER_WAY_MAX
        );
        all += rows[table] * WAYS as u32;
        table += 1;
    }
    assert!(all >= 65_536, "what a card for 100G has to hold");
    assert!(MATCH_INDEX_COUNT.is_power_of_two() && MATCH_INDEX_COUNT <= 1 << 17);
    assert!(SELF_TEST_MATCH_INDEX >= all + RULE_BANKS as u32 * RULES_PER_BANK);
    assert!(FRAME_BYTES_MAX.div_ceil(LINE_BYTES) + 2 < RECORD_FIFO_LINES);
};
