//! Every primitive, and a block that is built by hand.

use crate::bench::{Case, Random};
use crate::case;
use num_bigint::BigUint;
use rust_hdl::core::prelude::*;
use writ_hdl::emit::Port;
use writ_hdl::prelude::*;
use writ_hdl::prim::build;

/// Registers without and with reset, of words, bits and enums; one whose `d` is read by others.
#[derive(LogicBlock)]
struct Registers {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub data: Signal<In, Bits<70>>,
    pub enable: Signal<In, Bit>,
    pub plain: Signal<Out, Bits<70>>,
    pub held: Signal<Out, Bits<70>>,
    pub preset: Signal<Out, Bits<7>>,
    pub next: Signal<Out, Bits<7>>,
    pub parts: Signal<Out, Bits<70>>,
    pub late: Signal<Out, Bit>,
    pub copy: Signal<Out, Bits<7>>,
    plain_register: Reg<Bits<70>>,
    held_register: RegR<Bits<70>>,
    preset_register: RegR<Bits<7>>,
    bit_register: Reg<Bit>,
    late_register: Synchronizer<Bit>,
    copy_register: Reg<Bits<7>>,
}

impl Default for Registers {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            data: Signal::default(),
            enable: Signal::default(),
            plain: Signal::default(),
            held: Signal::default(),
            preset: Signal::default(),
            next: Signal::default(),
            parts: Signal::default(),
            late: Signal::default(),
            copy: Signal::default(),
            plain_register: Reg::default(),
            held_register: RegR::default(),
            preset_register: RegR::new(bits(0x55)),
            bit_register: Reg::default(),
            late_register: Synchronizer::default(),
            copy_register: Reg::default(),
        }
    }
}

impl Logic for Registers {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held_register, preset_register);
        clock!(self, clock, plain_register, bit_register, late_register, copy_register);
        self.held_register.reset.next = self.reset.val();
        self.preset_register.reset.next = self.reset.val();
        self.plain_register.d.next = self.data.val();
        self.bit_register.d.next = self.data.val().any() ^ self.enable.val();
        self.late_register.d.next = self.bit_register.q.val();
        if self.enable.val() {
            self.held_register.d.next = self.data.val();
            self.preset_register.d.next = self.preset_register.q.val() - 1;
        }
        self.next.next = self.preset_register.d.val();
        self.plain.next = self.plain_register.q.val();
        self.held.next = self.held_register.q.val();
        self.preset.next = self.preset_register.q.val();
        self.parts.next = self.plain_register.q.val() ^ self.held_register.q.val();
        self.late.next = self.late_register.q.val();
        self.copy_register.d.next = self.preset_register.d.val();
        self.copy.next = self.copy_register.q.val();
    }
}

/// Memories of all kinds, written and read together at few addresses, so that they collide.
#[derive(LogicBlock)]
struct Memories {
    pub clock: Signal<In, Clock>,
    pub write: Signal<In, Bit>,
    pub write_address: Signal<In, Bits<3>>,
    pub data: Signal<In, Bits<70>>,
    pub enable_0: Signal<In, Bit>,
    pub enable_1: Signal<In, Bit>,
    pub address_0: Signal<In, Bits<3>>,
    pub address_1: Signal<In, Bits<3>>,
    pub one: Signal<Out, Bits<70>>,
    pub two_0: Signal<Out, Bits<9>>,
    pub two_1: Signal<Out, Bits<9>>,
    pub shared_0: Signal<Out, Bits<40>>,
    pub shared_1: Signal<Out, Bits<40>>,
    pub shared_ultra_0: Signal<Out, Bits<40>>,
    pub shared_ultra_1: Signal<Out, Bits<40>>,
    pub at_once: Signal<Out, Bit>,
    single: Ram1r1w<Bits<70>, 3>,
    double: Ram2r1w<Bits<9>, 3>,
    shared: Ram2p<Bits<40>, 3>,
    shared_ultra: Ram2p<Bits<40>, 3>,
    distributed: LutRam<Bit, 3>,
}

impl Default for Memories {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            write: Signal::default(),
            write_address: Signal::default(),
            data: Signal::default(),
            enable_0: Signal::default(),
            enable_1: Signal::default(),
            address_0: Signal::default(),
            address_1: Signal::default(),
            one: Signal::default(),
            two_0: Signal::default(),
            two_1: Signal::default(),
            shared_0: Signal::default(),
            shared_1: Signal::default(),
            shared_ultra_0: Signal::default(),
            shared_ultra_1: Signal::default(),
            at_once: Signal::default(),
            single: Ram1r1w::new(RamStyle::Ultra),
            double: Ram2r1w::new(RamStyle::Block),
            shared: Ram2p::new(RamStyle::Block),
            shared_ultra: Ram2p::new(RamStyle::Ultra),
            distributed: LutRam::default(),
        }
    }
}

impl Logic for Memories {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, single, double, shared, shared_ultra, distributed);
        self.single.write_enable.next = self.write.val();
        self.single.write_address.next = self.write_address.val();
        self.single.write_data.next = self.data.val();
        self.single.read_enable.next = self.enable_0.val();
        self.single.read_address.next = self.address_0.val();
        self.one.next = self.single.read_data.val();
        self.double.write_enable.next = self.write.val();
        self.double.write_address.next = self.write_address.val() + 1;
        self.double.write_data.next = self.data.val().get_bits::<9>(3);
        self.double.read_enable_0.next = self.enable_0.val();
        self.double.read_address_0.next = self.address_0.val();
        self.double.read_enable_1.next = self.enable_1.val();
        self.double.read_address_1.next = self.address_1.val();
        self.two_0.next = self.double.read_data_0.val();
        self.two_1.next = self.double.read_data_1.val();
        self.shared.enable_0.next = self.enable_0.val();
        self.shared.write_0.next = self.write.val();
        self.shared.address_0.next = self.address_0.val();
        self.shared.write_data.next = self.data.val().get_bits::<40>(7);
        self.shared.enable_1.next = self.enable_1.val();
        self.shared.address_1.next = self.address_1.val();
        self.shared_0.next = self.shared.read_data_0.val();
        self.shared_1.next = self.shared.read_data_1.val();
        self.shared_ultra.enable_0.next = self.enable_0.val();
        self.shared_ultra.write_0.next = self.write.val();
        self.shared_ultra.address_0.next = self.address_0.val();
        self.shared_ultra.write_data.next = self.data.val().get_bits::<40>(30);
        self.shared_ultra.enable_1.next = self.enable_1.val();
        self.shared_ultra.address_1.next = self.address_1.val();
        self.shared_ultra_0.next = self.shared_ultra.read_data_0.val();
        self.shared_ultra_1.next = self.shared_ultra.read_data_1.val();
        self.distributed.write_enable.next = self.write.val();
        self.distributed.write_address.next = self.write_address.val();
        self.distributed.write_data.next = self.data.val().xor();
        self.distributed.read_address.next = self.address_1.val();
        self.at_once.next = self.distributed.read_data.val();
    }
}

/// Logic from a table: parities of masks over a wide word, a decoder, a word put together from parts.
#[derive(LogicBlock)]
struct Table {
    pub word: Signal<In, Bits<200>>,
    pub address: Signal<In, Bits<8>>,
    pub hash: Signal<Out, Bits<12>>,
    pub decoded: Signal<Out, Bits<16>>,
    pub swapped: Signal<Out, Bits<200>>,
    _masks: Vec<[u8; 25]>,
    _values: Vec<(u64, u64)>,
}

impl Default for Table {
    fn default() -> Self {
        let mut random = Random::new(99);
        Self {
            word: Signal::default(),
            address: Signal::default(),
            hash: Signal::default(),
            decoded: Signal::default(),
            swapped: Signal::default(),
            _masks: (0..12).map(|_| core::array::from_fn(|_| random.word() as u8)).collect(),
            _values: (0..20).map(|index| (index * 11, random.word() & 0xffff)).collect(),
        }
    }
}

impl Logic for Table {
    fn update(&mut self) {
        let word = self.word.val();
        let mut hash = bits::<12>(0);
        for (bit, mask) in self._masks.iter().enumerate() {
            let mask = Bits::<200>::from(BigUint::from_bytes_le(mask));
            hash = hash.replace_bit(bit, (word & mask).xor());
        }
        self.hash.next = hash;
        let value = self._values.iter().find(|(address, _)| self.address.val() == *address);
        self.decoded.next = value.map_or(bits(0xdead), |(_, value)| bits(*value));
        let mut bytes = BigUint::from(word).to_bytes_le();
        bytes.resize(25, 0);
        bytes.reverse();
        self.swapped.next = BigUint::from_bytes_le(&bytes).into();
    }

    fn connect(&mut self) {
        self.hash.connect();
        self.decoded.connect();
        self.swapped.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut statements = Vec::new();
        for (bit, mask) in self._masks.iter().enumerate() {
            let parity = build::signal("word").and(build::literal_bytes(200, mask)).parity();
            statements.push(build::assign_slice("hash", bit, 1, parity));
        }
        let arms = self._values.iter().map(|(address, value)| {
            (u128::from(*address), vec![build::assign("decoded", build::literal(16, u128::from(*value)))])
        });
        let otherwise = vec![build::assign("decoded", build::literal(16, 0xdead))];
        statements.push(build::switch(build::signal("address"), arms, otherwise));
        let bytes = (0..25).rev().map(|byte| (8, build::signal("word").slice(byte * 8, 8)));
        statements.push(build::assign("swapped", build::concat(200, bytes)));
        build::kernel(statements)
    }
}

/// Bursts of writes and of reads, so that FIFOs run full and empty.
fn bursts(random: &mut Random, port: &Port) -> BigUint {
    match port.name.as_str() {
        "reset" => u8::from(random.one_in(300)).into(),
        "write" | "read" => u8::from(!random.one_in(3)).into(),
        _ => random.value(port.width),
    }
}

/// All cases of this file.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case!(
            "registers",
            Registers::default(),
            [reset, data, enable],
            [plain, held, preset, next, parts, late, copy],
            clock
        ),
        case!(
            "memories",
            Memories::default(),
            [write, write_address, data, enable_0, enable_1, address_0, address_1],
            [one, two_0, two_1, shared_0, shared_1, shared_ultra_0, shared_ultra_1, at_once],
            clock
        ),
        case!("table", Table::default(), [word, address], [hash, decoded, swapped]),
    ];
    let fifos = [
        case!(
            "fifo_block",
            Fifo::<Bits<40>, 3, 4>::new(RamStyle::Block),
            [reset, write, data_in, read],
            [full, data_out, valid, count, space],
            clock
        ),
        case!(
            "fifo_distributed",
            Fifo::<Bits<1>, 1, 2>::new(RamStyle::Distributed),
            [reset, write, data_in, read],
            [full, data_out, valid, count, space],
            clock
        ),
        case!(
            "fifo_ultra",
            Fifo::<Bits<9>, 5, 6>::new(RamStyle::Ultra),
            [reset, write, data_in, read],
            [full, data_out, valid, count, space],
            clock
        ),
    ];
    cases.extend(fifos.into_iter().map(|case| Case { stimulus: bursts, ..case }));
    cases
}
