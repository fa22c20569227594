//! Notices that a card has left the bus, and tells those who wait for it.

use crate::bus::event::Lifeline;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the card is looked at.
const PERIOD: Duration = Duration::from_millis(250);
/// Before a card counts as gone it is asked again, this much later.
const SECOND_LOOK: Duration = Duration::from_millis(10);

/// A descriptor that hangs up when the card is gone, or when nobody watches it any more.
pub(super) struct Watch {
    watched: UnixStream,
    running: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Watch {
    /// Asks `lives` again and again, in a thread of its own.
    pub(super) fn start(lives: impl Fn() -> bool + Send + 'static) -> io::Result<Self> {
        let (watched, held) = UnixStream::pair()?;
        let (stop, stopped) = channel::<()>();
        let watch = move || {
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                let is_gone = || !lives();
                if is_gone() {
                    std::thread::sleep(SECOND_LOOK);
                    if is_gone() {
                        break;
                    }
                }
            }
            // Its end hangs up.
            drop(held);
        };
        let thread = std::thread::Builder::new().name("card-watch".to_owned()).spawn(watch)?;
        Ok(Self { watched, running: Mutex::new(Some((stop, thread))) })
    }

    /// Ends the thread; the descriptor hangs up.
    pub(super) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = running {
            drop(stop);
            // If it panicked, it has ended all the same.
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Lifeline for Watch {
    fn lifeline(&self) -> BorrowedFd<'_> {
        self.watched.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::event::{self, EventIrq};
    use crate::{Irq, Wake};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::time::Instant;

    #[test]
    fn whoever_waits_hears_of_the_end() {
        let lives = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&lives);
        let watch = Arc::new(Watch::start(move || seen.load(Ordering::Relaxed)).expect("a thread"));
        let mut irq = EventIrq::new(event::event().expect("made"), Arc::clone(&watch) as Arc<dyn Lifeline>);
        assert_eq!(irq.wait(Duration::from_millis(300)), Wake::TimedOut);
        lives.store(false, Ordering::Relaxed);
        assert_eq!(irq.wait(Duration::from_secs(20)), Wake::Gone);
    }

    #[test]
    fn one_bad_look_is_not_the_end() {
        let looks = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&looks);
        // The first look of every pair fails, as when a read comes between two states of the card.
        let watch = Watch::start(move || counted.fetch_add(1, Ordering::Relaxed) % 2 == 1).expect("a thread");
        let watch = Arc::new(watch);
        let mut irq = EventIrq::new(event::event().expect("made"), Arc::clone(&watch) as Arc<dyn Lifeline>);
        while looks.load(Ordering::Relaxed) < 4 {
            assert_eq!(irq.wait(PERIOD), Wake::TimedOut);
        }
        let start = Instant::now();
        watch.stop();
        assert_eq!(irq.wait(Duration::from_secs(20)), Wake::Gone, "nobody watches any more");
        assert!(start.elapsed() < Duration::from_secs(10), "and that without a delay");
        watch.stop();
    }
}
