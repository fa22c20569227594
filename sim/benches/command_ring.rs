//! Measures [`writ_driver::CommandChannel`] against the golden model in a thread of its own. `cargo xtask bench dma` starts it.
//!
//! Takes a number of rounds. Prints one JSON object on stdout. The time is that of the clock on the wall, of two threads and two wake-ups a batch: it says
//! what a host gets out of the simulated card, not what a card can do, which `bench gateware` measures.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;
use writ_abi::Table;
use writ_abi::command::Command;
use writ_abi::time::TimeQuality;
use writ_driver::{BringUp, Card, CommandChannel, LookupSettings, RingMemory, RingSizes};
use writ_sim::service::{Backend, Options, Service};

/// Commands that are submitted together: one, as a change of one row does, and as many as `writd`'s ring holds.
const BATCHES: [u32; 3] = [1, 32, 1024];
const TIMEOUT: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo says `--bench` to every benchmark.
    let rounds = std::env::args().skip(1).find(|word| word != "--bench");
    let rounds: usize = rounds.map_or(Ok(15), |word| word.parse())?;
    let sizes = RingSizes { record_lines: [256, 0, 0, 0], commands: 1024 };
    let options = Options { memory_bytes: sizes.memory_bytes(), ..Options::default() };
    let service = Service::start(Backend::Model, &options)?;
    let memory = RingMemory::allocate(&service.dma(), &sizes)?;
    let how = BringUp {
        now_ns: 1,
        quality: TimeQuality::Free,
        lookup: LookupSettings::default(),
        ready_timeout: Duration::from_secs(10),
    };
    let mut channel = Card::bring_up(service.bar(), memory, service.irqs(), &how)?.commands;
    let mut rows = Vec::new();
    for batch in BATCHES {
        let mut rates = Vec::with_capacity(rounds.max(1));
        for _ in 0..rounds.max(1) {
            rates.push(rate(&mut channel, batch)?);
        }
        rates.sort_by(f64::total_cmp);
        let rate = rates[rates.len() / 2];
        eprintln!("{batch} commands at a time: {rate:.0} commands/s");
        let params = json!({ "opcode": "read_row", "batch_commands": batch, "card": "model" });
        rows.push(json!({ "name": "command_ring_commands_per_s", "params": params, "value": rate.round(), "unit": "commands/s" }));
    }
    println!("{}", json!({ "bench": "dma", "rows": rows }));
    Ok(())
}

/// Commands a second, each read back and checked by the channel.
fn rate(channel: &mut CommandChannel, batch: u32) -> Result<f64, Box<dyn std::error::Error>> {
    let commands: Vec<Command> = (0..batch).map(|row| Command::read_row(0, Table::Address, 0, row)).collect();
    let times = 2048_u32.div_ceil(batch).min(200);
    let start = Instant::now();
    for _ in 0..times {
        let completed = channel.execute(&commands, TIMEOUT)?;
        if completed.len() != commands.len() {
            return Err(format!("{} completions of {} commands", completed.len(), commands.len()).into());
        }
    }
    Ok(f64::from(times * batch) / start.elapsed().as_secs_f64())
}
