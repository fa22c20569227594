//! Sizes that both sides of the bus rely on. A card states the ones it was built with in its capability registers; the
//! host takes them from there and uses these as upper bounds.

/// Ways of every exact-match table.
pub const WAYS: usize = 4;
/// Rows in one way of the address table; a power of two.
pub const ADDRESS_ROWS_PER_WAY: u32 = 4096;
/// Rows in one way of the endpoint table; a power of two.
pub const ENDPOINT_ROWS_PER_WAY: u32 = 1024;
/// Match indices that exist; a power of two. More than rows, so that a freed index can rest before it is used again.
pub const MATCH_INDEX_COUNT: u32 = 32_768;
/// Lookups of one frame, each of which gives at most one hit.
pub const LOOKUPS: usize = 4;

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
pub const VLAN_TAGS_MAX: usize = 2;
/// IPv6 extension headers that the parser steps over.
pub const IPV6_EXTENSION_HEADERS_MAX: usize = 4;

/// Lines of the copy frame FIFO of one port.
pub const COPY_FIFO_LINES: usize = 2048;
/// Frames whose description the copy path can hold per port between their arrival and their verdict.
pub const COPY_FRAMES_MAX: usize = 512;
/// Lines of the record FIFO in front of the DMA writer.
pub const RECORD_FIFO_LINES: usize = 512;
/// Windows that one direction can hold while it waits for its slot in the merged pipeline.
pub const WINDOW_FIFO_FRAMES: usize = 64;
/// Hit lists of dropped frames that can wait for the per-match drop counters.
pub const DROP_QUEUE_FRAMES: usize = 512;

/// Record rings.
pub const RECORD_RINGS: usize = 1;
/// Smallest ring, in lines. Bigger ones are powers of two up to [`RING_LINES_MAX`].
pub const RING_LINES_MIN: u32 = 256;
/// Biggest ring, in lines.
pub const RING_LINES_MAX: u32 = 1 << 24;
/// Records after which the producer index is written to host memory even though more records wait.
pub const INDEX_WRITE_BACK_RECORDS: u32 = 16;

const _: () = assert!(ADDRESS_ROWS_PER_WAY.is_power_of_two() && ENDPOINT_ROWS_PER_WAY.is_power_of_two());
const _: () = assert!(MATCH_INDEX_COUNT.is_power_of_two() && MATCH_INDEX_COUNT <= 1 << 17);
const _: () = assert!(MATCH_INDEX_COUNT >= WAYS as u32 * (ADDRESS_ROWS_PER_WAY + ENDPOINT_ROWS_PER_WAY));
const _: () = assert!(FRAME_BYTES_MAX.div_ceil(LINE_BYTES) + 2 < RECORD_FIFO_LINES);
