//! Storage of the read-write fields, straight from the ABI's tables.

use writ_abi::registers::{Access, BAR_BYTES, BLOCKS, Field, Register, control, lookup};

pub(super) struct RegisterFile {
    words: Vec<u32>,
}

impl RegisterFile {
    /// Everything at its reset value.
    pub(super) fn new() -> Self {
        let mut file = Self { words: vec![0; BAR_BYTES as usize / 4] };
        for block in BLOCKS {
            for register in block.registers {
                let reset = register.fields.iter().fold(0, |value, field| value | field.place(field.reset));
                file.words[(block.offset + register.offset) as usize / 4] = reset;
            }
        }
        file
    }

    /// What stands at the offset: stored values and constants. Registers that show something alive are the card's business.
    pub(super) fn value(&self, offset: u32) -> u32 {
        if offset.is_multiple_of(4) { self.words.get(offset as usize / 4).copied().unwrap_or(0) } else { 0 }
    }

    /// A field's value.
    pub(super) fn field(&self, offset: u32, field: Field) -> u32 {
        field.extract(self.value(offset))
    }

    /// A 64-bit value from its two words.
    pub(super) fn wide(&self, low: u32, high: u32) -> u64 {
        u64::from(self.value(high)) << 32 | u64::from(self.value(low))
    }

    /// Stores the read-write bits of a write and leaves the others. What lookups depend on does not change while armed.
    pub(super) fn store(&mut self, offset: u32, value: u32) {
        let Some(register) = find(offset) else { return };
        let is_lookup = [lookup::PREFIX_AT, lookup::OWN_TUNNELS_AT].contains(&offset);
        if is_lookup && self.field(control::CONTROL_AT, control::ARMED) == 1 {
            return;
        }
        let writable = register
            .fields
            .iter()
            .filter(|field| field.access == Access::ReadWrite)
            .fold(0, |mask, field| mask | field.mask());
        let word = &mut self.words[offset as usize / 4];
        *word = *word & !writable | value & writable;
    }
}

fn find(offset: u32) -> Option<&'static Register> {
    let block = BLOCKS.iter().find(|block| offset >= block.offset && offset - block.offset < block.bytes)?;
    block.registers.iter().find(|register| block.offset + register.offset == offset)
}
