//! GTP-U's extension headers: one every two clocks.
//!
//! # Theory of operation
//! The byte in front of each extension header says its type, its own first byte its length. Both come out of one gather two bytes in front of where
//! the walk stands.

use super::gather::GatherWord;
use super::types::TunnelWalk;
use crate::prelude::*;

/// Two clocks: steps over at most one extension header. `N`: bits of the window, which starts at byte 30.
#[derive(LogicBlock, Default)]
pub struct GtpuStage<const N: usize> {
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
    pub out_walk: Signal<Out, TunnelWalk>,
    /// Its window.
    pub out_window: Signal<Out, Bits<N>>,
    gather: GatherWord<N>,
    gathered: RegR<Bit>,
    walk_gathered: Reg<TunnelWalk>,
    window_gathered: Reg<Bits<N>>,
    room: Reg<Bits<8>>,
    stepped: RegR<Bit>,
    walk_stepped: Reg<TunnelWalk>,
    window_stepped: Reg<Bits<N>>,
    now: Signal<Local, TunnelWalk>,
    units: Signal<Local, Bits<8>>,
    result: Signal<Local, TunnelWalk>,
}

impl<const N: usize> Logic for GtpuStage<N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, gathered, walk_gathered, window_gathered, room);
        dff_setup!(self, clock, stepped, walk_stepped, window_stepped);
        clock!(self, clock, gather);
        self.gathered.reset.next = self.reset.val();
        self.stepped.reset.next = self.reset.val();
        self.gathered.d.next = self.valid.val();
        self.stepped.d.next = self.gathered.q.val();

        // Gather.
        self.gather.enable.next = self.valid.val() & self.walk.val().open & (self.walk.val().follows == bits::<3>(4));
        self.gather.window.next = self.window.val();
        self.gather.at.next = self.walk.val().at - bits::<7>(9);
        if self.valid.val() {
            self.walk_gathered.d.next = self.walk.val();
            self.window_gathered.d.next = self.window.val();
            self.room.d.next = self.walk.val().length - (bit_cast::<8, 7>(self.walk.val().at) << 1);
        }

        // Step. A header takes four bytes times its first byte.
        self.now.next = self.walk_gathered.q.val();
        self.units.next = self.gather.word.val().get_bits::<8>(16);
        self.result.next = self.now.val();
        if self.now.val().open & (self.now.val().follows == bits::<3>(4)) {
            if !self.gather.word.val().get_bits::<8>(8).any() {
                self.result.next.follows = bits::<3>(3);
            } else if !self.room.q.val().any()
                | (self.units.val() > bit_cast::<8, 6>(self.room.q.val().get_bits::<6>(2)))
            {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(13);
                if self.now.val().cut {
                    self.result.next.class = bits::<4>(9);
                }
            } else if !self.units.val().any() {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(13);
            } else {
                self.result.next.at = self.now.val().at + (bit_cast::<7, 6>(self.units.val().get_bits::<6>(0)) << 1);
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
