//! What the driver holds of a simulated card.

use crate::card::FunctionState;
use crossbeam_channel::{Sender, bounded};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use writ_abi::pci::{BAR_0_BYTES, VECTORS};
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
    /// Tell the card what its configuration space says; whoever asks waits until it knows.
    Function { state: FunctionState, done: Sender<()> },
    /// Function-level reset; whoever asks waits until it is over.
    ResetFunction { done: Sender<()> },
    /// The service ends.
    Stop,
}

pub(super) struct BarHandle {
    requests: Sender<BusRequest>,
    /// Bytes behind which nothing is.
    bytes: u32,
}

impl BarHandle {
    /// The registers.
    pub(super) fn new(requests: Sender<BusRequest>) -> Self {
        Self { requests, bytes: BAR_BYTES }
    }

    /// All of BAR 0, for a card that has more there.
    pub(super) fn whole(requests: Sender<BusRequest>) -> Self {
        Self { requests, bytes: BAR_0_BYTES }
    }

    fn is_register(&self, offset: u32) -> bool {
        offset.is_multiple_of(4) && offset < self.bytes
    }
}

impl Bar for BarHandle {
    fn read32(&self, offset: u32) -> u32 {
        let (answer, value) = bounded(1);
        if !self.is_register(offset) || self.requests.send(BusRequest::Read { offset, answer }).is_err() {
            return u32::MAX;
        }
        value.recv().unwrap_or(u32::MAX)
    }

    fn write32(&self, offset: u32, value: u32) {
        if self.is_register(offset) {
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
    /// How often each vector was signalled.
    counts: [u64; VECTORS as usize],
    gone: bool,
}

impl Signal {
    /// The card signalled these vectors, one bit each.
    pub(super) fn set(&self, vectors: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (vector, count) in state.counts.iter_mut().enumerate() {
            *count += vectors >> vector & 1;
        }
        self.changed.notify_all();
    }

    pub(super) fn set_gone(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).gone = true;
        self.changed.notify_all();
    }
}

/// One waiter, for some of the vectors.
pub(crate) struct VectorWait {
    signal: Arc<Signal>,
    vectors: u64,
    seen: [u64; VECTORS as usize],
}

impl VectorWait {
    pub(super) fn new(signal: Arc<Signal>, vectors: u64) -> Self {
        Self { signal, vectors, seen: [0; VECTORS as usize] }
    }

    /// Waits until one of the vectors is signalled, and says which were since the last wait, one bit each.
    pub(crate) fn wait_any(&mut self, timeout: Duration) -> (Wake, u64) {
        let start = Instant::now();
        let mut state = self.signal.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let moved = state.counts.iter().zip(&self.seen).enumerate();
            let moved = moved.fold(0, |moved, (vector, (now, seen))| moved | u64::from(now != seen) << vector);
            if moved & self.vectors != 0 {
                self.seen = state.counts;
                return (Wake::Signalled, moved & self.vectors);
            }
            if state.gone {
                return (Wake::Gone, 0);
            }
            let Some(left) = timeout.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) else {
                return (Wake::TimedOut, 0);
            };
            state = self.signal.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Irq for VectorWait {
    fn wait(&mut self, timeout: Duration) -> Wake {
        self.wait_any(timeout).0
    }
}
