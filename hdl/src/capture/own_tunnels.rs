//! Whether a frame's tunnel is one of the carrier's own.
//!
//! # Theory of operation
//! What the host has set counts as it stood when the frame's keys entered lookup, like everything else that its verdict depends on. It waits here until the
//! verdict comes; verdicts come in the order of the keys, one for each.
//!
//! # Limits
//! 32 frames in lookup.

use crate::prelude::*;
use writ_abi::parse::TunnelKind;
use writ_abi::registers::lookup;

const _: () = assert!(lookup::OWN_TUNNELS.width == 10 && lookup::OWN_TUNNELS.lsb == 0 && TunnelKind::GtpU as u8 == 1);

/// Own tunnels of frames in lookup.
#[derive(LogicBlock, Default)]
pub struct OwnTunnels {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// LOOKUP.OWN_TUNNELS.
    pub kinds: Signal<In, Bits<10>>,
    /// A frame's keys enter lookup.
    pub entering: Signal<In, Bit>,
    /// A frame has its verdict.
    pub done: Signal<In, Bit>,
    /// With `done`: kind of the tunnel over its outer IP header; 0: none.
    pub tunnel: Signal<In, Bits<4>>,
    /// With `done`: the tunnel is one of the carrier's own.
    pub own: Signal<Out, Bit>,
    kept: LutRam<Bits<10>, 5>,
    newest: RegR<Bits<5>>,
    oldest: RegR<Bits<5>>,
}

impl Logic for OwnTunnels {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, newest, oldest);
        clock!(self, clock, kept);
        self.newest.reset.next = self.reset.val();
        self.oldest.reset.next = self.reset.val();
        self.kept.write_enable.next = self.entering.val();
        self.kept.write_address.next = self.newest.q.val();
        self.kept.write_data.next = self.kinds.val();
        self.kept.read_address.next = self.oldest.q.val();
        if self.entering.val() {
            self.newest.d.next = self.newest.q.val() + bits::<5>(1);
        }
        if self.done.val() {
            self.oldest.d.next = self.oldest.q.val() + bits::<5>(1);
        }
        // Bit 0 stands for no tunnel.
        self.own.next =
            self.tunnel.val().any() & (self.kept.read_data.val() >> bit_cast::<10, 4>(self.tunnel.val())).get_bit(0);
    }
}
