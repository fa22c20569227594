//! How long the card takes to decide, read off its taps.
//!
//! A frame's decision begins with the last beat of its window, which is in the clock of its fourth beat, or of its last if that is earlier. It ends with the
//! verdict. In between are the parser, waiting for a slot of the pipeline that both directions and the table commands share, and the lookups.
//! The taps say when keys enter lookup; from there on nothing waits, and the clocks up to the verdict were measured before on an idle card. They
//! include those of the decision on the record, so what comes out here is never too small. That nothing waits under load either shows in the
//! decisions on records, which the taps tell of too: each has to come in the clock in which it is due. A record is also not decided on before its frame
//! has ended; how long after that was measured on the idle card too, with a long frame.

use std::collections::VecDeque;

use writ_abi::PortSide;
use writ_abi::limits::{LINE_BYTES, WINDOW_BYTES};
use writ_sim::rtl::Tap;
use writ_testbench::traffic::line;

/// How long a card takes that has nothing else to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Timing {
    /// Clocks from the entry of a frame's keys into lookup to the number of its record, if the frame has ended by then.
    pub(crate) verdict_clocks: u64,
    /// Clocks from a frame's last beat to the number of its record, if its keys have long been looked up.
    pub(crate) end_clocks: u64,
}

/// Clocks in which the one frame that the taps tell of entered lookup and got its record's number.
pub(crate) fn entered_and_decided(taps: &[(u64, Tap)]) -> Option<(u64, u64)> {
    let entered = taps.iter().find(|(_, tap)| matches!(tap, Tap::Lookup { .. }))?.0;
    let decided = taps.iter().find(|(_, tap)| matches!(tap, Tap::Outcome { .. }))?.0;
    (entered < decided).then_some((entered, decided))
}

/// A frame under way.
struct Under {
    /// Clock of the last beat of its window.
    window_end: u64,
    /// Clock of its last beat.
    end: u64,
    /// Lines of its record, if it matches.
    lines: Option<u64>,
}

/// Follows the frames of both ports through window and lookup.
pub(crate) struct Decisions {
    timing: Timing,
    /// Frames whose window is not complete.
    arriving: [VecDeque<Under>; 2],
    /// Those that wait for their lookup.
    waiting: [VecDeque<Under>; 2],
    /// Clock of the decision on the record and the record's lines, of the matching frames in the order of their verdicts.
    due: Vec<(u64, u64)>,
    /// Clock of the last decision on a record that is due.
    last_decided: u64,
    /// Clocks in which decisions on records are due.
    awaited: VecDeque<u64>,
    /// Decisions on records that came in another clock, or were not due.
    pub(crate) untimely: u64,
    /// Frames looked up.
    pub(crate) looked_up: u64,
    /// Frames whose window found no room.
    pub(crate) lost: u64,
    /// Fewest and most clocks of a decision.
    pub(crate) clocks: Option<(u64, u64)>,
    /// Taps that no frame belongs to.
    pub(crate) strays: u64,
}

impl Decisions {
    pub(crate) fn new(timing: Timing) -> Self {
        Self {
            timing,
            arriving: Default::default(),
            waiting: Default::default(),
            due: Vec::new(),
            last_decided: 0,
            awaited: VecDeque::new(),
            untimely: 0,
            looked_up: 0,
            lost: 0,
            clocks: None,
            strays: 0,
        }
    }

    /// A frame's first beat was on its port; the others follow without a hole. `lines`: of its record, if it matches.
    pub(crate) fn arrived(&mut self, port: PortSide, clock: u64, wire_bytes: usize, lines: Option<u64>) {
        let (beats, window_beats) = (line::beats(wire_bytes), (WINDOW_BYTES / LINE_BYTES + 1) as u64);
        let (window_end, end) = (clock + beats.min(window_beats) - 1, clock + beats - 1);
        self.arriving[port as usize].push_back(Under { window_end, end, lines });
    }

    pub(crate) fn take(&mut self, clock: u64, tap: &Tap) {
        match tap {
            Tap::Window { port, dropped } => match self.arriving[*port as usize].pop_front() {
                None => self.strays += 1,
                Some(_) if *dropped => self.lost += 1,
                Some(frame) => self.waiting[*port as usize].push_back(frame),
            },
            Tap::Lookup { port, .. } => match self.waiting[*port as usize].pop_front() {
                Some(Under { window_end, end, lines }) if window_end < clock => {
                    let clocks = clock - window_end + self.timing.verdict_clocks;
                    let (least, most) = self.clocks.unwrap_or((clocks, clocks));
                    self.clocks = Some((least.min(clocks), most.max(clocks)));
                    self.looked_up += 1;
                    if let Some(lines) = lines {
                        // A record waits for its frame's end, whose check sequence counts, and for the record before it: one is decided on a clock.
                        let Timing { verdict_clocks, end_clocks } = self.timing;
                        let decided = (clock + verdict_clocks).max(end + end_clocks).max(self.last_decided + 1);
                        self.last_decided = decided;
                        self.due.push((decided, lines));
                        self.awaited.push_back(decided);
                    }
                }
                _ => self.strays += 1,
            },
            Tap::Outcome { .. } => self.untimely += u64::from(self.awaited.pop_front() != Some(clock)),
            _ => {}
        }
    }

    /// Moves out the records that became due, with the clocks of the decisions on them.
    pub(crate) fn take_due(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.due)
    }

    /// Frames that came in and were neither looked up nor lost, and records that nothing was decided on.
    pub(crate) fn missing(&self) -> usize {
        self.arriving.iter().chain(&self.waiting).map(VecDeque::len).sum::<usize>() + self.awaited.len()
    }
}
