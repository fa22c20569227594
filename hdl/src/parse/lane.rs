//! The way around stages that do not look.

use crate::prelude::*;

/// What is known of a frame early and needed late: a FIFO without flow control beside the pipeline, in LUT memory.
///
/// Frames neither overtake each other nor get lost in the pipeline, so the word that comes out is that of the frame that comes out. At most 64
/// frames may be between the two ends.
#[derive(LogicBlock)]
pub struct Lane<T: Synth> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A frame passes the early end.
    pub push: Signal<In, Bit>,
    /// What is known of it.
    pub data_in: Signal<In, T>,
    /// A frame passes the late end.
    pub pop: Signal<In, Bit>,
    /// What was known of it.
    pub data_out: Signal<Out, T>,
    memory: LutRam<T, 6>,
    write_pointer: RegR<Bits<6>>,
    read_pointer: RegR<Bits<6>>,
}

impl<T: Synth> Default for Lane<T> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            push: Signal::default(),
            data_in: Signal::default(),
            pop: Signal::default(),
            data_out: Signal::default(),
            memory: LutRam::default(),
            write_pointer: RegR::default(),
            read_pointer: RegR::default(),
        }
    }
}

impl<T: Synth> Logic for Lane<T> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, write_pointer, read_pointer);
        clock!(self, clock, memory);
        self.write_pointer.reset.next = self.reset.val();
        self.read_pointer.reset.next = self.reset.val();
        self.memory.write_enable.next = self.push.val();
        self.memory.write_address.next = self.write_pointer.q.val();
        self.memory.write_data.next = self.data_in.val();
        self.memory.read_address.next = self.read_pointer.q.val();
        self.data_out.next = self.memory.read_data.val();
        if self.push.val() {
            self.write_pointer.d.next = self.write_pointer.q.val() + bits::<6>(1);
        }
        if self.pop.val() {
            self.read_pointer.d.next = self.read_pointer.q.val() + bits::<6>(1);
        }
    }
}
