//! The end of a tunnel header: from what follows it to the inner IP header.

use super::gather::GatherBlock;
use super::tags::InnerTags;
use super::types::{Entry, TunnelWalk};
use crate::prelude::*;

/// Three clocks: GTP-U's first payload byte, PPP, or an inner Ethernet header. `N`: bits of the window, which starts at byte 30.
#[derive(LogicBlock, Default)]
pub struct PayloadStage<const N: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Where its walk stands.
    pub walk: Signal<In, TunnelWalk>,
    /// Its window.
    pub window: Signal<In, Bits<N>>,
    /// There is a frame at the outputs.
    pub out_valid: Signal<Out, Bit>,
    /// Where its walk stands.
    pub entry: Signal<Out, Entry>,
    /// Its window.
    pub out_window: Signal<Out, Bits<N>>,
    gather: GatherBlock<N, 304>,
    tags: InnerTags,
    valids: [RegR<Bit>; 3],
    walks: [Reg<TunnelWalk>; 2],
    windows: [Reg<Bits<N>>; 3],
    fine: Reg<Bits<3>>,
    rooms: [Reg<Bits<8>>; 2],
    bytes: Reg<Bits<64>>,
    entry_register: Reg<Entry>,
    from: Signal<Local, Bits<7>>,
    place: Signal<Local, Bits<7>>,
    gathered: Signal<Local, Bits<192>>,
    waiting: Signal<Local, TunnelWalk>,
    now: Signal<Local, TunnelWalk>,
    room: Signal<Local, Bits<8>>,
    word: Signal<Local, Bits<16>>,
    protocol: Signal<Local, Bits<16>>,
    escaped: Signal<Local, Bit>,
    missing: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    other: Signal<Local, Bit>,
    result: Signal<Local, Entry>,
}

impl<const N: usize> Logic for PayloadStage<N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, fine, bytes, entry_register);
        clock!(self, clock, gather, tags);
        for i in 0..3 {
            self.valids[i].clock.next = self.clock.val();
            self.valids[i].reset.next = self.reset.val();
            self.windows[i].clock.next = self.clock.val();
            self.windows[i].d.next = self.windows[i].q.val();
        }
        for i in 0..2 {
            self.valids[i + 1].d.next = self.valids[i].q.val();
            self.walks[i].clock.next = self.clock.val();
            self.walks[i].d.next = self.walks[i].q.val();
            self.rooms[i].clock.next = self.clock.val();
            self.rooms[i].d.next = self.rooms[i].q.val();
        }
        self.valids[0].d.next = self.valid.val();

        // Gather 24 bytes, from two bytes in front of where the walk stands.
        self.from.next = self.walk.val().at - bits::<7>(9);
        self.gather.enable.next = self.valid.val() & self.walk.val().open & (self.walk.val().follows != bits::<3>(1));
        self.gather.window.next = self.window.val();
        self.gather.at.next = self.from.val();
        if self.valid.val() {
            self.walks[0].d.next = self.walk.val();
            self.windows[0].d.next = self.window.val();
            self.fine.d.next = self.from.val().get_bits::<3>(0);
            self.rooms[0].d.next = self.walk.val().length - (bit_cast::<8, 7>(self.walk.val().at) << 1);
        }
        self.waiting.next = self.walks[0].q.val();
        self.place.next = bit_cast::<7, 3>(self.fine.q.val()) << 4;
        self.gathered.next = self.gather.block.val().get_bits::<192>(self.place.val().index());
        self.tags.enable.next = self.valids[0].q.val() & self.waiting.val().open;
        self.tags.types.next = bit_cast::<48, 16>(self.gathered.val().get_bits::<16>(112))
            | (bit_cast::<48, 16>(self.gathered.val().get_bits::<16>(144)) << 16)
            | (bit_cast::<48, 16>(self.gathered.val().get_bits::<16>(176)) << 32);
        if self.valids[0].q.val() {
            self.walks[1].d.next = self.walks[0].q.val();
            self.windows[1].d.next = self.windows[0].q.val();
            self.rooms[1].d.next = self.rooms[0].q.val();
            if self.waiting.val().open {
                self.bytes.d.next = self.gathered.val().get_bits::<64>(0);
            }
        }

        // Check.
        self.now.next = self.walks[1].q.val();
        self.room.next = self.rooms[1].q.val();
        self.tags.room.next = self.room.val();
        self.word.next = self.bytes.q.val().get_bits::<16>(16);
        self.escaped.next = self.word.val() == bits::<16>(0x03ff);
        self.protocol.next = self.word.val();
        if self.escaped.val() {
            self.protocol.next = self.bytes.q.val().get_bits::<16>(32);
        }
        self.bad.next = false;
        self.missing.next = false;
        self.other.next = false;
        self.result.next.open = self.now.val().open;
        self.result.next.class = self.now.val().class;
        self.result.next.v6 = self.now.val().v6;
        self.result.next.ethernet = false;
        self.result.next.at = self.now.val().at;
        self.result.next.length = self.now.val().length;
        self.result.next.cut = self.now.val().cut;
        if self.now.val().follows == bits::<3>(2) {
            self.missing.next = self.tags.missing.val();
            self.other.next = !self.tags.ip.val();
            self.result.next.v6 = self.tags.v6.val();
            self.result.next.ethernet = self.now.val().open & self.tags.header.val();
            self.result.next.at = self.now.val().at + bit_cast::<7, 4>(self.tags.size.val());
        } else if self.now.val().follows == bits::<3>(5) {
            self.missing.next =
                (self.room.val() < bits::<8>(2)) | (self.escaped.val() & (self.room.val() < bits::<8>(4)));
            self.other.next = (self.protocol.val() != bits::<16>(0x2100)) & (self.protocol.val() != bits::<16>(0x5700));
            self.result.next.v6 = self.protocol.val() == bits::<16>(0x5700);
            self.result.next.at = self.now.val().at + bits::<7>(1);
            if self.escaped.val() {
                self.result.next.at = self.now.val().at + bits::<7>(2);
            }
        } else if self.now.val().follows.get_bit(2) | self.now.val().follows.get_bit(1) {
            // GTP-U. One more extension header is one too many.
            self.bad.next = self.now.val().follows.get_bit(2) & self.bytes.q.val().get_bits::<8>(8).any();
            self.missing.next = !self.room.val().any();
            self.other.next = (self.bytes.q.val().get_bits::<4>(20) != bits::<4>(4))
                & (self.bytes.q.val().get_bits::<4>(20) != bits::<4>(6));
            self.result.next.v6 = self.bytes.q.val().get_bits::<4>(20) == bits::<4>(6);
        }
        if self.now.val().open {
            if self.bad.val() {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(13);
            } else if self.missing.val() {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(12);
                if self.now.val().cut {
                    self.result.next.class = bits::<4>(9);
                }
            } else if self.other.val() {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(12);
            }
        }
        if self.valids[1].q.val() {
            self.entry_register.d.next = self.result.val();
            self.windows[2].d.next = self.windows[1].q.val();
        }

        self.out_valid.next = self.valids[2].q.val();
        self.entry.next = self.entry_register.q.val();
        self.out_window.next = self.windows[2].q.val();
    }
}
