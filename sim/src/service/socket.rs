//! The server's end of the wire socket: bytes in, requests to the card's thread, answers out.

use super::player::{Ask, WireRequest};
use crate::wire::VERSION;
use crate::wire::message::{self, Answer, Request};
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use std::fs::{self, Permissions};
use std::io::{self, BufReader, BufWriter, Write};
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Answers on their way to the thread that writes them.
const ANSWERS_IN_FLIGHT: usize = 256;
/// How long a new connection may take to greet, for it keeps others out.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// A listening wire socket. Dropping it ends connections and removes the file.
pub(super) struct WireSocket {
    path: PathBuf,
    shared: Arc<Connections>,
    listener: Option<JoinHandle<()>>,
}

/// The listener's threads, as others see them.
pub(super) struct Connections {
    backend: &'static str,
    stopping: AtomicBool,
    /// The one connection, for whoever has to end it.
    current: Mutex<Option<UnixStream>>,
}

impl Connections {
    /// Ends the connection that there is.
    pub(super) fn end(&self) {
        if let Some(stream) = self.current().as_ref() {
            // One that is closed already needs no shutting down.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<UnixStream>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WireSocket {
    pub(super) fn open(path: &Path, backend: &'static str, requests: Sender<WireRequest>) -> io::Result<Self> {
        remove_stale(path)?;
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        let shared = Arc::new(Connections { backend, stopping: AtomicBool::new(false), current: Mutex::new(None) });
        let listening = Arc::clone(&shared);
        let listener = std::thread::Builder::new()
            .name("wire-listen".into())
            .spawn(move || listen(&listener, &listening, &requests))?;
        Ok(Self { path: path.to_path_buf(), shared, listener: Some(listener) })
    }

    pub(super) fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.shared)
    }
}

/// Removes a socket that nobody listens on any more. Anything else in its place is left alone.
pub(crate) fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of that name that is no socket"));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there")),
        Err(_) => fs::remove_file(path),
    }
}

fn listen(listener: &UnixListener, shared: &Arc<Connections>, requests: &Sender<WireRequest>) {
    let mut connection: Option<JoinHandle<()>> = None;
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::Acquire) {
            break;
        }
        // An accept that failed (out of descriptors, say) concerns that client alone.
        let Ok(stream) = stream else {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        if !has_ended(connection.as_ref()) {
            refuse(stream, "another client is connected");
            continue;
        }
        let (shared, requests) = (Arc::clone(shared), requests.clone());
        let thread =
            std::thread::Builder::new().name("wire-read".into()).spawn(move || serve(stream, &shared, &requests));
        connection = thread.ok();
    }
    if let Some(thread) = connection {
        // Its end is all that is wanted of it.
        let _ = thread.join();
    }
}

/// Whether the last connection is over. One that is just ending gets the time for it: whoever comes after it shall not be refused for
/// having been quick.
fn has_ended(connection: Option<&JoinHandle<()>>) -> bool {
    let Some(connection) = connection else { return true };
    for _ in 0..50 {
        if connection.is_finished() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Tells a client why it is not served. A client that does not read that cannot be helped.
fn refuse(mut stream: UnixStream, reason: &str) {
    let _ = stream.set_write_timeout(Some(Duration::from_millis(100)));
    let _ = message::write_body(&mut stream, &Answer::Refused { reason: reason.to_owned() }.encode());
}

fn serve(stream: UnixStream, shared: &Connections, requests: &Sender<WireRequest>) {
    let (Ok(outgoing), Ok(for_ending)) = (stream.try_clone(), stream.try_clone()) else { return };
    *shared.current() = Some(for_ending);
    // A stop that came before the line above did not find the connection; one that comes later does.
    if shared.stopping.load(Ordering::Acquire) {
        return;
    }
    let (answers, to_write) = bounded(ANSWERS_IN_FLIGHT);
    let writer =
        std::thread::Builder::new().name("wire-write".into()).spawn(move || write_answers(outgoing, &to_write));
    let Ok(writer) = writer else { return };
    let over = Arc::new(AtomicBool::new(false));
    if let Err(reason) = talk(stream, shared.backend, &answers, requests, &over) {
        // A writer that has given up has lost its client.
        let _ = answers.send(Answer::Refused { reason });
    }
    over.store(true, Ordering::Release);
    // The card's thread holds the other sender until it has read this.
    let _ = requests.send(WireRequest::Closed);
    drop(answers);
    let _ = writer.join();
    *shared.current() = None;
}

/// Serves a connection until its orderly end, or says why it has to end.
fn talk(
    stream: UnixStream,
    backend: &str,
    answers: &Sender<Answer>,
    requests: &Sender<WireRequest>,
    over: &Arc<AtomicBool>,
) -> Result<(), String> {
    // A timeout that cannot be set only means more patience.
    let _ = stream.set_read_timeout(Some(GREETING_TIMEOUT));
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    match next(&mut reader)? {
        Some(Request::Hello { version: VERSION }) => {}
        Some(Request::Hello { version }) => {
            return Err(format!("client speaks version {version}, this server speaks version {VERSION}"));
        }
        Some(_) => return Err("first message is no greeting".to_owned()),
        None => return Ok(()),
    }
    let _ = reader.get_ref().set_read_timeout(None);
    let gone = |_| "the card is gone".to_owned();
    let welcome = Answer::Welcome { version: VERSION, backend: backend.to_owned() };
    let opened = WireRequest::Opened { answers: answers.clone(), over: Arc::clone(over) };
    requests.send(opened).map_err(gone)?;
    answers.send(welcome).map_err(|_| "client does not listen".to_owned())?;
    while let Some(request) = next(&mut reader)? {
        let request = match request {
            Request::Hello { .. } => return Err("second greeting".to_owned()),
            Request::Frame { at_ns, port, damaged, bytes } => WireRequest::Frame { at_ns, port, damaged, bytes },
            Request::Flush => WireRequest::Ask(Ask::Flush),
            Request::Time => WireRequest::Ask(Ask::Time),
            Request::Statistics => WireRequest::Ask(Ask::Statistics),
            Request::Advance { until_ns } => WireRequest::Ask(Ask::Advance { until_ns }),
        };
        requests.send(request).map_err(gone)?;
    }
    Ok(())
}

fn next(reader: &mut BufReader<UnixStream>) -> Result<Option<Request>, String> {
    let Some(body) = message::read_body(reader).map_err(|error| error.to_string())? else { return Ok(None) };
    Request::decode(&body).map(Some).map_err(|malformed| malformed.to_string())
}

/// Writes answers until the last sender is gone, then ends the connection.
fn write_answers(stream: UnixStream, answers: &Receiver<Answer>) {
    let mut writer = BufWriter::with_capacity(1 << 16, stream);
    // A client that went away is noticed by the reader as well; there is nothing to do here but to end.
    let _ = pump(&mut writer, answers);
    let _ = writer.get_ref().shutdown(Shutdown::Both);
}

fn pump(writer: &mut BufWriter<UnixStream>, answers: &Receiver<Answer>) -> io::Result<()> {
    loop {
        let answer = match answers.try_recv() {
            Ok(answer) => answer,
            Err(TryRecvError::Disconnected) => return writer.flush(),
            Err(TryRecvError::Empty) => {
                writer.flush()?;
                match answers.recv() {
                    Ok(answer) => answer,
                    Err(_) => return Ok(()),
                }
            }
        };
        message::write_body(writer, &answer.encode())?;
    }
}

impl Drop for WireSocket {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.end();
        // Wakes the listener. If that fails nobody can wake it, and its thread ends with the process.
        let woken = UnixStream::connect(&self.path).is_ok();
        if let Some(listener) = self.listener.take().filter(|_| woken) {
            let _ = listener.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}
