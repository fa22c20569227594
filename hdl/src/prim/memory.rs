//! Memories. They have no reset and hold zero (`D::default()`) in simulation until written. All but one have one clock.

use super::marker::{Marker, RamStyle};
use rust_hdl::core::prelude::*;
use std::collections::BTreeMap;

/// Contents of a simulated memory: what was never written is the default value.
#[derive(Clone, Debug)]
struct Contents<D: Synth>(BTreeMap<LiteralType, D>);

impl<D: Synth> Contents<D> {
    /// # Panics
    /// If the type's default is not zero: no memory powers up as anything else.
    fn new() -> Self {
        let default = Marker::digits(D::default());
        assert!(default.bytes().all(|digit| digit == b'0'), "words of a memory whose default is {default}, not zero");
        Self(BTreeMap::new())
    }

    fn read<const A: usize>(&self, address: Bits<A>) -> D {
        self.0.get(&address.into()).copied().unwrap_or_default()
    }

    fn write<const A: usize>(&mut self, address: Bits<A>, data: D) {
        self.0.insert(address.into(), data);
    }
}

/// A memory of 2^A words with one write port and one read port.
///
/// The word appears one clock after its address. A read of the address that the same clock writes returns the old word.
/// `read_enable` low keeps the word that was read last, which also spares the simulator from copying wide words.
#[derive(Clone, Debug, LogicBlock)]
pub struct Ram1r1w<D: Synth, const A: usize> {
    /// Clock of both ports.
    pub clock: Signal<In, Clock>,
    /// Write `write_data` at this clock.
    pub write_enable: Signal<In, Bit>,
    /// Where to write.
    pub write_address: Signal<In, Bits<A>>,
    /// What to write.
    pub write_data: Signal<In, D>,
    /// Read at this clock; while low, `read_data` stays.
    pub read_enable: Signal<In, Bit>,
    /// What to read.
    pub read_address: Signal<In, Bits<A>>,
    /// The word at the address of the last clock that read.
    pub read_data: Signal<Out, D>,
    _style: RamStyle,
    _contents: Contents<D>,
}

impl<D: Synth, const A: usize> Ram1r1w<D, A> {
    /// A memory made of `style`.
    pub fn new(style: RamStyle) -> Self {
        Self {
            clock: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read_enable: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            _style: style,
            _contents: Contents::new(),
        }
    }
}

impl<D: Synth, const A: usize> Default for Ram1r1w<D, A> {
    fn default() -> Self {
        Self::new(RamStyle::Block)
    }
}

impl<D: Synth, const A: usize> Logic for Ram1r1w<D, A> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            if self.read_enable.val() {
                self.read_data.next = self._contents.read(self.read_address.val());
            }
            if self.write_enable.val() {
                self._contents.write(self.write_address.val(), self.write_data.val());
            }
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        Marker::Memory { style: self._style, read_ports: 1 }.verilog()
    }
}

/// A memory of 2^A words with one write port and two independent read ports, each as in [`Ram1r1w`].
///
/// Synthesis tools build it from two copies, because one of them has no third port. [`Ram2p`] is one copy.
#[derive(Clone, Debug, LogicBlock)]
pub struct Ram2r1w<D: Synth, const A: usize> {
    /// Clock of all ports.
    pub clock: Signal<In, Clock>,
    /// Write `write_data` at this clock.
    pub write_enable: Signal<In, Bit>,
    /// Where to write.
    pub write_address: Signal<In, Bits<A>>,
    /// What to write.
    pub write_data: Signal<In, D>,
    /// The first port reads at this clock.
    pub read_enable_0: Signal<In, Bit>,
    /// What the first port reads.
    pub read_address_0: Signal<In, Bits<A>>,
    /// The first port's word, one clock later.
    pub read_data_0: Signal<Out, D>,
    /// The second port reads at this clock.
    pub read_enable_1: Signal<In, Bit>,
    /// What the second port reads.
    pub read_address_1: Signal<In, Bits<A>>,
    /// The second port's word, one clock later.
    pub read_data_1: Signal<Out, D>,
    _style: RamStyle,
    _contents: Contents<D>,
}

impl<D: Synth, const A: usize> Ram2r1w<D, A> {
    /// A memory made of `style`.
    pub fn new(style: RamStyle) -> Self {
        Self {
            clock: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read_enable_0: Signal::default(),
            read_address_0: Signal::default(),
            read_data_0: Signal::default(),
            read_enable_1: Signal::default(),
            read_address_1: Signal::default(),
            read_data_1: Signal::default(),
            _style: style,
            _contents: Contents::new(),
        }
    }
}

impl<D: Synth, const A: usize> Default for Ram2r1w<D, A> {
    fn default() -> Self {
        Self::new(RamStyle::Block)
    }
}

impl<D: Synth, const A: usize> Logic for Ram2r1w<D, A> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            if self.read_enable_0.val() {
                self.read_data_0.next = self._contents.read(self.read_address_0.val());
            }
            if self.read_enable_1.val() {
                self.read_data_1.next = self._contents.read(self.read_address_1.val());
            }
            if self.write_enable.val() {
                self._contents.write(self.write_address.val(), self.write_data.val());
            }
        }
    }

    fn connect(&mut self) {
        self.read_data_0.connect();
        self.read_data_1.connect();
    }

    fn hdl(&self) -> Verilog {
        Marker::Memory { style: self._style, read_ports: 2 }.verilog()
    }
}

/// A memory of 2^A words with two ports, as the device's memories have: port 0 reads or writes, port 1 reads.
///
/// A word appears one clock after its address. A clock that reads on port 1 what port 0 writes returns the old word; do not rely on it, vendors'
/// tools promise nothing there. After a clock that writes, `read_data_0` is what the device's memory gives without logic around it: UltraRAM
/// keeps the word that was read last, any other style shows the word that was overwritten.
#[derive(Clone, Debug, LogicBlock)]
pub struct Ram2p<D: Synth, const A: usize> {
    /// Clock of both ports.
    pub clock: Signal<In, Clock>,
    /// Port 0 reads or writes at this clock.
    pub enable_0: Signal<In, Bit>,
    /// With `enable_0`: it writes.
    pub write_0: Signal<In, Bit>,
    /// Where port 0 reads or writes.
    pub address_0: Signal<In, Bits<A>>,
    /// What it writes.
    pub write_data: Signal<In, D>,
    /// What it has read.
    pub read_data_0: Signal<Out, D>,
    /// Port 1 reads at this clock.
    pub enable_1: Signal<In, Bit>,
    /// Where.
    pub address_1: Signal<In, Bits<A>>,
    /// What it has read.
    pub read_data_1: Signal<Out, D>,
    _style: RamStyle,
    _contents: Contents<D>,
}

impl<D: Synth, const A: usize> Ram2p<D, A> {
    /// A memory made of `style`.
    pub fn new(style: RamStyle) -> Self {
        Self {
            clock: Signal::default(),
            enable_0: Signal::default(),
            write_0: Signal::default(),
            address_0: Signal::default(),
            write_data: Signal::default(),
            read_data_0: Signal::default(),
            enable_1: Signal::default(),
            address_1: Signal::default(),
            read_data_1: Signal::default(),
            _style: style,
            _contents: Contents::new(),
        }
    }
}

impl<D: Synth, const A: usize> Default for Ram2p<D, A> {
    fn default() -> Self {
        Self::new(RamStyle::Block)
    }
}

impl<D: Synth, const A: usize> Logic for Ram2p<D, A> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            if self.enable_1.val() {
                self.read_data_1.next = self._contents.read(self.address_1.val());
            }
            if self.enable_0.val() {
                if !self.write_0.val() || self._style != RamStyle::Ultra {
                    self.read_data_0.next = self._contents.read(self.address_0.val());
                }
                if self.write_0.val() {
                    self._contents.write(self.address_0.val(), self.write_data.val());
                }
            }
        }
    }

    fn connect(&mut self) {
        self.read_data_0.connect();
        self.read_data_1.connect();
    }

    fn hdl(&self) -> Verilog {
        Marker::SharedMemory { style: self._style }.verilog()
    }
}

/// A LUT memory of 2^A words with one write port and one read port without latency.
#[derive(Clone, Debug, LogicBlock)]
pub struct LutRam<D: Synth, const A: usize> {
    /// Clock of the write port.
    pub clock: Signal<In, Clock>,
    /// Write `write_data` at this clock.
    pub write_enable: Signal<In, Bit>,
    /// Where to write.
    pub write_address: Signal<In, Bits<A>>,
    /// What to write.
    pub write_data: Signal<In, D>,
    /// What to read.
    pub read_address: Signal<In, Bits<A>>,
    /// The word at `read_address`, in the same clock.
    pub read_data: Signal<Out, D>,
    _contents: Contents<D>,
}

impl<D: Synth, const A: usize> Default for LutRam<D, A> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            _contents: Contents::new(),
        }
    }
}

impl<D: Synth, const A: usize> Logic for LutRam<D, A> {
    fn update(&mut self) {
        if self.clock.pos_edge() && self.write_enable.val() {
            self._contents.write(self.write_address.val(), self.write_data.val());
        }
        self.read_data.next = self._contents.read(self.read_address.val());
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        Marker::LutRam.verilog()
    }
}

/// A memory of 2^A words with its write port on one clock and its read port on another: what a FIFO between two clocks is made of.
///
/// The word appears one read clock after its address. Reading an address while it is being written gives an unknown word in
/// hardware (the old one in simulation), so `emit` takes this primitive only where both addresses are
/// [`GrayCounter`](super::GrayCounter)s that each cross to the other side.
#[derive(Clone, Debug, LogicBlock)]
pub struct DualClockRam<D: Synth, const A: usize> {
    /// Clock of the write port.
    pub write_clock: Signal<In, Clock>,
    /// Write `write_data` at this clock.
    pub write_enable: Signal<In, Bit>,
    /// Where to write.
    pub write_address: Signal<In, Bits<A>>,
    /// What to write.
    pub write_data: Signal<In, D>,
    /// Clock of the read port.
    pub read_clock: Signal<In, Clock>,
    /// Read at this clock; while low, `read_data` stays.
    pub read_enable: Signal<In, Bit>,
    /// What to read.
    pub read_address: Signal<In, Bits<A>>,
    /// The word at the address of the last clock that read.
    pub read_data: Signal<Out, D>,
    _style: RamStyle,
    _contents: Contents<D>,
}

impl<D: Synth, const A: usize> DualClockRam<D, A> {
    /// A memory made of `style`.
    pub fn new(style: RamStyle) -> Self {
        Self {
            write_clock: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read_clock: Signal::default(),
            read_enable: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            _style: style,
            _contents: Contents::new(),
        }
    }
}

impl<D: Synth, const A: usize> Default for DualClockRam<D, A> {
    fn default() -> Self {
        Self::new(RamStyle::Distributed)
    }
}

impl<D: Synth, const A: usize> Logic for DualClockRam<D, A> {
    fn update(&mut self) {
        if self.read_clock.pos_edge() && self.read_enable.val() {
            self.read_data.next = self._contents.read(self.read_address.val());
        }
        if self.write_clock.pos_edge() && self.write_enable.val() {
            self._contents.write(self.write_address.val(), self.write_data.val());
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        Marker::DualClockMemory { style: self._style }.verilog()
    }
}
