//! PPPoE, MPLS and pseudowires.
//!
//! # Theory of operation
//! | clock | |
//! |---|---|
//! | 1 | what the ethertype says; 42 bytes from one of four places, behind the tags |
//! | 2 | the PPPoE header; which label is the bottom |
//! | 3 | that label, and what stands behind it |
//! | 4 | version of IP, or a pseudowire's Ethernet header |
//!
//! As in front of it, nothing here reaches the end of a full window.

use super::tags::InnerTags;
use super::types::{Entry, LinkFacts, LinkWalk};
use crate::prelude::*;

/// Four clocks: from the ethertype to the outer IP header.
#[derive(LogicBlock, Default)]
pub struct LinkStage {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// What is known of it.
    pub facts: Signal<In, LinkFacts>,
    /// The walk goes on behind `ethertype`.
    pub open: Signal<In, Bit>,
    /// The class, where it does not.
    pub class: Signal<In, Bits<4>>,
    /// Ethertype behind the tags.
    pub ethertype: Signal<In, Bits<16>>,
    /// End of the window.
    pub length: Signal<In, Bits<8>>,
    /// The frame is longer than the window.
    pub cut: Signal<In, Bit>,
    /// Bytes 14 to 191 of the window.
    pub bytes: Signal<In, Bits<1424>>,
    /// There is a frame at the outputs.
    pub out_valid: Signal<Out, Bit>,
    /// All about its link.
    pub out_facts: Signal<Out, LinkFacts>,
    /// Where its walk stands.
    pub entry: Signal<Out, Entry>,
    /// Bytes 14 to 191 of the window.
    pub out_bytes: Signal<Out, Bits<1424>>,
    valids: [RegR<Bit>; 4],
    facts_registers: [Reg<LinkFacts>; 4],
    bytes_registers: [Reg<Bits<1424>>; 4],
    walks: [Reg<LinkWalk>; 3],
    headers: [Reg<Bits<336>>; 2],
    version: Reg<Bits<4>>,
    ethernet_room: Reg<Bits<8>>,
    entry_register: Reg<Entry>,
    tags: InnerTags,
    // Clock 1
    start: Signal<Local, LinkWalk>,
    ipv4_type: Signal<Local, Bit>,
    ipv6_type: Signal<Local, Bit>,
    pppoe_type: Signal<Local, Bit>,
    mpls_type: Signal<Local, Bit>,
    // Clock 2
    now_2: Signal<Local, LinkWalk>,
    facts_2: Signal<Local, LinkFacts>,
    result_2: Signal<Local, LinkWalk>,
    found_2: Signal<Local, LinkFacts>,
    header_2: Signal<Local, Bits<336>>,
    protocol: Signal<Local, Bits<16>>,
    // Clock 3
    now_3: Signal<Local, LinkWalk>,
    result_3: Signal<Local, LinkWalk>,
    found_3: Signal<Local, LinkFacts>,
    header_3: Signal<Local, Bits<336>>,
    labels: Signal<Local, Bits<3>>,
    label: Signal<Local, Bits<24>>,
    version_3: Signal<Local, Bits<4>>,
    behind: Signal<Local, Bits<80>>,
    bytes_3: Signal<Local, Bits<8>>,
    // Clock 4
    now_4: Signal<Local, LinkWalk>,
    result_4: Signal<Local, Entry>,
    found_4: Signal<Local, LinkFacts>,
}

impl Logic for LinkStage {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, version, ethernet_room, entry_register);
        clock!(self, clock, tags);
        for i in 0..4 {
            self.valids[i].clock.next = self.clock.val();
            self.valids[i].reset.next = self.reset.val();
            self.facts_registers[i].clock.next = self.clock.val();
            self.facts_registers[i].d.next = self.facts_registers[i].q.val();
            self.bytes_registers[i].clock.next = self.clock.val();
            self.bytes_registers[i].d.next = self.bytes_registers[i].q.val();
        }
        for i in 0..3 {
            self.walks[i].clock.next = self.clock.val();
            self.walks[i].d.next = self.walks[i].q.val();
            self.valids[i + 1].d.next = self.valids[i].q.val();
        }
        for i in 0..2 {
            self.headers[i].clock.next = self.clock.val();
            self.headers[i].d.next = self.headers[i].q.val();
        }
        self.valids[0].d.next = self.valid.val();

        // Clock 1. Each tag takes four bytes; tags that are not there ended the walk.
        self.ipv4_type.next = self.ethertype.val() == bits::<16>(0x0008);
        self.ipv6_type.next = self.ethertype.val() == bits::<16>(0xdd86);
        self.pppoe_type.next = self.ethertype.val() == bits::<16>(0x6488);
        self.mpls_type.next =
            (self.ethertype.val() == bits::<16>(0x4788)) | (self.ethertype.val() == bits::<16>(0x4888));
        self.start.next.entry.open = self.open.val()
            & (self.ipv4_type.val() | self.ipv6_type.val() | self.pppoe_type.val() | self.mpls_type.val());
        self.start.next.entry.class = self.class.val();
        self.start.next.entry.v6 = self.ipv6_type.val();
        self.start.next.entry.ethernet = false;
        self.start.next.entry.at = bit_cast::<7, 2>(self.facts.val().vlan_tags) << 1;
        self.start.next.entry.length = self.length.val();
        self.start.next.entry.cut = self.cut.val();
        self.start.next.pppoe = self.pppoe_type.val();
        self.start.next.mpls = self.mpls_type.val();
        self.start.next.room = self.length.val() - (bit_cast::<8, 2>(self.facts.val().vlan_tags) << 2);
        if self.valid.val() {
            self.walks[0].d.next = self.start.val();
            self.facts_registers[0].d.next = self.facts.val();
            self.bytes_registers[0].d.next = self.bytes.val();
            if self.facts.val().vlan_tags == bits::<2>(0) {
                self.headers[0].d.next = self.bytes.val().get_bits::<336>(0);
            } else if self.facts.val().vlan_tags == bits::<2>(1) {
                self.headers[0].d.next = self.bytes.val().get_bits::<336>(32);
            } else if self.facts.val().vlan_tags == bits::<2>(2) {
                self.headers[0].d.next = self.bytes.val().get_bits::<336>(64);
            } else {
                self.headers[0].d.next = self.bytes.val().get_bits::<336>(96);
            }
        }

        // Clock 2.
        self.now_2.next = self.walks[0].q.val();
        self.facts_2.next = self.facts_registers[0].q.val();
        self.header_2.next = self.headers[0].q.val();
        self.protocol.next = self.header_2.val().get_bits::<16>(48);
        self.result_2.next = self.now_2.val();
        self.found_2.next = self.facts_2.val();
        if self.now_2.val().entry.open & self.now_2.val().pppoe {
            self.result_2.next.entry.at = self.now_2.val().entry.at + bits::<7>(4);
            if self.now_2.val().room < bits::<8>(8) {
                self.result_2.next.entry.open = false;
                self.result_2.next.entry.class = bits::<4>(1);
            } else if self.header_2.val().get_bits::<16>(0) != bits::<16>(0x0011) {
                self.result_2.next.entry.open = false;
                self.result_2.next.entry.class = bits::<4>(11);
            } else {
                self.found_2.next.pppoe = true;
                self.found_2.next.identifier = bit_cast::<24, 16>(self.header_2.val().get_bits::<16>(16)) << 8;
                if self.protocol.val() == bits::<16>(0x5700) {
                    self.result_2.next.entry.v6 = true;
                } else if self.protocol.val() != bits::<16>(0x2100) {
                    self.result_2.next.entry.open = false;
                    self.result_2.next.entry.class = bits::<4>(11);
                }
            }
        }
        if self.now_2.val().entry.open & self.now_2.val().mpls {
            // Bit 0 of a label's third byte: bottom of stack.
            if self.now_2.val().room < bits::<8>(4) {
                self.result_2.next.entry.open = false;
                self.result_2.next.entry.class = bits::<4>(1);
            } else if self.header_2.val().get_bit(16) {
                self.found_2.next.mpls_labels = bits::<3>(1);
                self.found_2.next.mpls = true;
            } else if self.now_2.val().room < bits::<8>(8) {
                self.found_2.next.mpls_labels = bits::<3>(1);
                self.result_2.next.entry.open = false;
                self.result_2.next.entry.class = bits::<4>(1);
            } else if self.header_2.val().get_bit(48) {
                self.found_2.next.mpls_labels = bits::<3>(2);
                self.found_2.next.mpls = true;
            } else if self.now_2.val().room < bits::<8>(12) {
                self.found_2.next.mpls_labels = bits::<3>(2);
                self.result_2.next.entry.open = false;
                self.result_2.next.entry.class = bits::<4>(1);
            } else if self.header_2.val().get_bit(80) {
                self.found_2.next.mpls_labels = bits::<3>(3);
                self.found_2.next.mpls = true;
            } else if self.now_2.val().room < bits::<8>(16) {
                self.found_2.next.mpls_labels = bits::<3>(3);
                self.result_2.next.entry.open = false;
                self.result_2.next.entry.class = bits::<4>(1);
            } else if self.header_2.val().get_bit(112) {
                self.found_2.next.mpls_labels = bits::<3>(4);
                self.found_2.next.mpls = true;
            } else {
                self.found_2.next.mpls_labels = bits::<3>(4);
                self.result_2.next.entry.open = false;
                self.result_2.next.entry.class = bits::<4>(10);
            }
        }
        if self.valids[0].q.val() {
            self.walks[1].d.next = self.result_2.val();
            self.facts_registers[1].d.next = self.found_2.val();
            self.bytes_registers[1].d.next = self.bytes_registers[0].q.val();
            if self.now_2.val().mpls {
                self.headers[1].d.next = self.headers[0].q.val();
            }
        }

        // Clock 3. Ethertypes of a pseudowire stand 16, 20 and 24 bytes behind the bottom label.
        self.now_3.next = self.walks[1].q.val();
        self.header_3.next = self.headers[1].q.val();
        self.found_3.next = self.facts_registers[1].q.val();
        self.labels.next = self.found_3.val().mpls_labels;
        if self.labels.val() == bits::<3>(2) {
            self.label.next = self.header_3.val().get_bits::<24>(32);
            self.version_3.next = self.header_3.val().get_bits::<4>(68);
            self.behind.next = self.header_3.val().get_bits::<80>(192);
        } else if self.labels.val() == bits::<3>(3) {
            self.label.next = self.header_3.val().get_bits::<24>(64);
            self.version_3.next = self.header_3.val().get_bits::<4>(100);
            self.behind.next = self.header_3.val().get_bits::<80>(224);
        } else if self.labels.val() == bits::<3>(4) {
            self.label.next = self.header_3.val().get_bits::<24>(96);
            self.version_3.next = self.header_3.val().get_bits::<4>(132);
            self.behind.next = self.header_3.val().get_bits::<80>(256);
        } else {
            self.label.next = self.header_3.val().get_bits::<24>(0);
            self.version_3.next = self.header_3.val().get_bits::<4>(36);
            self.behind.next = self.header_3.val().get_bits::<80>(160);
        }
        self.tags.enable.next = self.valids[1].q.val() & self.found_3.val().mpls;
        self.tags.types.next = bit_cast::<48, 16>(self.behind.val().get_bits::<16>(0))
            | (bit_cast::<48, 16>(self.behind.val().get_bits::<16>(32)) << 16)
            | (bit_cast::<48, 16>(self.behind.val().get_bits::<16>(64)) << 32);
        self.bytes_3.next = bit_cast::<8, 3>(self.labels.val()) << 2;
        self.result_3.next = self.now_3.val();
        if self.found_3.val().mpls {
            // 20 bits of label, in the lower bits of three bytes.
            self.found_3.next.identifier = bit_cast::<24, 4>(self.label.val().get_bits::<4>(4))
                | (bit_cast::<24, 4>(self.label.val().get_bits::<4>(12)) << 8)
                | (bit_cast::<24, 4>(self.label.val().get_bits::<4>(0)) << 12)
                | (bit_cast::<24, 4>(self.label.val().get_bits::<4>(20)) << 16)
                | (bit_cast::<24, 4>(self.label.val().get_bits::<4>(8)) << 20);
            self.result_3.next.entry.at = self.now_3.val().entry.at + (bit_cast::<7, 3>(self.labels.val()) << 1);
            self.result_3.next.room = self.now_3.val().room - self.bytes_3.val();
        }
        if self.valids[1].q.val() {
            self.walks[2].d.next = self.result_3.val();
            self.facts_registers[2].d.next = self.found_3.val();
            self.bytes_registers[2].d.next = self.bytes_registers[1].q.val();
            self.version.d.next = self.version_3.val();
            // Behind the control word.
            self.ethernet_room.d.next = bits::<8>(0);
            if self.now_3.val().room >= (self.bytes_3.val() + bits::<8>(4)) {
                self.ethernet_room.d.next = self.now_3.val().room - self.bytes_3.val() - bits::<8>(4);
            }
        }

        // Clock 4.
        self.tags.room.next = self.ethernet_room.q.val();
        self.now_4.next = self.walks[2].q.val();
        self.found_4.next = self.facts_registers[2].q.val();
        self.result_4.next = self.now_4.val().entry;
        if self.now_4.val().entry.open & self.now_4.val().mpls {
            if !self.now_4.val().room.any() {
                self.result_4.next.open = false;
                self.result_4.next.class = bits::<4>(1);
            } else if self.version.q.val() == bits::<4>(6) {
                self.result_4.next.v6 = true;
            } else if self.version.q.val() == bits::<4>(0) {
                self.found_4.next.pseudowire = self.tags.header.val();
                self.result_4.next.v6 = self.tags.v6.val();
                self.result_4.next.at =
                    self.now_4.val().entry.at + bits::<7>(2) + bit_cast::<7, 4>(self.tags.size.val());
                if self.tags.missing.val() {
                    self.result_4.next.open = false;
                    self.result_4.next.class = bits::<4>(1);
                } else if !self.tags.ip.val() {
                    self.result_4.next.open = false;
                    self.result_4.next.class = bits::<4>(11);
                }
            } else if self.version.q.val() != bits::<4>(4) {
                self.result_4.next.open = false;
                self.result_4.next.class = bits::<4>(11);
            }
        }
        if self.valids[2].q.val() {
            self.entry_register.d.next = self.result_4.val();
            self.facts_registers[3].d.next = self.found_4.val();
            self.bytes_registers[3].d.next = self.bytes_registers[2].q.val();
        }

        self.out_valid.next = self.valids[3].q.val();
        self.out_facts.next = self.facts_registers[3].q.val();
        self.entry.next = self.entry_register.q.val();
        self.out_bytes.next = self.bytes_registers[3].q.val();
    }
}
