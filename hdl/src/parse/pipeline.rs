//! The stages in a row.

use super::ethernet::EthernetStage;
use super::extension::ExtensionStage;
use super::ip::IpStage;
use super::transport::TransportStage;
use super::types::{Parsed, Window};
use crate::prelude::*;

/// Clocks from a window at the parser's input to the frame at its output.
pub const PARSER_CLOCKS: usize = 13;

/// The parser: one frame a clock, never stalls.
#[derive(LogicBlock, Default)]
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
    ip: IpStage,
    extension: [ExtensionStage; 4],
    transport: TransportStage,
}

impl Logic for Parser {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, ethernet, ip, transport);
        self.ethernet.reset.next = self.reset.val();
        self.ip.reset.next = self.reset.val();
        self.transport.reset.next = self.reset.val();
        for i in 0..4 {
            self.extension[i].clock.next = self.clock.val();
            self.extension[i].reset.next = self.reset.val();
        }

        self.ethernet.valid.next = self.valid.val();
        self.ethernet.port.next = self.port.val();
        self.ethernet.window.next = self.window.val();

        self.ip.valid.next = self.ethernet.out_valid.val();
        self.ip.ticket.next = self.ethernet.ticket.val();
        self.ip.is_ip.next = self.ethernet.is_ip.val();
        self.ip.v6.next = self.ethernet.v6.val();
        self.ip.class.next = self.ethernet.class.val();
        self.ip.vlan_tags.next = self.ethernet.vlan_tags.val();
        self.ip.length.next = self.ethernet.length.val();
        self.ip.bytes.next = self.ethernet.bytes.val();

        self.extension[0].valid.next = self.ip.out_valid.val();
        self.extension[0].walk.next = self.ip.walk.val();
        self.extension[0].luggage.next = self.ip.luggage.val();
        self.extension[0].rest.next = self.ip.rest.val();
        for i in 0..3 {
            self.extension[i + 1].valid.next = self.extension[i].out_valid.val();
            self.extension[i + 1].walk.next = self.extension[i].out_walk.val();
            self.extension[i + 1].luggage.next = self.extension[i].out_luggage.val();
            self.extension[i + 1].rest.next = self.extension[i].out_rest.val();
        }

        self.transport.valid.next = self.extension[3].out_valid.val();
        self.transport.walk.next = self.extension[3].out_walk.val();
        self.transport.luggage.next = self.extension[3].out_luggage.val();
        self.transport.rest.next = self.extension[3].out_rest.val();

        self.out_valid.next = self.transport.out_valid.val();
        self.parsed.next = self.transport.parsed.val();
    }
}
