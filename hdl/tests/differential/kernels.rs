//! Kernels as people write them, one for each thing that a kernel can do.

use crate::bench::Case;
use crate::case;
use writ_hdl::prelude::*;

/// The five rows that RustHDL's own emitter gets wrong.
#[derive(LogicBlock, Default)]
pub(crate) struct PublishedRows {
    pub a: Signal<In, Bits<8>>,
    pub b: Signal<In, Bits<8>>,
    pub mask: Signal<In, Bits<8>>,
    pub key: Signal<In, Bits<8>>,
    pub precedence: Signal<Out, Bit>,
    pub carry: Signal<Out, Bits<16>>,
    pub inversion: Signal<Out, Bits<16>>,
    pub borrow: Signal<Out, Bit>,
    pub inverted_equal: Signal<Out, Bit>,
}

impl Logic for PublishedRows {
    #[hdl_gen]
    fn update(&mut self) {
        self.precedence.next = self.a.val() & self.mask.val() == self.key.val();
        self.carry.next = bit_cast::<16, 8>(self.a.val() + self.b.val());
        self.inversion.next = bit_cast::<16, 8>(!self.a.val());
        self.borrow.next = (self.b.val() - bits::<8>(1)) == bits::<8>(255);
        self.inverted_equal.next = !self.b.val() == bits::<8>(0xff);
    }
}

#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub(crate) struct Inner {
    low: Bits<5>,
    flag: Bit,
}

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub(crate) enum Phase {
    Idle,
    Head,
    Body,
    Tail,
    Error,
}

#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub(crate) struct Header {
    kind: Bits<3>,
    inner: Inner,
    phase: Phase,
    data: Bits<40>,
}

/// Structs in structs, fields of fields, enums as fields.
#[derive(LogicBlock, Default)]
struct Structs {
    pub clock: Signal<In, Clock>,
    pub data: Signal<In, Bits<40>>,
    pub kind: Signal<In, Bits<3>>,
    pub strobe: Signal<In, Bit>,
    pub low: Signal<Out, Bits<5>>,
    pub flag: Signal<Out, Bit>,
    pub byte: Signal<Out, Bits<8>>,
    pub whole: Signal<Out, Bits<52>>,
    pub is_body: Signal<Out, Bit>,
    pub same: Signal<Out, Bit>,
    held: Reg<Header>,
    now: Signal<Local, Header>,
}

impl Logic for Structs {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held);
        self.now.next = self.held.q.val();
        self.now.next.data = self.data.val();
        self.now.next.kind = self.kind.val() + 1;
        self.now.next.inner.low = self.data.val().get_bits::<5>(33);
        if self.strobe.val() {
            self.now.next.inner.flag = self.data.val().xor();
            self.now.next.phase = Phase::Body;
        } else if self.kind.val().get_bit(1) {
            self.now.next.phase = Phase::Error;
        }
        self.held.d.next = self.now.val();
        if self.kind.val() == 5 {
            self.held.d.next.data = self.held.q.val().data >> 3;
            self.held.d.next.inner.flag = !self.held.q.val().inner.flag;
        }
        self.low.next = self.now.val().inner.low;
        self.flag.next = self.held.q.val().inner.flag;
        self.byte.next = self.now.val().data.get_bits::<8>(7);
        self.whole.next = self.held.q.val().into();
        self.is_body.next = self.held.q.val().phase == Phase::Body;
        self.same.next = self.held.q.val() == self.now.val();
    }
}

/// A state machine with a register of an enum, `match` without default, a default that does nothing.
#[derive(LogicBlock, Default)]
struct Machine {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub go: Signal<In, Bit>,
    pub length: Signal<In, Bits<4>>,
    pub busy: Signal<Out, Bit>,
    pub left: Signal<Out, Bits<4>>,
    pub code: Signal<Out, Bits<3>>,
    pub selected: Signal<Out, Bits<8>>,
    phase: RegR<Phase>,
    counter: Reg<Bits<4>>,
}

#[allow(
    unreachable_patterns,
    clippy::match_overlapping_arm,
    reason = "the first of two equal arms has to win in the Verilog too"
)]
impl Logic for Machine {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, phase, counter);
        self.phase.reset.next = self.reset.val();
        self.busy.next = true;
        match self.phase.q.val() {
            Phase::Idle => {
                self.busy.next = false;
                if self.go.val() {
                    self.phase.d.next = Phase::Head;
                    self.counter.d.next = self.length.val();
                }
            }
            Phase::Head => {
                if self.length.val().any() {
                    self.phase.d.next = Phase::Body;
                } else {
                    self.phase.d.next = Phase::Error;
                }
            }
            Phase::Body => {
                self.counter.d.next = self.counter.q.val() - 1;
                if self.counter.q.val() == 1 {
                    self.phase.d.next = Phase::Tail;
                }
            }
            Phase::Tail => self.phase.d.next = Phase::Idle,
            Phase::Error => {
                if !self.go.val() {
                    self.phase.d.next = Phase::Idle;
                }
            }
        }
        self.left.next = self.counter.q.val();
        self.code.next = self.phase.q.val().into();
        match self.counter.q.val().index() {
            0 => self.selected.next = bits::<8>(0x11),
            1 => self.selected.next = bits::<8>(0x22),
            0 => self.selected.next = bits::<8>(0xbb),
            0x0c => self.selected.next = bit_cast::<8, 4>(self.length.val()),
            _ => self.selected.next = bits::<8>(0xee),
        }
    }
}

/// Loops, sums over loops, the first of many, signals read between their writes.
#[derive(LogicBlock, Default)]
struct Loops {
    pub word: Signal<In, Bits<24>>,
    pub limit: Signal<In, Bits<5>>,
    pub ones: Signal<Out, Bits<5>>,
    pub first: Signal<Out, Bits<5>>,
    pub found: Signal<Out, Bit>,
    pub reversed: Signal<Out, Bits<24>>,
    pub odd_bytes: Signal<Out, Bits<8>>,
    pub steps: Signal<Out, Bits<8>>,
    sum: Signal<Local, Bits<5>>,
    scratch: Signal<Local, Bits<8>>,
}

impl Logic for Loops {
    #[hdl_gen]
    fn update(&mut self) {
        self.sum.next = bits::<5>(0);
        self.first.next = bits::<5>(31);
        self.found.next = false;
        self.reversed.next = bits::<24>(0);
        for i in 0..24 {
            if self.word.val().get_bit(i) {
                self.sum.next = self.sum.val() + 1;
                if !self.found.val() & (self.sum.val() > self.limit.val()) {
                    self.found.next = true;
                    self.first.next = i.to_bits();
                }
            }
            self.reversed.next = (self.reversed.val() << 1).replace_bit(0, self.word.val().get_bit(i));
        }
        self.ones.next = self.sum.val();
        self.odd_bytes.next = bits::<8>(0);
        for i in 0..3 {
            for j in 0..4 {
                self.odd_bytes.next = self.odd_bytes.val() ^ (self.word.val().get_bits::<8>(i * 8) << (j * 2 + 1));
            }
        }
        self.scratch.next = self.word.val().get_bits::<8>(0);
        self.steps.next = self.scratch.val();
        self.scratch.next = self.scratch.val() + 3;
        self.steps.next = self.steps.val() ^ self.scratch.val();
        if self.scratch.val().get_bit(7) {
            self.scratch.next = bits::<8>(0xa5);
            self.steps.next = self.steps.val() + self.scratch.val();
        }
    }
}

/// Offsets that are signals: in range, past the end, sums of indices.
#[derive(LogicBlock, Default)]
struct Dynamic {
    pub word: Signal<In, Bits<40>>,
    pub small: Signal<In, Bits<5>>,
    pub large: Signal<In, Bits<5>>,
    pub bit: Signal<Out, Bit>,
    pub byte: Signal<Out, Bits<8>>,
    pub wide: Signal<Out, Bits<48>>,
    pub lane: Signal<Out, Bits<8>>,
    pub far: Signal<Out, Bits<8>>,
    pub set: Signal<Out, Bits<40>>,
    pub left: Signal<Out, Bits<40>>,
    pub right: Signal<Out, Bits<40>>,
    pub one_hot: Signal<Out, Bits<64>>,
    pub field: Signal<Out, Bits<4>>,
    pub twice_left: Signal<Out, Bits<40>>,
    pub twice_right: Signal<Out, Bits<40>>,
}

impl Logic for Dynamic {
    #[hdl_gen]
    fn update(&mut self) {
        self.bit.next = self.word.val().get_bit(self.small.val().index());
        self.byte.next = self.word.val().get_bits::<8>(self.small.val().index() + 4);
        self.wide.next = self.word.val().get_bits::<48>(self.large.val().index());
        self.lane.next = self.word.val().get_bits::<8>(self.small.val().get_bits::<2>(1).index() * 8);
        self.far.next = self.word.val().get_bits::<8>(self.large.val().index() + 9);
        self.set.next = self.word.val().replace_bit(self.large.val().index(), self.small.val().any());
        self.left.next = self.word.val() << self.large.val();
        self.right.next = self.word.val() >> (self.small.val() + 20);
        self.one_hot.next = 1 << self.large.val();
        self.field.next = (self.word.val() ^ bits::<40>(0xff)).get_bits::<4>(self.small.val().index());
        // Two shifts by amounts whose sum has no room in either: a tool that adds them gets it wrong.
        self.twice_left.next =
            (self.word.val() << self.small.val().get_bits::<1>(0)) << self.small.val().get_bits::<1>(1);
        self.twice_right.next =
            (self.word.val() >> self.large.val().get_bits::<2>(0)) >> self.large.val().get_bits::<2>(2);
    }
}

/// Names that are keywords of Verilog or collide once `$` is gone.
#[derive(LogicBlock, Default)]
struct Keywords {
    pub always: Signal<In, Bits<8>>,
    pub table: Signal<In, Bits<8>>,
    pub logic: Signal<Out, Bits<8>>,
    pub unused: Signal<Out, Bits<8>>,
    pub begin_end: Signal<Out, Bits<8>>,
    begin: Child,
    initial: Signal<Local, Bits<8>>,
}

/// A block with paths both ways through it.
#[derive(LogicBlock, Default)]
struct Child {
    pub forward: Signal<In, Bits<8>>,
    pub end: Signal<Out, Bits<8>>,
    pub ready: Signal<In, Bit>,
    pub accept: Signal<Out, Bit>,
    pub ignored: Signal<Out, Bits<3>>,
}

impl Logic for Child {
    #[hdl_gen]
    fn update(&mut self) {
        self.end.next = self.forward.val() + 1;
        self.accept.next = !self.ready.val();
        self.ignored.next = self.forward.val().get_bits::<3>(5);
    }
}

impl Logic for Keywords {
    #[hdl_gen]
    fn update(&mut self) {
        self.begin.forward.next = self.always.val();
        self.initial.next = self.begin.end.val() ^ self.table.val();
        // Depends on `end`; must not make a loop with what depends on `accept`.
        self.begin.ready.next = self.initial.val().get_bit(3);
        self.logic.next = self.initial.val();
        self.unused.next = bits::<8>(0);
        if self.begin.accept.val() {
            self.unused.next = self.begin.forward.val();
        }
        self.begin_end.next = self.begin.end.val();
    }
}

#[derive(LogicInterface, Default)]
#[join = "Sender"]
struct Receiver {
    pub data: Signal<In, Bits<12>>,
    pub valid: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
}

#[derive(LogicInterface, Default)]
#[join = "Receiver"]
struct Sender {
    pub data: Signal<Out, Bits<12>>,
    pub valid: Signal<Out, Bit>,
    pub ready: Signal<In, Bit>,
}

/// One stage of a pipeline with interfaces on both sides.
#[derive(LogicBlock, Default)]
struct Stage {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub from: Receiver,
    pub to: Sender,
    data: Reg<Bits<12>>,
    valid: RegR<Bit>,
}

impl Logic for Stage {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, data, valid);
        self.valid.reset.next = self.reset.val();
        self.to.data.next = self.data.q.val() + 1;
        self.to.valid.next = self.valid.q.val();
        self.from.ready.next = !self.valid.q.val() | self.to.ready.val();
        if self.from.ready.val() {
            self.valid.d.next = self.from.valid.val();
            self.data.d.next = self.from.data.val();
        }
    }
}

/// Arrays of blocks, joined and linked; equal instances share one module.
#[derive(LogicBlock, Default)]
struct Pipeline {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub source: Receiver,
    pub sink: Sender,
    pub middles: Signal<Out, Bits<36>>,
    stages: [Stage; 4],
    lanes: [Signal<Local, Bits<12>>; 3],
}

impl Logic for Pipeline {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..4 {
            self.stages[i].clock.next = self.clock.val();
            self.stages[i].reset.next = self.reset.val();
        }
        Receiver::link(&mut self.source, &mut self.stages[0].from);
        for i in 0..3 {
            Sender::join(&mut self.stages[i].to, &mut self.stages[i + 1].from);
            self.lanes[i].next = self.stages[i].to.data.val();
        }
        Sender::link(&mut self.sink, &mut self.stages[3].to);
        self.middles.next = (bit_cast::<36, 12>(self.lanes[2].val()) << 24)
            | (bit_cast::<36, 12>(self.lanes[1].val()) << 12)
            | bit_cast::<36, 12>(self.lanes[0].val());
    }
}

/// Constants, booleans with integers, conditions that share a test.
#[derive(LogicBlock)]
struct Constants {
    pub a: Signal<In, Bits<33>>,
    pub b: Signal<In, Bits<33>>,
    pub carry: Signal<In, Bit>,
    pub sum: Signal<Out, Bits<33>>,
    pub near: Signal<Out, Bit>,
    pub low: Signal<Out, Bits<33>>,
    pub high: Signal<Out, Bits<33>>,
    pub both: Signal<Out, Bits<2>>,
    pub masked: Signal<Out, Bits<33>>,
    base: Constant<Bits<33>>,
    window: Constant<Bits<33>>,
    table: [Constant<Bits<33>>; 4],
}

impl Default for Constants {
    fn default() -> Self {
        Self {
            a: Signal::default(),
            b: Signal::default(),
            carry: Signal::default(),
            sum: Signal::default(),
            near: Signal::default(),
            low: Signal::default(),
            high: Signal::default(),
            both: Signal::default(),
            masked: Signal::default(),
            base: Constant::new(bits(0x1_8000_0001)),
            window: Constant::new(bits(77)),
            table: [3, 0x1_ffff_ffff, 0x5555_5555, 0].map(|value| Constant::new(bits(value))),
        }
    }
}

impl Logic for Constants {
    #[hdl_gen]
    fn update(&mut self) {
        self.sum.next = self.a.val() + self.b.val() + self.carry.val();
        self.near.next = (self.a.val() - self.base.val()) < self.window.val();
        self.low.next = self.b.val();
        self.high.next = self.a.val();
        if (self.a.val() < self.b.val()) && (self.carry.val() || self.near.val()) {
            self.low.next = self.a.val();
            self.high.next = self.b.val();
        }
        self.both.next = bit_cast::<2, 1>(self.carry.val().into()) | (bit_cast::<2, 1>(self.near.val().into()) << 1);
        self.masked.next = self.a.val();
        for i in 0..4 {
            if i == 2 {
                self.masked.next = self.masked.val() ^ self.table[i].val();
            } else if i > 2 {
                self.masked.next = self.masked.val() | self.table[i].val();
            } else {
                self.masked.next = self.masked.val() & self.table[1 - i].val();
            }
        }
    }
}

/// All cases of this file.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        case!("structs", Structs::default(), [data, kind, strobe], [low, flag, byte, whole, is_body, same], clock),
        case!("machine", Machine::default(), [reset, go, length], [busy, left, code, selected], clock),
        case!("loops", Loops::default(), [word, limit], [ones, first, found, reversed, odd_bytes, steps]),
        case!(
            "dynamic",
            Dynamic::default(),
            [word, small, large],
            [bit, byte, wide, lane, far, set, left, right, one_hot, field, twice_left, twice_right]
        ),
        case!("keywords", Keywords::default(), [always, table], [logic, unused, begin_end]),
        case!(
            "pipeline",
            Pipeline::default(),
            [reset, source.data, source.valid, sink.ready],
            [source.ready, sink.data, sink.valid, middles],
            clock
        ),
        case!("constants", Constants::default(), [a, b, carry], [sum, near, low, high, both, masked]),
    ]
}
