//! The transport header: outer and inner alike.
//!
//! # Theory of operation
//! Two clocks bring 22 bytes to a fixed place: the longest that a UDP and a tunnel header behind it want. Beside that the protocol is decoded and the
//! bytes up to both ends are counted. The third clock checks. What it finds goes two ways: facts about the layer, and the walk in front of
//! a tunnel header.

use super::gather::GatherBlock;
use super::types::{LayerFacts, Meaning, TunnelWalk, Walk};
use crate::prelude::*;
use writ_abi::limits;

const _: () = {
    assert!(limits::GTPU_PORTS.len() == 1 && limits::GTPU_PORTS[0] == 0x0868);
    assert!(limits::VXLAN_PORTS.len() == 1 && limits::VXLAN_PORTS[0] == 0x12b5);
    assert!(limits::GENEVE_PORTS.len() == 1 && limits::GENEVE_PORTS[0] == 0x17c1);
    assert!(limits::L2TP_PORTS.len() == 1 && limits::L2TP_PORTS[0] == 0x06a5, "the kernel writes the ports as numbers");
};

/// Three clocks: transport header. `N`: bits of the window.
#[derive(LogicBlock)]
pub struct TransportStage<const N: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Where its walk stands.
    pub walk: Signal<In, Walk>,
    /// Its window.
    pub window: Signal<In, Bits<N>>,
    /// There is a frame at the outputs.
    pub out_valid: Signal<Out, Bit>,
    /// What is known of its layer.
    pub layer: Signal<Out, LayerFacts>,
    /// Where its walk stands: open if `kind` is not 0 too.
    pub out_walk: Signal<Out, TunnelWalk>,
    /// [`writ_abi::parse::TunnelKind`] of that tunnel, GRE's without a key; 0: none.
    pub kind: Signal<Out, Bits<4>>,
    /// Bytes of the window from there on.
    pub room: Signal<Out, Bits<8>>,
    /// 22 bytes from the transport header on.
    pub header: Signal<Out, Bits<176>>,
    /// Its window.
    pub out_window: Signal<Out, Bits<N>>,
    first: Constant<Bits<7>>,
    is_inner: Constant<Bit>,
    gather: GatherBlock<N, 288>,
    valids: [RegR<Bit>; 3],
    walks: [Reg<Walk>; 2],
    windows: [Reg<Bits<N>>; 3],
    meanings: [Reg<Meaning>; 2],
    rooms: [Reg<Bits<8>>; 2],
    ip_rooms: [Reg<Bits<8>>; 2],
    headers: [Reg<Bits<176>>; 2],
    layer_register: Reg<LayerFacts>,
    walk_register: Reg<TunnelWalk>,
    kind_register: Reg<Bits<4>>,
    room_register: Reg<Bits<8>>,
    arriving: Signal<Local, Walk>,
    bytes_before: Signal<Local, Bits<8>>,
    decoded: Signal<Local, Meaning>,
    waiting: Signal<Local, Walk>,
    place: Signal<Local, Bits<7>>,
    now: Signal<Local, Walk>,
    meaning: Signal<Local, Meaning>,
    now_header: Signal<Local, Bits<176>>,
    size: Signal<Local, Bits<6>>,
    known: Signal<Local, Bit>,
    missing: Signal<Local, Bit>,
    short: Signal<Local, Bit>,
    udp_kind: Signal<Local, Bits<4>>,
    tunnel: Signal<Local, Bits<4>>,
    found: Signal<Local, LayerFacts>,
    result: Signal<Local, TunnelWalk>,
    class: Signal<Local, Bits<4>>,
    good: Signal<Local, Bit>,
    packet_ends: Signal<Local, Bit>,
    left_over: Signal<Local, Bits<8>>,
}

impl<const N: usize> TransportStage<N> {
    fn new(first: u8, is_inner: bool) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            walk: Signal::default(),
            window: Signal::default(),
            out_valid: Signal::default(),
            layer: Signal::default(),
            out_walk: Signal::default(),
            kind: Signal::default(),
            room: Signal::default(),
            header: Signal::default(),
            out_window: Signal::default(),
            first: Constant::new(bits(first.into())),
            is_inner: Constant::new(is_inner),
            gather: GatherBlock::default(),
            valids: Default::default(),
            walks: Default::default(),
            windows: Default::default(),
            meanings: Default::default(),
            rooms: Default::default(),
            ip_rooms: Default::default(),
            headers: Default::default(),
            layer_register: Reg::default(),
            walk_register: Reg::default(),
            kind_register: Reg::default(),
            room_register: Reg::default(),
            arriving: Signal::default(),
            bytes_before: Signal::default(),
            decoded: Signal::default(),
            waiting: Signal::default(),
            place: Signal::default(),
            now: Signal::default(),
            meaning: Signal::default(),
            now_header: Signal::default(),
            size: Signal::default(),
            known: Signal::default(),
            missing: Signal::default(),
            short: Signal::default(),
            udp_kind: Signal::default(),
            tunnel: Signal::default(),
            found: Signal::default(),
            result: Signal::default(),
            class: Signal::default(),
            good: Signal::default(),
            packet_ends: Signal::default(),
            left_over: Signal::default(),
        }
    }

    /// Behind the outer IP header. The window starts at byte 30.
    pub fn outer() -> Self {
        Self::new(8, false)
    }

    /// Behind the inner IP header, where a tunnel is one too many. The window starts at byte 46.
    pub fn inner() -> Self {
        Self::new(16, true)
    }
}

impl<const N: usize> Logic for TransportStage<N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, layer_register, walk_register, kind_register, room_register);
        clock!(self, clock, gather);
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
            self.meanings[i].clock.next = self.clock.val();
            self.meanings[i].d.next = self.meanings[i].q.val();
            self.rooms[i].clock.next = self.clock.val();
            self.rooms[i].d.next = self.rooms[i].q.val();
            self.ip_rooms[i].clock.next = self.clock.val();
            self.ip_rooms[i].d.next = self.ip_rooms[i].q.val();
            self.headers[i].clock.next = self.clock.val();
            self.headers[i].d.next = self.headers[i].q.val();
        }
        self.valids[0].d.next = self.valid.val();

        // Gather and decode.
        self.arriving.next = self.walk.val();
        self.bytes_before.next = bit_cast::<8, 7>(self.arriving.val().at) << 1;
        self.gather.enable.next = self.valid.val() & self.arriving.val().open;
        self.gather.window.next = self.window.val();
        self.gather.at.next = self.arriving.val().at - self.first.val();
        self.decoded.next.tcp = self.arriving.val().protocol == bits::<8>(6);
        self.decoded.next.udp = self.arriving.val().protocol == bits::<8>(17);
        self.decoded.next.sctp = self.arriving.val().protocol == bits::<8>(132);
        self.decoded.next.icmp = ((self.arriving.val().protocol == bits::<8>(1)) & !self.arriving.val().v6)
            | ((self.arriving.val().protocol == bits::<8>(58)) & self.arriving.val().v6);
        self.decoded.next.gre = self.arriving.val().protocol == bits::<8>(47);
        self.decoded.next.ipv4 = self.arriving.val().protocol == bits::<8>(4);
        self.decoded.next.ipv6 = self.arriving.val().protocol == bits::<8>(41);
        self.decoded.next.extension = self.arriving.val().v6
            & ((self.arriving.val().protocol == bits::<8>(0))
                | (self.arriving.val().protocol == bits::<8>(43))
                | (self.arriving.val().protocol == bits::<8>(44))
                | (self.arriving.val().protocol == bits::<8>(60)));
        if self.valid.val() {
            self.walks[0].d.next = self.arriving.val();
            self.windows[0].d.next = self.window.val();
            self.meanings[0].d.next = self.decoded.val();
            self.rooms[0].d.next = self.arriving.val().length - self.bytes_before.val();
            self.ip_rooms[0].d.next = self.arriving.val().ip_end - self.bytes_before.val();
        }
        self.waiting.next = self.walks[0].q.val();
        self.place.next = bit_cast::<7, 3>(self.waiting.val().at.get_bits::<3>(0)) << 4;
        if self.valids[0].q.val() {
            self.walks[1].d.next = self.walks[0].q.val();
            self.windows[1].d.next = self.windows[0].q.val();
            self.meanings[1].d.next = self.meanings[0].q.val();
            self.rooms[1].d.next = self.rooms[0].q.val();
            self.ip_rooms[1].d.next = self.ip_rooms[0].q.val();
            if self.waiting.val().open {
                self.headers[0].d.next = self.gather.block.val().get_bits::<176>(self.place.val().index());
            }
        }

        // Check. Upper half of byte 12: TCP's data offset, in words.
        self.now.next = self.walks[1].q.val();
        self.meaning.next = self.meanings[1].q.val();
        self.now_header.next = self.headers[0].q.val();
        self.known.next =
            self.meaning.val().tcp | self.meaning.val().udp | self.meaning.val().sctp | self.meaning.val().icmp;
        self.size.next = bits::<6>(8);
        if self.meaning.val().tcp {
            self.size.next = bit_cast::<6, 4>(self.now_header.val().get_bits::<4>(100)) << 2;
        } else if self.meaning.val().sctp {
            self.size.next = bits::<6>(12);
        }
        self.short.next = self.meaning.val().tcp & (self.size.val() < bits::<6>(20));
        self.missing.next = (self.rooms[1].q.val() < bit_cast::<8, 6>(self.size.val()))
            | (self.meaning.val().tcp & (self.rooms[1].q.val() < bits::<8>(13)));
        // Ports as they lie in the header: 0x6808 is port 2152.
        self.udp_kind.next = bits::<4>(0);
        if self.now_header.val().get_bits::<16>(16) == bits::<16>(0x6808) {
            self.udp_kind.next = bits::<4>(1);
        } else if self.now_header.val().get_bits::<16>(16) == bits::<16>(0xb512) {
            self.udp_kind.next = bits::<4>(2);
        } else if self.now_header.val().get_bits::<16>(16) == bits::<16>(0xc117) {
            self.udp_kind.next = bits::<4>(3);
        } else if (self.now_header.val().get_bits::<16>(16) == bits::<16>(0xa506))
            | (self.now_header.val().get_bits::<16>(0) == bits::<16>(0xa506))
        {
            self.udp_kind.next = bits::<4>(6);
        }
        self.good.next = false;
        self.class.next = self.now.val().class;
        self.tunnel.next = bits::<4>(0);
        if self.now.val().open {
            self.class.next = bits::<4>(5);
            if self.meaning.val().extension {
                self.class.next = bits::<4>(7);
            } else if self.known.val() {
                if self.missing.val() {
                    self.class.next = bits::<4>(8);
                    if self.now.val().cut {
                        self.class.next = bits::<4>(9);
                    }
                    if self.short.val() & (self.rooms[1].q.val() >= bits::<8>(13)) {
                        self.class.next = bits::<4>(8);
                    }
                } else if self.short.val() | (self.ip_rooms[1].q.val() < bit_cast::<8, 6>(self.size.val())) {
                    self.class.next = bits::<4>(8);
                } else {
                    self.good.next = true;
                    if !self.meaning.val().icmp {
                        self.class.next = bits::<4>(4);
                    }
                    if self.meaning.val().udp {
                        self.tunnel.next = self.udp_kind.val();
                    }
                }
            } else if self.meaning.val().gre {
                self.tunnel.next = bits::<4>(5);
            } else if self.meaning.val().ipv4 | self.meaning.val().ipv6 {
                self.tunnel.next = bits::<4>(7);
            }
        }
        self.found.next.ip = self.now.val().ip;
        self.found.next.start = self.now.val().start;
        self.found.next.end = self.now.val().at;
        self.found.next.l4_bytes = bits::<6>(0);
        if self.good.val() {
            self.found.next.l4_bytes = self.size.val();
        }
        self.found.next.protocol = self.now.val().protocol;
        self.found.next.has_ports = self.good.val() & !self.meaning.val().icmp;
        self.found.next.fragment = self.now.val().fragment;
        self.found.next.ports = self.now_header.val().get_bits::<32>(0);
        self.result.next.open = self.now.val().open & !self.is_inner.val();
        self.result.next.class = self.class.val();
        if self.tunnel.val().any() & self.is_inner.val() {
            self.result.next.class = bits::<4>(14);
        }
        self.result.next.follows = bits::<3>(0);
        self.result.next.v6 = self.meaning.val().ipv6;
        self.result.next.ethernet = self.now.val().ethernet;
        self.result.next.at = self.now.val().at;
        if self.meaning.val().udp {
            self.result.next.at = self.now.val().at + bits::<7>(4);
        }
        // A tunnel ends with its packet.
        self.packet_ends.next = self.now.val().ip_end <= self.now.val().length;
        self.result.next.length = self.now.val().length;
        self.result.next.cut = self.now.val().cut & !self.packet_ends.val();
        self.left_over.next = self.rooms[1].q.val();
        if self.packet_ends.val() {
            self.result.next.length = self.now.val().ip_end;
            self.left_over.next = self.ip_rooms[1].q.val();
        }
        if self.valids[1].q.val() {
            self.layer_register.d.next = self.found.val();
            self.walk_register.d.next = self.result.val();
            self.kind_register.d.next = self.tunnel.val();
            self.room_register.d.next = self.left_over.val();
            if self.meaning.val().udp {
                self.room_register.d.next = self.left_over.val() - bits::<8>(8);
            }
            self.headers[1].d.next = self.headers[0].q.val();
            self.windows[2].d.next = self.windows[1].q.val();
        }

        self.out_valid.next = self.valids[2].q.val();
        self.layer.next = self.layer_register.q.val();
        self.out_walk.next = self.walk_register.q.val();
        self.kind.next = self.kind_register.q.val();
        self.room.next = self.room_register.q.val();
        self.header.next = self.headers[1].q.val();
        self.out_window.next = self.windows[2].q.val();
    }
}
