//! Decides which value of a signal each place of a kernel reads, and that every signal is assigned on every path.
//!
//! RustHDL runs a kernel from top to bottom and again until nothing changes. A local signal or an output that is read after
//! some of its writes shows what they made of it; read before all of them it shows, in the end, its final value. Inputs of
//! instances always show their final value, because RustHDL reads what was committed.

use super::error::Problem;
use super::expr::{At, Expr, Read};
use super::stmt::Stmt;
use super::symbols::Net;
use super::value::mask;
use num_bigint::BigUint;
use std::collections::BTreeMap;

/// What is known at a place of the kernel, for the paths that lead there.
#[derive(Clone, Default)]
struct Reached {
    /// Bits that are certainly assigned.
    assigned: BTreeMap<usize, BigUint>,
}

struct Flow<'a> {
    nets: &'a [Net],
    /// Writes before the present place in the text.
    before: Vec<usize>,
    /// Writes that the present path may have done.
    done: Vec<usize>,
    /// Writes in the whole kernel.
    writes: &'a [usize],
}

/// Settles all reads of `block`, whose writes to each signal are counted in `writes`.
pub(super) fn settle(block: &mut [Stmt], nets: &[Net], writes: &[usize]) -> Result<(), (Option<String>, Problem)> {
    let mut flow = Flow { nets, before: vec![0; nets.len()], done: vec![0; nets.len()], writes };
    let mut reached = Reached::default();
    flow.block(block, &mut reached)?;
    for (net, _) in writes.iter().enumerate().filter(|(_, count)| **count > 0) {
        let missing = mask(nets[net].width) ^ reached.assigned.get(&net).unwrap_or(&BigUint::ZERO);
        if missing != BigUint::ZERO {
            let problem = Problem::Latch { signal: nets[net].name.clone(), bits: format!("{missing:x}") };
            return Err((None, problem));
        }
    }
    Ok(())
}

impl Flow<'_> {
    fn block(&mut self, block: &mut [Stmt], reached: &mut Reached) -> Result<(), (Option<String>, Problem)> {
        for statement in block {
            match statement {
                Stmt::Write { net, lsb, value, .. } => {
                    let bits = mask(value.width()) << *lsb;
                    self.settle_reads(value, reached).map_err(|p| (Some(self.nets[*net].name.clone()), p))?;
                    self.before[*net] += 1;
                    self.done[*net] += 1;
                    *reached.assigned.entry(*net).or_default() |= bits;
                }
                Stmt::If { test, then, otherwise } => {
                    self.settle_reads(test, reached).map_err(|p| (None, p))?;
                    self.branches(vec![then, otherwise], reached)?;
                }
                Stmt::Case { test, arms, default } => {
                    self.settle_reads(test, reached).map_err(|p| (None, p))?;
                    let branches = arms.iter_mut().map(|(_, arm)| arm).chain([default]).collect();
                    self.branches(branches, reached)?;
                }
            }
        }
        Ok(())
    }

    /// Branches of which exactly one is taken.
    fn branches(
        &mut self,
        branches: Vec<&mut Vec<Stmt>>,
        reached: &mut Reached,
    ) -> Result<(), (Option<String>, Problem)> {
        // What one branch writes is not done on the path through another.
        let done_before = self.done.clone();
        let mut done_by_any = done_before.clone();
        let mut joined: Option<Reached> = None;
        for branch in branches {
            self.done.clone_from(&done_before);
            let mut reached = reached.clone();
            self.block(branch, &mut reached)?;
            for (any, own) in done_by_any.iter_mut().zip(&self.done) {
                *any = (*any).max(*own);
            }
            joined = Some(match joined {
                None => reached,
                Some(others) => both(others, &reached),
            });
        }
        self.done = done_by_any;
        if let Some(joined) = joined {
            *reached = joined;
        }
        Ok(())
    }

    fn settle_reads(&self, expr: &mut Expr, reached: &Reached) -> Result<(), Problem> {
        let mut problem = None;
        expr.change_reads(&mut |read| match self.moment(read, reached) {
            Ok(at) => read.at = at,
            Err(found) => problem = Some(found),
        });
        problem.map_or(Ok(()), Err)
    }

    fn moment(&self, read: &Read, reached: &Reached) -> Result<At, Problem> {
        let net = &self.nets[read.net];
        let before = self.before[read.net];
        // The last moment is the end. Where only other branches write later, the moment is taken all the same: the end would
        // be equal, but would make loops between branches that exclude each other.
        if !net.role.shows_writes_at_once() || self.done[read.net] == 0 || before == self.writes[read.net] {
            return Ok(At::End);
        }
        let wanted = mask(read.width) << read.lsb;
        let assigned = reached.assigned.get(&read.net).cloned().unwrap_or_default();
        if &assigned & &wanted != wanted {
            return Err(Problem::ReadBeforeWritten(net.name.clone()));
        }
        Ok(At::After(before))
    }
}

/// What is known where two paths meet.
fn both(mut one: Reached, other: &Reached) -> Reached {
    one.assigned.retain(|net, bits| match other.assigned.get(net) {
        Some(also) => {
            *bits &= also;
            true
        }
        None => false,
    });
    one
}
