//! Interrupts: the MSI-X table, the pending bits, and when a message goes out.
//!
//! # Theory of operation
//! An event makes its vector pending. A pending vector that is not masked, whose function is not masked and whose last message is long enough ago becomes a
//! message: a write of the entry's data to its address, which takes its place in the row of TLPs behind everything that was in it. The lowest vector
//! goes first. Events of a vector that is already pending are one with it.
//!
//! Nothing is pending while MSI-X is disabled or the bus may not be used.
//!
//! **Moderation.** From one message of a vector to its next at least `interval` units of 256 clocks pass (1.024 us at 250 MHz), and one more at most
//! if it is pending.
//!
//! # Registers
//! Table at [`pci::MSIX_TABLE_AT`], 16 bytes a vector, pending bits at [`pci::MSIX_PENDING_AT`], as PCIe lays them out. All vectors are masked after a function-level
//! reset; addresses and data keep what they had.
//!
//! # Limits
//! Whole words only. A message that was on its way when its vector was masked still goes out.

use crate::prelude::*;
use writ_abi::pci;

/// Vectors in the table.
pub const VECTORS: usize = pci::VECTORS as usize;
const _: () = assert!(VECTORS == 8 && pci::MSIX_ENTRY_BYTES == 16, "the kernel writes this out");
const _: () =
    assert!(pci::MSIX_TABLE_AT == 2 << 12 && pci::MSIX_PENDING_AT == 3 << 12, "the kernel writes the pages out");

/// MSI-X.
#[derive(LogicBlock, Default)]
pub struct MsiX {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Masks all vectors.
    pub reset: Signal<In, Bit>,
    /// The bus may be used.
    pub open: Signal<In, Bit>,
    /// `cfg_interrupt_msix_enable[0]`.
    pub enabled: Signal<In, Bit>,
    /// `cfg_interrupt_msix_mask[0]`.
    pub masked: Signal<In, Bit>,
    /// Events, one bit a vector.
    pub events: Signal<In, Bits<8>>,
    /// Units of 256 clocks between two messages of a vector.
    pub interval: Signal<In, Bits<16>>,
    /// Write a word of BAR 0.
    pub local_write: Signal<In, Bit>,
    /// Read one.
    pub local_read: Signal<In, Bit>,
    /// Where.
    pub local_address: Signal<In, Bits<14>>,
    /// What to write.
    pub local_data: Signal<In, Bits<32>>,
    /// What was read, until the next read; 0 if it is not of these pages.
    pub local_answer: Signal<Out, Bits<32>>,
    /// There is a message.
    pub message_valid: Signal<Out, Bit>,
    /// Where it goes.
    pub message_address: Signal<Out, Bits<64>>,
    /// What it says.
    pub message_data: Signal<Out, Bits<32>>,
    /// It is taken.
    pub message_take: Signal<In, Bit>,
    words: [LutRam<Bits<32>, 3>; 3],
    masks: RegR<Bits<8>>,
    pending: RegR<Bits<8>>,
    choosing: RegR<Bit>,
    chosen: Reg<Bits<8>>,
    number: Reg<Bits<3>>,
    sending: RegR<Bit>,
    address: Reg<Bits<64>>,
    data: Reg<Bits<32>>,
    tick: Reg<Bits<8>>,
    ticks: Reg<Bit>,
    quiet: [RegR<Bits<17>>; 8],
    ready: Reg<Bits<8>>,
    answer: Reg<Bits<32>>,
    in_table: Signal<Local, Bit>,
    in_pending: Signal<Local, Bit>,
    entry: Signal<Local, Bits<8>>,
    eligible: Signal<Local, Bits<8>>,
    first: Signal<Local, Bits<8>>,
    sends: Signal<Local, Bits<8>>,
    active: Signal<Local, Bit>,
    rested: Signal<Local, Bits<8>>,
}

impl MsiX {
    /// MSI-X with all vectors masked.
    pub fn new() -> Self {
        Self { masks: RegR::new(bits::<8>(255)), ..Self::default() }
    }
}

impl Logic for MsiX {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, masks, pending, choosing, chosen, number, sending, address, data, tick, ticks, ready);
        dff_setup!(self, clock, answer);
        self.active.next = self.open.val() & self.enabled.val();
        self.masks.reset.next = self.reset.val();
        self.pending.reset.next = self.reset.val() | !self.active.val();
        self.choosing.reset.next = self.reset.val() | !self.active.val();
        self.sending.reset.next = self.reset.val() | !self.active.val();

        // What the host reads and writes: page 2 is the table, page 3 the pending bits.
        self.in_table.next = (self.local_address.val().get_bits::<2>(12) == bits::<2>(2))
            & !self.local_address.val().get_bits::<5>(7).any();
        self.in_pending.next = (self.local_address.val().get_bits::<2>(12) == bits::<2>(3))
            & !self.local_address.val().get_bits::<10>(2).any();
        self.entry.next = bits::<8>(1) << self.local_address.val().get_bits::<3>(4);
        for i in 0..3 {
            self.words[i].clock.next = self.clock.val();
            self.words[i].write_enable.next = false;
            self.words[i].write_address.next = self.local_address.val().get_bits::<3>(4);
            self.words[i].write_data.next = self.local_data.val();
            self.words[i].read_address.next = self.number.q.val();
            if self.local_read.val() {
                self.words[i].read_address.next = self.local_address.val().get_bits::<3>(4);
            }
        }
        if self.local_write.val() & self.in_table.val() {
            if self.local_address.val().get_bits::<2>(2) == bits::<2>(0) {
                self.words[0].write_enable.next = true;
            }
            if self.local_address.val().get_bits::<2>(2) == bits::<2>(1) {
                self.words[1].write_enable.next = true;
            }
            if self.local_address.val().get_bits::<2>(2) == bits::<2>(2) {
                self.words[2].write_enable.next = true;
            }
            if self.local_address.val().get_bits::<2>(2) == bits::<2>(3) {
                self.masks.d.next = self.masks.q.val() & !self.entry.val();
                if self.local_data.val().get_bit(0) {
                    self.masks.d.next = self.masks.q.val() | self.entry.val();
                }
            }
        }
        if self.local_read.val() {
            self.answer.d.next = bits::<32>(0);
            if self.in_table.val() {
                if self.local_address.val().get_bits::<2>(2) == bits::<2>(0) {
                    self.answer.d.next = self.words[0].read_data.val();
                }
                if self.local_address.val().get_bits::<2>(2) == bits::<2>(1) {
                    self.answer.d.next = self.words[1].read_data.val();
                }
                if self.local_address.val().get_bits::<2>(2) == bits::<2>(2) {
                    self.answer.d.next = self.words[2].read_data.val();
                }
                if self.local_address.val().get_bits::<2>(2) == bits::<2>(3) {
                    self.answer.d.next = bit_cast::<32, 1>((self.masks.q.val() & self.entry.val()).any().into());
                }
            }
            if self.in_pending.val() {
                self.answer.d.next = bit_cast::<32, 8>(self.pending.q.val());
            }
        }
        self.local_answer.next = self.answer.q.val();

        // The vector that is next; its entry, unless the host reads the table in this clock; the message.
        self.sends.next = bits::<8>(0);
        self.eligible.next = self.pending.q.val() & !self.masks.q.val() & self.ready.q.val();
        self.first.next = self.eligible.val() & (!self.eligible.val() + bits::<8>(1));
        if !self.choosing.q.val() & !self.sending.q.val() & !self.masked.val() {
            self.choosing.d.next = self.eligible.val().any();
            self.chosen.d.next = self.first.val();
            self.number.d.next = bit_cast::<3, 1>((self.first.val() & bits::<8>(0xaa)).any().into())
                | (bit_cast::<3, 1>((self.first.val() & bits::<8>(0xcc)).any().into()) << 1)
                | (bit_cast::<3, 1>((self.first.val() & bits::<8>(0xf0)).any().into()) << 2);
        }
        if self.choosing.q.val() & !self.local_read.val() {
            self.choosing.d.next = false;
            self.sending.d.next = true;
            self.sends.next = self.chosen.q.val();
            self.address.d.next = (bit_cast::<64, 30>(self.words[0].read_data.val().get_bits::<30>(2)) << 2)
                | (bit_cast::<64, 32>(self.words[1].read_data.val()) << 32);
            self.data.d.next = self.words[2].read_data.val();
        }
        if self.message_take.val() {
            self.sending.d.next = false;
        }
        self.message_valid.next = self.sending.q.val();
        self.message_address.next = self.address.q.val();
        self.message_data.next = self.data.q.val();
        self.pending.d.next = (self.pending.q.val() & !self.sends.val()) | self.events.val();

        // Moderation.
        self.tick.d.next = self.tick.q.val() + bits::<8>(1);
        self.ticks.d.next = self.tick.q.val().all();
        self.rested.next = bits::<8>(0);
        for i in 0..8 {
            self.quiet[i].clock.next = self.clock.val();
            self.quiet[i].reset.next = self.reset.val();
            self.quiet[i].d.next = self.quiet[i].q.val();
            if self.quiet[i].q.val().any() & self.ticks.q.val() {
                self.quiet[i].d.next = self.quiet[i].q.val() - bits::<17>(1);
            }
            if self.sends.val().get_bit(i) & self.interval.val().any() {
                self.quiet[i].d.next = bit_cast::<17, 16>(self.interval.val()) + bits::<17>(1);
            }
            self.rested.next = self.rested.val().replace_bit(i, !self.quiet[i].q.val().any());
        }
        // What a message just used up is seen two clocks later, and the next choice comes no sooner.
        self.ready.d.next = self.rested.val();
    }
}
