//! Writes the LUT memories of one rule, 16 chunks at a time.
//!
//! # Theory of operation
//! A word of the LUT memories holds a bit of each of the 128 rules of a bank, so a rule's bits come with those of the others. The image is a copy of
//! the LUT memories of all banks: 16 memories side by side, one a chunk of a group. For each group and each of the 32 values of a chunk a word is
//! read, the rule's bit is put in, and the word goes back and into the LUT memories: 128 words, one a clock. The other bits are written as they were.
//!
//! Nothing needs the image before a rule is written: what stands there of rules that were never written counts nowhere, because they are invalid.

use crate::prelude::*;

/// The writer for all banks.
#[derive(LogicBlock)]
pub struct RuleWriter {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Stops.
    pub reset: Signal<In, Bit>,
    /// Write the rule; it has to be invalid until `busy` falls. The inputs below have to stand until then.
    pub start: Signal<In, Bit>,
    /// Bank.
    pub bank: Signal<In, Bits<2>>,
    /// Number in the bank.
    pub number: Signal<In, Bits<7>>,
    /// The bits to find.
    pub value: Signal<In, Bits<304>>,
    /// The bits to look at.
    pub mask: Signal<In, Bits<304>>,
    /// At work.
    pub busy: Signal<Out, Bit>,
    /// Write `word` into the LUT memories.
    pub write: Signal<Out, Bit>,
    /// Of which 16 chunks.
    pub group: Signal<Out, Bits<2>>,
    /// The chunks' value.
    pub entry: Signal<Out, Bits<5>>,
    /// One word a chunk.
    pub word: [Signal<Out, Bits<128>>; 16],
    walking: RegR<Bit>,
    step: RegR<Bits<7>>,
    hot: Reg<Bits<128>>,
    reading: RegR<Bit>,
    read_step: Reg<Bits<7>>,
    value_part: Reg<Bits<80>>,
    mask_part: Reg<Bits<80>>,
    writing: RegR<Bit>,
    write_step: Reg<Bits<7>>,
    image: [Ram1r1w<Bits<128>, 9>; 16],
    new_word: [Reg<Bits<128>>; 16],
    differs: [Signal<Local, Bits<5>>; 16],
}

impl Default for RuleWriter {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            start: Signal::default(),
            bank: Signal::default(),
            number: Signal::default(),
            value: Signal::default(),
            mask: Signal::default(),
            busy: Signal::default(),
            write: Signal::default(),
            group: Signal::default(),
            entry: Signal::default(),
            word: Default::default(),
            walking: RegR::default(),
            step: RegR::default(),
            hot: Reg::default(),
            reading: RegR::default(),
            read_step: Reg::default(),
            value_part: Reg::default(),
            mask_part: Reg::default(),
            writing: RegR::default(),
            write_step: Reg::default(),
            image: core::array::from_fn(|_| Ram1r1w::new(RamStyle::Block)),
            new_word: Default::default(),
            differs: Default::default(),
        }
    }
}

impl Logic for RuleWriter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, walking, step, hot, reading, read_step, value_part, mask_part, writing, write_step);
        self.walking.reset.next = self.reset.val();
        self.step.reset.next = self.reset.val();
        self.reading.reset.next = self.reset.val();
        self.writing.reset.next = self.reset.val();

        // Clock 1: the image is read. A step is a group above a chunk's value.
        if self.start.val() {
            self.walking.d.next = true;
            self.step.d.next = bits::<7>(0);
            self.hot.d.next = bits::<128>(1) << self.number.val();
        }
        if self.walking.q.val() {
            self.step.d.next = self.step.q.val() + bits::<7>(1);
            self.read_step.d.next = self.step.q.val();
            if self.step.q.val().all() {
                self.walking.d.next = false;
            }
            if self.step.q.val().get_bits::<2>(5) == bits::<2>(0) {
                self.value_part.d.next = self.value.val().get_bits::<80>(0);
                self.mask_part.d.next = self.mask.val().get_bits::<80>(0);
            } else if self.step.q.val().get_bits::<2>(5) == bits::<2>(1) {
                self.value_part.d.next = self.value.val().get_bits::<80>(80);
                self.mask_part.d.next = self.mask.val().get_bits::<80>(80);
            } else if self.step.q.val().get_bits::<2>(5) == bits::<2>(2) {
                self.value_part.d.next = self.value.val().get_bits::<80>(160);
                self.mask_part.d.next = self.mask.val().get_bits::<80>(160);
            } else {
                self.value_part.d.next = bit_cast::<80, 64>(self.value.val().get_bits::<64>(240));
                self.mask_part.d.next = bit_cast::<80, 64>(self.mask.val().get_bits::<64>(240));
            }
        }
        self.reading.d.next = self.walking.q.val();

        // Clock 2: the rule's bit is put in. Clock 3: the word goes out.
        self.writing.d.next = self.reading.q.val();
        if self.reading.q.val() {
            self.write_step.d.next = self.read_step.q.val();
        }
        for i in 0..16 {
            self.image[i].clock.next = self.clock.val();
            self.image[i].read_enable.next = self.walking.q.val();
            self.image[i].read_address.next =
                (bit_cast::<9, 2>(self.bank.val()) << 7) | bit_cast::<9, 7>(self.step.q.val());
            self.image[i].write_enable.next = self.writing.q.val();
            self.image[i].write_address.next =
                (bit_cast::<9, 2>(self.bank.val()) << 7) | bit_cast::<9, 7>(self.write_step.q.val());
            self.image[i].write_data.next = self.new_word[i].q.val();
            self.new_word[i].clock.next = self.clock.val();
            self.new_word[i].d.next = self.new_word[i].q.val();
            self.differs[i].next = (self.value_part.q.val().get_bits::<5>(i * 5)
                ^ self.read_step.q.val().get_bits::<5>(0))
                & self.mask_part.q.val().get_bits::<5>(i * 5);
            if self.reading.q.val() {
                if self.differs[i].val().any() {
                    self.new_word[i].d.next = self.image[i].read_data.val() & !self.hot.q.val();
                } else {
                    self.new_word[i].d.next = self.image[i].read_data.val() | self.hot.q.val();
                }
            }
            self.word[i].next = self.new_word[i].q.val();
        }
        self.write.next = self.writing.q.val();
        self.group.next = self.write_step.q.val().get_bits::<2>(5);
        self.entry.next = self.write_step.q.val().get_bits::<5>(0);
        self.busy.next = self.walking.q.val() | self.reading.q.val() | self.writing.q.val();
    }
}
