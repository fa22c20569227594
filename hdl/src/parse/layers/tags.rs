//! The end of an Ethernet header inside a tunnel or pseudowire.

use crate::prelude::*;

/// From three possible ethertypes to what follows. No register.
#[derive(LogicBlock, Default)]
pub struct InnerTags {
    /// Bytes 12 and 13 of the Ethernet header, 16 and 17, 20 and 21.
    pub types: Signal<In, Bits<48>>,
    /// Bytes of the window from the Ethernet header on.
    pub room: Signal<In, Bits<8>>,
    /// The 14 bytes of the header are there.
    pub header: Signal<Out, Bit>,
    /// The header or a tag is not there.
    pub missing: Signal<Out, Bit>,
    /// IP follows, if nothing is missing.
    pub ip: Signal<Out, Bit>,
    /// IPv6 follows.
    pub v6: Signal<Out, Bit>,
    /// Bytes of header and tags, in units of two.
    pub size: Signal<Out, Bits<4>>,
    tag_0: Signal<Local, Bit>,
    tag_1: Signal<Local, Bit>,
    type_0: Signal<Local, Bits<16>>,
    type_1: Signal<Local, Bits<16>>,
    ethertype: Signal<Local, Bits<16>>,
}

impl Logic for InnerTags {
    #[hdl_gen]
    fn update(&mut self) {
        self.type_0.next = self.types.val().get_bits::<16>(0);
        self.type_1.next = self.types.val().get_bits::<16>(16);
        self.tag_0.next = (self.type_0.val() == bits::<16>(0x0081))
            | (self.type_0.val() == bits::<16>(0xa888))
            | (self.type_0.val() == bits::<16>(0x0091));
        self.tag_1.next = (self.type_1.val() == bits::<16>(0x0081))
            | (self.type_1.val() == bits::<16>(0xa888))
            | (self.type_1.val() == bits::<16>(0x0091));
        self.header.next = self.room.val() >= bits::<8>(14);
        self.missing.next = self.room.val() < bits::<8>(14);
        self.ethertype.next = self.type_0.val();
        self.size.next = bits::<4>(7);
        if self.tag_0.val() & self.tag_1.val() {
            self.missing.next = self.room.val() < bits::<8>(22);
            self.ethertype.next = self.types.val().get_bits::<16>(32);
            self.size.next = bits::<4>(11);
        } else if self.tag_0.val() {
            self.missing.next = self.room.val() < bits::<8>(18);
            self.ethertype.next = self.type_1.val();
            self.size.next = bits::<4>(9);
        }
        self.v6.next = self.ethertype.val() == bits::<16>(0xdd86);
        self.ip.next = (self.ethertype.val() == bits::<16>(0x0008)) | self.v6.val();
    }
}
