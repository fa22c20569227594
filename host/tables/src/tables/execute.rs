//! Carries an open plan out, for callers that may wait for the card.

use super::Tables;
use crate::{Committed, ExecuteError, Misuse, Place, RowWrite};
use writ_abi::command::{Command, Completion, Opcode, Status};

/// How often a batch goes to the card again whose commands were damaged on the way.
const ATTEMPTS: u32 = 4;

/// What the card said to a batch.
struct Answer {
    /// Card time at the last completion.
    stamp_ns: u64,
    /// The first write that the card refused, with its status by number.
    refused: Option<(u8, Place)>,
}

impl Tables {
    /// Carries the open plan out, batch by batch, and commits it. `submit` gives commands to the card, in order, and waits for their
    /// completions, in the same order; it may split them up, but gives none to the card after one that failed on its way there.
    ///
    /// Commands that the card received damaged are sent again. If the card refuses a write for another reason, what was written
    /// is taken back, and that is an error, too. After [`Tables::roll_back`] this carries the rollback out.
    ///
    /// # Errors
    /// [`ExecuteError`], which says what state the tables are in.
    pub fn execute<E>(
        &mut self,
        mut submit: impl FnMut(&[Command]) -> Result<Vec<Completion>, E>,
    ) -> Result<Committed, ExecuteError<E>> {
        let mut effective_ns = None;
        let mut attempts = 0;
        loop {
            let batch = self.next_batch();
            if batch.is_empty() {
                break;
            }
            let answer = self.submit_batch(&batch, &mut submit)?;
            effective_ns = effective_ns.max(Some(answer.stamp_ns));
            let Some((status, place)) = answer.refused else {
                attempts = 0;
                continue;
            };
            attempts += 1;
            if status == Status::BadCrc as u8 && attempts < ATTEMPTS {
                continue;
            }
            attempts = 0;
            match self.roll_back() {
                Ok(()) => self.note_refusal(status, place),
                Err(_) => {
                    self.abandon()?;
                    return Err(ExecuteError::CardUnverified { status, place });
                }
            }
        }
        let effective_ns = match effective_ns {
            Some(stamp_ns) => stamp_ns,
            None => self.card_time(&mut submit)?,
        };
        let refused = self.open.as_ref().and_then(|open| open.refused);
        let committed = self.commit(effective_ns)?;
        match refused {
            None => Ok(committed),
            Some((status, place)) => Err(ExecuteError::RolledBack { status, place, committed }),
        }
    }

    fn submit_batch<E>(
        &mut self,
        batch: &[RowWrite],
        submit: &mut impl FnMut(&[Command]) -> Result<Vec<Completion>, E>,
    ) -> Result<Answer, ExecuteError<E>> {
        let of_writes: Vec<Vec<Command>> = batch.iter().map(|write| write.commands(|| self.take_tag())).collect();
        let commands = of_writes.concat();
        let completions = submit(&commands).map_err(ExecuteError::Transport)?;
        let mut answer = Answer { stamp_ns: 0, refused: None };
        let fitting = commands.iter().zip(&completions).take_while(|(one, other)| one.tag == other.tag).count();
        let mut answered = completions.iter().take(fitting);
        for (write, commands) in batch.iter().zip(&of_writes) {
            let answers: Vec<&Completion> = answered.by_ref().take(commands.len()).collect();
            let last_ns = answers.iter().map(|completion| completion.stamp_ns.get()).max();
            answer.stamp_ns = answer.stamp_ns.max(last_ns.unwrap_or(0));
            match answers.iter().find(|completion| completion.status != Status::Done as u8) {
                Some(completion) => {
                    answer.refused.get_or_insert((completion.status, write.place()));
                }
                None if answers.len() == commands.len() => self.confirm(write.id())?,
                None => {}
            }
        }
        if fitting < commands.len() || completions.len() > commands.len() {
            return Err(ExecuteError::Answers { commands: commands.len(), fitting });
        }
        Ok(answer)
    }

    /// The card's time, for a plan without writes.
    fn card_time<E>(
        &mut self,
        submit: &mut impl FnMut(&[Command]) -> Result<Vec<Completion>, E>,
    ) -> Result<u64, ExecuteError<E>> {
        if !self.is_open() {
            return Err(Misuse::NoPlan.into());
        }
        let command = Command::new(Opcode::Nop, self.take_tag());
        let completions = submit(&[command]).map_err(ExecuteError::Transport)?;
        match completions.as_slice() {
            [completion] if completion.tag == command.tag => Ok(completion.stamp_ns.get()),
            _ => Err(ExecuteError::Answers { commands: 1, fitting: 0 }),
        }
    }

    /// Remembers why the plan is being taken back, for an `execute` that is called again after a transport error.
    fn note_refusal(&mut self, status: u8, place: Place) {
        if let Some(open) = &mut self.open {
            open.refused = Some((status, place));
        }
    }

    fn take_tag(&mut self) -> u32 {
        let tag = self.next_tag;
        self.next_tag = tag.wrapping_add(1);
        tag
    }
}
