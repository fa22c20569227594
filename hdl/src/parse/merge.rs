//! Two directions into one pipeline.
//!
//! # Theory of operation
//! A FIFO of 64 windows a direction evens out which port is ahead. Each clock one window leaves, from the ports in turn while both have one.
//! `hold` leaves the slot empty: for a table command, or because the capture side has no room for more verdicts.
//!
//! # Limits
//! One frame a clock for both directions together. Two ports at the line rate of 100GbE offer 0.924 frames a clock.

use super::types::Window;
use crate::prelude::*;
use writ_abi::limits;

const _: () = assert!(limits::WINDOW_FIFO_FRAMES == 1 << 6);

/// Window FIFOs and merger.
#[derive(LogicBlock, Default)]
pub struct Merger {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// Take `window_a` into port A's FIFO.
    pub push_a: Signal<In, Bit>,
    /// A window of port A.
    pub window_a: Signal<In, Window>,
    /// Room in port A's FIFO.
    pub space_a: Signal<Out, Bits<7>>,
    /// Take `window_b` into port B's FIFO.
    pub push_b: Signal<In, Bit>,
    /// A window of port B.
    pub window_b: Signal<In, Window>,
    /// Room in port B's FIFO.
    pub space_b: Signal<Out, Bits<7>>,
    /// Give nothing at this clock.
    pub hold: Signal<In, Bit>,
    /// `window` and `port` are one frame.
    pub valid: Signal<Out, Bit>,
    /// The frame's port: 0 A, 1 B.
    pub port: Signal<Out, Bit>,
    /// The frame's window.
    pub window: Signal<Out, Window>,
    /// Neither FIFO nor output holds anything.
    pub idle: Signal<Out, Bit>,
    fifo_a: Fifo<Window, 6, 7>,
    fifo_b: Fifo<Window, 6, 7>,
    b_next: RegR<Bit>,
    out_valid: RegR<Bit>,
    out_port: Reg<Bit>,
    out_window: Reg<Window>,
    take_a: Signal<Local, Bit>,
    take_b: Signal<Local, Bit>,
}

impl Logic for Merger {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, b_next, out_valid, out_port, out_window);
        clock!(self, clock, fifo_a, fifo_b);
        self.fifo_a.reset.next = self.reset.val();
        self.fifo_b.reset.next = self.reset.val();
        self.b_next.reset.next = self.reset.val();
        self.out_valid.reset.next = self.reset.val();

        self.fifo_a.write.next = self.push_a.val();
        self.fifo_a.data_in.next = self.window_a.val();
        self.space_a.next = self.fifo_a.space.val();
        self.fifo_b.write.next = self.push_b.val();
        self.fifo_b.data_in.next = self.window_b.val();
        self.space_b.next = self.fifo_b.space.val();

        self.take_a.next =
            self.fifo_a.valid.val() & !self.hold.val() & !(self.fifo_b.valid.val() & self.b_next.q.val());
        self.take_b.next =
            self.fifo_b.valid.val() & !self.hold.val() & !(self.fifo_a.valid.val() & !self.b_next.q.val());
        self.fifo_a.read.next = self.take_a.val();
        self.fifo_b.read.next = self.take_b.val();

        self.out_valid.d.next = self.take_a.val() | self.take_b.val();
        if self.take_a.val() {
            self.b_next.d.next = true;
            self.out_port.d.next = false;
            self.out_window.d.next = self.fifo_a.data_out.val();
        } else if self.take_b.val() {
            self.b_next.d.next = false;
            self.out_port.d.next = true;
            self.out_window.d.next = self.fifo_b.data_out.val();
        }

        self.valid.next = self.out_valid.q.val();
        self.port.next = self.out_port.q.val();
        self.window.next = self.out_window.q.val();
        self.idle.next = !self.fifo_a.count.val().any() & !self.fifo_b.count.val().any() & !self.out_valid.q.val();
    }
}
