//! The last stage: all that is known of a frame, in the form in which lookup and record want it.

use super::layers::types::{Addresses, LayerFacts, LinkFacts, OuterFacts, TunnelWalk};
use super::types::{Headers, Parsed};
use crate::prelude::*;

/// One clock.
#[derive(LogicBlock, Default)]
pub struct Results {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Its link.
    pub link: Signal<In, LinkFacts>,
    /// Its outer addresses.
    pub outer_addresses: Signal<In, Addresses>,
    /// Its outer layer and its tunnel.
    pub outer: Signal<In, OuterFacts>,
    /// Its inner addresses.
    pub inner_addresses: Signal<In, Addresses>,
    /// Its inner layer.
    pub inner: Signal<In, LayerFacts>,
    /// Where its walk ended.
    pub walk: Signal<In, TunnelWalk>,
    /// There is a frame at the output.
    pub out_valid: Signal<Out, Bit>,
    /// All about it.
    pub parsed: Signal<Out, Parsed>,
    ready: RegR<Bit>,
    register: Reg<Parsed>,
    outer_layer: Signal<Local, LayerFacts>,
    inner_layer: Signal<Local, LayerFacts>,
    outer_end: Signal<Local, Bits<8>>,
    inner_end: Signal<Local, Bits<8>>,
    outer_version: Signal<Local, Bits<136>>,
    inner_version: Signal<Local, Bits<136>>,
    outer_destination: Signal<Local, Bits<136>>,
    headers: Signal<Local, Headers>,
    result: Signal<Local, Parsed>,
}

impl Logic for Results {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ready, register);
        self.ready.reset.next = self.reset.val();
        self.ready.d.next = self.valid.val();

        self.outer_layer.next = self.outer.val().layer;
        self.inner_layer.next = self.inner.val();
        self.headers.next.class = self.walk.val().class;
        self.headers.next.vlan_tags = self.link.val().vlan_tags;
        self.headers.next.mpls_labels = self.link.val().mpls_labels;
        self.headers.next.pppoe = self.link.val().pppoe;
        self.headers.next.pseudowire = self.link.val().pseudowire;
        self.headers.next.tunnel = self.outer.val().tunnel;
        self.headers.next.inner_ethernet = self.walk.val().ethernet;

        // Places are counted in units of two bytes behind byte 14.
        self.outer_end.next = (bit_cast::<8, 7>(self.outer_layer.val().end) << 1) + bits::<8>(14);
        self.headers.next.outer.l3_offset = bits::<8>(0);
        self.headers.next.outer.l3_end = bits::<8>(0);
        self.headers.next.outer.l4_end = bits::<8>(0);
        self.headers.next.outer.protocol = bits::<8>(0);
        self.headers.next.outer.has_ports = false;
        self.headers.next.outer.fragment = false;
        if self.outer_layer.val().ip {
            self.headers.next.outer.l3_offset = (bit_cast::<8, 7>(self.outer_layer.val().start) << 1) + bits::<8>(14);
            self.headers.next.outer.l3_end = self.outer_end.val();
            self.headers.next.outer.l4_end = self.outer_end.val() + bit_cast::<8, 6>(self.outer_layer.val().l4_bytes);
            self.headers.next.outer.protocol = self.outer_layer.val().protocol;
            self.headers.next.outer.has_ports = self.outer_layer.val().has_ports;
            self.headers.next.outer.fragment = self.outer_layer.val().fragment;
        }
        self.inner_end.next = (bit_cast::<8, 7>(self.inner_layer.val().end) << 1) + bits::<8>(14);
        self.headers.next.inner.l3_offset = bits::<8>(0);
        self.headers.next.inner.l3_end = bits::<8>(0);
        self.headers.next.inner.l4_end = bits::<8>(0);
        self.headers.next.inner.protocol = bits::<8>(0);
        self.headers.next.inner.has_ports = false;
        self.headers.next.inner.fragment = false;
        if self.inner_layer.val().ip {
            self.headers.next.inner.l3_offset = (bit_cast::<8, 7>(self.inner_layer.val().start) << 1) + bits::<8>(14);
            self.headers.next.inner.l3_end = self.inner_end.val();
            self.headers.next.inner.l4_end = self.inner_end.val() + bit_cast::<8, 6>(self.inner_layer.val().l4_bytes);
            self.headers.next.inner.protocol = self.inner_layer.val().protocol;
            self.headers.next.inner.has_ports = self.inner_layer.val().has_ports;
            self.headers.next.inner.fragment = self.inner_layer.val().fragment;
        }
        self.result.next.ticket = self.link.val().ticket;
        self.result.next.headers = self.headers.val();

        // Link.
        self.result.next.has_mac = self.link.val().has_mac;
        self.result.next.mac_source = self.link.val().mac_source;
        self.result.next.mac_destination = self.link.val().mac_destination;
        self.result.next.has_vlan = self.link.val().vlan_tags.any();
        self.result.next.vlan = self.link.val().vlan;
        self.result.next.has_link_tunnel = self.link.val().pppoe | self.link.val().mpls;
        self.result.next.link_tunnel = bits::<176>(9) | (bit_cast::<176, 24>(self.link.val().identifier) << 16);
        if self.link.val().pppoe {
            self.result.next.link_tunnel = bits::<176>(8)
                | (bit_cast::<176, 24>(self.link.val().identifier) << 16)
                | (bit_cast::<176, 48>(self.link.val().mac_destination) << 48);
        }

        // Addresses.
        self.outer_version.next = bits::<136>(4);
        if self.outer_addresses.val().v6 {
            self.outer_version.next = bits::<136>(6);
        }
        self.outer_destination.next =
            self.outer_version.val() | (bit_cast::<136, 128>(self.outer_addresses.val().destination) << 8);
        self.result.next.has_outer = self.outer_layer.val().ip;
        self.result.next.outer_source =
            self.outer_version.val() | (bit_cast::<136, 128>(self.outer_addresses.val().source) << 8);
        self.result.next.outer_destination = self.outer_destination.val();
        self.inner_version.next = bits::<136>(4);
        if self.inner_addresses.val().v6 {
            self.inner_version.next = bits::<136>(6);
        }
        self.result.next.has_inner = self.inner_layer.val().ip;
        self.result.next.inner_source =
            self.inner_version.val() | (bit_cast::<136, 128>(self.inner_addresses.val().source) << 8);
        self.result.next.inner_destination =
            self.inner_version.val() | (bit_cast::<136, 128>(self.inner_addresses.val().destination) << 8);
        self.result.next.has_ip_tunnel = self.outer.val().tunnel.any();
        self.result.next.ip_tunnel = bit_cast::<176, 4>(self.outer.val().tunnel)
            | (bit_cast::<176, 32>(self.outer.val().identifier) << 8)
            | (bit_cast::<176, 136>(self.outer_destination.val()) << 40);

        // Ports of the innermost layer.
        self.result.next.has_ports = false;
        self.result.next.ports = bits::<32>(0);
        if self.inner_layer.val().ip & self.inner_layer.val().has_ports {
            self.result.next.has_ports = true;
            self.result.next.ports = self.inner_layer.val().ports;
        } else if !self.inner_layer.val().ip & self.outer_layer.val().has_ports {
            self.result.next.has_ports = true;
            self.result.next.ports = self.outer_layer.val().ports;
        }

        if self.valid.val() {
            self.register.d.next = self.result.val();
        }
        self.out_valid.next = self.ready.q.val();
        self.parsed.next = self.register.q.val();
    }
}
