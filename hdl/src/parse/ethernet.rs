//! Stage 1: Ethernet header and at most two VLAN tags.

use super::types::{Ticket, Window};
use crate::prelude::*;

/// One clock: finds the ethertype and which of the three places it stands at.
///
/// Numbers of the wire are compared as they lie in the beat, first byte lowest: 0x0081 is TPID 0x8100.
#[derive(LogicBlock, Default)]
pub struct EthernetStage {
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
    /// There is a frame at the outputs.
    pub out_valid: Signal<Out, Bit>,
    /// Which.
    pub ticket: Signal<Out, Ticket>,
    /// IPv4 or IPv6 follows.
    pub is_ip: Signal<Out, Bit>,
    /// IPv6 follows.
    pub v6: Signal<Out, Bit>,
    /// The class, where no IP follows.
    pub class: Signal<Out, Bits<4>>,
    /// Tags stepped over.
    pub vlan_tags: Signal<Out, Bits<2>>,
    /// `W`.
    pub length: Signal<Out, Bits<8>>,
    /// Bytes 14 to 191 of the window.
    pub bytes: Signal<Out, Bits<1424>>,
    ready: RegR<Bit>,
    ticket_register: Reg<Ticket>,
    is_ip_register: Reg<Bit>,
    v6_register: Reg<Bit>,
    class_register: Reg<Bits<4>>,
    tags_register: Reg<Bits<2>>,
    length_register: Reg<Bits<8>>,
    bytes_register: Reg<Bits<1424>>,
    type_0: Signal<Local, Bits<16>>,
    type_1: Signal<Local, Bits<16>>,
    type_2: Signal<Local, Bits<16>>,
    tag_0: Signal<Local, Bit>,
    tag_1: Signal<Local, Bit>,
    tag_2: Signal<Local, Bit>,
    ethertype: Signal<Local, Bits<16>>,
    tags: Signal<Local, Bits<2>>,
    found: Signal<Local, Bits<4>>,
    ended: Signal<Local, Bit>,
    ip4: Signal<Local, Bit>,
    ip6: Signal<Local, Bit>,
    identity: Signal<Local, Ticket>,
}

impl Logic for EthernetStage {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ready, ticket_register, is_ip_register, v6_register);
        dff_setup!(self, clock, class_register, tags_register, length_register, bytes_register);
        self.ready.reset.next = self.reset.val();
        self.ready.d.next = self.valid.val();

        self.type_0.next = self.window.val().bytes.get_bits::<16>(96);
        self.type_1.next = self.window.val().bytes.get_bits::<16>(128);
        self.type_2.next = self.window.val().bytes.get_bits::<16>(160);
        self.tag_0.next = (self.type_0.val() == bits::<16>(0x0081)) | (self.type_0.val() == bits::<16>(0xa888));
        self.tag_1.next = (self.type_1.val() == bits::<16>(0x0081)) | (self.type_1.val() == bits::<16>(0xa888));
        self.tag_2.next = (self.type_2.val() == bits::<16>(0x0081)) | (self.type_2.val() == bits::<16>(0xa888));

        // Without an end here the class is settled by a later stage.
        self.found.next = bits::<4>(0);
        self.ended.next = false;
        self.tags.next = bits::<2>(0);
        self.ethertype.next = self.type_0.val();
        if self.window.val().length < bits::<8>(14) {
            self.found.next = bits::<4>(1);
            self.ended.next = true;
        } else if self.tag_0.val() {
            self.tags.next = bits::<2>(1);
            self.ethertype.next = self.type_1.val();
            if self.window.val().length < bits::<8>(18) {
                self.found.next = bits::<4>(1);
                self.ended.next = true;
            } else if self.tag_1.val() {
                self.tags.next = bits::<2>(2);
                self.ethertype.next = self.type_2.val();
                if self.window.val().length < bits::<8>(22) {
                    self.found.next = bits::<4>(1);
                    self.ended.next = true;
                } else if self.tag_2.val() {
                    self.found.next = bits::<4>(2);
                    self.ended.next = true;
                }
            }
        }
        self.ip4.next = (self.ethertype.val() == bits::<16>(0x0008)) & !self.ended.val();
        self.ip6.next = (self.ethertype.val() == bits::<16>(0xdd86)) & !self.ended.val();

        self.identity.next.port = self.port.val();
        self.identity.next.quality = self.window.val().quality;
        self.identity.next.stamp = self.window.val().stamp;
        self.identity.next.start = self.window.val().start;
        if self.valid.val() {
            self.ticket_register.d.next = self.identity.val();
            self.is_ip_register.d.next = self.ip4.val() | self.ip6.val();
            self.v6_register.d.next = self.ip6.val();
            self.class_register.d.next = self.found.val();
            self.tags_register.d.next = self.tags.val();
            self.length_register.d.next = self.window.val().length;
            self.bytes_register.d.next = self.window.val().bytes.get_bits::<1424>(112);
        }

        self.out_valid.next = self.ready.q.val();
        self.ticket.next = self.ticket_register.q.val();
        self.is_ip.next = self.is_ip_register.q.val();
        self.v6.next = self.v6_register.q.val();
        self.class.next = self.class_register.q.val();
        self.vlan_tags.next = self.tags_register.q.val();
        self.length.next = self.length_register.q.val();
        self.bytes.next = self.bytes_register.q.val();
    }
}
