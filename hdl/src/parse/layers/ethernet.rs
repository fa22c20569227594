//! The Ethernet header and at most three VLAN tags.

use super::types::LinkFacts;
use crate::parse::types::Window;
use crate::prelude::*;

/// One clock: finds the ethertype behind the tags.
///
/// Numbers of the wire are compared as they lie in the beat, first byte lowest: 0x0081 is TPID 0x8100. Nothing here reaches the end of a
/// full window, so a header that is missing never is so because the frame goes on.
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
    /// What is known of it.
    pub facts: Signal<Out, LinkFacts>,
    /// The walk goes on behind `ethertype`.
    pub open: Signal<Out, Bit>,
    /// The class, where it does not.
    pub class: Signal<Out, Bits<4>>,
    /// Ethertype behind the tags.
    pub ethertype: Signal<Out, Bits<16>>,
    /// `W - 14`.
    pub length: Signal<Out, Bits<8>>,
    /// The frame is longer than the window.
    pub cut: Signal<Out, Bit>,
    /// Bytes 14 to 191 of the window.
    pub bytes: Signal<Out, Bits<1424>>,
    ready: RegR<Bit>,
    facts_register: Reg<LinkFacts>,
    open_register: Reg<Bit>,
    class_register: Reg<Bits<4>>,
    ethertype_register: Reg<Bits<16>>,
    length_register: Reg<Bits<8>>,
    cut_register: Reg<Bit>,
    bytes_register: Reg<Bits<1424>>,
    head: Signal<Local, Bits<208>>,
    types: [Signal<Local, Bits<16>>; 4],
    tag: [Signal<Local, Bit>; 4],
    tags: Signal<Local, Bits<2>>,
    ethertype_found: Signal<Local, Bits<16>>,
    class_found: Signal<Local, Bits<4>>,
    ended: Signal<Local, Bit>,
    second_vlan: Signal<Local, Bits<16>>,
    found: Signal<Local, LinkFacts>,
}

impl Logic for EthernetStage {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ready, facts_register, open_register, class_register);
        dff_setup!(self, clock, ethertype_register, length_register, cut_register, bytes_register);
        self.ready.reset.next = self.reset.val();
        self.ready.d.next = self.valid.val();

        self.head.next = self.window.val().bytes.get_bits::<208>(0);
        for i in 0..4 {
            self.types[i].next = self.head.val().get_bits::<16>(96 + 32 * i);
            self.tag[i].next = (self.types[i].val() == bits::<16>(0x0081))
                | (self.types[i].val() == bits::<16>(0xa888))
                | (self.types[i].val() == bits::<16>(0x0091));
        }

        self.class_found.next = bits::<4>(0);
        self.ended.next = false;
        self.tags.next = bits::<2>(0);
        self.ethertype_found.next = self.types[0].val();
        if self.window.val().length < bits::<8>(14) {
            self.class_found.next = bits::<4>(1);
            self.ended.next = true;
        } else if self.tag[0].val() {
            if self.window.val().length < bits::<8>(18) {
                self.class_found.next = bits::<4>(1);
                self.ended.next = true;
            } else {
                self.tags.next = bits::<2>(1);
                self.ethertype_found.next = self.types[1].val();
                if self.tag[1].val() {
                    if self.window.val().length < bits::<8>(22) {
                        self.class_found.next = bits::<4>(1);
                        self.ended.next = true;
                    } else {
                        self.tags.next = bits::<2>(2);
                        self.ethertype_found.next = self.types[2].val();
                        if self.tag[2].val() {
                            if self.window.val().length < bits::<8>(26) {
                                self.class_found.next = bits::<4>(1);
                                self.ended.next = true;
                            } else {
                                self.tags.next = bits::<2>(3);
                                self.ethertype_found.next = self.types[3].val();
                                if self.tag[3].val() {
                                    self.class_found.next = bits::<4>(2);
                                    self.ended.next = true;
                                }
                            }
                        }
                    }
                }
            }
        }

        // VLAN ids are the lower 12 bits of the two bytes behind a TPID.
        self.second_vlan.next = bits::<16>(0xffff);
        if self.tags.val().get_bit(1) {
            self.second_vlan.next = bit_cast::<16, 4>(self.head.val().get_bits::<4>(144))
                | (bit_cast::<16, 8>(self.head.val().get_bits::<8>(152)) << 8);
        }
        self.found.next.ticket.port = self.port.val();
        self.found.next.ticket.quality = self.window.val().quality;
        self.found.next.ticket.stamp = self.window.val().stamp;
        self.found.next.ticket.start = self.window.val().start;
        self.found.next.has_mac = self.window.val().length >= bits::<8>(14);
        self.found.next.mac_destination = self.head.val().get_bits::<48>(0);
        self.found.next.mac_source = self.head.val().get_bits::<48>(48);
        self.found.next.vlan_tags = self.tags.val();
        self.found.next.vlan = bit_cast::<32, 4>(self.head.val().get_bits::<4>(112))
            | (bit_cast::<32, 8>(self.head.val().get_bits::<8>(120)) << 8)
            | (bit_cast::<32, 16>(self.second_vlan.val()) << 16);
        self.found.next.mpls_labels = bits::<3>(0);
        self.found.next.pppoe = false;
        self.found.next.mpls = false;
        self.found.next.pseudowire = false;
        self.found.next.identifier = bits::<24>(0);

        if self.valid.val() {
            self.facts_register.d.next = self.found.val();
            self.open_register.d.next = !self.ended.val();
            self.class_register.d.next = self.class_found.val();
            self.ethertype_register.d.next = self.ethertype_found.val();
            self.length_register.d.next = self.window.val().length - bits::<8>(14);
            self.cut_register.d.next = self.window.val().length == bits::<8>(192);
            self.bytes_register.d.next = self.window.val().bytes.get_bits::<1424>(112);
        }

        self.out_valid.next = self.ready.q.val();
        self.facts.next = self.facts_register.q.val();
        self.open.next = self.open_register.q.val();
        self.class.next = self.class_register.q.val();
        self.ethertype.next = self.ethertype_register.q.val();
        self.length.next = self.length_register.q.val();
        self.cut.next = self.cut_register.q.val();
        self.bytes.next = self.bytes_register.q.val();
    }
}
