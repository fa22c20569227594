//! The register reference, printed.

use super::{Access, BLOCKS, COUNTERS, counters};
use crate::{ABI_MAJOR, ABI_MINOR};
use core::fmt;

/// Writes the register reference as Markdown.
///
/// # Errors
/// Those of `out`.
pub fn write_markdown(out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "# Registers of BAR 0, ABI {ABI_MAJOR}.{ABI_MINOR}\n")?;
    writeln!(
        out,
        "Printed from `hdl/abi/src/registers/mod.rs`. All registers are 32 bits, little-endian; addresses are byte offsets."
    )?;
    for block in BLOCKS {
        writeln!(out, "\n## {} at {:#05x}\n\n{}\n", block.name, block.offset, block.about)?;
        writeln!(out, "| address | register | bits | field | access | reset | meaning |")?;
        writeln!(out, "|---|---|---|---|---|---|---|")?;
        for register in block.registers {
            for field in register.fields {
                writeln!(
                    out,
                    "| {:#05x} | {} | {}:{} | {} | {} | {:#x} | {} |",
                    block.offset + register.offset,
                    register.name,
                    field.lsb + field.width - 1,
                    field.lsb,
                    field.name,
                    access_name(field.access),
                    field.reset,
                    field.about
                )?;
            }
        }
    }
    writeln!(out, "\n## COUNTERS at {:#05x}\n", counters::OFFSET)?;
    writeln!(
        out,
        "64-bit counters as of the last CONTROL.SNAPSHOT, low word at the address, high word 4 bytes on. Read-only, 0 after reset. \
         Those of a wire come from its clock: STATUS.SNAPSHOT_PENDING says when they are there.\n"
    )?;
    writeln!(out, "| address | counter | meaning |\n|---|---|---|")?;
    for (number, (_, name, about)) in COUNTERS.iter().enumerate() {
        writeln!(out, "| {:#05x} | {name} | {about} |", counters::OFFSET + 8 * number as u32)?;
    }
    Ok(())
}

/// Writes the register reference as one JSON object.
///
/// # Errors
/// Those of `out`.
pub fn write_json(out: &mut dyn fmt::Write) -> fmt::Result {
    write!(out, "{{\"abi\":\"{ABI_MAJOR}.{ABI_MINOR}\",\"blocks\":[")?;
    for (b, block) in BLOCKS.iter().enumerate() {
        let comma = if b == 0 { "" } else { "," };
        write!(
            out,
            "{comma}{{\"name\":\"{}\",\"offset\":{},\"bytes\":{},\"registers\":[",
            block.name, block.offset, block.bytes
        )?;
        for (r, register) in block.registers.iter().enumerate() {
            let comma = if r == 0 { "" } else { "," };
            write!(
                out,
                "{comma}{{\"name\":\"{}\",\"address\":{},\"fields\":[",
                register.name,
                block.offset + register.offset
            )?;
            for (f, field) in register.fields.iter().enumerate() {
                let comma = if f == 0 { "" } else { "," };
                write!(
                    out,
                    "{comma}{{\"name\":\"{}\",\"lsb\":{},\"width\":{},\"access\":\"{}\",\"reset\":{},\"about\":\"{}\"}}",
                    field.name,
                    field.lsb,
                    field.width,
                    access_name(field.access),
                    field.reset,
                    field.about
                )?;
            }
            write!(out, "]}}")?;
        }
        write!(out, "]}}")?;
    }
    write!(out, "],\"counters\":[")?;
    for (number, (_, name, about)) in COUNTERS.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let address = counters::OFFSET + 8 * number as u32;
        write!(out, "{comma}{{\"name\":\"{name}\",\"address\":{address},\"about\":\"{about}\"}}")?;
    }
    writeln!(out, "]}}")
}

const fn access_name(access: Access) -> &'static str {
    match access {
        Access::ReadOnly => "ro",
        Access::ReadWrite => "rw",
        Access::Pulse => "pulse",
    }
}
