//! The card between two TAP interfaces: what the kernel sends into one comes in on a port, and what leaves that port the kernel receives there.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};
use writ_abi::PortSide;
use writ_sim::card::FRAME_BYTES_MAX;
use writ_sim::wire::{Client, ClientError, PlayFrame, Seen};

/// Frames that wait for the card; more wait in the kernel's queue, which drops and counts what does not fit there.
const QUEUE_FRAMES: usize = 256;
/// Bytes of a check sequence.
const FCS_BYTES: usize = 4;
/// The shortest frame of Ethernet without check sequence. The kernel leaves it to a MAC to fill up.
const FRAME_BYTES_MIN: usize = 60;

/// The two cables.
pub(crate) struct Cables {
    taps: [Tap; 2],
}

struct Tap {
    name: String,
    device: Arc<SyncDevice>,
    /// The last frame could not be handed over: the interface is down.
    is_down: bool,
}

/// Why a cable is not there.
#[derive(Debug)]
pub(crate) enum TapError {
    /// The interface could not be had.
    Open(String, io::Error),
    /// It is gone.
    Gone(String, io::Error),
    /// The card's wire socket.
    Card(ClientError),
}

impl fmt::Display for TapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(name, error) if error.kind() == io::ErrorKind::PermissionDenied => write!(
                f,
                "TAP interface {name}: {error}; an administrator can make it for you: ip tuntap add dev {name} mode tap user NAME"
            ),
            Self::Open(name, error) => write!(f, "TAP interface {name}: {error}"),
            Self::Gone(name, error) => write!(f, "TAP interface {name} is gone: {error}"),
            Self::Card(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TapError {}

impl Cables {
    /// Makes both interfaces, or takes them if they exist.
    pub(crate) fn open(names: [&str; 2]) -> Result<Self, TapError> {
        let open = |name: &str| {
            let device = DeviceBuilder::new().name(name).layer(Layer::L2).inherit_enable_state().build_sync();
            let device = device.map_err(|error| TapError::Open(name.to_owned(), error))?;
            Ok(Tap { name: name.to_owned(), device: Arc::new(device), is_down: false })
        };
        let [a, b] = names;
        Ok(Self { taps: [open(a)?, open(b)?] })
    }

    /// Carries frames until an interface or the card is gone, and says which.
    pub(crate) fn run(mut self, wire: &Path) -> TapError {
        let (sender, frames) = bounded(QUEUE_FRAMES);
        for (tap, port) in self.taps.iter().zip([PortSide::A, PortSide::B]) {
            let (name, device, sender) = (tap.name.clone(), Arc::clone(&tap.device), sender.clone());
            let thread = std::thread::Builder::new().name(format!("cable-{}", tap.name));
            if let Err(error) = thread.spawn(move || read(name, port, &device, &sender)) {
                return TapError::Gone(tap.name.clone(), error);
            }
        }
        drop(sender);
        match Client::connect(wire) {
            Ok(client) => self.carry(client, &frames),
            Err(error) => TapError::Card(error),
        }
    }

    fn carry(&mut self, mut card: Client, frames: &Receiver<Result<PlayFrame, TapError>>) -> TapError {
        loop {
            // One that there is, and all that came meanwhile.
            let first = frames.recv().unwrap_or(Err(TapError::Card(ClientError::Closed)));
            let batch: Result<Vec<PlayFrame>, TapError> = std::iter::once(first).chain(frames.try_iter()).collect();
            let played = match batch {
                Ok(batch) => card.play(batch, |seen| self.seen(&seen)),
                Err(error) => return error,
            };
            if let Err(error) = played {
                return TapError::Card(error);
            }
        }
    }

    /// A frame that left a port goes into that port's interface.
    fn seen(&mut self, seen: &Seen) {
        let Seen::Left { port, bytes, .. } = seen else { return };
        let tap = &mut self.taps[*port as usize];
        let frame = &bytes[..bytes.len().saturating_sub(FCS_BYTES)];
        // An interface that is down takes nothing, like a cable that is not plugged in at its other end.
        let sent = tap.device.send(frame);
        if let (Err(error), false) = (&sent, tap.is_down) {
            eprintln!("writ-sim: {} takes no frames: {error}", tap.name);
        }
        tap.is_down = sent.is_err();
    }
}

/// Reads frames until the interface is gone.
fn read(name: String, port: PortSide, device: &SyncDevice, frames: &Sender<Result<PlayFrame, TapError>>) {
    let mut buffer = vec![0; FRAME_BYTES_MAX - FCS_BYTES];
    loop {
        let frame = match device.recv(&mut buffer) {
            Ok(bytes) => Ok(as_sent(port, &buffer[..bytes])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(TapError::Gone(name.clone(), error)),
        };
        let is_last = frame.is_err();
        if frames.send(frame).is_err() || is_last {
            return;
        }
    }
}

/// The frame as a MAC sends it, at once.
fn as_sent(port: PortSide, frame: &[u8]) -> PlayFrame {
    let mut frame = frame.to_vec();
    frame.resize(frame.len().max(FRAME_BYTES_MIN), 0);
    PlayFrame::new(port, 0, frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_frames_are_filled_up_and_get_a_check_sequence() {
        let short = as_sent(PortSide::B, &[7; 42]);
        assert_eq!((short.port, short.bytes.len()), (PortSide::B, FRAME_BYTES_MIN + FCS_BYTES));
        assert_eq!((&short.bytes[..42], &short.bytes[42..60]), (&[7; 42][..], &[0; 18][..]));
        assert_eq!(as_sent(PortSide::A, &[7; 1514]).bytes.len(), 1518);
    }
}
