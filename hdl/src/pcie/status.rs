//! The adapter's own registers, page 1 of BAR 0.
//!
//! [`writ_abi::pci::adapter`] lists them.

use crate::prelude::*;
use writ_abi::pci::{ADAPTER_AT, adapter};

/// Counters.
pub const COUNTERS: usize = adapter::COUNTERS.len();
const _: () = assert!(COUNTERS == 14 && ADAPTER_AT == 1 << 12, "the kernel writes this out");
const _: () = assert!(
    adapter::STATE_AT == ADAPTER_AT
        && adapter::MODERATION_AT == ADAPTER_AT + 4
        && adapter::RQ_PATIENCE_AT == ADAPTER_AT + 8,
    "words 0 to 2"
);
const _: () = assert!(
    adapter::counter_at(0) == ADAPTER_AT + 4 * 4 && adapter::counter_at(13) == ADAPTER_AT + 17 * 4,
    "words 4 to 17"
);

/// Registers of the adapter.
#[derive(LogicBlock, Default)]
pub struct Status {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Function-level reset.
    pub reset: Signal<In, Bit>,
    /// What `STATE` shows.
    pub state: Signal<In, Bits<32>>,
    /// Events that are counted.
    pub events: Signal<In, Bits<14>>,
    /// Lines that are dropped at once.
    pub lines: Signal<In, Bits<6>>,
    /// Write a word of BAR 0.
    pub local_write: Signal<In, Bit>,
    /// Read one.
    pub local_read: Signal<In, Bit>,
    /// Where.
    pub local_address: Signal<In, Bits<14>>,
    /// What to write.
    pub local_data: Signal<In, Bits<32>>,
    /// What was read, until the next read; 0 if it is not of this page.
    pub local_answer: Signal<Out, Bits<32>>,
    /// `MODERATION`.
    pub interval: Signal<Out, Bits<16>>,
    /// `RQ_PATIENCE`.
    pub patience: Signal<Out, Bits<16>>,
    moderation: RegR<Bits<16>>,
    waits: RegR<Bits<16>>,
    counts: [Reg<Bits<32>>; COUNTERS],
    asked: Reg<Bits<14>>,
    asked_state: Reg<Bit>,
    asked_moderation: Reg<Bit>,
    asked_patience: Reg<Bit>,
    answer: Reg<Bits<32>>,
    here: Signal<Local, Bit>,
    word: Signal<Local, Bits<10>>,
    select: Signal<Local, Bits<16>>,
    value: Signal<Local, Bits<32>>,
}

impl Status {
    /// With the patience that it has until someone says otherwise.
    pub fn new() -> Self {
        Self { waits: RegR::new(u64::from(adapter::RQ_PATIENCE_DEFAULT).into()), ..Self::default() }
    }
}

impl Logic for Status {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, moderation, waits, asked, asked_state, asked_moderation, asked_patience, answer);
        self.moderation.reset.next = self.reset.val();
        self.waits.reset.next = self.reset.val();
        self.here.next = self.local_address.val().get_bits::<2>(12) == bits::<2>(1);
        self.word.next = self.local_address.val().get_bits::<10>(2);
        if self.local_write.val() & self.here.val() & (self.word.val() == bits::<10>(1)) {
            self.moderation.d.next = self.local_data.val().get_bits::<16>(0);
        }
        if self.local_write.val() & self.here.val() & (self.word.val() == bits::<10>(2)) {
            self.waits.d.next = self.local_data.val().get_bits::<16>(0);
        }
        // Word 4 is that of counter 0.
        self.select.next = bits::<16>(1) << (self.word.val().get_bits::<4>(0) - bits::<4>(4));
        if self.local_read.val() {
            self.asked.d.next = bits::<14>(0);
            if self.here.val() & (self.word.val() >= bits::<10>(4)) & (self.word.val() < bits::<10>(18)) {
                self.asked.d.next = self.select.val().get_bits::<14>(0);
            }
            self.asked_state.d.next = self.here.val() & !self.word.val().any();
            self.asked_moderation.d.next = self.here.val() & (self.word.val() == bits::<10>(1));
            self.asked_patience.d.next = self.here.val() & (self.word.val() == bits::<10>(2));
        }
        self.value.next = bits::<32>(0);
        if self.asked_state.q.val() {
            self.value.next = self.state.val();
        }
        if self.asked_moderation.q.val() {
            self.value.next = bit_cast::<32, 16>(self.moderation.q.val());
        }
        if self.asked_patience.q.val() {
            self.value.next = bit_cast::<32, 16>(self.waits.q.val());
        }
        for i in 0..14 {
            self.counts[i].clock.next = self.clock.val();
            self.counts[i].d.next = self.counts[i].q.val();
            if self.events.val().get_bit(i) {
                self.counts[i].d.next = self.counts[i].q.val() + bits::<32>(1);
            }
            if self.asked.q.val().get_bit(i) {
                self.value.next = self.counts[i].q.val();
            }
        }
        if self.lines.val().any() {
            self.counts[3].d.next = self.counts[3].q.val() + bit_cast::<32, 6>(self.lines.val());
        }
        self.answer.d.next = self.value.val();
        self.local_answer.next = self.answer.q.val();
        self.interval.next = self.moderation.q.val();
        self.patience.next = self.waits.q.val();
    }
}
