//! Lines from the core to the adapter.
//!
//! # Theory of operation
//! The core says one clock after an index line has gone that it was one (`irq`), and which vector tells of it. Each line waits that clock in a register, so that
//! the word in the FIFO says both, and an interrupt can never come from anywhere but behind its line.
//!
//! # Limits
//! 32 lines. `ready` comes from a register and is false for two clocks more than it might be.

use crate::axis::AsyncFifoControl;
use crate::pcie::types::BusLine;
use crate::prelude::*;

/// DMA writes from the core's clock to that of the hard block.
#[derive(LogicBlock, Default)]
pub struct WriteCrossing {
    /// Clock of the core.
    pub core_clock: Signal<In, Clock>,
    /// Empties it.
    pub core_reset: Signal<In, Bit>,
    /// A line.
    pub valid: Signal<In, Bit>,
    /// It is taken.
    pub ready: Signal<Out, Bit>,
    /// Where it goes.
    pub address: Signal<In, Bits<64>>,
    /// The line.
    pub data: Signal<In, Bits<512>>,
    /// The line of the clock before is an index line.
    pub index: Signal<In, Bit>,
    /// Its interrupt vector.
    pub vector: Signal<In, Bits<3>>,
    /// No reset is going on.
    pub open: Signal<Out, Bit>,
    /// Clock of the hard block.
    pub clock: Signal<In, Clock>,
    /// There is a line.
    pub line_valid: Signal<Out, Bit>,
    /// The line.
    pub line: Signal<Out, BusLine>,
    /// It is taken.
    pub line_take: Signal<In, Bit>,
    holds: RegR<Bit>,
    held: Reg<BusLine>,
    control: AsyncFifoControl<5, 6>,
    lines: DualClockRam<BusLine, 5>,
    present: Signal<Local, BusLine>,
}

impl Logic for WriteCrossing {
    #[hdl_gen]
    fn update(&mut self) {
        self.holds.clock.next = self.core_clock.val();
        self.holds.reset.next = self.core_reset.val();
        self.held.clock.next = self.core_clock.val();
        self.holds.d.next = self.valid.val() & self.control.spare.val();
        self.held.d.next = self.held.q.val();
        if self.valid.val() {
            self.held.d.next.address = self.address.val();
            self.held.d.next.index = false;
            self.held.d.next.vector = bits::<3>(0);
            self.held.d.next.data = self.data.val();
        }
        self.ready.next = self.control.spare.val();
        self.open.next = self.control.open.val();
        self.present.next = self.held.q.val();
        self.control.write_clock.next = self.core_clock.val();
        self.control.write_reset.next = self.core_reset.val();
        self.control.write.next = self.holds.q.val();
        self.lines.write_clock.next = self.core_clock.val();
        self.lines.write_enable.next = self.control.write_enable.val();
        self.lines.write_address.next = self.control.write_address.val();
        self.lines.write_data.next.address = self.present.val().address;
        self.lines.write_data.next.index = self.index.val();
        self.lines.write_data.next.vector = self.vector.val();
        self.lines.write_data.next.data = self.present.val().data;
        self.control.read_clock.next = self.clock.val();
        self.control.read_reset.next = false;
        self.control.read.next = self.line_take.val();
        self.lines.read_clock.next = self.clock.val();
        self.lines.read_enable.next = self.control.read_enable.val();
        self.lines.read_address.next = self.control.read_address.val();
        self.line_valid.next = self.control.valid.val();
        self.line.next = self.lines.read_data.val();
    }
}
