//! The stages in a row.

use super::lane::Lane;
use super::layers::ethernet::EthernetStage;
use super::layers::extension::ExtensionStage;
use super::layers::gtpu::GtpuStage;
use super::layers::ip::IpStage;
use super::layers::link::LinkStage;
use super::layers::payload::PayloadStage;
use super::layers::transport::TransportStage;
use super::layers::tunnel::TunnelStage;
use super::layers::types::{Addresses, LinkFacts, OuterFacts};
use super::results::Results;
use super::types::{Parsed, Window};
use crate::prelude::*;

/// Clocks from a window at the parser's input to the frame at its output.
pub const PARSER_CLOCKS: usize = 43;

const _: () = assert!(PARSER_CLOCKS < 64, "frames that a lane can hold");

/// The parser: one frame a clock, never stalls.
#[derive(LogicBlock)]
pub struct Parser {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Its port.
    pub port: Signal<In, Bit>,
    /// Its window.
    pub window: Signal<In, Window>,
    /// There is a frame at the output.
    pub out_valid: Signal<Out, Bit>,
    /// All about it.
    pub parsed: Signal<Out, Parsed>,
    ethernet: EthernetStage,
    link: LinkStage,
    link_lane: Lane<LinkFacts>,
    outer_ip: IpStage<1424, 1328>,
    outer_lane: Lane<Addresses>,
    outer_extension: [ExtensionStage<1328>; 4],
    outer_transport: TransportStage<1328>,
    tunnel: TunnelStage<1328>,
    tunnel_lane: Lane<OuterFacts>,
    gtpu: [GtpuStage<1328>; 2],
    payload: PayloadStage<1328>,
    inner_ip: IpStage<1328, 1184>,
    inner_lane: Lane<Addresses>,
    inner_extension: [ExtensionStage<1184>; 4],
    inner_transport: TransportStage<1184>,
    results: Results,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            port: Signal::default(),
            window: Signal::default(),
            out_valid: Signal::default(),
            parsed: Signal::default(),
            ethernet: EthernetStage::default(),
            link: LinkStage::default(),
            link_lane: Lane::default(),
            outer_ip: IpStage::outer(),
            outer_lane: Lane::default(),
            outer_extension: core::array::from_fn(|_| ExtensionStage::outer()),
            outer_transport: TransportStage::outer(),
            tunnel: TunnelStage::default(),
            tunnel_lane: Lane::default(),
            gtpu: Default::default(),
            payload: PayloadStage::default(),
            inner_ip: IpStage::inner(),
            inner_lane: Lane::default(),
            inner_extension: core::array::from_fn(|_| ExtensionStage::inner()),
            inner_transport: TransportStage::inner(),
            results: Results::default(),
        }
    }
}

impl Logic for Parser {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, ethernet, link, link_lane, outer_ip, outer_lane, outer_transport, tunnel, tunnel_lane);
        clock!(self, clock, payload, inner_ip, inner_lane, inner_transport, results);
        self.ethernet.reset.next = self.reset.val();
        self.link.reset.next = self.reset.val();
        self.link_lane.reset.next = self.reset.val();
        self.outer_ip.reset.next = self.reset.val();
        self.outer_lane.reset.next = self.reset.val();
        self.outer_transport.reset.next = self.reset.val();
        self.tunnel.reset.next = self.reset.val();
        self.tunnel_lane.reset.next = self.reset.val();
        self.payload.reset.next = self.reset.val();
        self.inner_ip.reset.next = self.reset.val();
        self.inner_lane.reset.next = self.reset.val();
        self.inner_transport.reset.next = self.reset.val();
        self.results.reset.next = self.reset.val();
        for i in 0..4 {
            self.outer_extension[i].clock.next = self.clock.val();
            self.outer_extension[i].reset.next = self.reset.val();
            self.inner_extension[i].clock.next = self.clock.val();
            self.inner_extension[i].reset.next = self.reset.val();
        }
        for i in 0..2 {
            self.gtpu[i].clock.next = self.clock.val();
            self.gtpu[i].reset.next = self.reset.val();
        }

        self.ethernet.valid.next = self.valid.val();
        self.ethernet.port.next = self.port.val();
        self.ethernet.window.next = self.window.val();

        self.link.valid.next = self.ethernet.out_valid.val();
        self.link.facts.next = self.ethernet.facts.val();
        self.link.open.next = self.ethernet.open.val();
        self.link.class.next = self.ethernet.class.val();
        self.link.ethertype.next = self.ethernet.ethertype.val();
        self.link.length.next = self.ethernet.length.val();
        self.link.cut.next = self.ethernet.cut.val();
        self.link.bytes.next = self.ethernet.bytes.val();
        self.link_lane.push.next = self.link.out_valid.val();
        self.link_lane.data_in.next = self.link.out_facts.val();

        // Outer.
        self.outer_ip.valid.next = self.link.out_valid.val();
        self.outer_ip.entry.next = self.link.entry.val();
        self.outer_ip.window.next = self.link.out_bytes.val();
        self.outer_lane.push.next = self.outer_ip.out_valid.val();
        self.outer_lane.data_in.next = self.outer_ip.addresses.val();
        self.outer_extension[0].valid.next = self.outer_ip.out_valid.val();
        self.outer_extension[0].walk.next = self.outer_ip.walk.val();
        self.outer_extension[0].window.next = self.outer_ip.out_window.val();
        for i in 0..3 {
            self.outer_extension[i + 1].valid.next = self.outer_extension[i].out_valid.val();
            self.outer_extension[i + 1].walk.next = self.outer_extension[i].out_walk.val();
            self.outer_extension[i + 1].window.next = self.outer_extension[i].out_window.val();
        }
        self.outer_transport.valid.next = self.outer_extension[3].out_valid.val();
        self.outer_transport.walk.next = self.outer_extension[3].out_walk.val();
        self.outer_transport.window.next = self.outer_extension[3].out_window.val();

        // Tunnel.
        self.tunnel.valid.next = self.outer_transport.out_valid.val();
        self.tunnel.layer.next = self.outer_transport.layer.val();
        self.tunnel.walk.next = self.outer_transport.out_walk.val();
        self.tunnel.kind.next = self.outer_transport.kind.val();
        self.tunnel.available.next = self.outer_transport.room.val();
        self.tunnel.header.next = self.outer_transport.header.val();
        self.tunnel.window.next = self.outer_transport.out_window.val();
        self.tunnel_lane.push.next = self.tunnel.out_valid.val();
        self.tunnel_lane.data_in.next = self.tunnel.facts.val();
        self.gtpu[0].valid.next = self.tunnel.out_valid.val();
        self.gtpu[0].walk.next = self.tunnel.out_walk.val();
        self.gtpu[0].window.next = self.tunnel.out_window.val();
        self.gtpu[1].valid.next = self.gtpu[0].out_valid.val();
        self.gtpu[1].walk.next = self.gtpu[0].out_walk.val();
        self.gtpu[1].window.next = self.gtpu[0].out_window.val();
        self.payload.valid.next = self.gtpu[1].out_valid.val();
        self.payload.walk.next = self.gtpu[1].out_walk.val();
        self.payload.window.next = self.gtpu[1].out_window.val();

        // Inner.
        self.inner_ip.valid.next = self.payload.out_valid.val();
        self.inner_ip.entry.next = self.payload.entry.val();
        self.inner_ip.window.next = self.payload.out_window.val();
        self.inner_lane.push.next = self.inner_ip.out_valid.val();
        self.inner_lane.data_in.next = self.inner_ip.addresses.val();
        self.inner_extension[0].valid.next = self.inner_ip.out_valid.val();
        self.inner_extension[0].walk.next = self.inner_ip.walk.val();
        self.inner_extension[0].window.next = self.inner_ip.out_window.val();
        for i in 0..3 {
            self.inner_extension[i + 1].valid.next = self.inner_extension[i].out_valid.val();
            self.inner_extension[i + 1].walk.next = self.inner_extension[i].out_walk.val();
            self.inner_extension[i + 1].window.next = self.inner_extension[i].out_window.val();
        }
        self.inner_transport.valid.next = self.inner_extension[3].out_valid.val();
        self.inner_transport.walk.next = self.inner_extension[3].out_walk.val();
        self.inner_transport.window.next = self.inner_extension[3].out_window.val();

        // Results.
        self.results.valid.next = self.inner_transport.out_valid.val();
        self.results.inner.next = self.inner_transport.layer.val();
        self.results.walk.next = self.inner_transport.out_walk.val();
        self.link_lane.pop.next = self.inner_transport.out_valid.val();
        self.results.link.next = self.link_lane.data_out.val();
        self.outer_lane.pop.next = self.inner_transport.out_valid.val();
        self.results.outer_addresses.next = self.outer_lane.data_out.val();
        self.tunnel_lane.pop.next = self.inner_transport.out_valid.val();
        self.results.outer.next = self.tunnel_lane.data_out.val();
        self.inner_lane.pop.next = self.inner_transport.out_valid.val();
        self.results.inner_addresses.next = self.inner_lane.data_out.val();
        self.out_valid.next = self.results.out_valid.val();
        self.parsed.next = self.results.parsed.val();
    }
}
