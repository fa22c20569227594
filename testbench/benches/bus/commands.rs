//! What the command ring carries over the bus as it is.

use serde_json::{Value, json};
use writ_abi::Table;
use writ_abi::command::{Command, Status};
use writ_sim::pcie::BusSettings;

use crate::card::{BUS_CLOCK_NS, CORE_CLOCK_NS, Rig};
use crate::failure::Failure;
use crate::row;

/// Commands that are submitted together: one, as a change of one row does, and as many as `writd`'s ring holds.
const BATCHES: [u32; 3] = [1, 32, 1024];
/// As many at least of each batch size.
const COMMANDS_MIN: u32 = 1024;
/// Core clocks between two looks at the completion ring.
const STEP_CLOCKS: u64 = 4;
/// Steps that a batch may take: a second of card time.
const STEPS_MAX: u64 = 1 << 26;
/// What a command's read brings.
const COMMAND_BYTES: f64 = 64.0;

/// Rows of every batch size. From the doorbell to the last completion that the host sees, by card time.
pub(crate) fn measure() -> Result<Vec<Value>, Failure> {
    let bus = BusSettings::default();
    let mut rows = of_bus(bus)?;
    // So near that the card alone is the limit. No hard block answers before it has told the read's tag, so it is not nearer.
    rows.extend(of_bus(BusSettings { latency_clocks: 8, memory_clocks: 8, ..bus })?);
    Ok(rows)
}

fn of_bus(bus: BusSettings) -> Result<Vec<Value>, Failure> {
    let mut rig = Rig::new(bus)?;
    let mut rows = Vec::new();
    for batch in BATCHES {
        let rounds = COMMANDS_MIN.div_ceil(batch);
        let (clocks, before) = (rig.clocks(), rig.traffic().bus);
        for _ in 0..rounds {
            run_batch(&mut rig, batch)?;
        }
        let after = rig.traffic().bus;
        let seconds = (rig.clocks() - clocks) as f64 * CORE_CLOCK_NS / 1e9;
        let rate = f64::from(rounds * batch) / seconds;
        let read_bytes = (after.reads - before.reads) as f64 * COMMAND_BYTES;
        let per_clock = read_bytes / (after.clocks - before.clocks).max(1) as f64;
        let latency_ns = read_latency_ns(&bus);
        eprintln!(
            "{batch} commands at a time, {latency_ns} ns: {:.2} M commands/s, reads of {per_clock:.2} bytes a clock",
            rate / 1e6
        );
        let params = || {
            json!({
                "opcode": "read_row",
                "batch_commands": batch,
                "card": "tlp",
                "read_latency_ns": latency_ns,
            })
        };
        rows.push(row("command_ring_commands_per_s", params(), rate.round(), "commands/s"));
        rows.push(row("command_ring_read_bytes_per_clock", params(), per_clock, "bytes/clock"));
    }
    Ok(rows)
}

/// What the bus alone adds to a read: there, the host's memory, and back.
fn read_latency_ns(settings: &BusSettings) -> u64 {
    (2 * settings.latency_clocks + settings.memory_clocks) * BUS_CLOCK_NS
}

fn run_batch(rig: &mut Rig, batch: u32) -> Result<(), Failure> {
    let commands: Vec<Command> = (0..batch).map(|row| Command::read_row(0, Table::Address, 0, row)).collect();
    rig.commands.submit(&commands)?;
    let mut completed = Vec::with_capacity(commands.len());
    for _ in 0..STEPS_MAX {
        rig.run(STEP_CLOCKS);
        rig.commands.poll(&mut completed)?;
        if completed.len() == commands.len() {
            let refused = completed.iter().filter(|done| done.status != Status::Done).count();
            return if refused == 0 { Ok(()) } else { Err(Failure::Setup(format!("{refused} commands refused"))) };
        }
    }
    Err(Failure::Endless("a batch of commands"))
}
