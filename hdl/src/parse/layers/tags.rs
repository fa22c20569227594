//! The end of an Ethernet header inside a tunnel or pseudowire.

use crate::prelude::*;

/// One clock: from three possible ethertypes to what follows.
///
/// What the ethertypes are is found in the first clock, so that the second one only chooses.
#[derive(LogicBlock, Default)]
pub struct InnerTags {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Take `types` at this clock.
    pub enable: Signal<In, Bit>,
    /// Bytes 12 and 13 of the Ethernet header, 16 and 17, 20 and 21.
    pub types: Signal<In, Bits<48>>,
    /// One clock later: bytes of the window from the Ethernet header on.
    pub room: Signal<In, Bits<8>>,
    /// With `room`: the 14 bytes of the header are there.
    pub header: Signal<Out, Bit>,
    /// The header or a tag is not there.
    pub missing: Signal<Out, Bit>,
    /// IP follows, if nothing is missing.
    pub ip: Signal<Out, Bit>,
    /// IPv6 follows.
    pub v6: Signal<Out, Bit>,
    /// Bytes of header and tags, in units of two.
    pub size: Signal<Out, Bits<4>>,
    tag: [Reg<Bit>; 2],
    ipv4: [Reg<Bit>; 3],
    ipv6: [Reg<Bit>; 3],
    ethertype: [Signal<Local, Bits<16>>; 3],
}

impl Logic for InnerTags {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..2 {
            self.tag[i].clock.next = self.clock.val();
            self.tag[i].d.next = self.tag[i].q.val();
        }
        for i in 0..3 {
            self.ipv4[i].clock.next = self.clock.val();
            self.ipv4[i].d.next = self.ipv4[i].q.val();
            self.ipv6[i].clock.next = self.clock.val();
            self.ipv6[i].d.next = self.ipv6[i].q.val();
            self.ethertype[i].next = self.types.val().get_bits::<16>(16 * i);
        }
        if self.enable.val() {
            for i in 0..2 {
                self.tag[i].d.next = (self.ethertype[i].val() == bits::<16>(0x0081))
                    | (self.ethertype[i].val() == bits::<16>(0xa888))
                    | (self.ethertype[i].val() == bits::<16>(0x0091));
            }
            for i in 0..3 {
                self.ipv4[i].d.next = self.ethertype[i].val() == bits::<16>(0x0008);
                self.ipv6[i].d.next = self.ethertype[i].val() == bits::<16>(0xdd86);
            }
        }

        self.header.next = self.room.val() >= bits::<8>(14);
        if self.tag[0].q.val() & self.tag[1].q.val() {
            self.missing.next = self.room.val() < bits::<8>(22);
            self.ip.next = self.ipv4[2].q.val() | self.ipv6[2].q.val();
            self.v6.next = self.ipv6[2].q.val();
            self.size.next = bits::<4>(11);
        } else if self.tag[0].q.val() {
            self.missing.next = self.room.val() < bits::<8>(18);
            self.ip.next = self.ipv4[1].q.val() | self.ipv6[1].q.val();
            self.v6.next = self.ipv6[1].q.val();
            self.size.next = bits::<4>(9);
        } else {
            self.missing.next = self.room.val() < bits::<8>(14);
            self.ip.next = self.ipv4[0].q.val() | self.ipv6[0].q.val();
            self.v6.next = self.ipv6[0].q.val();
            self.size.next = bits::<4>(7);
        }
    }
}
