//! Who comes while the card is taken is told so.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};

/// Nobody is turned away before the client that has the card has had time to leave: the kernel tells a process that another one has ended before this side
/// has seen it, so its successor may be here already. The first in the queue is let in by others, too.
const GRACE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// How long a client that is turned away may take for its first word.
const PATIENCE: Duration = Duration::from_secs(1);
/// In a header: an answer, with an error.
const REPLY_ERROR: u32 = 1 | 1 << 5;
/// Largest greeting that is read to its end.
const GREETING_BYTES_MAX: u32 = 1 << 16;

/// Turns clients away until it is dropped.
pub(super) struct Door {
    stop: OwnedFd,
    keeper: Option<JoinHandle<()>>,
}

impl Door {
    pub(super) fn shut(listener: &UnixListener) -> io::Result<Self> {
        let listener = listener.try_clone()?;
        let stop = rustix::event::eventfd(0, EventfdFlags::CLOEXEC)?;
        let stopped = stop.try_clone()?;
        let keeper = std::thread::Builder::new().name("card-door".into()).spawn(move || keep(&listener, &stopped))?;
        Ok(Self { stop, keeper: Some(keeper) })
    }
}

fn keep(listener: &UnixListener, stop: &OwnedFd) {
    loop {
        let mut fds = [PollFd::new(stop, PollFlags::IN), PollFd::new(listener, PollFlags::IN)];
        match rustix::event::poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) if !fds[0].revents().is_empty() => return,
            Ok(_) => {}
        }
        match rustix::event::poll(&mut [PollFd::new(stop, PollFlags::IN)], Some(&GRACE)) {
            // The card is still taken.
            Ok(0) => {}
            Err(rustix::io::Errno::INTR) => continue,
            _ => return,
        }
        match listener.accept() {
            // A client that does not listen cannot be helped.
            Ok((stream, _)) => drop(turn_away(stream)),
            // It has gone, or been let in; or this is out of descriptors, and that client waits.
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Answers the greeting with "busy".
fn turn_away(mut stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut header = [0; 16];
    stream.read_exact(&mut header)?;
    let bytes = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    let rest = u64::from(bytes.min(GREETING_BYTES_MAX)).saturating_sub(header.len() as u64);
    io::copy(&mut (&stream).take(rest), &mut io::sink())?;
    header[4..8].copy_from_slice(&16_u32.to_le_bytes());
    header[8..12].copy_from_slice(&REPLY_ERROR.to_le_bytes());
    header[12..].copy_from_slice(&rustix::io::Errno::BUSY.raw_os_error().to_le_bytes());
    stream.write_all(&header)
}

impl Drop for Door {
    fn drop(&mut self) {
        let told = rustix::io::write(&self.stop, &1_u64.to_ne_bytes()).is_ok();
        if let Some(keeper) = self.keeper.take().filter(|_| told) {
            // Its end is all that is wanted of it.
            let _ = keeper.join();
        }
    }
}
