//! Every register that the host writes, and every constant that it reads, made from the ABI's tables.
//!
//! # Theory of operation
//! The bank is one vector of 32 bits a register, in the order of [`writ_abi::registers::BLOCKS`]. A write replaces the writable bits of the register with
//! that address. A read returns the register's bits; constants of the IDENTITY block stand in the vector as its reset value. Bits that
//! the card computes are not in the bank: they read as 0 here, and whoever has them adds them.
//!
//! The logic comes from a table and not from a kernel, so `hdl` builds it. A test holds it against `update`.

use crate::prelude::*;
use crate::prim::build;
use writ_abi::registers::{Access, BLOCKS, Register, identity};

const fn count_registers() -> usize {
    let mut count = 0;
    let mut block = 0;
    while block < BLOCKS.len() {
        count += BLOCKS[block].registers.len();
        block += 1;
    }
    count
}

/// Registers outside of the COUNTERS block.
pub const REGISTERS: usize = count_registers();
/// Bits of the bank.
pub const BANK_BITS: usize = REGISTERS * 32;

/// Address and description of each register, in the bank's order.
fn registers() -> impl Iterator<Item = (u32, &'static Register)> {
    BLOCKS.iter().flat_map(|block| block.registers.iter().map(|register| (block.offset + register.offset, register)))
}

/// Lowest bit in the bank of the register at `address`.
///
/// # Panics
/// If the ABI has no register there.
pub fn bank_lsb(address: u32) -> usize {
    let position = registers().position(|(at, _)| at == address);
    position.unwrap_or_else(|| panic!("the ABI has no register at {address:#x}")) * 32
}

/// Bits of `register` that the host sets and reads back.
fn writable(register: &Register) -> u32 {
    register.fields.iter().filter(|field| field.access == Access::ReadWrite).fold(0, |mask, field| mask | field.mask())
}

/// Value after reset: that of writable fields, and the constants of the IDENTITY block.
fn initial(address: u32, register: &Register) -> u32 {
    let is_identity = (identity::OFFSET..identity::OFFSET + 0x100).contains(&address);
    let kept = register.fields.iter().filter(|field| is_identity || field.access == Access::ReadWrite);
    kept.fold(0, |value, field| value | field.place(field.reset))
}

/// The register bank.
#[derive(LogicBlock)]
pub struct RegisterBank {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Sets every register to its reset value.
    pub reset: Signal<In, Bit>,
    /// Write at this clock.
    pub write: Signal<In, Bit>,
    /// Where.
    pub write_address: Signal<In, Bits<12>>,
    /// What.
    pub write_data: Signal<In, Bits<32>>,
    /// Read at this clock.
    pub read: Signal<In, Bit>,
    /// Where.
    pub read_address: Signal<In, Bits<12>>,
    /// What stands there; 0 while `read` is low and where nothing is.
    pub read_data: Signal<Out, Bits<32>>,
    /// All registers.
    pub values: Signal<Out, Bits<BANK_BITS>>,
    bank: RegR<Bits<BANK_BITS>>,
}

impl Default for RegisterBank {
    fn default() -> Self {
        let start =
            registers().enumerate().fold(Bits::<BANK_BITS>::default(), |bank, (position, (address, register))| {
                let value: Bits<32> = LiteralType::from(initial(address, register)).into();
                bank | (bit_cast::<BANK_BITS, 32>(value) << (position as LiteralType * 32))
            });
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            write: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            values: Signal::default(),
            bank: RegR::new(start),
        }
    }
}

impl Logic for RegisterBank {
    fn update(&mut self) {
        self.bank.clock.next = self.clock.val();
        self.bank.reset.next = self.reset.val();
        self.bank.d.next = self.bank.q.val();
        self.read_data.next = bits::<32>(0);
        for (position, (address, register)) in registers().enumerate() {
            let mask: Bits<32> = LiteralType::from(writable(register)).into();
            if self.write.val() && self.write_address.val() == LiteralType::from(address) && mask.any() {
                let mut bank = self.bank.q.val();
                let kept = bank.get_bits::<32>(position * 32) & !mask;
                bank.set_bits::<32>(position * 32, kept | (self.write_data.val() & mask));
                self.bank.d.next = bank;
            }
            if self.read.val() && self.read_address.val() == LiteralType::from(address) {
                self.read_data.next = self.bank.q.val().get_bits::<32>(position * 32);
            }
        }
        self.values.next = self.bank.q.val();
    }

    fn connect(&mut self) {
        self.bank.clock.connect();
        self.bank.reset.connect();
        self.bank.d.connect();
        self.read_data.connect();
        self.values.connect();
    }

    fn hdl(&self) -> Verilog {
        let writes = registers().enumerate().filter(|(_, (_, register))| writable(register) != 0).map(
            |(position, (address, register))| {
                let mask = build::literal(32, u128::from(writable(register)));
                let kept = build::literal(32, u128::from(!writable(register)));
                let old = build::signal("bank$q").slice(position * 32, 32).and(kept);
                let new = old.or(build::signal("write_data").and(mask));
                (u128::from(address), vec![build::assign_slice("bank$d", position * 32, 32, new)])
            },
        );
        let reads = registers().enumerate().map(|(position, (address, _))| {
            let value = build::signal("bank$q").slice(position * 32, 32);
            (u128::from(address), vec![build::assign("read_data", value)])
        });
        build::kernel(vec![
            build::assign("bank$clock", build::signal("clock")),
            build::assign("bank$reset", build::signal("reset")),
            build::assign("bank$d", build::signal("bank$q")),
            build::when(
                build::signal("write"),
                vec![build::switch(build::signal("write_address"), writes, vec![])],
                vec![],
            ),
            build::assign("read_data", build::literal(32, 0)),
            build::when(
                build::signal("read"),
                vec![build::switch(build::signal("read_address"), reads, vec![])],
                vec![],
            ),
            build::assign("values", build::signal("bank$q")),
        ])
    }
}
