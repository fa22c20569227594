//! The IPv4 header, or the fixed IPv6 header: outer and inner alike.
//!
//! # Theory of operation
//! Two clocks bring the header's 40 bytes to a fixed place, the third checks them. Bytes of the window that no header behind this one can need
//! are left behind: an IP header has at least 20 bytes, so the window that goes on starts 16 bytes later.

use super::gather::GatherBlock;
use super::types::{Addresses, Entry, Walk};
use crate::prelude::*;

/// Three clocks: addresses, protocol, end of the packet. `I` and `O`: bits of the window in front and behind.
#[derive(LogicBlock)]
pub struct IpStage<const I: usize, const O: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Where its walk stands.
    pub entry: Signal<In, Entry>,
    /// Its window.
    pub window: Signal<In, Bits<I>>,
    /// There is a frame at the outputs.
    pub out_valid: Signal<Out, Bit>,
    /// Where its walk stands.
    pub walk: Signal<Out, Walk>,
    /// The addresses, if there is an IP header.
    pub addresses: Signal<Out, Addresses>,
    /// Its window, less 16 bytes.
    pub out_window: Signal<Out, Bits<O>>,
    first: Constant<Bits<7>>,
    missing_class: Constant<Bits<4>>,
    malformed_class: Constant<Bits<4>>,
    gather: GatherBlock<I, 432>,
    valids: [RegR<Bit>; 3],
    entries: [Reg<Entry>; 2],
    windows: [Reg<Bits<O>>; 3],
    room: Reg<Bits<8>>,
    short: Reg<Bit>,
    header: Reg<Bits<320>>,
    walk_register: Reg<Walk>,
    addresses_register: Reg<Addresses>,
    entry_1: Signal<Local, Entry>,
    place: Signal<Local, Bits<7>>,
    available: Signal<Local, Bits<8>>,
    now: Signal<Local, Entry>,
    result: Signal<Local, Walk>,
    found: Signal<Local, Addresses>,
    version: Signal<Local, Bits<4>>,
    header_bytes: Signal<Local, Bits<6>>,
    upper: Signal<Local, Bits<8>>,
    lower: Signal<Local, Bits<8>>,
    end: Signal<Local, Bits<10>>,
    fragment: Signal<Local, Bit>,
    malformed: Signal<Local, Bit>,
    cut_off: Signal<Local, Bit>,
}

impl<const I: usize, const O: usize> IpStage<I, O> {
    fn new(first: u8, missing_class: u8, malformed_class: u8) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            entry: Signal::default(),
            window: Signal::default(),
            out_valid: Signal::default(),
            walk: Signal::default(),
            addresses: Signal::default(),
            out_window: Signal::default(),
            first: Constant::new(bits(first.into())),
            missing_class: Constant::new(bits(missing_class.into())),
            malformed_class: Constant::new(bits(malformed_class.into())),
            gather: GatherBlock::default(),
            valids: Default::default(),
            entries: Default::default(),
            windows: Default::default(),
            room: Reg::default(),
            short: Reg::default(),
            header: Reg::default(),
            walk_register: Reg::default(),
            addresses_register: Reg::default(),
            entry_1: Signal::default(),
            place: Signal::default(),
            available: Signal::default(),
            now: Signal::default(),
            result: Signal::default(),
            found: Signal::default(),
            version: Signal::default(),
            header_bytes: Signal::default(),
            upper: Signal::default(),
            lower: Signal::default(),
            end: Signal::default(),
            fragment: Signal::default(),
            malformed: Signal::default(),
            cut_off: Signal::default(),
        }
    }

    /// For the outer header. The window starts at byte 14.
    pub fn outer() -> Self {
        Self::new(0, 1, 3)
    }

    /// For the inner header. The window starts at byte 30.
    pub fn inner() -> Self {
        Self::new(8, 15, 15)
    }
}

impl<const I: usize, const O: usize> Logic for IpStage<I, O> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, room, short, header, walk_register, addresses_register);
        clock!(self, clock, gather);
        for i in 0..3 {
            self.valids[i].clock.next = self.clock.val();
            self.valids[i].reset.next = self.reset.val();
            self.windows[i].clock.next = self.clock.val();
            self.windows[i].d.next = self.windows[i].q.val();
        }
        for i in 0..2 {
            self.entries[i].clock.next = self.clock.val();
            self.entries[i].d.next = self.entries[i].q.val();
            self.valids[i + 1].d.next = self.valids[i].q.val();
        }
        self.valids[0].d.next = self.valid.val();

        // Gather.
        self.gather.enable.next = self.valid.val() & self.entry.val().open;
        self.gather.window.next = self.window.val();
        self.gather.at.next = self.entry.val().at - self.first.val();
        if self.valid.val() {
            self.entries[0].d.next = self.entry.val();
            self.windows[0].d.next = self.window.val().get_bits::<O>(128);
        }
        self.entry_1.next = self.entries[0].q.val();
        self.place.next = bit_cast::<7, 3>(self.entry_1.val().at.get_bits::<3>(0)) << 4;
        self.available.next = self.entry_1.val().length - (bit_cast::<8, 7>(self.entry_1.val().at) << 1);
        if self.valids[0].q.val() {
            self.entries[1].d.next = self.entry_1.val();
            self.windows[1].d.next = self.windows[0].q.val();
            if self.entry_1.val().open {
                self.header.d.next = self.gather.block.val().get_bits::<320>(self.place.val().index());
                self.room.d.next = self.available.val();
                self.short.d.next = (self.available.val() < bits::<8>(20))
                    | (self.entry_1.val().v6 & (self.available.val() < bits::<8>(40)));
            }
        }

        // Check.
        self.now.next = self.entries[1].q.val();
        self.version.next = self.header.q.val().get_bits::<4>(4);
        self.header_bytes.next = bit_cast::<6, 4>(self.header.q.val().get_bits::<4>(0)) << 2;
        self.result.next.open = self.now.val().open;
        self.result.next.class = self.now.val().class;
        self.result.next.ip = false;
        self.result.next.v6 = self.now.val().v6;
        self.result.next.fragment = false;
        self.result.next.ethernet = self.now.val().ethernet;
        self.result.next.start = self.now.val().at;
        self.result.next.length = self.now.val().length;
        self.result.next.cut = self.now.val().cut;
        // IPv4's total length, or IPv6's payload length.
        self.upper.next = self.header.q.val().get_bits::<8>(16);
        self.lower.next = self.header.q.val().get_bits::<8>(24);
        self.found.next.v6 = self.now.val().v6;
        if self.now.val().v6 {
            self.upper.next = self.header.q.val().get_bits::<8>(32);
            self.lower.next = self.header.q.val().get_bits::<8>(40);
            self.result.next.at = self.now.val().at + bits::<7>(20);
            self.result.next.protocol = self.header.q.val().get_bits::<8>(48);
            self.end.next =
                bit_cast::<10, 8>(self.lower.val()) + (bit_cast::<10, 7>(self.now.val().at) << 1) + bits::<10>(40);
            self.found.next.source = self.header.q.val().get_bits::<128>(64);
            self.found.next.destination = self.header.q.val().get_bits::<128>(192);
        } else {
            self.result.next.at = self.now.val().at + bit_cast::<7, 5>(self.header_bytes.val().get_bits::<5>(1));
            self.result.next.protocol = self.header.q.val().get_bits::<8>(72);
            self.end.next = bit_cast::<10, 8>(self.lower.val()) + (bit_cast::<10, 7>(self.now.val().at) << 1);
            self.found.next.source = bit_cast::<128, 32>(self.header.q.val().get_bits::<32>(96));
            self.found.next.destination = bit_cast::<128, 32>(self.header.q.val().get_bits::<32>(128));
        }
        self.result.next.ip_end = self.end.val().get_bits::<8>(0);
        if self.upper.val().any() | self.end.val().get_bits::<2>(8).any() {
            self.result.next.ip_end = bits::<8>(255);
        }
        // Fragment offset: byte 7 and the lower five bits of byte 6.
        self.fragment.next = self.header.q.val().get_bits::<5>(48).any() | self.header.q.val().get_bits::<8>(56).any();
        // Of IPv6 nothing but the version can be wrong.
        self.malformed.next = self.version.val() != bits::<4>(6);
        self.cut_off.next = false;
        if !self.now.val().v6 {
            self.malformed.next = (self.version.val() != bits::<4>(4))
                | (self.header_bytes.val() < bits::<6>(20))
                | (!self.upper.val().any() & (self.lower.val() < bit_cast::<8, 6>(self.header_bytes.val())));
            self.cut_off.next = self.room.q.val() < bit_cast::<8, 6>(self.header_bytes.val());
        }
        if self.now.val().open {
            if self.short.q.val() | (self.cut_off.val() & !self.malformed.val()) {
                self.result.next.open = false;
                self.result.next.class = self.missing_class.val();
                if self.now.val().cut {
                    self.result.next.class = bits::<4>(9);
                }
            } else if self.malformed.val() {
                self.result.next.open = false;
                self.result.next.class = self.malformed_class.val();
            } else {
                self.result.next.ip = true;
                if self.fragment.val() & !self.now.val().v6 {
                    self.result.next.open = false;
                    self.result.next.class = bits::<4>(6);
                    self.result.next.fragment = true;
                }
            }
        }
        if self.valids[1].q.val() {
            self.walk_register.d.next = self.result.val();
            self.windows[2].d.next = self.windows[1].q.val();
            if self.now.val().open {
                self.addresses_register.d.next = self.found.val();
            }
        }

        self.out_valid.next = self.valids[2].q.val();
        self.walk.next = self.walk_register.q.val();
        self.addresses.next = self.addresses_register.q.val();
        self.out_window.next = self.windows[2].q.val();
    }
}
