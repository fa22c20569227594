//! Stages 4 to 11: one IPv6 extension header every two stages.
//!
//! # Theory of operation
//! The first clock gathers the header's first four bytes from where the walk stands; the second takes the step. A walk that has
//! ended, or whose protocol is no extension header, passes unchanged. A header whose length byte lies outside the window needs no
//! rule of its own: whatever the byte says, the header is at least 8 bytes long and ends outside too.

use super::types::{Luggage, Walk};
use crate::prelude::*;

/// Two clocks: steps over at most one extension header.
#[derive(LogicBlock, Default)]
pub struct ExtensionStage {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Where its walk stands.
    pub walk: Signal<In, Walk>,
    /// What rides along.
    pub luggage: Signal<In, Luggage>,
    /// Bytes 34 to 191 of the window.
    pub rest: Signal<In, Bits<1264>>,
    /// There is a frame at the outputs.
    pub out_valid: Signal<Out, Bit>,
    /// Where its walk stands.
    pub out_walk: Signal<Out, Walk>,
    /// What rides along.
    pub out_luggage: Signal<Out, Luggage>,
    /// Bytes 34 to 191 of the window.
    pub out_rest: Signal<Out, Bits<1264>>,
    gathered: RegR<Bit>,
    walk_gathered: Reg<Walk>,
    luggage_gathered: Reg<Luggage>,
    rest_gathered: Reg<Bits<1264>>,
    header: Reg<Bits<32>>,
    stepped: RegR<Bit>,
    walk_stepped: Reg<Walk>,
    luggage_stepped: Reg<Luggage>,
    rest_stepped: Reg<Bits<1264>>,
    place: Signal<Local, Bits<11>>,
    now: Signal<Local, Walk>,
    result: Signal<Local, Walk>,
    is_fragment: Signal<Local, Bit>,
    is_extension: Signal<Local, Bit>,
    words: Signal<Local, Bits<10>>,
    end_word: Signal<Local, Bits<10>>,
    end: Signal<Local, Bits<17>>,
}

impl Logic for ExtensionStage {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, gathered, walk_gathered, luggage_gathered, rest_gathered, header);
        dff_setup!(self, clock, stepped, walk_stepped, luggage_stepped, rest_stepped);
        self.gathered.reset.next = self.reset.val();
        self.stepped.reset.next = self.reset.val();
        self.gathered.d.next = self.valid.val();
        self.stepped.d.next = self.gathered.q.val();

        // Gather. Word 5 of the walk (byte 34) is bit 0 of `rest`; an extension header never starts in front of word 10.
        self.place.next = bit_cast::<11, 6>(self.walk.val().word - bits::<6>(5)) << 5;
        if self.valid.val() {
            self.walk_gathered.d.next = self.walk.val();
            self.luggage_gathered.d.next = self.luggage.val();
            self.rest_gathered.d.next = self.rest.val();
            if self.walk.val().open & self.walk.val().v6 {
                self.header.d.next = self.rest.val().get_bits::<32>(self.place.val().index());
            }
        }

        // Step.
        self.now.next = self.walk_gathered.q.val();
        self.is_fragment.next = self.now.val().protocol == bits::<8>(44);
        self.is_extension.next = self.is_fragment.val()
            | (self.now.val().protocol == bits::<8>(0))
            | (self.now.val().protocol == bits::<8>(43))
            | (self.now.val().protocol == bits::<8>(60));
        self.words.next = (bit_cast::<10, 8>(self.header.q.val().get_bits::<8>(8)) + bits::<10>(1)) << 1;
        if self.is_fragment.val() {
            self.words.next = bits::<10>(2);
        }
        self.end_word.next = bit_cast::<10, 6>(self.now.val().word) + self.words.val();
        self.end.next = (bit_cast::<17, 10>(self.end_word.val()) << 2) + bits::<17>(14);
        self.result.next = self.now.val();
        if self.now.val().open & self.now.val().v6 & self.is_extension.val() {
            if (self.end.val() > bit_cast::<17, 8>(self.now.val().length)) | (self.end.val() > self.now.val().ip_end) {
                self.result.next.open = false;
                self.result.next.class = bits::<4>(8);
            } else {
                self.result.next.word = self.end_word.val().get_bits::<6>(0);
                self.result.next.protocol = self.header.q.val().get_bits::<8>(0);
                // Fragment offset: byte 2 and the upper five bits of byte 3.
                if self.is_fragment.val()
                    & (self.header.q.val().get_bits::<8>(16).any() | self.header.q.val().get_bits::<5>(27).any())
                {
                    self.result.next.open = false;
                    self.result.next.class = bits::<4>(6);
                }
            }
        }
        if self.gathered.q.val() {
            self.walk_stepped.d.next = self.result.val();
            self.luggage_stepped.d.next = self.luggage_gathered.q.val();
            self.rest_stepped.d.next = self.rest_gathered.q.val();
        }

        self.out_valid.next = self.stepped.q.val();
        self.out_walk.next = self.walk_stepped.q.val();
        self.out_luggage.next = self.luggage_stepped.q.val();
        self.out_rest.next = self.rest_stepped.q.val();
    }
}
