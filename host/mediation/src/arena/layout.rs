//! Where things stand in a block and in the context table. All numbers little-endian.

/// Bytes of a block.
pub const BLOCK_BYTES: usize = 256 * 1024;
/// Bytes at the start of a block before the first PDU.
pub(super) const HEADER_BYTES: usize = 64;
/// Bytes of an index entry.
pub(super) const ENTRY_BYTES: usize = 24;
/// Longest PDU that fits into a block.
pub const PDU_BYTES_MAX: usize = BLOCK_BYTES - HEADER_BYTES - ENTRY_BYTES;

/// First word of a block in use: `WBLK`. Zero in a free one.
pub(super) const BLOCK_MAGIC: u32 = u32::from_le_bytes(*b"WBLK");
pub(super) const BLOCK_MAGIC_AT: usize = 0;
pub(super) const BLOCK_INTERFACE_AT: usize = 4;
pub(super) const BLOCK_DESTINATION_AT: usize = 6;
pub(super) const BLOCK_ARENA_AT: usize = 8;
pub(super) const BLOCK_SEQUENCE_AT: usize = 16;
/// Bytes of PDUs (low half) and number of entries (high half): the commit word.
pub(super) const BLOCK_COMMIT_AT: usize = 24;
/// Bytes (low half) and entries (high half) that were confirmed, counted from the start.
pub(super) const BLOCK_CONFIRMED_AT: usize = 32;
/// Check over the fields that do not change while the block is in use.
pub(super) const BLOCK_CHECK_AT: usize = 40;

/// First word of the context table: `WRITCTX1`, the last digit being the version of both layouts.
pub(super) const TABLE_MAGIC: u64 = u64::from_le_bytes(*b"WRITCTX1");
/// First word while the memory is being formatted: nothing was accepted yet.
pub(super) const TABLE_FORMATTING: u64 = u64::from_le_bytes(*b"WRITFMT1");
pub(super) const TABLE_MAGIC_AT: usize = 0;
pub(super) const TABLE_BOOT_AT: usize = 8;
pub(super) const TABLE_ARENA_AT: usize = 24;
pub(super) const TABLE_BLOCKS_AT: usize = 40;
pub(super) const TABLE_BLOCK_SEQUENCE_AT: usize = 48;
pub(super) const TABLE_CHECK_AT: usize = 56;

/// Bytes of one row of the context table; the first row is the table's own header.
pub(super) const ROW_BYTES: usize = 64;
/// First word of a row in use: `WROW`.
pub(super) const ROW_MAGIC: u32 = u32::from_le_bytes(*b"WROW");
pub(super) const ROW_MAGIC_AT: usize = 0;
pub(super) const ROW_TASK_AT: usize = 4;
pub(super) const ROW_DESTINATION_AT: usize = 8;
pub(super) const ROW_INTERFACE_AT: usize = 10;
pub(super) const ROW_KIND_AT: usize = 11;
pub(super) const ROW_CIN_AT: usize = 12;
pub(super) const ROW_FINGERPRINT_AT: usize = 16;
pub(super) const ROW_NEXT_AT: usize = 32;
/// Last record that became a PDU of this context; bit 32 set if there is one, its ring from bit 40 on.
/// In a row of lost numbers: those that the encoder was told of.
pub(super) const ROW_RECORD_AT: usize = 40;
pub(super) const ROW_CORRELATION_AT: usize = 48;
pub(super) const ROW_CHECK_AT: usize = 56;

pub(super) fn load_u16(memory: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([memory[at], memory[at + 1]])
}

pub(super) fn load_u32(memory: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([memory[at], memory[at + 1], memory[at + 2], memory[at + 3]])
}

pub(super) fn load_u64(memory: &[u8], at: usize) -> u64 {
    u64::from(load_u32(memory, at)) | u64::from(load_u32(memory, at + 4)) << 32
}

/// Stores a value. Asks for the memory each time, so that a test's memory can stop the process before any store.
pub(super) fn store<M: AsMut<[u8]> + ?Sized>(memory: &mut M, at: usize, value: &[u8]) {
    memory.as_mut()[at..at + value.len()].copy_from_slice(value);
}

/// Everything before it is in memory before anything after it. A killed process leaves what it stored in program order; only the
/// compiler has to be kept from reordering.
pub(super) fn barrier() {
    core::sync::atomic::compiler_fence(core::sync::atomic::Ordering::SeqCst);
}

/// Mixes words into a check value. Not cryptographic: it guards against stale and torn memory, not against an attacker who can
/// write this memory (he could as well write the PDUs).
pub(super) fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, word| {
        let mixed = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ mixed >> 32
    })
}
