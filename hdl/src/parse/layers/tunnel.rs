//! The fixed part of a tunnel header.
//!
//! # Theory of operation
//! All kinds are read side by side from fixed places of the 22 bytes that the transport stage gathered; the first clock takes those of the kind
//! that it is, the second compares with the window's end.

use super::types::{LayerFacts, OuterFacts, Reading, TunnelWalk};
use crate::prelude::*;

/// Two clocks: from the transport header to the payload, or to what is variable in the tunnel header. `N`: bits of the window.
#[derive(LogicBlock, Default)]
pub struct TunnelStage<const N: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// What is known of its outer layer.
    pub layer: Signal<In, LayerFacts>,
    /// Where its walk stands.
    pub walk: Signal<In, TunnelWalk>,
    /// Kind of the tunnel, GRE's without a key.
    pub kind: Signal<In, Bits<4>>,
    /// Bytes of the window from its place on.
    pub available: Signal<In, Bits<8>>,
    /// 22 bytes from the transport header on.
    pub header: Signal<In, Bits<176>>,
    /// Its window.
    pub window: Signal<In, Bits<N>>,
    /// There is a frame at the outputs.
    pub out_valid: Signal<Out, Bit>,
    /// What is known of it so far.
    pub facts: Signal<Out, OuterFacts>,
    /// Where its walk stands.
    pub out_walk: Signal<Out, TunnelWalk>,
    /// Its window.
    pub out_window: Signal<Out, Bits<N>>,
    read: RegR<Bit>,
    walk_read: Reg<TunnelWalk>,
    layer_read: Reg<LayerFacts>,
    reading: Reg<Reading>,
    room: Reg<Bits<8>>,
    window_read: Reg<Bits<N>>,
    done: RegR<Bit>,
    walk_done: Reg<TunnelWalk>,
    facts_done: Reg<OuterFacts>,
    window_done: Reg<Bits<N>>,
    bytes: Signal<Local, Bits<176>>,
    arriving: Signal<Local, TunnelWalk>,
    flags: Signal<Local, Bits<8>>,
    l2tp_pad: Signal<Local, Bits<16>>,
    gre_flags: Signal<Local, Bits<8>>,
    gre_words: Signal<Local, Bits<3>>,
    payload: Signal<Local, Bits<16>>,
    found: Signal<Local, Reading>,
    now: Signal<Local, TunnelWalk>,
    taken: Signal<Local, Reading>,
    total: Signal<Local, Bits<9>>,
    exists: Signal<Local, Bit>,
    result: Signal<Local, TunnelWalk>,
    outer: Signal<Local, OuterFacts>,
}

impl<const N: usize> Logic for TunnelStage<N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, read, walk_read, layer_read, reading, room, window_read);
        dff_setup!(self, clock, done, walk_done, facts_done, window_done);
        self.read.reset.next = self.reset.val();
        self.done.reset.next = self.reset.val();
        self.read.d.next = self.valid.val();
        self.done.d.next = self.read.q.val();

        // Read. A tunnel over UDP starts at byte 8, any other at byte 0.
        self.bytes.next = self.header.val();
        self.arriving.next = self.walk.val();
        self.arriving.next.open = self.walk.val().open & self.kind.val().any();
        self.flags.next = self.bytes.val().get_bits::<8>(64);
        self.gre_flags.next = self.bytes.val().get_bits::<8>(0);
        self.payload.next = self.bytes.val().get_bits::<16>(16);
        if self.kind.val() == bits::<4>(3) {
            self.payload.next = self.bytes.val().get_bits::<16>(80);
        }
        // L2TP's optional parts: two bytes in front of the ids, four behind them.
        if self.flags.val().get_bit(6) & self.flags.val().get_bit(3) {
            self.l2tp_pad.next = self.bytes.val().get_bits::<16>(160);
        } else if self.flags.val().get_bit(3) {
            self.l2tp_pad.next = self.bytes.val().get_bits::<16>(144);
        } else if self.flags.val().get_bit(6) {
            self.l2tp_pad.next = self.bytes.val().get_bits::<16>(128);
        } else {
            self.l2tp_pad.next = self.bytes.val().get_bits::<16>(112);
        }
        self.gre_words.next = bits::<3>(1)
            + bit_cast::<3, 1>(self.gre_flags.val().get_bits::<1>(7))
            + bit_cast::<3, 1>(self.gre_flags.val().get_bits::<1>(5))
            + bit_cast::<3, 1>(self.gre_flags.val().get_bits::<1>(4));

        self.found.next.kind = self.kind.val();
        self.found.next.short = self.available.val() < bits::<8>(8);
        self.found.next.bad = false;
        self.found.next.control = false;
        self.found.next.identifier = bits::<32>(0);
        self.found.next.size = bits::<9>(0);
        self.found.next.padding = bits::<8>(0);
        self.found.next.far = false;
        self.found.next.follows = bits::<3>(1);
        self.found.next.v6 = self.walk.val().v6;
        self.found.next.unknown = false;
        if self.kind.val() == bits::<4>(1) {
            // GTP-U: version 1 and protocol type 1; message type 255; E, S, PN.
            self.found.next.bad = self.flags.val().get_bits::<4>(4) != bits::<4>(3);
            self.found.next.control = self.bytes.val().get_bits::<8>(72) != bits::<8>(0xff);
            self.found.next.identifier = self.bytes.val().get_bits::<32>(96);
            self.found.next.size = bits::<9>(8);
            self.found.next.follows = bits::<3>(3);
            if self.flags.val().get_bits::<3>(0).any() {
                self.found.next.size = bits::<9>(12);
            }
            if self.flags.val().get_bit(2) {
                self.found.next.follows = bits::<3>(4);
            }
        } else if self.kind.val() == bits::<4>(2) {
            // VXLAN.
            self.found.next.bad = !self.flags.val().get_bit(3);
            self.found.next.identifier = bit_cast::<32, 24>(self.bytes.val().get_bits::<24>(96)) << 8;
            self.found.next.size = bits::<9>(8);
            self.found.next.follows = bits::<3>(2);
        } else if self.kind.val() == bits::<4>(3) {
            // GENEVE.
            self.found.next.bad = self.flags.val().get_bits::<2>(6).any();
            self.found.next.identifier = bit_cast::<32, 24>(self.bytes.val().get_bits::<24>(96)) << 8;
            self.found.next.size = (bit_cast::<9, 6>(self.flags.val().get_bits::<6>(0)) << 2) + bits::<9>(8);
        } else if self.kind.val() == bits::<4>(6) {
            // L2TP.
            self.found.next.short = self.available.val() < bits::<8>(2);
            self.found.next.bad = self.bytes.val().get_bits::<4>(72) != bits::<4>(2);
            self.found.next.control = self.flags.val().get_bit(7);
            self.found.next.identifier = self.bytes.val().get_bits::<32>(80);
            if self.flags.val().get_bit(6) {
                self.found.next.identifier = self.bytes.val().get_bits::<32>(96);
            }
            self.found.next.size = bits::<9>(6)
                + (bit_cast::<9, 1>(self.flags.val().get_bits::<1>(6)) << 1)
                + (bit_cast::<9, 1>(self.flags.val().get_bits::<1>(3)) << 2)
                + (bit_cast::<9, 1>(self.flags.val().get_bits::<1>(1)) << 1);
            if self.flags.val().get_bit(1) {
                self.found.next.padding = self.l2tp_pad.val().get_bits::<8>(8);
                self.found.next.far = self.l2tp_pad.val().get_bits::<8>(0).any();
            }
            self.found.next.follows = bits::<3>(5);
        } else if self.kind.val() == bits::<4>(5) {
            // GRE.
            self.found.next.short = self.available.val() < bits::<8>(4);
            self.found.next.bad = self.bytes.val().get_bits::<3>(8).any() | self.gre_flags.val().get_bit(6);
            self.found.next.size = bit_cast::<9, 3>(self.gre_words.val()) << 2;
            if self.gre_flags.val().get_bit(5) {
                self.found.next.kind = bits::<4>(4);
                self.found.next.identifier = self.bytes.val().get_bits::<32>(32);
                if self.gre_flags.val().get_bit(7) {
                    self.found.next.identifier = self.bytes.val().get_bits::<32>(64);
                }
            }
        } else {
            // IP in IP.
            self.found.next.short = false;
        }
        if (self.kind.val() == bits::<4>(3)) | (self.kind.val() == bits::<4>(5)) {
            self.found.next.v6 = self.payload.val() == bits::<16>(0xdd86);
            self.found.next.unknown = (self.payload.val() != bits::<16>(0xdd86))
                & (self.payload.val() != bits::<16>(0x0008))
                & (self.payload.val() != bits::<16>(0x5865));
            if self.payload.val() == bits::<16>(0x5865) {
                self.found.next.follows = bits::<3>(2);
            }
        }
        if self.valid.val() {
            self.walk_read.d.next = self.arriving.val();
            self.layer_read.d.next = self.layer.val();
            self.window_read.d.next = self.window.val();
            if self.arriving.val().open {
                self.reading.d.next = self.found.val();
                self.room.d.next = self.available.val();
            }
        }

        // Compare.
        self.now.next = self.walk_read.q.val();
        self.taken.next = self.reading.q.val();
        self.total.next = self.taken.val().size + bit_cast::<9, 8>(self.taken.val().padding);
        self.exists.next = false;
        self.result.next = self.now.val();
        self.result.next.follows = self.taken.val().follows;
        self.result.next.v6 = self.taken.val().v6;
        self.result.next.at = self.now.val().at + self.total.val().get_bits::<7>(1);
        if self.now.val().open {
            if self.taken.val().short {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(13);
                if self.now.val().cut {
                    self.result.next.class = bits::<4>(9);
                }
            } else if self.taken.val().bad {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(13);
            } else if self.taken.val().control {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(12);
            } else if bit_cast::<9, 8>(self.room.q.val()) < self.taken.val().size {
                // GTP-U's TEID stands in front of what is optional.
                self.exists.next = self.taken.val().kind == bits::<4>(1);
                self.result.next.open = false;
                self.result.next.class = bits::<4>(13);
                if self.now.val().cut {
                    self.result.next.class = bits::<4>(9);
                }
            } else if self.taken.val().padding.get_bit(0) {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(13);
            } else if self.taken.val().far | (bit_cast::<9, 8>(self.room.q.val()) < self.total.val()) {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(13);
                if self.now.val().cut {
                    self.result.next.class = bits::<4>(9);
                }
            } else {
                self.exists.next = true;
                if self.taken.val().unknown {
                    self.result.next.open = false;
                    self.result.next.class = bits::<4>(12);
                }
            }
        }
        self.outer.next.layer = self.layer_read.q.val();
        self.outer.next.tunnel = bits::<4>(0);
        if self.exists.val() {
            self.outer.next.tunnel = self.taken.val().kind;
        }
        self.outer.next.identifier = self.taken.val().identifier;
        if self.read.q.val() {
            self.walk_done.d.next = self.result.val();
            self.facts_done.d.next = self.outer.val();
            self.window_done.d.next = self.window_read.q.val();
        }

        self.out_valid.next = self.done.q.val();
        self.facts.next = self.facts_done.q.val();
        self.out_walk.next = self.walk_done.q.val();
        self.out_window.next = self.window_done.q.val();
    }
}
