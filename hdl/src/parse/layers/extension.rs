//! IPv6 extension headers: one every two clocks.
//!
//! # Theory of operation
//! The first clock gathers the header's first four bytes from where the walk stands; the second takes the step. A walk that has
//! ended, or whose protocol is no extension header, passes unchanged. A header whose length byte lies outside the window needs no
//! rule of its own: whatever the byte says, the header is at least 8 bytes long and ends outside too.

use super::gather::GatherWord;
use super::types::Walk;
use crate::prelude::*;

/// Two clocks: steps over at most one extension header. `N`: bits of the window.
#[derive(LogicBlock)]
pub struct ExtensionStage<const N: usize> {
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
    /// Where its walk stands.
    pub out_walk: Signal<Out, Walk>,
    /// Its window.
    pub out_window: Signal<Out, Bits<N>>,
    first: Constant<Bits<7>>,
    gather: GatherWord<N>,
    gathered: RegR<Bit>,
    walk_gathered: Reg<Walk>,
    window_gathered: Reg<Bits<N>>,
    room: Reg<Bits<8>>,
    ip_room: Reg<Bits<8>>,
    stepped: RegR<Bit>,
    walk_stepped: Reg<Walk>,
    window_stepped: Reg<Bits<N>>,
    arriving: Signal<Local, Walk>,
    bytes_before: Signal<Local, Bits<8>>,
    now: Signal<Local, Walk>,
    header: Signal<Local, Bits<32>>,
    result: Signal<Local, Walk>,
    is_fragment: Signal<Local, Bit>,
    is_extension: Signal<Local, Bit>,
    more_units: Signal<Local, Bits<8>>,
}

impl<const N: usize> ExtensionStage<N> {
    fn new(first: u8) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            walk: Signal::default(),
            window: Signal::default(),
            out_valid: Signal::default(),
            out_walk: Signal::default(),
            out_window: Signal::default(),
            first: Constant::new(bits(first.into())),
            gather: GatherWord::default(),
            gathered: RegR::default(),
            walk_gathered: Reg::default(),
            window_gathered: Reg::default(),
            room: Reg::default(),
            ip_room: Reg::default(),
            stepped: RegR::default(),
            walk_stepped: Reg::default(),
            window_stepped: Reg::default(),
            arriving: Signal::default(),
            bytes_before: Signal::default(),
            now: Signal::default(),
            header: Signal::default(),
            result: Signal::default(),
            is_fragment: Signal::default(),
            is_extension: Signal::default(),
            more_units: Signal::default(),
        }
    }

    /// Behind the outer IP header. The window starts at byte 30.
    pub fn outer() -> Self {
        Self::new(8)
    }

    /// Behind the inner IP header. The window starts at byte 46.
    pub fn inner() -> Self {
        Self::new(16)
    }
}

impl<const N: usize> Logic for ExtensionStage<N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, gathered, walk_gathered, window_gathered, room, ip_room);
        dff_setup!(self, clock, stepped, walk_stepped, window_stepped);
        clock!(self, clock, gather);
        self.gathered.reset.next = self.reset.val();
        self.stepped.reset.next = self.reset.val();
        self.gathered.d.next = self.valid.val();
        self.stepped.d.next = self.gathered.q.val();

        // Gather. `room` and `ip_room`: bytes up to the window's end and up to the packet's.
        self.arriving.next = self.walk.val();
        self.bytes_before.next = bit_cast::<8, 7>(self.arriving.val().at) << 1;
        self.gather.enable.next = self.valid.val() & self.arriving.val().open & self.arriving.val().v6;
        self.gather.window.next = self.window.val();
        self.gather.at.next = self.arriving.val().at - self.first.val();
        if self.valid.val() {
            self.walk_gathered.d.next = self.arriving.val();
            self.window_gathered.d.next = self.window.val();
            self.room.d.next = self.arriving.val().length - self.bytes_before.val();
            self.ip_room.d.next = self.arriving.val().ip_end - self.bytes_before.val();
        }

        // Step. A header takes 8 bytes, and 8 times its second byte more.
        self.now.next = self.walk_gathered.q.val();
        self.header.next = self.gather.word.val();
        self.is_fragment.next = self.now.val().protocol == bits::<8>(44);
        self.is_extension.next = self.is_fragment.val()
            | (self.now.val().protocol == bits::<8>(0))
            | (self.now.val().protocol == bits::<8>(43))
            | (self.now.val().protocol == bits::<8>(60));
        self.more_units.next = self.header.val().get_bits::<8>(8);
        if self.is_fragment.val() {
            self.more_units.next = bits::<8>(0);
        }
        self.result.next = self.now.val();
        if self.now.val().open & self.now.val().v6 & self.is_extension.val() {
            if self.more_units.val() >= bit_cast::<8, 5>(self.room.q.val().get_bits::<5>(3)) {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(8);
                if self.now.val().cut {
                    self.result.next.class = bits::<4>(9);
                }
            } else if self.more_units.val() >= bit_cast::<8, 5>(self.ip_room.q.val().get_bits::<5>(3)) {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(8);
            } else {
                self.result.next.at =
                    self.now.val().at + (bit_cast::<7, 5>(self.more_units.val().get_bits::<5>(0)) << 2) + bits::<7>(4);
                self.result.next.protocol = self.header.val().get_bits::<8>(0);
                // Fragment offset: byte 2 and the upper five bits of byte 3.
                if self.is_fragment.val()
                    & (self.header.val().get_bits::<8>(16).any() | self.header.val().get_bits::<5>(27).any())
                {
                    self.result.next.open = false;
                    self.result.next.class = bits::<4>(6);
                    self.result.next.fragment = true;
                }
            }
        }
        if self.gathered.q.val() {
            self.walk_stepped.d.next = self.result.val();
            self.window_stepped.d.next = self.window_gathered.q.val();
        }

        self.out_valid.next = self.stepped.q.val();
        self.out_walk.next = self.walk_stepped.q.val();
        self.out_window.next = self.window_stepped.q.val();
    }
}
