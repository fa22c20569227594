//! The ports between the card's adapter and the hard block, as the harness moves them: same fields in the same order in `rtl/harness.cpp`.

/// One clock of the hard block's user side. Names are those of PG213 without prefixes; wide ports are words of 32 bits, lowest first.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pins {
    /// `s_axis_rq_tdata`.
    pub rq_data: [u32; 16],
    /// `s_axis_rq_tuser`.
    pub rq_user: [u32; 5],
    /// `s_axis_cc_tdata`.
    pub cc_data: [u32; 16],
    /// `s_axis_cc_tuser`.
    pub cc_user: [u32; 3],
    /// `s_axis_cc_tkeep`.
    pub cc_keep: u16,
    /// `s_axis_rq_tvalid`.
    pub rq_valid: u8,
    /// `s_axis_cc_tvalid`.
    pub cc_valid: u8,
    /// `s_axis_cc_tlast`.
    pub cc_last: u8,
    /// `m_axis_cq_tready`.
    pub cq_ready: u8,
    /// `cfg_flr_done[0]`.
    pub function_reset_done: u8,
    pub padding_out: u8,
    /// `m_axis_cq_tdata`.
    pub cq_data: [u32; 16],
    /// `m_axis_cq_tuser`.
    pub cq_user: [u32; 6],
    /// `m_axis_rc_tdata`.
    pub rc_data: [u32; 16],
    /// `m_axis_rc_tuser`.
    pub rc_user: [u32; 6],
    /// `m_axis_rc_tkeep`.
    pub rc_keep: u16,
    /// `s_axis_rq_tready`.
    pub rq_ready: u8,
    /// `s_axis_cc_tready`.
    pub cc_ready: u8,
    /// `m_axis_cq_tvalid`.
    pub cq_valid: u8,
    /// `m_axis_cq_tlast`.
    pub cq_last: u8,
    /// `m_axis_rc_tvalid`.
    pub rc_valid: u8,
    /// `m_axis_rc_tlast`.
    pub rc_last: u8,
    /// `pcie_rq_tag_vld0`, `pcie_rq_tag_vld1`.
    pub tag_valid: [u8; 2],
    /// `pcie_rq_tag0`, `pcie_rq_tag1`.
    pub tag: [u8; 2],
    /// `user_reset`.
    pub user_reset: u8,
    /// `user_lnk_up`.
    pub link_up: u8,
    /// `cfg_function_status[2]`.
    pub bus_master: u8,
    /// `cfg_max_payload`.
    pub max_payload: u8,
    /// `cfg_flr_in_process[0]`.
    pub function_reset: u8,
    /// `cfg_interrupt_msix_enable[0]`.
    pub msix_enable: u8,
    /// `cfg_interrupt_msix_mask[0]`.
    pub msix_mask: u8,
    /// `pcie_tfc_nph_av`.
    pub read_credits: u8,
    /// `pcie_rq_tag_av`.
    pub free_tags: u8,
    pub padding_in: [u8; 3],
}

const _: () = assert!(size_of::<Pins>() == 368);

/// Bits `low..low + width` of a wide port; at most 32.
pub(super) fn bits(port: &[u32], low: usize, width: usize) -> u32 {
    let word = |at: usize| u64::from(port.get(at).copied().unwrap_or(0));
    let pair = word(low / 32) | word(low / 32 + 1) << 32;
    (pair >> (low % 32) & ((1 << width) - 1)) as u32
}

/// Sets bits of a wide port that are 0.
pub(super) fn set_bits(port: &mut [u32], low: usize, value: u32) {
    let shifted = u64::from(value) << (low % 32);
    port[low / 32] |= shifted as u32;
    if let Some(next) = port.get_mut(low / 32 + 1) {
        *next |= (shifted >> 32) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_reach_over_words() {
        let mut port = [0; 3];
        set_bits(&mut port, 30, 0b1011);
        set_bits(&mut port, 94, 0b11);
        assert_eq!(port, [0xc000_0000, 0b10, 0xc000_0000]);
        assert_eq!((bits(&port, 30, 4), bits(&port, 94, 2), bits(&port, 0, 30)), (0b1011, 0b11, 0));
    }
}
