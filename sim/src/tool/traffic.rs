//! Plays captures into the card's ports, over its own wire socket.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::Path;
use writ_abi::PortSide;
use writ_sim::wire::{Client, ClientError, PlayFrame, PlaySummary};

/// Frames that are handed over at a time: at least one, and about so much card time.
const CHUNK_NS: u64 = 20_000_000;
/// Most frames of a chunk.
const CHUNK_FRAMES_MAX: usize = 4096;
/// The card's time may be stepped by its host: if it is further away from where the frames are than this, they follow it.
const STEP_NS: u64 = 1_000_000_000;

/// What to play.
#[derive(Debug)]
pub(crate) struct Play {
    /// The frames of each port, without check sequence.
    pub(crate) frames: [Vec<Vec<u8>>; 2],
    /// Frames a second of card time.
    pub(crate) frames_per_s: NonZeroU32,
    /// `None`: for ever.
    pub(crate) rounds: Option<NonZeroU64>,
}

impl Play {
    /// The frames of both ports in turn; when one port has no more, those of the other one.
    fn round(&self) -> Vec<(PortSide, &[u8])> {
        let [a, b] = &self.frames;
        let of = |frames: &'_ Vec<Vec<u8>>, at: usize| frames.get(at).map(Vec::len);
        let longest = a.len().max(b.len());
        let mut round = Vec::with_capacity(a.len() + b.len());
        for at in 0..longest {
            for (port, frames) in [(PortSide::A, a), (PortSide::B, b)] {
                if of(frames, at).is_some() {
                    round.push((port, frames[at].as_slice()));
                }
            }
        }
        round
    }

    /// Plays until the last round is over, and says what became of it.
    pub(crate) fn run(&self, wire: &Path) -> Result<PlaySummary, ClientError> {
        let mut client = Client::connect(wire)?;
        let round = self.round();
        let gap_ns = (1_000_000_000 / u64::from(self.frames_per_s.get())).max(1);
        let chunk = usize::try_from(CHUNK_NS / gap_ns).unwrap_or(CHUNK_FRAMES_MAX).clamp(1, CHUNK_FRAMES_MAX);
        let mut sums = PlaySummary::default();
        let (mut next_ns, mut played) = (0, 0_u64);
        while self.rounds.is_none_or(|rounds| played < rounds.get()) {
            for frames in round.chunks(chunk) {
                let now_ns = client.card_time_ns()?;
                if next_ns.max(now_ns) - next_ns.min(now_ns) > STEP_NS {
                    next_ns = now_ns;
                }
                let at = (next_ns..).step_by(usize::try_from(gap_ns).unwrap_or(usize::MAX));
                let timed = frames.iter().zip(at).map(|(&(port, bytes), at_ns)| PlayFrame::new(port, at_ns, bytes));
                let part = client.play(timed, |_| {})?;
                next_ns += gap_ns * frames.len() as u64;
                sums.frames += part.frames;
                sums.late += part.late;
                sums.lost += part.lost;
            }
            played += 1;
        }
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ports_take_turns() {
        let (number, of) = (|n: u8| vec![n], |list: &[u8]| list.iter().map(|&n| vec![n]).collect::<Vec<_>>());
        let play =
            Play { frames: [of(&[1, 2, 3]), of(&[9])], frames_per_s: NonZeroU32::MIN, rounds: Some(NonZeroU64::MIN) };
        let order: Vec<(PortSide, Vec<u8>)> =
            play.round().into_iter().map(|(port, bytes)| (port, bytes.to_vec())).collect();
        let expected = [(PortSide::A, 1), (PortSide::B, 9), (PortSide::A, 2), (PortSide::A, 3)];
        assert_eq!(order, expected.map(|(port, n)| (port, number(n))));
    }
}
