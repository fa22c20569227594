//! From statements of RustHDL's tree to the back end's own: loops unrolled, names resolved, constant branches taken.

use super::error::Problem;
use super::expr::Expr;
use super::index;
use super::lower::{Lowered, Lowering};
use super::symbols::{Meaning, Symbols};
use super::value::{self, Value};
use num_bigint::BigUint;
use rust_hdl::core::ast::{
    VerilogBlockOrConditional, VerilogConditional, VerilogExpression, VerilogLink, VerilogLinkDetails, VerilogLoop,
    VerilogMatch, VerilogStatement,
};

/// Turns of a loop beyond which a bound is taken for a mistake.
const LOOP_TURNS_MAX: usize = 1 << 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stmt {
    /// Sets the bits of `net` from `lsb` on, as many as the value has.
    Write {
        /// The how many-th write to this signal in the kernel.
        number: usize,
        net: usize,
        lsb: usize,
        value: Expr,
    },
    If {
        test: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    Case {
        test: Expr,
        arms: Vec<(Vec<Value>, Vec<Stmt>)>,
        default: Vec<Stmt>,
    },
}

/// A problem and the signal whose assignment has it.
pub(super) type Located<T> = Result<T, (Option<String>, Problem)>;

fn at(target: &str) -> impl Fn(Problem) -> (Option<String>, Problem) {
    move |problem| (Some(target.to_owned()), problem)
}

fn nowhere(problem: Problem) -> (Option<String>, Problem) {
    (None, problem)
}

/// Lowers the statements of one kernel.
pub(super) struct Kernel<'a> {
    symbols: &'a Symbols,
    loops: Vec<(String, BigUint)>,
    /// Writes so far, for every signal.
    writes: Vec<usize>,
}

impl<'a> Kernel<'a> {
    pub(super) fn new(symbols: &'a Symbols) -> Self {
        Self { symbols, loops: Vec::new(), writes: vec![0; symbols.nets.len()] }
    }

    /// Writes to every signal.
    pub(super) fn into_writes(self) -> Vec<usize> {
        self.writes
    }

    fn lowering(&self) -> Lowering<'_> {
        Lowering { symbols: self.symbols, loops: &self.loops }
    }

    pub(super) fn block(&mut self, block: &[VerilogStatement]) -> Located<Vec<Stmt>> {
        let mut lowered = Vec::new();
        self.append(block, &mut lowered)?;
        Ok(lowered)
    }

    fn append(&mut self, block: &[VerilogStatement], to: &mut Vec<Stmt>) -> Located<()> {
        for statement in block {
            match statement {
                VerilogStatement::Comment(_) => {}
                VerilogStatement::Assignment(target, value) => to.push(self.assignment(target, value)?),
                VerilogStatement::SliceAssignment { base, width, offset, replacement } => {
                    to.push(self.slice_assignment(base, *width, offset, replacement)?);
                }
                VerilogStatement::If(conditional) => self.conditional(conditional, to)?,
                VerilogStatement::Match(choice) => self.choice(choice, to)?,
                VerilogStatement::Loop(repeated) => self.unroll(repeated, to)?,
                VerilogStatement::Link(links) => {
                    for link in links {
                        to.push(self.link(link)?);
                    }
                }
                VerilogStatement::Macro(inner) => self.append(inner, to)?,
            }
        }
        Ok(())
    }

    fn target_name(&self, target: &VerilogExpression) -> Located<String> {
        match target {
            VerilogExpression::Signal(name) => index::resolve(name, &self.loops).map_err(at(name)),
            _ => Err(nowhere(Problem::Unsupported("assignment to an expression".to_owned()))),
        }
    }

    fn assignment(&mut self, target: &VerilogExpression, value: &VerilogExpression) -> Located<Stmt> {
        let name = self.target_name(target)?;
        let place = self.symbols.written(&name).map_err(at(&name))?;
        let value = self.lowering().expression(value).and_then(|value| value.sized(place.width)).map_err(at(&name))?;
        self.write(&name, place.net, place.lsb, place.width, value)
    }

    fn slice_assignment(
        &mut self,
        base: &VerilogExpression,
        width: usize,
        offset: &VerilogExpression,
        replacement: &VerilogExpression,
    ) -> Located<Stmt> {
        let name = self.target_name(base)?;
        let place = self.symbols.written(&name).map_err(at(&name))?;
        let offset = match self.lowering().expression(offset).map_err(at(&name))? {
            Lowered::Integer(offset) => offset,
            Lowered::Sized(Expr::Const(offset)) => offset.bits().clone(),
            Lowered::Sized(_) => {
                return Err(at(&name)(Problem::Unsupported("assignment to bits at a variable offset".to_owned())));
            }
        };
        let lsb = usize::try_from(&offset).ok().filter(|lsb| width <= place.width && *lsb <= place.width - width);
        let lsb = lsb.ok_or_else(|| at(&name)(Problem::OutOfRange(format!("bits from {offset} on"))))?;
        let value = self.lowering().expression(replacement).and_then(|value| value.sized(width)).map_err(at(&name))?;
        self.write(&name, place.net, place.lsb + lsb, width, value)
    }

    fn write(&mut self, name: &str, net: usize, lsb: usize, width: usize, value: Expr) -> Located<Stmt> {
        if value.width() != width {
            let operation = "assignment".to_owned();
            return Err(at(name)(Problem::WidthMismatch { operation, left: width, right: value.width() }));
        }
        let number = self.writes[net];
        self.writes[net] += 1;
        Ok(Stmt::Write { number, net, lsb, value })
    }

    fn conditional(&mut self, conditional: &VerilogConditional, to: &mut Vec<Stmt>) -> Located<()> {
        let test = self.lowering().condition(&conditional.test).map_err(nowhere)?;
        if let Expr::Const(value) = &test {
            if !value.is_zero() {
                return self.append(&conditional.then, to);
            }
            return self.otherwise(&conditional.otherwise, to);
        }
        let then = self.block(&conditional.then)?;
        let mut otherwise = Vec::new();
        self.otherwise(&conditional.otherwise, &mut otherwise)?;
        to.push(Stmt::If { test, then, otherwise });
        Ok(())
    }

    fn otherwise(&mut self, otherwise: &VerilogBlockOrConditional, to: &mut Vec<Stmt>) -> Located<()> {
        match otherwise {
            VerilogBlockOrConditional::Block(block) => self.append(block, to),
            VerilogBlockOrConditional::Conditional(statement) => self.append(std::slice::from_ref(statement), to),
            VerilogBlockOrConditional::None => Ok(()),
        }
    }

    fn choice(&mut self, choice: &VerilogMatch, to: &mut Vec<Stmt>) -> Located<()> {
        let test = self.lowering().expression(&choice.test).map_err(nowhere)?;
        let chosen = match &test {
            Lowered::Integer(value) => Some(value.clone()),
            Lowered::Sized(Expr::Const(value)) => Some(value.bits().clone()),
            Lowered::Sized(_) => None,
        };
        let width = if let Lowered::Sized(test) = &test { Some(test.width()) } else { None };
        let mut seen: Vec<BigUint> = Vec::new();
        let mut arms = Vec::new();
        let mut default = None;
        for case in &choice.cases {
            let pattern = self.pattern(&case.condition, width).map_err(nowhere)?;
            if let Some(chosen) = &chosen {
                if pattern.as_ref().is_none_or(|pattern| pattern == chosen) {
                    return self.append(&case.block, to);
                }
                continue;
            }
            match pattern {
                None => {
                    default = Some(self.block(&case.block)?);
                    break;
                }
                // The first arm of a value is the one that counts.
                Some(pattern) if seen.contains(&pattern) => {}
                Some(pattern) => {
                    seen.push(pattern.clone());
                    // A value that does not fit is never met.
                    if let Some(value) = width.and_then(|width| Value::new(width, pattern)) {
                        arms.push((vec![value], self.block(&case.block)?));
                    }
                }
            }
        }
        let Lowered::Sized(test) = test else { return Ok(()) };
        // Rust takes a `match` without `_` only if it is complete, so the last arm may stand for what is left.
        let default = match default {
            Some(default) => default,
            None => arms.pop().map(|(_, block)| block).unwrap_or_default(),
        };
        to.push(Stmt::Case { test, arms, default });
        Ok(())
    }

    /// The value of a pattern; `None` is `_`.
    fn pattern(&self, pattern: &str, width: Option<usize>) -> Result<Option<BigUint>, Problem> {
        match pattern {
            "default" => return Ok(None),
            "true" => return Ok(Some(1_u8.into())),
            "false" => return Ok(Some(BigUint::ZERO)),
            _ => {}
        }
        if pattern.starts_with(|first: char| first.is_ascii_digit()) {
            let value = index::integer(pattern);
            return value.map(Some).ok_or_else(|| Problem::Unsupported(format!("pattern `{pattern}`")));
        }
        match self.symbols.read(&index::resolve(pattern, &self.loops)?)? {
            Meaning::Constant(value) if width.is_none_or(|width| width == value.width()) => {
                Ok(Some(value.bits().clone()))
            }
            Meaning::Constant(value) => Err(Problem::WidthMismatch {
                operation: format!("pattern `{pattern}`"),
                left: width.unwrap_or_default(),
                right: value.width(),
            }),
            Meaning::Place(_) => Err(Problem::Unsupported(format!("pattern `{pattern}`"))),
        }
    }

    fn unroll(&mut self, repeated: &VerilogLoop, to: &mut Vec<Stmt>) -> Located<()> {
        if self.symbols.knows(&repeated.index) {
            return Err(nowhere(Problem::ShadowedName(repeated.index.clone())));
        }
        let bound = |literal| value::literal(literal).and_then(|(_, bits)| usize::try_from(&bits).ok());
        let (Some(from), Some(until)) = (bound(&repeated.from), bound(&repeated.to)) else {
            return Err(nowhere(Problem::OutOfRange(format!("bound of the loop over `{}`", repeated.index))));
        };
        if until.saturating_sub(from) > LOOP_TURNS_MAX {
            return Err(nowhere(Problem::OutOfRange(format!("{until} turns of the loop over `{}`", repeated.index))));
        }
        for turn in from..until {
            self.loops.push((repeated.index.clone(), turn.into()));
            let result = self.append(&repeated.block, to);
            self.loops.pop();
            result?;
        }
        Ok(())
    }

    fn link(&mut self, link: &VerilogLink) -> Located<Stmt> {
        let name = |details: &VerilogLinkDetails, side: &str| {
            index::resolve(&format!("{side}{}", details.my_name), &self.loops).map_err(at(side))
        };
        let (to, from) = match link {
            VerilogLink::Forward(details) => (name(details, &details.other_name)?, name(details, &details.owner_name)?),
            VerilogLink::Backward(details) => {
                (name(details, &details.owner_name)?, name(details, &details.other_name)?)
            }
            VerilogLink::Bidirectional(details) => return Err(nowhere(Problem::InOut(details.owner_name.clone()))),
        };
        self.assignment(&VerilogExpression::Signal(to), &VerilogExpression::Signal(from))
    }
}
