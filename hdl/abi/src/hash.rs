//! Where a key stands in a table: four row numbers, one a way, slices of two CRC remainders of the key.
//!
//! The host computes placement with [`rows`]; the gateware builds the same function as XOR trees from [`bit_masks`]. A test
//! holds the two together.

use crate::{crc, limits::WAYS};

/// Lowest bit of the 32-bit remainder that way `way` uses as its row number. Ways 0 and 1 slice CRC-32, 2 and 3 CRC-32C.
///
/// Of the places that a slice may have, these give consecutive IPv4 addresses and consecutive IPv6 prefixes of 48, 56 and 64 bits as many
/// different rows as there can be: that is what carriers' pools look like.
pub const WAY_LSB: [u32; WAYS] = [1, 19, 1, 16];

/// Most rows that a way may have.
pub const ROWS_PER_WAY_MAX: u32 = 1 << 13;

/// Row of `key` in each way of a table with `rows_per_way` rows. `rows_per_way` is a power of two of at most
/// [`ROWS_PER_WAY_MAX`].
///
/// # Panics
/// If `rows_per_way` is no such power.
pub fn rows(key: &[u8], rows_per_way: u32) -> [u32; WAYS] {
    assert!(rows_per_way.is_power_of_two() && rows_per_way <= ROWS_PER_WAY_MAX);
    let remainders = [crc::remainder_crc32(key), crc::remainder_crc32c(key)];
    core::array::from_fn(|way| (remainders[way / 2] >> WAY_LSB[way]) & (rows_per_way - 1))
}

/// The hash as a matrix: bit `bit` of the row number of way `way` is the parity of the key bits that are set in
/// the mask. Byte `i` of the mask belongs to byte `i` of the key.
pub fn bit_masks<const KEY_BYTES: usize>(way: usize, bit: u32) -> [u8; KEY_BYTES] {
    let mut mask = [0; KEY_BYTES];
    for key_bit in 0..KEY_BYTES * 8 {
        let mut key = [0; KEY_BYTES];
        key[key_bit / 8] = 1 << (key_bit % 8);
        if rows(&key, ROWS_PER_WAY_MAX)[way] >> bit & 1 == 1 {
            mask[key_bit / 8] |= 1 << (key_bit % 8);
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{ADDRESS_KEY_BYTES, ENDPOINT_KEY_BYTES};

    fn masks_agree_with_rows<const N: usize>() {
        let key: [u8; N] = core::array::from_fn(|i| (i * 37 + 11) as u8);
        let expected = rows(&key, 4096);
        for (way, &row) in expected.iter().enumerate() {
            let from_masks = (0..12).fold(0, |row, bit| {
                let ones: u32 =
                    bit_masks::<N>(way, bit).iter().zip(&key).map(|(mask, byte)| (mask & byte).count_ones()).sum();
                row | (ones & 1) << bit
            });
            assert_eq!(from_masks, row);
        }
    }

    #[test]
    fn masks_and_rows_are_one_function() {
        masks_agree_with_rows::<ADDRESS_KEY_BYTES>();
        masks_agree_with_rows::<ENDPOINT_KEY_BYTES>();
    }
}
