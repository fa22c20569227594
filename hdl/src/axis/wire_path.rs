//! The wire: receiver to transmitter through register slices.
//!
//! # Theory of operation
//! Four slices give the placer room to cross the die. A slice of data moves only together with a valid beat. The
//! transmitter sees what the receiver saw, [`WIRE_LATENCY_CLOCKS`] clocks later, with the same gaps, whatever the rest of the card does:
//! the fan-in of `tx` holds this block's registers and `rx`, nothing else.
//!
//! # Limits
//! `reset` is for power-up alone. The card's own resets do not come here.

use super::beat::Beat;
use crate::prelude::*;

/// Clocks from a beat at `rx` to the same beat at `tx`.
pub const WIRE_LATENCY_CLOCKS: usize = 4;

/// One direction of a wire whose beats have `W` bits.
#[derive(LogicBlock, Default)]
pub struct WirePath<const W: usize = 512> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-up reset.
    pub reset: Signal<In, Bit>,
    /// From the receiving MAC.
    pub rx: Signal<In, Beat>,
    /// Its data.
    pub rx_data: Signal<In, Bits<W>>,
    /// To the transmitting MAC.
    pub tx: Signal<Out, Beat>,
    /// Its data.
    pub tx_data: Signal<Out, Bits<W>>,
    beat: [RegR<Beat>; WIRE_LATENCY_CLOCKS],
    data: [Reg<Bits<W>>; WIRE_LATENCY_CLOCKS],
}

impl<const W: usize> Logic for WirePath<W> {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..WIRE_LATENCY_CLOCKS {
            self.beat[i].clock.next = self.clock.val();
            self.beat[i].reset.next = self.reset.val();
            self.data[i].clock.next = self.clock.val();
            self.data[i].d.next = self.data[i].q.val();
        }
        self.beat[0].d.next = self.rx.val();
        if self.rx.val().valid {
            self.data[0].d.next = self.rx_data.val();
        }
        for i in 0..3 {
            self.beat[i + 1].d.next = self.beat[i].q.val();
        }
        if self.beat[0].q.val().valid {
            self.data[1].d.next = self.data[0].q.val();
        }
        if self.beat[1].q.val().valid {
            self.data[2].d.next = self.data[1].q.val();
        }
        if self.beat[2].q.val().valid {
            self.data[3].d.next = self.data[2].q.val();
        }
        self.tx.next = self.beat[3].q.val();
        self.tx_data.next = self.data[3].q.val();
    }
}

const _: () = assert!(WIRE_LATENCY_CLOCKS == 4, "the kernel names the slices one by one");
