//! The two cyclic redundancy checks of the card, bit by bit and at compile time.
//!
//! Both are the reflected forms. [`crc32c`] with its customary start and end value guards records and commands; the
//! bare remainders (start value zero, no inversion) are the hashes of the match tables, because a linear function of the
//! key is one XOR tree per bit in the gateware.

/// CRC-32 (IEEE 802.3), reflected polynomial.
pub const POLYNOMIAL_CRC32: u32 = 0xEDB8_8320;
/// CRC-32C (Castagnoli), reflected polynomial.
pub const POLYNOMIAL_CRC32C: u32 = 0x82F6_3B78;

const fn byte_table(polynomial: u32) -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ polynomial } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

static TABLE_CRC32: [u32; 256] = byte_table(POLYNOMIAL_CRC32);
static TABLE_CRC32C: [u32; 256] = byte_table(POLYNOMIAL_CRC32C);

fn fold(table: &[u32; 256], start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |crc, &byte| (crc >> 8) ^ table[usize::from((crc as u8) ^ byte)])
}

/// CRC-32C as iSCSI and most others use it: start value and final inversion of all ones.
pub fn crc32c(bytes: &[u8]) -> u32 {
    !fold(&TABLE_CRC32C, u32::MAX, bytes)
}

/// CRC-32C over `bytes` as if zeros followed up to the next multiple of [`crate::limits::LINE_BYTES`]: what a record's
/// payload and its padding give.
pub fn crc32c_padded(bytes: &[u8]) -> u32 {
    let padding = bytes.len().next_multiple_of(crate::limits::LINE_BYTES) - bytes.len();
    let crc = fold(&TABLE_CRC32C, u32::MAX, bytes);
    !fold(&TABLE_CRC32C, crc, &[0; crate::limits::LINE_BYTES][..padding])
}

/// CRC-32 as Ethernet's frame check sequence uses it; its little-endian bytes follow the frame on the wire.
pub fn ethernet_fcs(bytes: &[u8]) -> u32 {
    !fold(&TABLE_CRC32, u32::MAX, bytes)
}

/// Remainder of CRC-32 with start value zero and no inversion.
pub fn remainder_crc32(bytes: &[u8]) -> u32 {
    fold(&TABLE_CRC32, 0, bytes)
}

/// Remainder of CRC-32C with start value zero and no inversion.
pub fn remainder_crc32c(bytes: &[u8]) -> u32 {
    fold(&TABLE_CRC32C, 0, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of parametrised CRC algorithms, for the input `123456789`.
    #[test]
    fn published_check_values() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(ethernet_fcs(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn padding_counts_as_zeros() {
        let mut padded = [0; 64];
        padded[..3].copy_from_slice(b"abc");
        assert_eq!(crc32c_padded(b"abc"), crc32c(&padded));
        assert_eq!(crc32c_padded(b""), 0);
        assert_eq!(crc32c_padded(&padded), crc32c(&padded));
    }
}
