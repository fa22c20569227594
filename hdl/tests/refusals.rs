//! What `emit` refuses, with the reason it gives. A construct whose meaning in Verilog is not certain is never printed.

use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogStatement};
use rust_hdl::widgets::prelude::DFF;
use writ_hdl::emit::{EmitError, Problem, emit};
use writ_hdl::prelude::*;
use writ_hdl::prim::build;

fn refusal(mut block: impl Block) -> EmitError {
    block.connect_all();
    emit(&block, "top").expect_err("a refusal")
}

fn problem(block: impl Block) -> Problem {
    refusal(block).problem
}

/// A block of two inputs and two outputs with a kernel that is made here.
#[derive(LogicBlock, Default)]
struct Made {
    pub clock: Signal<In, Clock>,
    pub a: Signal<In, Bits<8>>,
    pub b: Signal<In, Bits<16>>,
    pub x: Signal<Out, Bits<8>>,
    pub y: Signal<Out, Bit>,
    local: Signal<Local, Bits<8>>,
    _kernel: Vec<VerilogStatement>,
}

impl Logic for Made {
    fn update(&mut self) {}
    fn hdl(&self) -> Verilog {
        build::kernel(self._kernel.clone())
    }
}

/// The refusal of a kernel that drives `x` with `value` and `y` with zero.
fn of_value(value: build::Expr) -> Problem {
    of_kernel(vec![build::assign("x", value), build::assign("y", build::literal(1, 0))])
}

fn of_kernel(kernel: Vec<VerilogStatement>) -> Problem {
    problem(Made { _kernel: kernel, ..Made::default() })
}

fn zero(width: usize) -> build::Expr {
    build::literal(width, 0)
}

fn integer(value: u32) -> VerilogExpression {
    VerilogExpression::Literal(value.into())
}

#[test]
fn the_frame_of_these_tests_is_accepted() {
    let kernel = vec![build::assign("x", build::signal("a")), build::assign("y", zero(1))];
    let block = Made { _kernel: kernel, ..Made::default() };
    emit(&block, "top").expect("accepted");
}

const LIMIT: u64 = 5;

#[derive(LogicBlock, Default)]
struct UsesConst {
    pub a: Signal<In, Bits<8>>,
    pub x: Signal<Out, Bit>,
}

impl Logic for UsesConst {
    #[hdl_gen]
    fn update(&mut self) {
        self.x.next = self.a.val() == LIMIT;
    }
}

#[test]
fn rust_constants_are_names_only() {
    let error = refusal(UsesConst::default());
    assert_eq!(error.problem, Problem::UnknownName("LIMIT".to_owned()));
    assert_eq!((error.instance.as_str(), error.statement.as_deref()), ("top", Some("x$next")));
    assert!(error.to_string().contains("`LIMIT` is no signal"), "{error}");
}

#[derive(LogicBlock, Default)]
struct Shadowing {
    pub a: Signal<In, Bits<4>>,
    pub index: Signal<In, Bits<4>>,
    pub x: Signal<Out, Bit>,
}

impl Logic for Shadowing {
    #[hdl_gen]
    fn update(&mut self) {
        self.x.next = false;
        for index in 0..4 {
            if self.a.val().get_bit(index) & (self.index.val() == 3) {
                self.x.next = true;
            }
        }
    }
}

#[test]
fn a_loop_variable_and_a_signal_of_one_name() {
    assert_eq!(problem(Shadowing::default()), Problem::ShadowedName("index".to_owned()));
}

mod other {
    use super::*;
    #[derive(Copy, Clone, PartialEq, Debug, LogicState)]
    pub(crate) enum Phase {
        Run,
        Idle,
    }
}

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum Phase {
    Idle,
    Run,
}

#[derive(LogicBlock, Default)]
struct TwoEnums {
    pub clock: Signal<In, Clock>,
    pub x: Signal<Out, Bit>,
    pub y: Signal<Out, Bit>,
    one: Reg<Phase>,
    two: Reg<other::Phase>,
}

impl Logic for TwoEnums {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, one, two);
        self.x.next = (self.one.q.val() == Phase::Idle) & (self.two.q.val() == other::Phase::Idle);
        self.y.next = (self.one.q.val() == Phase::Run) | (self.two.q.val() == other::Phase::Run);
    }
}

#[test]
fn variants_of_one_name_and_two_codes() {
    assert_eq!(problem(TwoEnums::default()), Problem::AmbiguousVariant("Phase$Idle".to_owned()));
}

#[test]
fn widths_that_differ() {
    let mismatch =
        |operation: &str, left, right| Problem::WidthMismatch { operation: operation.to_owned(), left, right };
    assert_eq!(of_value(build::signal("b")), mismatch("assignment", 8, 16));
    assert_eq!(of_value(build::signal("a").and(build::signal("b"))), mismatch("BitAnd", 8, 16));
    let test = build::signal("a");
    let kernel = vec![build::when(test, vec![build::assign("x", zero(8))], vec![build::assign("x", zero(8))])];
    assert_eq!(of_kernel(kernel), mismatch("condition", 8, 1));
}

#[derive(LogicBlock, Default)]
struct WidthOfIndex {
    pub a: Signal<In, Bits<8>>,
    pub x: Signal<Out, Bits<16>>,
}

impl Logic for WidthOfIndex {
    #[hdl_gen]
    fn update(&mut self) {
        self.x.next = self.a.val().index().to_bits();
    }
}

#[test]
fn a_width_that_the_tree_has_lost() {
    assert!(matches!(problem(WidthOfIndex::default()), Problem::WidthMismatch { left: 16, right: 8, .. }));
}

#[test]
fn literals_without_room_or_width() {
    let too_wide = of_value(build::signal("a").plus(build::literal(9, 300)));
    assert!(matches!(too_wide, Problem::WidthMismatch { .. }));
    let value = |tree| VerilogStatement::Assignment(VerilogExpression::Signal("x".to_owned()), tree);
    let sum = VerilogExpression::Binary(Box::new(build::signal("a").tree()), VerilogOp::Add, Box::new(integer(300)));
    assert_eq!(of_kernel(vec![value(sum)]), Problem::LiteralTooWide { value: "300".to_owned(), width: 8 });
    let inverted = VerilogExpression::Unary(ast::VerilogOpUnary::Not, Box::new(integer(3)));
    assert!(matches!(of_kernel(vec![value(inverted)]), Problem::UnsizedLiteral(_)));
    let negative = VerilogExpression::Literal((-3_i32).into());
    assert!(matches!(of_kernel(vec![value(negative)]), Problem::Signed(_)));
}

#[test]
fn bits_that_are_not_there() {
    for value in [build::signal("a").bit(8).cast(8), build::signal("a").slice(9, 8)] {
        assert!(matches!(of_value(value), Problem::OutOfRange(_)));
    }
    let kernel = vec![build::assign_slice("x", 5, 4, zero(4))];
    assert!(matches!(of_kernel(kernel), Problem::OutOfRange(_)));
}

#[test]
fn operations_without_a_meaning_here() {
    let product = VerilogExpression::Binary(
        Box::new(build::signal("a").tree()),
        VerilogOp::Mul,
        Box::new(build::signal("a").tree()),
    );
    let statement = VerilogStatement::Assignment(VerilogExpression::Signal("x".to_owned()), product);
    assert!(matches!(of_kernel(vec![statement]), Problem::Unsupported(_)));
    let variable = VerilogStatement::SliceAssignment {
        base: VerilogExpression::Signal("x".to_owned()),
        width: 1,
        offset: build::signal("a").slice(0, 3).tree(),
        replacement: zero(1).tree(),
    };
    assert!(matches!(of_kernel(vec![variable]), Problem::Unsupported(_)));
    let signed = VerilogExpression::Signed(Box::new(build::signal("a").tree()));
    let statement = VerilogStatement::Assignment(VerilogExpression::Signal("x".to_owned()), signed);
    assert!(matches!(of_kernel(vec![statement]), Problem::Signed(_)));
}

#[derive(LogicBlock, Default)]
struct IndexOfSum {
    pub a: Signal<In, Bits<3>>,
    pub b: Signal<In, Bits<16>>,
    pub x: Signal<Out, Bit>,
}

impl Logic for IndexOfSum {
    #[hdl_gen]
    fn update(&mut self) {
        self.x.next = self.b.val().get_bit((self.a.val() + 1).index());
    }
}

#[test]
fn an_index_of_a_sum_may_be_meant_in_two_ways() {
    assert_eq!(problem(IndexOfSum::default()), Problem::AmbiguousIndexArithmetic);
}

#[derive(LogicBlock, Default)]
struct WithSigned {
    pub a: Signal<In, Signed<8>>,
}

impl Logic for WithSigned {
    #[hdl_gen]
    fn update(&mut self) {}
}

#[derive(LogicBlock, Default)]
struct WithInOut {
    pub pin: Signal<InOut, Bit>,
}

impl Logic for WithInOut {
    #[hdl_gen]
    fn update(&mut self) {}
}

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum Only {
    One,
}

#[derive(LogicBlock, Default)]
struct WithoutBits {
    pub only: Signal<In, Only>,
}

impl Logic for WithoutBits {
    #[hdl_gen]
    fn update(&mut self) {}
}

#[test]
fn signals_of_unknown_kinds() {
    assert_eq!(problem(WithSigned::default()), Problem::Signed("a".to_owned()));
    assert_eq!(problem(WithInOut::default()), Problem::InOut("pin".to_owned()));
    assert_eq!(problem(WithoutBits::default()), Problem::ZeroWidth("only".to_owned()));
}

#[derive(LogicBlock, Default)]
struct UsesWidget {
    pub clock: Signal<In, Clock>,
    pub x: Signal<Out, Bit>,
    state: DFF<Bit>,
}

impl Logic for UsesWidget {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state);
        self.x.next = self.state.q.val();
    }
}

#[test]
fn blocks_of_raw_text() {
    let error = refusal(UsesWidget::default());
    assert!(matches!(error.problem, Problem::ForeignText(_)));
    assert_eq!(error.instance, "top.state");
    assert_eq!(problem(Reg::<Bit>::default()), Problem::PrimitiveAsTop);
}

/// Says that it is a register, but has no `d`.
#[derive(LogicBlock, Default)]
struct Forged {
    pub clock: Signal<In, Clock>,
    pub q: Signal<Out, Bit>,
}

impl Logic for Forged {
    fn update(&mut self) {}
    fn hdl(&self) -> Verilog {
        Reg::<Bit>::default().hdl()
    }
}

#[derive(LogicBlock, Default)]
struct UsesForged {
    pub clock: Signal<In, Clock>,
    forged: Forged,
}

impl Logic for UsesForged {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, forged);
    }
}

#[test]
fn a_marker_without_its_ports() {
    assert!(matches!(problem(UsesForged::default()), Problem::MalformedPrimitive(_)));
}

#[test]
fn latches() {
    let latch = |signal: &str, bits: &str| Problem::Latch { signal: signal.to_owned(), bits: bits.to_owned() };
    let test = || build::signal("a").any();
    let set = |value| vec![build::assign("x", build::literal(8, value))];
    assert_eq!(of_kernel(vec![build::when(test(), set(1), vec![])]), latch("x", "ff"));
    assert_eq!(of_kernel(vec![build::assign_slice("x", 2, 4, zero(4))]), latch("x", "c3"));
    let arms = vec![(1, set(1)), (2, vec![build::assign_slice("x", 0, 4, zero(4))])];
    assert_eq!(of_kernel(vec![build::switch(build::signal("a"), arms, set(3))]), latch("x", "f0"));
}

#[test]
fn drivers() {
    assert_eq!(of_kernel(vec![build::assign("x", zero(8))]), Problem::NotDriven("y".to_owned()));
    assert_eq!(of_value(build::signal("local")), Problem::NotDriven("local".to_owned()));
    assert_eq!(of_kernel(vec![build::assign("a", zero(8))]), Problem::NotDrivable("a".to_owned()));
}

#[test]
fn a_read_between_writes_on_a_path_without_the_first() {
    let kernel = vec![
        build::when(build::signal("a").any(), vec![build::assign("local", zero(8))], vec![]),
        build::assign("x", build::signal("local")),
        build::assign("local", build::signal("a")),
        build::assign("y", build::signal("local").any()),
    ];
    assert_eq!(of_kernel(kernel), Problem::ReadBeforeWritten("local".to_owned()));
}

/// Passes its input on; combinational.
#[derive(LogicBlock, Default)]
struct Through {
    pub low: Signal<In, Bits<4>>,
    pub out: Signal<Out, Bits<4>>,
}

impl Logic for Through {
    #[hdl_gen]
    fn update(&mut self) {
        self.out.next = self.low.val() + 1;
    }
}

#[derive(LogicBlock, Default)]
struct Ring {
    pub a: Signal<In, Bits<4>>,
    pub x: Signal<Out, Bits<4>>,
    one: Through,
    two: Through,
}

impl Logic for Ring {
    #[hdl_gen]
    fn update(&mut self) {
        self.one.low.next = self.two.out.val() ^ self.a.val();
        self.two.low.next = self.one.out.val();
        self.x.next = self.two.out.val();
    }
}

#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
struct Pair {
    first: Bits<4>,
    second: Bits<4>,
}

/// One field depends on the other through an instance: a circle of signals, but not of bits.
#[derive(LogicBlock, Default)]
struct Fields {
    pub a: Signal<In, Bits<4>>,
    pub x: Signal<Out, Pair>,
    through: Through,
    pair: Signal<Local, Pair>,
}

impl Logic for Fields {
    #[hdl_gen]
    fn update(&mut self) {
        self.pair.next.first = self.a.val();
        self.pair.next.second = self.through.out.val();
        self.through.low.next = self.pair.val().first;
        self.x.next = self.pair.val();
    }
}

#[test]
fn loops_are_found_bit_by_bit() {
    let Problem::CombinationalLoop(names) = problem(Ring::default()) else { panic!("a loop") };
    assert_eq!(names.first(), names.last());
    assert!(names.contains(&"top.one.low".to_owned()) && names.contains(&"top.two.out".to_owned()), "{names:?}");
    let mut fields = Fields::default();
    fields.connect_all();
    emit(&fields, "top").expect("no loop");
}

#[derive(LogicBlock, Default)]
struct InvertedClock {
    pub clock: Signal<In, Clock>,
    pub x: Signal<Out, Bit>,
    register: Reg<Bit>,
}

impl Logic for InvertedClock {
    #[hdl_gen]
    fn update(&mut self) {
        self.register.clock.next = !self.clock.val();
        self.register.d.next = !self.register.q.val();
        self.x.next = self.register.q.val();
    }
}

#[test]
fn clocks_are_no_data() {
    assert_eq!(problem(InvertedClock::default()), Problem::ClockLogic("register$clock".to_owned()));
    let as_data = vec![build::assign("x", zero(8)), build::assign("y", build::signal("clock"))];
    assert_eq!(of_kernel(as_data), Problem::ClockLogic("y".to_owned()));
}

/// A register on each of two clocks, with a choice of what is between them.
#[derive(LogicBlock, Default)]
struct TwoClocks {
    pub clock_a: Signal<In, Clock>,
    pub clock_b: Signal<In, Clock>,
    pub data: Signal<In, Bit>,
    pub x: Signal<Out, Bit>,
    first: Reg<Bit>,
    crossing: Synchronizer<Bit>,
    second: Reg<Bit>,
    _kernel: Vec<VerilogStatement>,
}

impl Logic for TwoClocks {
    fn update(&mut self) {}
    fn hdl(&self) -> Verilog {
        let mut kernel = vec![
            build::assign("first$clock", build::signal("clock_a")),
            build::assign("second$clock", build::signal("clock_b")),
            build::assign("crossing$clock", build::signal("clock_b")),
            build::assign("first$d", build::signal("data")),
            build::assign("crossing$d", build::signal("first$q")),
            build::assign("second$d", build::signal("crossing$q")),
            build::assign("x", build::signal("second$q")),
        ];
        kernel.extend(self._kernel.clone());
        build::kernel(kernel)
    }
}

fn two_clocks(name: &str, value: build::Expr) -> Result<(), Problem> {
    let block = TwoClocks { _kernel: vec![build::assign(name, value)], ..TwoClocks::default() };
    emit(&block, "top").map(|_| ()).map_err(|error| error.problem)
}

#[test]
fn clocks_are_crossed_in_synchronizers_only() {
    let q = |name: &str| build::signal(format!("{name}$q"));
    assert_eq!(two_clocks("second$d", q("crossing")), Ok(()));
    let Err(Problem::ClockCrossing { from, to }) = two_clocks("second$d", q("first").or(q("crossing"))) else {
        panic!("a crossing")
    };
    assert_eq!((from.as_str(), to.as_str()), ("top.first.q (top.clock_a)", "top.second (top.clock_b)"));
    // What goes into a synchronizer must not glitch.
    let glitch = two_clocks("crossing$d", q("first").xor(build::signal("data")));
    assert!(matches!(glitch, Err(Problem::ClockCrossing { .. })));
    // An input cannot be in step with two clocks.
    let input = two_clocks("second$d", build::signal("data"));
    assert!(matches!(input, Err(Problem::ClockCrossing { .. })));
    // On one clock everything goes.
    assert_eq!(two_clocks("first$clock", build::signal("clock_b")), Ok(()));
}

/// Counters on two clocks, a synchroniser of several bits each way, and a memory between the clocks.
#[derive(LogicBlock, Default)]
struct Crossings {
    pub clock_a: Signal<In, Clock>,
    pub clock_b: Signal<In, Clock>,
    pub step: Signal<In, Bit>,
    pub data: Signal<In, Bits<4>>,
    pub x: Signal<Out, Bits<4>>,
    pub y: Signal<Out, Bits<4>>,
    head: GrayCounter<4>,
    tail: GrayCounter<4>,
    plain: Reg<Bits<4>>,
    head_seen: Synchronizer<Bits<4>>,
    tail_seen: Synchronizer<Bits<4>>,
    memory: DualClockRam<Bits<4>, 3>,
    _changes: Vec<VerilogStatement>,
}

impl Logic for Crossings {
    fn update(&mut self) {}
    fn hdl(&self) -> Verilog {
        let q = |name: &str| build::signal(name);
        let mut kernel = vec![
            build::assign("head$clock", q("clock_a")),
            build::assign("head$reset", build::literal(1, 0)),
            build::assign("head$step", q("step")),
            build::assign("plain$clock", q("clock_a")),
            build::assign("plain$d", q("head$count")),
            build::assign("tail_seen$clock", q("clock_a")),
            build::assign("tail_seen$d", q("tail$gray")),
            build::assign("tail$clock", q("clock_b")),
            build::assign("tail$reset", build::literal(1, 0)),
            build::assign("tail$step", q("head_seen$q").any()),
            build::assign("head_seen$clock", q("clock_b")),
            build::assign("head_seen$d", q("head$gray")),
            build::assign("memory$write_clock", q("clock_a")),
            build::assign("memory$write_enable", q("step")),
            build::assign("memory$write_address", q("head$count").slice(0, 3)),
            build::assign("memory$write_data", q("data")),
            build::assign("memory$read_clock", q("clock_b")),
            build::assign("memory$read_enable", build::literal(1, 1)),
            build::assign("memory$read_address", q("tail$count").slice(0, 3)),
            build::assign("x", q("memory$read_data")),
            build::assign("y", q("tail_seen$q").xor(q("plain$q"))),
        ];
        kernel.extend(self._changes.clone());
        build::kernel(kernel)
    }
}

/// What becomes of [`Crossings`] with other assignments.
fn crossings<const N: usize>(changes: [(&str, build::Expr); N]) -> Result<(), (String, String)> {
    let changes = changes.map(|(name, value)| build::assign(name, value)).to_vec();
    let block = Crossings { _changes: changes, ..Crossings::default() };
    match emit(&block, "top").map_err(|error| error.problem) {
        Ok(_) => Ok(()),
        Err(Problem::ClockCrossing { from, to }) => Err((from, to)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn several_bits_cross_as_a_whole_gray_code_only() {
    let q = |name: &str| build::signal(name);
    let refused = |from: &str| Err((format!("{from}, 4 bits that are no Gray code,"), "top.head_seen".to_owned()));
    assert_eq!(crossings([]), Ok(()));
    assert_eq!(crossings([("head_seen$d", q("plain$q"))]), refused("top.plain.q"));
    assert_eq!(crossings([("head_seen$d", q("head$count"))]), refused("top.head.count"));
    assert_eq!(crossings([("head_seen$d", q("data"))]), refused("top.data"));
    // Logic in front, even if it keeps the code one.
    let logic = crossings([("head_seen$d", q("head$gray").xor(build::literal(4, 1)))]);
    assert!(matches!(logic, Err((from, _)) if from.contains("may glitch")));
}

#[test]
fn a_memory_between_clocks_is_a_fifo() {
    let q = |name: &str| build::signal(name);
    let refused = |side: &str, clock: &str| {
        let from = format!("{side} address of top.memory, which is no counter synchronised to");
        Err((from, format!("top.{clock}")))
    };
    // An address that is no counter.
    assert_eq!(crossings([("memory$write_address", q("plain$q").slice(0, 3))]), refused("write", "clock_b"));
    // A counter that the other side does not see.
    let unseen = [("head_seen$d", q("head$gray")), ("tail_seen$d", q("head$gray"))];
    assert_eq!(crossings(unseen), refused("read", "clock_a"));
    // The counter of the wrong side is a path between clocks like any other.
    assert!(crossings([("memory$read_address", q("head$count").slice(0, 3))]).is_err());
    // On one clock it is a memory.
    let one_clock = [("memory$read_clock", q("clock_a")), ("memory$read_address", q("plain$q").slice(0, 3))];
    assert_eq!(crossings(one_clock), Ok(()));
}
