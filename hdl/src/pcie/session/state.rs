//! When the card may use the bus, and how it stops.
//!
//! # Theory of operation
//! | state | what goes on | ends when |
//! |---|---|---|
//! | `Off` | nothing begins; lines are dropped, reads fail | bus master on, link up, no function-level reset, and nothing half out |
//! | `On` | everything | any of these is no longer so, or RQ is stuck |
//! | `Drain` | the TLP that has begun goes out, none begins | it is out and reads have their tags; or the link is down; or 2^20 clocks have passed |
//! | `Flush` | the adapter forgets requests, the core is reset: disarmed, rings disabled, rows swept | the core says that its reset is over |
//! | `Release` | the handshake with the core ends; a function-level reset is reported done | |
//!
//! A TLP that has begun is never cut. If the hard block does not take the rest of it the session ends all the same, the core is reset, but RQ keeps what it
//! shows: it is thrown away with all that stands behind it (`flush_path`) when that TLP is out, and no session begins before. A tag that is owed then is
//! waited for, for 2^20 clocks.
//!
//! The wires take no part in this. A reset of the hard block's user side begins with `Flush`, because nobody knows what was lost.
//!
//! # Limits
//! If the hard block's clock stands still the core goes on until its FIFO is full; then its copies are lost and counted.

use crate::prelude::*;

/// Where the session is.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum SessionState {
    /// Resetting the core.
    Flush,
    /// Ending that.
    Release,
    /// The bus may not be used.
    Off,
    /// It may.
    On,
    /// It may not any more.
    Drain,
}

/// Watches bus master, link and function-level reset.
#[derive(LogicBlock, Default)]
pub struct Session {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the hard block's user side.
    pub reset: Signal<In, Bit>,
    /// Bus master enable of the function.
    pub bus_master: Signal<In, Bit>,
    /// The link is up.
    pub link_up: Signal<In, Bit>,
    /// `cfg_flr_in_process[0]`.
    pub function_reset: Signal<In, Bit>,
    /// `cfg_flr_done[0]`.
    pub function_reset_done: Signal<Out, Bit>,
    /// No TLP is half out.
    pub between: Signal<In, Bit>,
    /// Reads are out that have no tag yet.
    pub untagged: Signal<In, Bit>,
    /// RQ does not move.
    pub stuck: Signal<In, Bit>,
    /// Requests may go out.
    pub open: Signal<Out, Bit>,
    /// Forget all requests.
    pub flush: Signal<Out, Bit>,
    /// Throw away what stands in front of RQ, in this clock.
    pub flush_path: Signal<Out, Bit>,
    /// With `flush`: it is a function-level reset.
    pub forget: Signal<Out, Bit>,
    /// Reset the core, from a register.
    pub core_reset_wanted: Signal<Out, Bit>,
    /// The core's reset is over, from a register of the core's clock.
    pub core_reset_done: Signal<In, Bit>,
    /// A session has ended.
    pub ended: Signal<Out, Bit>,
    /// The state, for whoever reads it.
    pub shown: Signal<Out, Bits<3>>,
    state: RegR<SessionState>,
    allowed: RegR<Bit>,
    link: RegR<Bit>,
    resetting: RegR<Bit>,
    served: RegR<Bit>,
    opened: RegR<Bit>,
    flushes: RegR<Bit>,
    forgets: RegR<Bit>,
    wants: Reg<Bit>,
    done: RegR<Bit>,
    done_seen: Synchronizer<Bit>,
    timer: Reg<Bits<21>>,
    finished: RegR<Bit>,
    dirty: RegR<Bit>,
    cleans: Signal<Local, Bit>,
}

impl Logic for Session {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, allowed, link, resetting, served, opened, flushes, forgets, wants, done, timer);
        dff_setup!(self, clock, finished, dirty);
        clock!(self, clock, done_seen);
        self.state.reset.next = self.reset.val();
        self.allowed.reset.next = self.reset.val();
        self.link.reset.next = self.reset.val();
        self.resetting.reset.next = self.reset.val();
        self.served.reset.next = self.reset.val();
        self.opened.reset.next = self.reset.val();
        self.flushes.reset.next = self.reset.val();
        self.forgets.reset.next = self.reset.val();
        self.done.reset.next = self.reset.val();
        self.finished.reset.next = self.reset.val();
        self.dirty.reset.next = self.reset.val();

        self.allowed.d.next = self.bus_master.val() & self.link_up.val() & !self.function_reset.val();
        self.link.d.next = self.link_up.val();
        self.resetting.d.next = self.function_reset.val();
        self.done_seen.d.next = self.core_reset_done.val();
        self.done.d.next = false;
        self.finished.d.next = false;
        self.timer.d.next = bits::<21>(0);
        if !self.resetting.q.val() {
            self.served.d.next = false;
        }
        self.cleans.next = false;
        if (self.state.q.val() != SessionState::On) & (self.state.q.val() != SessionState::Drain) {
            self.cleans.next = self.dirty.q.val() & self.between.val() & !self.opened.q.val();
        }
        if self.cleans.val() {
            self.dirty.d.next = false;
        }
        self.flush_path.next = self.cleans.val();
        self.shown.next = bits::<3>(0);
        match self.state.q.val() {
            SessionState::Flush => {
                if self.done_seen.q.val() & self.wants.q.val() {
                    self.state.d.next = SessionState::Release;
                }
            }
            SessionState::Release => {
                self.shown.next = bits::<3>(1);
                if !self.done_seen.q.val() {
                    self.state.d.next = SessionState::Off;
                    if self.forgets.q.val() {
                        self.done.d.next = true;
                        self.served.d.next = true;
                    }
                }
            }
            SessionState::Off => {
                self.shown.next = bits::<3>(2);
                if self.resetting.q.val() & !self.served.q.val() {
                    self.state.d.next = SessionState::Flush;
                } else if self.allowed.q.val() & !self.dirty.q.val() {
                    self.timer.d.next = self.timer.q.val() + bits::<21>(1);
                    if !self.untagged.val() {
                        self.state.d.next = SessionState::On;
                    } else if self.timer.q.val().get_bit(20) {
                        self.state.d.next = SessionState::Flush;
                    }
                }
            }
            SessionState::On => {
                self.shown.next = bits::<3>(3);
                self.dirty.d.next = true;
                if !self.allowed.q.val() | self.stuck.val() {
                    self.finished.d.next = true;
                    self.state.d.next = SessionState::Drain;
                }
            }
            SessionState::Drain => {
                self.shown.next = bits::<3>(4);
                self.timer.d.next = self.timer.q.val() + bits::<21>(1);
                if (self.between.val() & !self.untagged.val() & !self.opened.q.val())
                    | !self.link.q.val()
                    | self.timer.q.val().get_bit(20)
                {
                    self.state.d.next = SessionState::Flush;
                }
            }
        }
        self.opened.d.next = self.state.q.val() == SessionState::On;
        self.flushes.d.next = self.state.q.val() == SessionState::Flush;
        self.wants.d.next = (self.state.q.val() == SessionState::Flush) & !self.reset.val();
        if (self.state.q.val() == SessionState::Flush) & self.resetting.q.val() {
            self.forgets.d.next = true;
        }
        if self.state.q.val() == SessionState::Off {
            self.forgets.d.next = false;
        }
        self.open.next = self.opened.q.val();
        self.flush.next = self.flushes.q.val();
        self.forget.next = self.flushes.q.val() & self.forgets.q.val();
        self.core_reset_wanted.next = self.wants.q.val();
        self.function_reset_done.next = self.done.q.val();
        self.ended.next = self.finished.q.val();
    }
}
