//! What a cell of the target costs, and how signals go through it.

/// Kind of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Logic: every output depends on every input, `levels` later.
    Logic { luts: u32, levels: u32 },
    /// A memory in LUTs: reading is logic from an address ([`address_of`]) to an output, writing ends paths.
    LutRam { luts: u32 },
    /// Four bits of a carry chain.
    Carry,
    /// Paths end at its inputs and start at its outputs.
    State { luts: u32, flip_flops: u32, block_ram_halves: u32, ultra_rams: u32 },
}

const fn state(luts: u32, flip_flops: u32, block_ram_halves: u32, ultra_rams: u32) -> Kind {
    Kind::State { luts, flip_flops, block_ram_halves, ultra_rams }
}

/// The kinds that `synth_xilinx -family xcup` makes for this design. A kind that is not here has to be looked at
/// by a person, so it is an error.
pub(super) fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "LUT1" | "LUT2" | "LUT3" | "LUT4" | "LUT5" | "LUT6" | "INV" => Kind::Logic { luts: 1, levels: 1 },
        // They stand behind the LUTs of one slice.
        "MUXF7" | "MUXF8" | "MUXF9" => Kind::Logic { luts: 0, levels: 0 },
        "CARRY4" => Kind::Carry,
        "FDRE" | "FDSE" | "FDCE" | "FDPE" => state(0, 1, 0, 0),
        "SRL16E" | "SRLC16E" | "SRLC32E" => state(1, 0, 0, 0),
        "RAMB18E2" => state(0, 0, 1, 0),
        "RAMB36E2" => state(0, 0, 2, 0),
        "URAM288" => state(0, 0, 0, 1),
        "RAM32X1S" | "RAM64X1S" => Kind::LutRam { luts: 1 },
        "RAM32X1D" | "RAM64X1D" | "RAM128X1S" => Kind::LutRam { luts: 2 },
        "RAM32M" | "RAM64M" | "RAM128X1D" | "RAM256X1S" => Kind::LutRam { luts: 4 },
        "RAM32M16" | "RAM64M8" | "RAM256X1D" | "RAM512X1S" => Kind::LutRam { luts: 8 },
        _ => return None,
    })
}

/// Whether `input` of a memory in LUTs addresses what shows at `output`.
pub(super) fn address_of(output: &str, input: &str) -> bool {
    match output.strip_prefix("DO") {
        // One of several ports, each with a letter.
        Some(letter) => input.strip_prefix("ADDR").is_some_and(|rest| rest == letter),
        None if output == "DPO" => input.starts_with("DPRA"),
        None => input.strip_prefix('A').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_belong_to_their_outputs() {
        assert!(address_of("DOA", "ADDRA") && !address_of("DOA", "ADDRB") && !address_of("DOA", "DIA"));
        assert!(address_of("DPO", "DPRA3") && address_of("DPO", "DPRA") && !address_of("DPO", "A3"));
        assert!(address_of("SPO", "A3") && address_of("O", "A") && !address_of("SPO", "DPRA3"));
    }

    #[test]
    fn unknown_cells_have_no_price() {
        assert_eq!(kind("LUT6"), Some(Kind::Logic { luts: 1, levels: 1 }));
        assert_eq!(kind("RAMB36E2"), Some(state(0, 0, 2, 0)));
        assert_eq!(kind("$_DFF_P_"), None);
        assert_eq!(kind("LDCE"), None, "a latch is no part of this design");
    }
}
