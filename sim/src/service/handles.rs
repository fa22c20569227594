//! What the driver holds of a simulated card.

use crossbeam_channel::{Sender, bounded};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use writ_abi::registers::BAR_BYTES;
use writ_driver::memory::CardMemory;
use writ_driver::{Bar, Irq, Wake};

/// From a driver's thread to the card's.
pub(super) enum BusRequest {
    /// Read a register; whoever asks waits for the answer.
    Read { offset: u32, answer: Sender<u32> },
    /// Write a register.
    Write { offset: u32, value: u32 },
    /// Use other memory; whoever asked waits until the one before is never touched again.
    Memory { memory: CardMemory, done: Sender<()> },
    /// The service ends.
    Stop,
}

pub(super) struct BarHandle {
    requests: Sender<BusRequest>,
}

impl BarHandle {
    pub(super) fn new(requests: Sender<BusRequest>) -> Self {
        Self { requests }
    }
}

fn is_register(offset: u32) -> bool {
    offset.is_multiple_of(4) && offset < BAR_BYTES
}

impl Bar for BarHandle {
    fn read32(&self, offset: u32) -> u32 {
        let (answer, value) = bounded(1);
        if !is_register(offset) || self.requests.send(BusRequest::Read { offset, answer }).is_err() {
            return u32::MAX;
        }
        value.recv().unwrap_or(u32::MAX)
    }

    fn write32(&self, offset: u32, value: u32) {
        if is_register(offset) {
            // A card that is gone does nothing.
            let _ = self.requests.send(BusRequest::Write { offset, value });
        }
    }
}

/// Where the card's thread says that an index has moved.
#[derive(Default)]
pub(super) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Default)]
struct SignalState {
    interrupts: u64,
    gone: bool,
}

impl Signal {
    pub(super) fn set(&self, interrupts: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).interrupts = interrupts;
        self.changed.notify_all();
    }

    pub(super) fn set_gone(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).gone = true;
        self.changed.notify_all();
    }
}

/// One waiter. The card has one interrupt for all its rings, so every waiter sees all of them.
pub(super) struct IrqHandle {
    signal: Arc<Signal>,
    seen: u64,
}

impl IrqHandle {
    pub(super) fn new(signal: Arc<Signal>) -> Self {
        Self { signal, seen: 0 }
    }
}

impl Irq for IrqHandle {
    fn wait(&mut self, timeout: Duration) -> Wake {
        let start = Instant::now();
        let mut state = self.signal.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.interrupts != self.seen {
                self.seen = state.interrupts;
                return Wake::Signalled;
            }
            if state.gone {
                return Wake::Gone;
            }
            let Some(left) = timeout.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) else {
                return Wake::TimedOut;
            };
            state = self.signal.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
