//! Interrupts as event descriptors: what VFIO and vfio-user signal.

use crate::{Irq, Wake};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Makes a descriptor that counts signals and can be waited for.
///
/// # Errors
/// Those of the operating system.
pub fn event() -> io::Result<OwnedFd> {
    Ok(rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)
}

/// Something whose end is the end of the card.
pub trait Lifeline: Send + Sync {
    /// A descriptor that hangs up when the card is gone.
    fn lifeline(&self) -> BorrowedFd<'_>;
}

/// An interrupt that comes as a count on a descriptor.
pub struct EventIrq {
    event: OwnedFd,
    lifeline: Arc<dyn Lifeline>,
}

impl EventIrq {
    /// Waits on `event`, which was made by [`event`], until `lifeline` hangs up.
    pub fn new(event: OwnedFd, lifeline: Arc<dyn Lifeline>) -> Self {
        Self { event, lifeline }
    }

    /// Takes the signals that have come. False: there were none.
    fn take(&self) -> bool {
        let mut count = [0; 8];
        rustix::io::read(&self.event, &mut count).is_ok_and(|bytes| bytes == count.len())
    }
}

impl Irq for EventIrq {
    fn wait(&mut self, timeout: Duration) -> Wake {
        let start = Instant::now();
        loop {
            if self.take() {
                return Wake::Signalled;
            }
            let left = timeout.saturating_sub(start.elapsed());
            let timespec = Timespec::try_from(left).ok();
            let mut fds = [
                PollFd::from_borrowed_fd(self.event.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.lifeline.lifeline(), PollFlags::RDHUP),
            ];
            match rustix::event::poll(&mut fds, timespec.as_ref()) {
                Ok(0) => return Wake::TimedOut,
                Err(rustix::io::Errno::INTR) => {}
                // Nothing that could be waited for: a poll loop stays alive, and goes by what it sees.
                Err(_) => return crate::NoIrq.wait(left),
                // Signals that came before the end count.
                Ok(_) if self.take() => return Wake::Signalled,
                Ok(_) if !fds[1].revents().is_empty() => return Wake::Gone,
                Ok(_) => {}
            }
        }
    }
}
