//! Random kernels: expressions alone, and statements that write and read signals in any order.

use crate::bench::{Case, Edges, Random, Reference, any};
use crate::dynamic::{DynamicBlock, DynamicSignal};
use crate::expressions::{Environment, Node, Scope, generate, signal};
use crate::operations::WIDTHS;
use num_bigint::BigUint;
use rust_hdl::core::ast::{
    VerilogBlockOrConditional, VerilogCase, VerilogConditional, VerilogExpression, VerilogLoop, VerilogMatch,
    VerilogStatement,
};
use rust_hdl::core::prelude::{AtomKind, Verilog};
use std::collections::BTreeMap;
use writ_hdl::emit;
use writ_hdl::prim::{Marker, build};

enum Statement {
    Assign(usize, Box<Node>),
    /// Bits of a signal; the offset is constant, or loop variable times width.
    AssignSlice {
        target: usize,
        width: usize,
        constant: usize,
        variable: Option<usize>,
        value: Box<Node>,
    },
    If(Box<Node>, Vec<Statement>, Vec<Statement>),
    Match(Box<Node>, Vec<(u64, Vec<Statement>)>, Vec<Statement>),
    Loop(usize, Vec<Statement>),
}

/// A kernel over signals `0..`: inputs, then `q` of registers, then locals, then outputs; all these can be read. Behind them
/// come `d` of the registers, which can be written only.
struct Kernel {
    scope: Scope,
    inputs: usize,
    locals: usize,
    /// Widths of the registers.
    registers: Vec<usize>,
    body: Vec<Statement>,
}

fn named(index: usize, kind: &str) -> String {
    // Some are keywords of Verilog.
    match (kind, index) {
        ("input", 0) => "always".to_owned(),
        ("input", 1) => "table".to_owned(),
        ("local", 0) => "unused".to_owned(),
        ("output", 0) => "bus$ready".to_owned(),
        ("output", 1) => "bus_ready".to_owned(),
        _ => format!("{kind}_{index}"),
    }
}

impl Kernel {
    /// Signals that the kernel may write.
    fn targets(&self) -> std::ops::Range<usize> {
        let readable = self.scope.signals.len();
        self.inputs + self.registers.len()..readable + self.registers.len()
    }

    /// Name and width of a signal.
    fn signal(&self, index: usize) -> (String, usize) {
        match index.checked_sub(self.scope.signals.len()) {
            None => self.scope.signals[index].clone(),
            Some(register) => (format!("register_{register}$d"), self.registers[register]),
        }
    }

    fn block(&self) -> DynamicBlock {
        let signal = |name: &str, kind: AtomKind, width: usize| DynamicSignal {
            name: name.to_owned(),
            kind,
            width,
            is_clock: name == "clock",
        };
        let first_local = self.inputs + self.registers.len();
        let mut signals = vec![signal("clock", AtomKind::InputParameter, 1)];
        for (index, (name, width)) in self.scope.signals.iter().enumerate() {
            let kind = match index {
                _ if index < self.inputs => AtomKind::InputParameter,
                _ if index < first_local => continue,
                _ if index < first_local + self.locals => AtomKind::LocalSignal,
                _ => AtomKind::OutputParameter,
            };
            signals.push(signal(name, kind, *width));
        }
        let mut statements = Vec::new();
        let mut children = Vec::new();
        for (register, &width) in self.registers.iter().enumerate() {
            let name = format!("register_{register}");
            statements.push(build::assign(format!("{name}$clock"), build::signal("clock")));
            let signals = vec![
                signal("clock", AtomKind::InputParameter, 1),
                signal("d", AtomKind::InputParameter, width),
                signal("q", AtomKind::OutputParameter, width),
            ];
            let code = Marker::Register { initial: "0".to_owned() }.verilog();
            children.push(DynamicBlock { name, signals, code, children: Vec::new() });
        }
        statements.extend(self.tree(&self.body, &mut self.scope.clone()));
        DynamicBlock { name: String::new(), signals, code: Verilog::Combinatorial(statements), children }
    }

    fn into_case(self, name: &str) -> Case {
        let block = self.block();
        let emitted = emit::emit(&block, name).unwrap_or_else(|error| panic!("{error}\n{:?}", block.code));
        let description = format!("{:?}", block.code);
        let values = self.registers.iter().map(|_| BigUint::ZERO).collect();
        let reference = Box::new(Interpreter { kernel: self, inputs: Vec::new(), registers: values });
        Case { emitted, reference, stimulus: any, directed: Vec::new(), description }
    }
}

struct Interpreter {
    kernel: Kernel,
    inputs: Vec<BigUint>,
    /// Present values.
    registers: Vec<BigUint>,
}

impl Interpreter {
    /// Outputs, and the registers' next values.
    fn evaluate(&self) -> (Vec<BigUint>, Vec<BigUint>) {
        let mut signals = self.inputs.clone();
        signals.extend(self.registers.clone());
        let readable = self.kernel.scope.signals.len();
        signals.resize(readable + self.registers.len(), BigUint::ZERO);
        let mut environment = Environment { signals, loops: Vec::new() };
        run(&self.kernel.body, &mut environment);
        let next = environment.signals.split_off(readable);
        let first_output = self.kernel.inputs + self.registers.len() + self.kernel.locals;
        (environment.signals.split_off(first_output), next)
    }
}

impl Reference for Interpreter {
    fn low(&mut self, inputs: &[BigUint]) -> Vec<BigUint> {
        self.inputs = inputs.to_vec();
        self.evaluate().0
    }

    fn high(&mut self, _edges: Edges) -> Vec<BigUint> {
        self.registers = self.evaluate().1;
        self.evaluate().0
    }
}

fn overwrite(word: &BigUint, lsb: usize, width: usize, value: &BigUint) -> BigUint {
    let mask = ((BigUint::from(1_u8) << width) - 1_u8) << lsb;
    (word | &mask) ^ &mask | (value << lsb)
}

fn run(body: &[Statement], environment: &mut Environment) {
    for statement in body {
        match statement {
            Statement::Assign(target, value) => environment.signals[*target] = value.value(environment),
            Statement::AssignSlice { target, width, constant, variable, value } => {
                let lsb = constant + variable.map_or(0, |variable| environment.loops[variable] * width);
                let value = value.value(environment);
                environment.signals[*target] = overwrite(&environment.signals[*target], lsb, *width, &value);
            }
            Statement::If(test, then, otherwise) => {
                let taken = if test.value(environment) == BigUint::ZERO { otherwise } else { then };
                run(taken, environment);
            }
            Statement::Match(test, arms, default) => {
                let value = test.value(environment);
                let arm = arms.iter().find(|(pattern, _)| BigUint::from(*pattern) == value);
                run(arm.map_or(default, |(_, arm)| arm), environment);
            }
            Statement::Loop(turns, body) => {
                for turn in 0..*turns {
                    environment.loops.push(turn);
                    run(body, environment);
                    environment.loops.pop();
                }
            }
        }
    }
}

impl Kernel {
    fn tree(&self, body: &[Statement], scope: &mut Scope) -> Vec<VerilogStatement> {
        body.iter().map(|statement| self.statement_tree(statement, scope)).collect()
    }

    fn statement_tree(&self, statement: &Statement, scope: &mut Scope) -> VerilogStatement {
        match statement {
            Statement::Assign(target, value) => {
                // The macro leaves `$next` on some targets and not on others.
                let suffix = if target % 2 == 0 { "$next" } else { "" };
                let target = format!("{}{suffix}", self.signal(*target).0);
                VerilogStatement::Assignment(VerilogExpression::Signal(target), value.tree(scope))
            }
            Statement::AssignSlice { target, width, constant, variable, value } => VerilogStatement::SliceAssignment {
                base: VerilogExpression::Signal(self.signal(*target).0),
                width: *width,
                offset: slice_offset(*constant, *width, variable.map(|variable| &scope.loops[variable].0)),
                replacement: value.tree(scope),
            },
            Statement::If(test, then, otherwise) => {
                let otherwise = self.tree(otherwise, scope);
                VerilogStatement::If(VerilogConditional {
                    test: test.tree(scope),
                    then: self.tree(then, scope),
                    otherwise: match otherwise.len() {
                        0 => VerilogBlockOrConditional::None,
                        1 if matches!(otherwise[0], VerilogStatement::If(_)) => {
                            VerilogBlockOrConditional::Conditional(Box::new(otherwise[0].clone()))
                        }
                        _ => VerilogBlockOrConditional::Block(otherwise),
                    },
                })
            }
            Statement::Match(test, arms, default) => {
                let mut cases = Vec::new();
                for (pattern, arm) in arms {
                    cases.push(VerilogCase { condition: format!("{pattern:#x}"), block: self.tree(arm, scope) });
                }
                cases.push(VerilogCase { condition: "default".to_owned(), block: self.tree(default, scope) });
                VerilogStatement::Match(VerilogMatch { test: test.tree(scope), cases })
            }
            Statement::Loop(turns, body) => {
                let index = format!("turn_{}", scope.loops.len());
                scope.loops.push((index.clone(), *turns));
                let block = self.tree(body, scope);
                scope.loops.pop();
                VerilogStatement::Loop(VerilogLoop { index, from: 0_i32.into(), to: (*turns).into(), block })
            }
        }
    }
}

fn slice_offset(constant: usize, width: usize, variable: Option<&String>) -> VerilogExpression {
    use rust_hdl::core::ast::VerilogOp;
    let literal = |value: usize| Box::new(VerilogExpression::Literal(value.into()));
    match variable {
        None => *literal(constant),
        Some(variable) => {
            let variable = Box::new(VerilogExpression::Signal(variable.clone()));
            let product = Box::new(VerilogExpression::Binary(variable, VerilogOp::Mul, literal(width)));
            VerilogExpression::Binary(literal(constant), VerilogOp::Add, product)
        }
    }
}

fn statements(random: &mut Random, kernel: &Kernel, scope: &mut Scope, count: usize, depth: usize) -> Vec<Statement> {
    (0..count).map(|_| statement(random, kernel, scope, depth)).collect()
}

fn statement(random: &mut Random, kernel: &Kernel, scope: &mut Scope, depth: usize) -> Statement {
    let count = 1 + random.below(3);
    match random.below(if depth == 0 { 4 } else { 8 }) {
        0..=2 => {
            let target = kernel.targets().start + random.below(kernel.targets().len());
            Statement::Assign(target, generate(random, scope, kernel.signal(target).1, 2))
        }
        3 => assign_slice(random, kernel, scope),
        4 | 5 => {
            let test = generate(random, scope, 1, 2);
            let then = statements(random, kernel, scope, count, depth - 1);
            let otherwise = random.below(3);
            Statement::If(test, then, statements(random, kernel, scope, otherwise, depth - 1))
        }
        6 => {
            let width = *random.pick(&[1, 2, 3, 5]);
            let test = generate(random, scope, width, 2);
            let mut patterns: Vec<u64> = (0..4).map(|_| random.below(1 << width) as u64).collect();
            patterns.sort_unstable();
            patterns.dedup();
            let arms = patterns.into_iter().map(|pattern| {
                let count = random.below(3);
                (pattern, statements(random, kernel, scope, count, depth - 1))
            });
            let arms = arms.collect();
            let default = random.below(3);
            Statement::Match(test, arms, statements(random, kernel, scope, default, depth - 1))
        }
        _ => {
            let turns = random.below(4);
            scope.loops.push((format!("turn_{}", scope.loops.len()), turns.max(1)));
            let body = statements(random, kernel, scope, count, depth - 1);
            scope.loops.pop();
            Statement::Loop(turns, body)
        }
    }
}

fn assign_slice(random: &mut Random, kernel: &Kernel, scope: &Scope) -> Statement {
    let target = kernel.targets().start + random.below(kernel.targets().len());
    let whole = kernel.signal(target).1;
    let fitting: Vec<usize> = WIDTHS.into_iter().filter(|&width| width <= whole).collect();
    let width = *random.pick(&fitting);
    let variable = (0..scope.loops.len()).find(|&index| scope.loops[index].1 * width <= whole);
    let variable = variable.filter(|_| random.one_in(2));
    let constant = match variable {
        Some(variable) => random.below(whole - scope.loops[variable].1 * width + 1),
        None => random.below(whole - width + 1),
    };
    let value = generate(random, scope, width, 2);
    Statement::AssignSlice { target, width, constant, variable, value }
}

/// Designs of `outputs` expressions each.
pub(crate) fn expression_cases(seed: u64, designs: usize, outputs: usize) -> Vec<Case> {
    let mut random = Random::new(seed);
    let mut counts = BTreeMap::new();
    let mut cases = Vec::new();
    for design in 0..designs {
        let mut scope = Scope { signals: Vec::new(), loops: Vec::new() };
        for index in 0..8 {
            scope.signals.push((named(index, "input"), *random.pick(&WIDTHS)));
        }
        let inputs = scope.signals.len();
        let mut body = Vec::new();
        let mut results = Vec::new();
        for index in 0..outputs {
            let width = *random.pick(&WIDTHS);
            let depth = 1 + random.below(4);
            let value = generate(&mut random, &scope, width, depth);
            value.count(&mut counts);
            results.push((named(index, "output"), width));
            body.push(Statement::Assign(inputs + index, value));
        }
        scope.signals.extend(results);
        let kernel = Kernel { scope, inputs, locals: 0, registers: Vec::new(), body };
        cases.push(kernel.into_case(&format!("expressions_{design}")));
    }
    for operation in [
        "not",
        "reduce",
        "compare",
        "binary",
        "with integer",
        "add bool",
        "logical",
        "shift",
        "shift by integer",
        "integer shift",
        "cast",
        "slice",
        "dynamic slice",
        "computed slice",
        "bit",
        "dynamic bit",
        "computed bit",
        "replace",
        "dynamic replace",
        "computed replace",
        "parentheses",
    ] {
        assert!(counts.get(operation).copied().unwrap_or_default() > 3, "too few of {operation}: {counts:?}");
    }
    cases
}

/// Designs of random statements.
pub(crate) fn statement_cases(seed: u64, designs: usize) -> Vec<Case> {
    let mut random = Random::new(seed);
    (0..designs)
        .map(|design| {
            let mut scope = Scope { signals: Vec::new(), loops: Vec::new() };
            for index in 0..5 {
                scope.signals.push((named(index, "input"), *random.pick(&WIDTHS)));
            }
            let inputs = scope.signals.len();
            let registers: Vec<usize> = (0..3).map(|_| *random.pick(&WIDTHS)).collect();
            for (register, width) in registers.iter().enumerate() {
                scope.signals.push((format!("register_{register}$q"), *width));
            }
            // Every signal has a value before anything reads it.
            let mut body = Vec::new();
            for index in 0..8 {
                let name = if index < 4 { named(index, "local") } else { named(index - 4, "output") };
                let width = *random.pick(&WIDTHS);
                body.push(Statement::Assign(scope.signals.len(), generate(&mut random, &scope, width, 1)));
                scope.signals.push((name, width));
            }
            for (register, &width) in registers.iter().enumerate() {
                // Most registers keep their value, as `dff_setup!` has it.
                let target = scope.signals.len() + register;
                body.push(Statement::Assign(target, signal(inputs + register, width)));
            }
            let mut kernel = Kernel { scope: scope.clone(), inputs, locals: 4, registers, body: Vec::new() };
            let count = 4 + random.below(8);
            body.extend(statements(&mut random, &kernel, &mut scope, count, 3));
            kernel.body = body;
            kernel.into_case(&format!("statements_{design}"))
        })
        .collect()
}
