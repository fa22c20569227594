//! The keys of a frame's lookups.
//!
//! # Theory of operation
//! Which keys a frame has, and how they are made of headers, stands in [`writ_abi::parse`]. Keys hold bytes in the order of the wire, the first one
//! lowest. No register but the prefix mask: it is computed when the length changes, in two clocks, while the card is not armed.

use crate::parse::types::{Headers, Layer, Parsed, Ticket};
use crate::prelude::*;

/// Which bits of an IPv6 address belong to a prefix, as a function of the prefix length.
#[derive(LogicBlock, Default)]
pub struct PrefixMask {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Length of the prefix.
    pub prefix_bits: Signal<In, Bits<8>>,
    /// There is a prefix: the length is 1 to 128.
    pub some: Signal<Out, Bit>,
    /// Its mask over an address key, whose version counts too.
    pub mask: Signal<Out, Bits<136>>,
    length: Reg<Bits<8>>,
    present: Reg<Bit>,
    number: Reg<Bits<128>>,
    byte: Signal<Local, Bits<8>>,
    swapped: Signal<Local, Bits<136>>,
}

impl Logic for PrefixMask {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, length, present, number);
        if self.prefix_bits.val() != self.length.q.val() {
            self.length.d.next = self.prefix_bits.val();
            self.present.d.next = self.prefix_bits.val().any() & (self.prefix_bits.val() <= bits::<8>(128));
            // As a number the mask starts at the top.
            self.number.d.next = !bits::<128>(0) << (bits::<8>(128) - self.prefix_bits.val());
        }
        // In a key its first byte comes first, behind the version.
        self.byte.next = bits::<8>(0);
        self.swapped.next = bits::<136>(0);
        for i in 0..16 {
            self.byte.next = self.number.q.val().get_bits::<8>(i * 8);
            self.swapped.next = (self.swapped.val() << 8) | bit_cast::<136, 8>(self.byte.val());
        }
        self.some.next = self.present.q.val();
        self.mask.next = (self.swapped.val() << 8) | bits::<136>(255);
    }
}

/// Keys of all lookups. Pairs are source and destination.
#[derive(LogicBlock, Default)]
pub struct Keys {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// The frame.
    pub parsed: Signal<In, Parsed>,
    /// Length of the prefixes.
    pub prefix_bits: Signal<In, Bits<8>>,
    /// The frame has outer and inner addresses.
    pub has_addresses: [Signal<Out, Bit>; 2],
    /// Outer source, outer destination, inner source, inner destination.
    pub addresses: [Signal<Out, Bits<136>>; 4],
    /// Outer and inner addresses have prefixes.
    pub has_prefixes: [Signal<Out, Bit>; 2],
    /// As `addresses`.
    pub prefixes: [Signal<Out, Bits<136>>; 4],
    /// The frame has ports.
    pub has_ports: Signal<Out, Bit>,
    /// Innermost source, innermost destination.
    pub endpoints: [Signal<Out, Bits<160>>; 2],
    /// The frame has an innermost IP header.
    pub has_tuple: Signal<Out, Bit>,
    /// In the order of the packet, and the other way round.
    pub tuples: [Signal<Out, Bits<304>>; 2],
    /// PPPoE or MPLS; tunnel over IP.
    pub has_tunnels: [Signal<Out, Bit>; 2],
    /// The same.
    pub tunnels: [Signal<Out, Bits<176>>; 2],
    /// The frame has MAC addresses.
    pub has_mac: Signal<Out, Bit>,
    /// Source, destination.
    pub macs: [Signal<Out, Bits<48>>; 2],
    /// The frame has a VLAN tag.
    pub has_vlan: Signal<Out, Bit>,
    /// Port, VLANs.
    pub vlan: Signal<Out, Bits<40>>,
    prefix: PrefixMask,
    frame: Signal<Local, Parsed>,
    headers: Signal<Local, Headers>,
    ticket: Signal<Local, Ticket>,
    layer: Signal<Local, Layer>,
    source: Signal<Local, Bits<136>>,
    destination: Signal<Local, Bits<136>>,
    protocol: Signal<Local, Bits<8>>,
    source_port: Signal<Local, Bits<16>>,
    destination_port: Signal<Local, Bits<16>>,
}

impl Logic for Keys {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, prefix);
        self.frame.next = self.parsed.val();
        self.headers.next = self.frame.val().headers;
        self.ticket.next = self.frame.val().ticket;
        self.prefix.prefix_bits.next = self.prefix_bits.val();

        // Addresses. A prefix is IPv6 only; both addresses of a header have its version.
        self.has_addresses[0].next = self.valid.val() & self.frame.val().has_outer;
        self.has_addresses[1].next = self.valid.val() & self.frame.val().has_inner;
        self.addresses[0].next = self.frame.val().outer_source;
        self.addresses[1].next = self.frame.val().outer_destination;
        self.addresses[2].next = self.frame.val().inner_source;
        self.addresses[3].next = self.frame.val().inner_destination;
        self.has_prefixes[0].next = self.has_addresses[0].val()
            & self.prefix.some.val()
            & (self.addresses[0].val().get_bits::<8>(0) == bits::<8>(6));
        self.has_prefixes[1].next = self.has_addresses[1].val()
            & self.prefix.some.val()
            & (self.addresses[2].val().get_bits::<8>(0) == bits::<8>(6));
        for i in 0..4 {
            self.prefixes[i].next = self.addresses[i].val() & self.prefix.mask.val();
        }

        // Innermost header. Ports are 0 if it has none.
        self.source.next = self.frame.val().outer_source;
        self.destination.next = self.frame.val().outer_destination;
        self.layer.next = self.headers.val().outer;
        if self.frame.val().has_inner {
            self.source.next = self.frame.val().inner_source;
            self.destination.next = self.frame.val().inner_destination;
            self.layer.next = self.headers.val().inner;
        }
        self.protocol.next = self.layer.val().protocol;
        self.source_port.next = self.frame.val().ports.get_bits::<16>(0);
        self.destination_port.next = self.frame.val().ports.get_bits::<16>(16);
        self.has_ports.next = self.valid.val() & self.frame.val().has_ports;
        self.has_tuple.next = self.valid.val() & (self.frame.val().has_outer | self.frame.val().has_inner);
        self.endpoints[0].next = bit_cast::<160, 136>(self.source.val())
            | (bit_cast::<160, 8>(self.protocol.val()) << 136)
            | (bit_cast::<160, 16>(self.source_port.val()) << 144);
        self.endpoints[1].next = bit_cast::<160, 136>(self.destination.val())
            | (bit_cast::<160, 8>(self.protocol.val()) << 136)
            | (bit_cast::<160, 16>(self.destination_port.val()) << 144);
        self.tuples[0].next = bit_cast::<304, 136>(self.source.val())
            | (bit_cast::<304, 128>(self.destination.val().get_bits::<128>(8)) << 136)
            | (bit_cast::<304, 8>(self.protocol.val()) << 264)
            | (bit_cast::<304, 16>(self.source_port.val()) << 272)
            | (bit_cast::<304, 16>(self.destination_port.val()) << 288);
        self.tuples[1].next = bit_cast::<304, 136>(self.destination.val())
            | (bit_cast::<304, 128>(self.source.val().get_bits::<128>(8)) << 136)
            | (bit_cast::<304, 8>(self.protocol.val()) << 264)
            | (bit_cast::<304, 16>(self.destination_port.val()) << 272)
            | (bit_cast::<304, 16>(self.source_port.val()) << 288);

        // Link.
        self.has_tunnels[0].next = self.valid.val() & self.frame.val().has_link_tunnel;
        self.has_tunnels[1].next = self.valid.val() & self.frame.val().has_ip_tunnel;
        self.tunnels[0].next = self.frame.val().link_tunnel;
        self.tunnels[1].next = self.frame.val().ip_tunnel;
        self.has_mac.next = self.valid.val() & self.frame.val().has_mac;
        self.macs[0].next = self.frame.val().mac_source;
        self.macs[1].next = self.frame.val().mac_destination;
        self.has_vlan.next = self.valid.val() & self.frame.val().has_vlan;
        self.vlan.next =
            (bit_cast::<40, 32>(self.frame.val().vlan) << 8) | bit_cast::<40, 1>(self.ticket.val().port.into());
    }
}
