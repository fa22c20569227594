//! What a row or rule of the card holds, and the commands for it.

use crate::{Area, Key, MatchIndex, Place, Scope};
use writ_abi::command::{Command, Row, Rule};

/// What stands at a place of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// What a hit returns.
    pub match_index: MatchIndex,
    /// How much of the frame a hit allows.
    pub scope: Scope,
    /// Expiry in ticks of the card's clock.
    pub not_after: u64,
    /// Record ring of its hits.
    pub ring: u8,
}

impl Entry {
    /// The commands that put it there: one for a row, two for a rule, which have to reach the card one right after the other.
    pub(crate) fn write_commands(&self, place: Place, mut next_tag: impl FnMut() -> u32) -> Vec<Command> {
        let Self { key, match_index, scope, not_after, ring } = *self;
        let row = |key| Row { key, match_index, scope, not_after, ring };
        match place.area {
            Area::Table(table) => {
                vec![Command::write_row(next_tag(), table, place.way, place.row, &row(*key.padded_bytes()))]
            }
            Area::Rules => {
                let rule =
                    Rule { row: row(*key.mask()), value: *key.padded_bytes(), destination: key.is_destination() };
                vec![
                    Command::stage_rule(next_tag(), &rule),
                    Command::write_rule(next_tag(), place.way, place.row, &rule),
                ]
            }
        }
    }
}

impl Place {
    /// The command that clears it.
    pub(crate) fn clear_command(self, tag: u32) -> Command {
        match self.area {
            Area::Table(table) => Command::clear_row(tag, table, self.way, self.row),
            Area::Rules => Command::clear_rule(tag, self.way, self.row),
        }
    }

    /// The commands that read it back, for [`crate::ReadBack::parse`].
    pub fn read_commands(self, mut next_tag: impl FnMut() -> u32) -> Vec<Command> {
        match self.area {
            Area::Table(table) => vec![Command::read_row(next_tag(), table, self.way, self.row)],
            Area::Rules => [false, true].map(|mask| Command::read_rule(next_tag(), self.way, self.row, mask)).into(),
        }
    }
}
