//! The register walk: one test of the bus side for model, RTL and card, made from the ABI's tables.

use crate::setup::wait_ready;
use crate::{Bar, Card, CardError, Identity};
use std::time::Duration;
use writ_abi::registers::{Access, BAR_BYTES, BLOCKS, COUNTERS, Field, Register, control, counters, identity};

/// One thing that the walk found wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Name of the block; empty for an address without a register.
    pub block: &'static str,
    /// Name of the register.
    pub register: &'static str,
    /// Byte offset in BAR 0.
    pub offset: u32,
    /// What is wrong.
    pub violation: Violation,
    /// What the ABI asks for.
    pub expected: u32,
    /// What was read.
    pub found: u32,
}

/// How a register can break the ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// Its value after reset.
    Reset,
    /// A written bit did not stick.
    NotStored,
    /// A read-only or reserved bit took a write.
    Writable,
    /// An address without a register does not read as 0.
    Unmapped,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}.{} at {:#05x}: {:?}, expected {:#010x}, found {:#010x}",
            self.block, self.register, self.offset, self.violation, self.expected, self.found
        )
    }
}

impl Violation {
    /// In a few words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "value after reset",
            Self::NotStored => "written bit did not stick",
            Self::Writable => "fixed bit took a write",
            Self::Unmapped => "no register there, yet not 0",
        }
    }
}

/// What was seen of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// Who it is.
    pub identity: Identity,
    /// What is wrong with its registers. Empty: nothing.
    pub findings: Vec<Finding>,
}

/// Identifies a card, resets it, waits until its tables are ready, and walks its registers. Afterwards it is disarmed and knows no rings.
///
/// # Errors
/// [`CardError`] for a card that is gone, none of ours, or not ready after `ready_timeout`.
pub fn examine(bar: &dyn Bar, ready_timeout: Duration) -> Result<Examination, CardError> {
    let identity = Card::identify(bar)?;
    bar.write32(control::CONTROL_AT, control::RESET.mask());
    wait_ready(bar, ready_timeout)?;
    let findings = register_walk(bar);
    // A card that went meanwhile would be one with many faults.
    Card::identify(bar)?;
    Ok(Examination { identity, findings })
}

/// Patterns that tell every bit from its neighbours and from being stuck.
const PATTERNS: [u32; 4] = [u32::MAX, 0xaaaa_aaaa, 0x5555_5555, 0];

/// Walks all registers of a card that was reset, has its tables ready, and sees no traffic: reset values, read-write bits stick,
/// read-only and reserved bits do not, addresses without a register read as 0. Each register gets its reset value
/// back. Pulses are never written. The card ends disarmed with its rings disabled, as it began.
///
/// An empty list means that all is well.
pub fn register_walk(bar: &dyn Bar) -> Vec<Finding> {
    let mut findings = Vec::new();
    for block in BLOCKS {
        for register in block.registers {
            let at = block.offset + register.offset;
            let walk = Walk { bar, block: block.name, register, at };
            walk.check_reset(&mut findings);
            walk.check_writes(&mut findings);
        }
    }
    check_unmapped(bar, &mut findings);
    findings
}

struct Walk<'a> {
    bar: &'a dyn Bar,
    block: &'static str,
    register: &'static Register,
    at: u32,
}

impl Walk<'_> {
    fn finding(&self, violation: Violation, expected: u32, found: u32) -> Finding {
        Finding { block: self.block, register: self.register.name, offset: self.at, violation, expected, found }
    }

    /// Bits of all fields for which `select` holds.
    fn mask(&self, select: impl Fn(&Field) -> bool) -> u32 {
        self.register.fields.iter().filter(|field| select(field)).fold(0, |mask, field| mask | field.mask())
    }

    fn reset_value(&self) -> u32 {
        self.register.fields.iter().fold(0, |value, field| value | field.place(field.reset))
    }

    fn check_reset(&self, findings: &mut Vec<Finding>) {
        let moving = if is_moving(self.at) { self.mask(|field| field.access == Access::ReadOnly) } else { 0 };
        let state = if self.at == control::STATUS_AT { control::TABLES_READY.mask() } else { 0 };
        let expected = (self.reset_value() | state) & !moving;
        let found = self.bar.read32(self.at) & !moving;
        if found != expected {
            findings.push(self.finding(Violation::Reset, expected, found));
        }
    }

    fn check_writes(&self, findings: &mut Vec<Finding>) {
        let writable = self.mask(|field| field.access == Access::ReadWrite);
        let pulses = self.mask(|field| field.access == Access::Pulse);
        let moving = if is_moving(self.at) { !writable } else { 0 };
        let fixed = self.bar.read32(self.at) & !writable & !moving;
        for pattern in PATTERNS {
            self.bar.write32(self.at, pattern & !pulses);
            let found = self.bar.read32(self.at);
            let (expected, stored) = (pattern & writable, found & writable);
            if stored != expected {
                findings.push(self.finding(Violation::NotStored, expected, stored));
            }
            let rest = found & !writable & !moving;
            if rest != fixed {
                findings.push(self.finding(Violation::Writable, fixed, rest));
            }
        }
        if writable != 0 {
            self.bar.write32(self.at, self.reset_value() & !pulses);
        }
    }
}

/// Registers whose content is not fixed by the ABI: the running clock and its state, which is the host's doing, the pulse-per-second input,
/// the frames that the walk itself lets the card make, and the build hash, which is another one for each build.
fn is_moving(at: u32) -> bool {
    use writ_abi::registers::{clock, self_test};
    let hash = identity::BUILD_HASH_AT..identity::BUILD_HASH_AT + 4 * identity::BUILD_HASH_WORDS;
    let pulse = clock::PPS_COUNT_AT..=clock::PPS_HI_AT;
    let frames = [self_test::SENT_A_AT, self_test::SENT_B_AT];
    [clock::NOW_LO_AT, clock::NOW_HI_AT, clock::STATE_AT].contains(&at)
        || frames.contains(&at)
        || pulse.contains(&at)
        || hash.contains(&at)
}

fn check_unmapped(bar: &dyn Bar, findings: &mut Vec<Finding>) {
    let counters = counters::OFFSET..counters::OFFSET + 8 * COUNTERS.len() as u32;
    let mapped = |at: u32| {
        counters.contains(&at)
            || BLOCKS.iter().any(|block| block.registers.iter().any(|register| block.offset + register.offset == at))
    };
    for at in (0..BAR_BYTES).step_by(4) {
        if mapped(at) {
            continue;
        }
        bar.write32(at, u32::MAX);
        let found = bar.read32(at);
        if found != 0 {
            findings.push(Finding {
                block: "",
                register: "",
                offset: at,
                violation: Violation::Unmapped,
                expected: 0,
                found,
            });
        }
    }
}
