//! The command ring: fetch, execute, complete.

use super::registers::RegisterFile;
use super::ring::Bus;
use super::tables::{CardState, Tables};
use super::timing::{COMMAND_CLOCKS, SWEEP_CLOCKS};
use writ_abi::command::{Command, Completion};
use writ_abi::limits::LINE_BYTES;
use writ_abi::registers::rings;
use zerocopy::{
    FromZeros,
    little_endian::{U32, U64},
};

#[derive(Default)]
pub(super) struct CommandEngine {
    /// Commands executed since the rings were enabled.
    done: u32,
    busy_until: u64,
    /// A command whose sweep ends at `busy_until`.
    sweeping: Option<Command>,
}

/// What a completion says besides the command's own result.
pub(super) struct CommitPoint {
    pub(super) stamp_ns: u64,
    pub(super) frames_looked_up: [u64; 2],
    pub(super) card: CardState,
}

impl CommandEngine {
    /// The rings were enabled.
    pub(super) fn enable(&mut self) {
        self.done = 0;
        self.sweeping = None;
    }

    pub(super) fn next_event(&self, registers: &RegisterFile) -> Option<u64> {
        self.is_waiting(registers).then_some(self.busy_until)
    }

    fn is_waiting(&self, registers: &RegisterFile) -> bool {
        let size = |register| registers.value(register).is_power_of_two();
        registers.field(rings::ENABLE_AT, rings::ENABLE_COMMANDS) == 1
            && registers.value(rings::COMMAND_PRODUCER_AT) != self.done
            && size(rings::COMMAND_COUNT_AT)
            && size(rings::COMPLETION_COUNT_AT)
    }

    /// One clock: executes a command if one waits; says whether it did.
    pub(super) fn tick(
        &mut self,
        clock: u64,
        registers: &RegisterFile,
        tables: &mut Tables,
        point: &CommitPoint,
        bus: &mut Bus,
    ) -> bool {
        if clock < self.busy_until || !self.is_waiting(registers) {
            return false;
        }
        let command = match self.sweeping.take() {
            Some(command) => command,
            None => {
                let command = self.fetch(registers, bus);
                if tables.takes_a_sweep(&command, point.card) {
                    self.sweeping = Some(command);
                    self.busy_until = clock + SWEEP_CLOCKS;
                    return false;
                }
                command
            }
        };
        let completion = complete(&command, tables, point);

        let slot = u64::from(self.done % registers.value(rings::COMPLETION_COUNT_AT));
        let base = registers.wide(rings::COMPLETION_BASE_LO_AT, rings::COMPLETION_BASE_HI_AT);
        let lines: [[u8; LINE_BYTES]; 2] = zerocopy::transmute!(completion);
        for (line, at) in lines.iter().zip([2 * slot, 2 * slot + 1]) {
            bus.write(base.wrapping_add(at * LINE_BYTES as u64), line);
        }
        self.done = self.done.wrapping_add(1);
        bus.write_index(registers.wide(rings::COMPLETION_INDEX_LO_AT, rings::COMPLETION_INDEX_HI_AT), self.done);
        self.busy_until = clock + COMMAND_CLOCKS;
        true
    }

    fn fetch(&self, registers: &RegisterFile, bus: &mut Bus) -> Command {
        let slot = u64::from(self.done % registers.value(rings::COMMAND_COUNT_AT));
        let base = registers.wide(rings::COMMAND_BASE_LO_AT, rings::COMMAND_BASE_HI_AT);
        zerocopy::transmute!(bus.read(base.wrapping_add(slot * LINE_BYTES as u64)))
    }
}

fn complete(command: &Command, tables: &mut Tables, point: &CommitPoint) -> Completion {
    let executed = tables.execute(command, point.card);
    let mut completion = Completion::new_zeroed();
    completion.tag = U32::new(command.tag.get());
    completion.status = executed.status as u8;
    completion.opcode = command.opcode;
    completion.row_state = executed.row_state as u8;
    completion.stamp_ns = U64::new(point.stamp_ns);
    completion.frames_looked_up = point.frames_looked_up.map(U64::new);
    completion.drop_packets = U64::new(executed.drops.packets);
    completion.drop_bytes = U64::new(executed.drops.bytes);
    completion.row = executed.row;
    completion
}
