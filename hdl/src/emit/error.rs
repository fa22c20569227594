//! Why a design was refused.

use std::fmt;

/// A construct of the design that has no certain meaning in Verilog, or a mistake of the design itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmitError {
    /// Path of the instance, for example `top.parse.stage_3`.
    pub instance: String,
    /// The signal whose assignment holds the construct, if it stands in one.
    pub statement: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with the design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A name of the kernel that is no signal, constant, loop variable or enum variant of the block.
    UnknownName(String),
    /// A loop variable with the name of a signal or constant of the block: the tree has one name for both.
    ShadowedName(String),
    /// Two enums of one name give this variant different codes.
    AmbiguousVariant(String),
    /// An operation on two different widths.
    WidthMismatch {
        /// The operation.
        operation: String,
        /// Bits on the left.
        left: usize,
        /// Bits on the right.
        right: usize,
    },
    /// A literal that does not fit where it stands.
    LiteralTooWide {
        /// The literal.
        value: String,
        /// Bits that there are.
        width: usize,
    },
    /// An integer whose width nothing determines.
    UnsizedLiteral(String),
    /// A bit, slice or array element that is not there.
    OutOfRange(String),
    /// A construct that the back end does not know.
    Unsupported(String),
    /// `.index()` arithmetic in parentheses that could overflow: the tree does not say whether it was done on bits or on `usize`.
    AmbiguousIndexArithmetic,
    /// Signed values are not supported.
    Signed(String),
    /// Signals of two directions are not supported.
    InOut(String),
    /// A signal without bits.
    ZeroWidth(String),
    /// Two signals or instances of one name.
    DuplicateName(String),
    /// A leaf block of raw Verilog text, which is no primitive of this crate.
    ForeignText(String),
    /// A primitive without the ports that its marker promises.
    MalformedPrimitive(String),
    /// The top block is a primitive; it needs a block around it.
    PrimitiveAsTop,
    /// A signal that keeps its old value on some path through the kernel.
    Latch {
        /// The signal.
        signal: String,
        /// Its bits that are not always assigned, as a hexadecimal mask.
        bits: String,
    },
    /// A signal that nothing drives.
    NotDriven(String),
    /// The kernel writes something that is not its to drive.
    NotDrivable(String),
    /// The kernel reads a signal after some of its writes, on a path that did not write it yet.
    ReadBeforeWritten(String),
    /// A signal that depends on itself within one clock.
    CombinationalLoop(Vec<String>),
    /// A clock in an expression, or a clock input driven by something else than a clock.
    ClockLogic(String),
    /// A path from one clock to another that is not in a crossing primitive.
    ClockCrossing {
        /// Register or input that the path starts from, with its clock.
        from: String,
        /// Register that the path ends in, with its clock.
        to: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::UnknownName(name) => {
                write!(
                    f,
                    "`{name}` is no signal, `Constant`, loop variable or enum variant of this block (Rust consts and const generics reach the tree as names only)"
                )
            }
            Problem::ShadowedName(name) => {
                write!(
                    f,
                    "the loop variable `{name}` has the name of a signal of the block, and the tree does not tell them apart"
                )
            }
            Problem::AmbiguousVariant(name) => write!(f, "`{name}` has several codes, from several enums of one name"),
            Problem::WidthMismatch { operation, left, right } => {
                write!(f, "{operation}: {left} bits against {right} bits")
            }
            Problem::LiteralTooWide { value, width } => write!(f, "literal {value} does not fit in {width} bits"),
            Problem::UnsizedLiteral(place) => write!(f, "{place}: nothing gives the integer a width"),
            Problem::OutOfRange(what) => write!(f, "{what} is out of range"),
            Problem::Unsupported(what) => write!(f, "{what} is not supported"),
            Problem::AmbiguousIndexArithmetic => {
                write!(
                    f,
                    "arithmetic on an index in parentheses may overflow: put it into a signal of sufficient width"
                )
            }
            Problem::Signed(what) => write!(f, "{what}: signed values are not supported"),
            Problem::InOut(name) => write!(f, "`{name}`: signals of two directions are not supported"),
            Problem::ZeroWidth(name) => write!(f, "`{name}` has no bits"),
            Problem::DuplicateName(name) => write!(f, "`{name}` is there twice"),
            Problem::ForeignText(text) => {
                write!(f, "raw Verilog is not accepted, use writ_hdl::prim (the text begins {text:?})")
            }
            Problem::MalformedPrimitive(what) => write!(f, "malformed primitive: {what}"),
            Problem::PrimitiveAsTop => write!(f, "a primitive cannot be the top, put a block around it"),
            Problem::Latch { signal, bits } => {
                write!(f, "`{signal}` is not assigned on every path (bits {bits}): give it a default first")
            }
            Problem::NotDriven(name) => write!(f, "nothing drives `{name}`"),
            Problem::NotDrivable(name) => write!(f, "the kernel may not drive `{name}`"),
            Problem::ReadBeforeWritten(name) => {
                write!(f, "`{name}` is read between its writes, on a path that has not written it yet")
            }
            Problem::CombinationalLoop(names) => write!(f, "combinational loop: {}", names.join(" -> ")),
            Problem::ClockLogic(name) => write!(f, "`{name}`: a clock is passed on as it is and used for nothing else"),
            Problem::ClockCrossing { from, to } => {
                write!(f, "path from {from} to {to} crosses clocks outside a crossing primitive")
            }
        }
    }
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.instance)?;
        if let Some(statement) = &self.statement {
            write!(f, ", assignment to `{statement}`")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for EmitError {}
