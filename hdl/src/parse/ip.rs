//! Stages 2 and 3: the IPv4 header, or the fixed IPv6 header.
//!
//! # Theory of operation
//! The header stands at one of three places, so its first 40 bytes come out of a three-way multiplexer (stage 2) and everything in them is
//! at a fixed place from there on (stage 3). Bytes in front of 34 are not needed behind this stage and are left behind.

use super::types::{Luggage, Ticket, Walk};
use crate::prelude::*;

/// Two clocks: addresses, protocol, end of the packet.
#[derive(LogicBlock, Default)]
pub struct IpStage {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Which.
    pub ticket: Signal<In, Ticket>,
    /// IPv4 or IPv6 follows.
    pub is_ip: Signal<In, Bit>,
    /// IPv6 follows.
    pub v6: Signal<In, Bit>,
    /// The class, where no IP follows.
    pub class: Signal<In, Bits<4>>,
    /// Tags stepped over.
    pub vlan_tags: Signal<In, Bits<2>>,
    /// `W`.
    pub length: Signal<In, Bits<8>>,
    /// Bytes 14 to 191 of the window.
    pub bytes: Signal<In, Bits<1424>>,
    /// There is a frame at the outputs.
    pub out_valid: Signal<Out, Bit>,
    /// Where its walk stands.
    pub walk: Signal<Out, Walk>,
    /// What rides along.
    pub luggage: Signal<Out, Luggage>,
    /// Bytes 34 to 191 of the window.
    pub rest: Signal<Out, Bits<1264>>,
    // Stage 2
    gathered: RegR<Bit>,
    ticket_register: Reg<Ticket>,
    walk_register: Reg<Walk>,
    header: Reg<Bits<320>>,
    rest_gathered: Reg<Bits<1264>>,
    // Stage 3
    checked: RegR<Bit>,
    walk_checked: Reg<Walk>,
    luggage_register: Reg<Luggage>,
    rest_checked: Reg<Bits<1264>>,
    start: Signal<Local, Walk>,
    now: Signal<Local, Walk>,
    result: Signal<Local, Walk>,
    baggage: Signal<Local, Luggage>,
    l3_offset: Signal<Local, Bits<17>>,
    available: Signal<Local, Bits<17>>,
    version: Signal<Local, Bits<4>>,
    header_words: Signal<Local, Bits<4>>,
    header_bytes: Signal<Local, Bits<17>>,
    total_bytes: Signal<Local, Bits<17>>,
    payload_bytes: Signal<Local, Bits<17>>,
    fragment_offset: Signal<Local, Bits<13>>,
}

impl Logic for IpStage {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, gathered, ticket_register, walk_register, header, rest_gathered);
        dff_setup!(self, clock, checked, walk_checked, luggage_register, rest_checked);
        self.gathered.reset.next = self.reset.val();
        self.checked.reset.next = self.reset.val();
        self.gathered.d.next = self.valid.val();
        self.checked.d.next = self.gathered.q.val();

        // Stage 2: gather. Byte 14 of the frame is bit 0 of `bytes`; each tag is 32 bits.
        self.start.next.open = self.is_ip.val();
        self.start.next.class = self.class.val();
        self.start.next.v6 = self.v6.val();
        self.start.next.vlan_tags = self.vlan_tags.val();
        self.start.next.protocol = bits::<8>(0);
        self.start.next.word = bit_cast::<6, 2>(self.vlan_tags.val());
        self.start.next.ip_end = bits::<17>(0);
        self.start.next.length = self.length.val();
        if self.valid.val() {
            self.ticket_register.d.next = self.ticket.val();
            self.walk_register.d.next = self.start.val();
            self.rest_gathered.d.next = self.bytes.val().get_bits::<1264>(160);
            if self.vlan_tags.val() == bits::<2>(0) {
                self.header.d.next = self.bytes.val().get_bits::<320>(0);
            } else if self.vlan_tags.val() == bits::<2>(1) {
                self.header.d.next = self.bytes.val().get_bits::<320>(32);
            } else {
                self.header.d.next = self.bytes.val().get_bits::<320>(64);
            }
        }

        // Stage 3: check. `available` counts the window's bytes from the IP header on; tags that do not fit ended the walk.
        self.now.next = self.walk_register.q.val();
        self.l3_offset.next = bits::<17>(14) + (bit_cast::<17, 2>(self.now.val().vlan_tags) << 2);
        self.available.next = bit_cast::<17, 8>(self.now.val().length) - self.l3_offset.val();
        self.version.next = self.header.q.val().get_bits::<4>(4);
        self.header_words.next = self.header.q.val().get_bits::<4>(0);
        self.header_bytes.next = bit_cast::<17, 4>(self.header_words.val()) << 2;
        self.total_bytes.next = (bit_cast::<17, 8>(self.header.q.val().get_bits::<8>(16)) << 8)
            | bit_cast::<17, 8>(self.header.q.val().get_bits::<8>(24));
        self.payload_bytes.next = (bit_cast::<17, 8>(self.header.q.val().get_bits::<8>(32)) << 8)
            | bit_cast::<17, 8>(self.header.q.val().get_bits::<8>(40));
        self.fragment_offset.next = (bit_cast::<13, 5>(self.header.q.val().get_bits::<5>(48)) << 8)
            | bit_cast::<13, 8>(self.header.q.val().get_bits::<8>(56));

        self.result.next = self.now.val();
        self.baggage.next.ticket = self.ticket_register.q.val();
        self.baggage.next.source = bits::<136>(4) | (bit_cast::<136, 32>(self.header.q.val().get_bits::<32>(96)) << 8);
        self.baggage.next.destination =
            bits::<136>(4) | (bit_cast::<136, 32>(self.header.q.val().get_bits::<32>(128)) << 8);
        if self.now.val().v6 {
            self.baggage.next.source =
                bits::<136>(6) | (bit_cast::<136, 128>(self.header.q.val().get_bits::<128>(64)) << 8);
            self.baggage.next.destination =
                bits::<136>(6) | (bit_cast::<136, 128>(self.header.q.val().get_bits::<128>(192)) << 8);
        }
        if self.now.val().open & !self.now.val().v6 {
            self.result.next.protocol = self.header.q.val().get_bits::<8>(72);
            self.result.next.word = self.now.val().word + bit_cast::<6, 4>(self.header_words.val());
            self.result.next.ip_end = self.l3_offset.val() + self.total_bytes.val();
            if (bit_cast::<17, 8>(self.now.val().length) < self.l3_offset.val())
                | (self.available.val() < bits::<17>(20))
            {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(1);
            } else if (self.version.val() != bits::<4>(4))
                | (self.header_words.val() < bits::<4>(5))
                | (self.total_bytes.val() < self.header_bytes.val())
            {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(3);
            } else if self.available.val() < self.header_bytes.val() {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(1);
            } else if self.fragment_offset.val().any() {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(6);
            }
        }
        if self.now.val().open & self.now.val().v6 {
            self.result.next.protocol = self.header.q.val().get_bits::<8>(48);
            self.result.next.word = self.now.val().word + bits::<6>(10);
            self.result.next.ip_end = self.l3_offset.val() + self.payload_bytes.val() + bits::<17>(40);
            if (bit_cast::<17, 8>(self.now.val().length) < self.l3_offset.val())
                | (self.available.val() < bits::<17>(40))
            {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(1);
            } else if self.version.val() != bits::<4>(6) {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(3);
            }
        }
        if self.gathered.q.val() {
            self.walk_checked.d.next = self.result.val();
            self.luggage_register.d.next = self.baggage.val();
            self.rest_checked.d.next = self.rest_gathered.q.val();
        }

        self.out_valid.next = self.checked.q.val();
        self.walk.next = self.walk_checked.q.val();
        self.luggage.next = self.luggage_register.q.val();
        self.rest.next = self.rest_checked.q.val();
    }
}
