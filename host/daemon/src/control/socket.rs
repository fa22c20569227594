//! The control socket: takes lines from operators, learns from the kernel who they are, hands their questions to the control
//! thread. Nothing is decided here.

use crate::mailbox::{Mailbox, Message};
use std::{
    collections::BTreeMap,
    io,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::{oneshot, watch},
};
use writ_control::{LineBuffer, LineError, REQUEST_BYTES_MAX, Refusal, RefusalCode, Response, decode_request, encode};

/// Operators that can be connected at a time; each has at most one question under way.
const CONNECTIONS_MAX: usize = 64;
/// Of one uid, so that nobody can keep the others out: anybody of the socket's group can connect.
const CONNECTIONS_PER_UID_MAX: usize = 16;
/// A connection that says nothing for so long is closed.
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// The listening socket and its file.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// Binds the socket. A file that a dead daemon left behind is replaced: the state's lock says that nobody uses it.
    pub(crate) fn bind(path: &Path, group: Option<u32>) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // The umask makes it 0600 from the first moment on.
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        if let Some(group) = group {
            chown(path, None, Some(group))?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        }
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Serves until told to stop, then removes the socket's file.
    pub(crate) async fn serve(self, control: Mailbox, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Places::default());
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, _)) => match stream.peer_cred().map(|peer| peer.uid()) {
                    Ok(uid) => match Place::take(&places, uid) {
                        Some(place) => {
                            let (control, stop) = (control.clone(), stop.clone());
                            tokio::spawn(async move {
                                connection(stream, uid, control, stop).await;
                                drop(place);
                            });
                        }
                        None => tracing::warn!("too many control connections; one of uid {uid} was closed"),
                    },
                    Err(error) => tracing::warn!("control connection without credentials: {error}"),
                },
                Err(error) => {
                    tracing::warn!("control socket: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("control socket {}: {error}", self.path.display());
        }
    }
}

/// Open connections, by uid.
type Places = Mutex<BTreeMap<u32, usize>>;

/// The right to be connected, given back when dropped.
struct Place {
    places: Arc<Places>,
    uid: u32,
}

impl Place {
    fn take(places: &Arc<Places>, uid: u32) -> Option<Self> {
        let mut taken = places.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.entry(uid).or_default();
        if all >= CONNECTIONS_MAX || *own >= CONNECTIONS_PER_UID_MAX {
            return None;
        }
        *own += 1;
        Some(Self { places: Arc::clone(places), uid })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.uid) {
            *own -= 1;
        }
        taken.retain(|_, own| *own > 0);
    }
}

async fn connection(mut stream: UnixStream, uid: u32, control: Mailbox, mut stop: watch::Receiver<bool>) {
    let mut lines = LineBuffer::new(REQUEST_BYTES_MAX);
    let mut chunk = vec![0; 16 * 1024];
    loop {
        match lines.next_line() {
            Ok(Some(line)) => {
                let response = answer(uid, &line, &control).await;
                if send(&mut stream, &response).await.is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            Err(error) => {
                let _ = send(&mut stream, &Err::<_, Refusal>(error.into()).into()).await;
                return;
            }
        }
        let read = tokio::select! {
            read = tokio::time::timeout(SILENCE_MAX, stream.read(&mut chunk)) => read,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match read {
            Ok(Ok(count)) if count > 0 => lines.extend(&chunk[..count]),
            _ => return,
        }
    }
}

async fn answer(uid: u32, line: &[u8], control: &Mailbox) -> Response {
    let ask = match decode_request(line) {
        Ok(request) => request.ask,
        Err(error) => {
            // Not the text of the error: it may come from whoever; its kind is enough for the log.
            let kind = match error {
                LineError::TooLong(_) => "too long",
                LineError::Version(_) => "of another version",
                LineError::Malformed(_) => "malformed",
            };
            tracing::info!("request of uid {uid} is {kind}");
            return Err(error.into()).into();
        }
    };
    let (reply, answered) = oneshot::channel();
    let gone = || {
        let refusal = Refusal::new(RefusalCode::Unavailable, "writd", "the daemon is stopping");
        Response::from(Err(refusal.hint("ask again when it is back")))
    };
    if !control.send(Message::Ask { uid, ask, reply }) {
        return gone();
    }
    answered.await.map_or_else(|_| gone(), Response::from)
}

async fn send(stream: &mut UnixStream, response: &Response) -> io::Result<()> {
    let line = encode(response).map_err(io::Error::other)?;
    tokio::time::timeout(SILENCE_MAX, stream.write_all(&line)).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_keep_the_others_out() {
        let places = Arc::new(Places::default());
        let mut own: Vec<Place> = std::iter::from_fn(|| Place::take(&places, 7)).collect();
        assert_eq!(own.len(), CONNECTIONS_PER_UID_MAX);
        let other = Place::take(&places, 8).expect("another uid");
        own.pop();
        own.extend(Place::take(&places, 7));
        assert_eq!(own.len(), CONNECTIONS_PER_UID_MAX, "a place that was given back is free");
        drop((own, other));
        assert!(places.lock().expect("nobody panicked").is_empty());
    }
}
