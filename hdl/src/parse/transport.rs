//! Stages 12 and 13: the transport header, and the parser's results.
//!
//! # Theory of operation
//! The first clock gathers the ports and the byte that holds TCP's data offset; the second finds where the header ends and settles
//! the class. A TCP header whose data offset lies outside the window is not there in any case: 20 bytes are its least length.

use super::types::{Headers, Luggage, Parsed, Walk};
use crate::prelude::*;

/// Two clocks: transport header and results.
#[derive(LogicBlock, Default)]
pub struct TransportStage {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Where its walk stands.
    pub walk: Signal<In, Walk>,
    /// What rides along.
    pub luggage: Signal<In, Luggage>,
    /// Bytes 34 to 191 of the window.
    pub rest: Signal<In, Bits<1264>>,
    /// There is a frame at the output.
    pub out_valid: Signal<Out, Bit>,
    /// All about it.
    pub parsed: Signal<Out, Parsed>,
    gathered: RegR<Bit>,
    walk_register: Reg<Walk>,
    luggage_register: Reg<Luggage>,
    ports: Reg<Bits<32>>,
    data_offset: Reg<Bits<4>>,
    done: RegR<Bit>,
    parsed_register: Reg<Parsed>,
    place: Signal<Local, Bits<11>>,
    header: Signal<Local, Bits<128>>,
    now: Signal<Local, Walk>,
    baggage: Signal<Local, Luggage>,
    result: Signal<Local, Parsed>,
    headers: Signal<Local, Headers>,
    class: Signal<Local, Bits<4>>,
    known: Signal<Local, Bit>,
    has_ports: Signal<Local, Bit>,
    has_addresses: Signal<Local, Bit>,
    header_bytes: Signal<Local, Bits<17>>,
    l3_offset: Signal<Local, Bits<8>>,
    l3_end: Signal<Local, Bits<17>>,
    l4_end: Signal<Local, Bits<17>>,
}

impl Logic for TransportStage {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, gathered, walk_register, luggage_register, ports, data_offset, done, parsed_register);
        self.gathered.reset.next = self.reset.val();
        self.done.reset.next = self.reset.val();
        self.gathered.d.next = self.valid.val();
        self.done.d.next = self.gathered.q.val();

        // Gather. Word 5 of the walk (byte 34) is bit 0 of `rest`.
        self.place.next = bit_cast::<11, 6>(self.walk.val().word - bits::<6>(5)) << 5;
        self.header.next = bits::<128>(0);
        if self.valid.val() & self.walk.val().open {
            self.header.next = self.rest.val().get_bits::<128>(self.place.val().index());
        }
        if self.valid.val() {
            self.walk_register.d.next = self.walk.val();
            self.luggage_register.d.next = self.luggage.val();
            if self.walk.val().open {
                self.ports.d.next = self.header.val().get_bits::<32>(0);
                // Upper half of byte 12.
                self.data_offset.d.next = self.header.val().get_bits::<4>(100);
            }
        }

        // Which header is it, and how long?
        self.now.next = self.walk_register.q.val();
        self.known.next = false;
        self.has_ports.next = false;
        self.header_bytes.next = bits::<17>(8);
        if self.now.val().protocol == bits::<8>(6) {
            self.known.next = true;
            self.has_ports.next = true;
            self.header_bytes.next = bit_cast::<17, 4>(self.data_offset.q.val()) << 2;
        } else if self.now.val().protocol == bits::<8>(17) {
            self.known.next = true;
            self.has_ports.next = true;
        } else if self.now.val().protocol == bits::<8>(132) {
            self.known.next = true;
            self.has_ports.next = true;
            self.header_bytes.next = bits::<17>(12);
        } else if self.now.val().protocol == bits::<8>(1) {
            self.known.next = !self.now.val().v6;
        } else if self.now.val().protocol == bits::<8>(58) {
            self.known.next = self.now.val().v6;
        }
        self.l3_offset.next = bits::<8>(14) + (bit_cast::<8, 2>(self.now.val().vlan_tags) << 2);
        self.l3_end.next = bits::<17>(14) + (bit_cast::<17, 6>(self.now.val().word) << 2);
        self.l4_end.next = self.l3_end.val() + self.header_bytes.val();

        // Class, for what no stage before has settled.
        self.class.next = self.now.val().class;
        if self.now.val().open {
            self.class.next = bits::<4>(5);
            if self.now.val().v6
                & ((self.now.val().protocol == bits::<8>(0))
                    | (self.now.val().protocol == bits::<8>(43))
                    | (self.now.val().protocol == bits::<8>(44))
                    | (self.now.val().protocol == bits::<8>(60)))
            {
                self.class.next = bits::<4>(7);
            } else if self.known.val() {
                if ((self.now.val().protocol == bits::<8>(6)) & (self.data_offset.q.val() < bits::<4>(5)))
                    | (self.l4_end.val() > bit_cast::<17, 8>(self.now.val().length))
                    | (self.l4_end.val() > self.now.val().ip_end)
                {
                    self.class.next = bits::<4>(8);
                } else if self.has_ports.val() {
                    self.class.next = bits::<4>(4);
                }
            }
        }
        self.has_addresses.next = self.class.val() >= bits::<4>(4);

        // Results. Offsets are those of a class with addresses; any other class has none.
        self.baggage.next = self.luggage_register.q.val();
        self.result.next.ticket = self.baggage.val().ticket;
        self.result.next.source = self.baggage.val().source;
        self.result.next.destination = self.baggage.val().destination;
        self.result.next.ports = self.ports.q.val();
        self.result.next.has_addresses = self.has_addresses.val();
        self.result.next.has_ports = self.class.val() == bits::<4>(4);
        self.headers.next.class = self.class.val();
        self.headers.next.vlan_tags = self.now.val().vlan_tags;
        self.headers.next.l3_offset = bits::<8>(0);
        self.headers.next.l3_end = bits::<8>(0);
        self.headers.next.l4_offset = bits::<8>(0);
        self.headers.next.l4_end = bits::<8>(0);
        self.headers.next.protocol = bits::<8>(0);
        if self.has_addresses.val() {
            self.headers.next.l3_offset = self.l3_offset.val();
            self.headers.next.l3_end = self.l3_end.val().get_bits::<8>(0);
            self.headers.next.l4_end = self.l3_end.val().get_bits::<8>(0);
            self.headers.next.protocol = self.now.val().protocol;
            if (self.class.val() == bits::<4>(4)) | ((self.class.val() == bits::<4>(5)) & self.known.val()) {
                self.headers.next.l4_offset = self.l3_end.val().get_bits::<8>(0);
                self.headers.next.l4_end = self.l4_end.val().get_bits::<8>(0);
            }
        }
        self.result.next.headers = self.headers.val();
        if self.gathered.q.val() {
            self.parsed_register.d.next = self.result.val();
        }

        self.out_valid.next = self.done.q.val();
        self.parsed.next = self.parsed_register.q.val();
    }
}
