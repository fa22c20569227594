//! The connection to the daemon, and the collecting of pages.

use std::{
    fmt,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};
use writ_control::{
    Answer, Ask, LineBuffer, LineError, Outcome, Page, RESPONSE_BYTES_MAX, Refusal, Request, decode_response, encode,
};

/// Longest that the daemon may take for one answer. Activation waits for the card, which may be a simulated, slow one.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// Why no answer came.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// The socket.
    Socket(io::Error),
    /// The daemon closed the connection before it answered.
    Closed,
    /// What came is no answer.
    Line(LineError),
    /// An answer to another question.
    WrongAnswer,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(error) => write!(f, "control socket: {error}"),
            Self::Closed => write!(f, "the daemon closed the connection without an answer"),
            Self::Line(error) => write!(f, "answer of the daemon: {error}"),
            Self::WrongAnswer => write!(f, "the daemon answered another question"),
        }
    }
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl From<LineError> for ClientError {
    fn from(error: LineError) -> Self {
        Self::Line(error)
    }
}

struct Client {
    stream: UnixStream,
    lines: LineBuffer,
}

impl Client {
    fn connect(socket: &Path) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { stream, lines: LineBuffer::new(RESPONSE_BYTES_MAX) })
    }

    fn ask(&mut self, ask: Ask) -> Result<Result<Answer, Refusal>, ClientError> {
        self.stream.write_all(&encode(&Request::new(ask))?)?;
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some(line) = self.lines.next_line()? {
                return Ok(match decode_response(&line)?.outcome {
                    Outcome::Done(answer) => Ok(*answer),
                    Outcome::Refused(refusal) => Err(*refusal),
                });
            }
            match self.stream.read(&mut chunk)? {
                0 => return Err(ClientError::Closed),
                count => self.lines.extend(&chunk[..count]),
            }
        }
    }
}

/// Asks, and asks on until a listing is whole. With `audit_last` only the end of the audit log is fetched.
pub(crate) fn ask_all(
    socket: &Path,
    mut ask: Ask,
    audit_last: Option<u64>,
) -> Result<Result<Answer, Refusal>, ClientError> {
    let mut client = Client::connect(socket)?;
    if let (Some(last), Ask::AuditShow { page, .. }) = (audit_last, &mut ask) {
        let whole = *page;
        *page = Page { skip: 0, limit: 1 };
        match client.ask(ask.clone())? {
            Ok(Answer::Audit(found)) => set_page(&mut ask, Page { skip: found.total.saturating_sub(last), ..whole }),
            Ok(_) => return Err(ClientError::WrongAnswer),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    let mut collected = match client.ask(ask.clone())? {
        Ok(answer) => answer,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let skipped = page_of(&ask).map_or(0, |page| page.skip);
    while let Some((total, have)) = extent(&collected) {
        if skipped + have >= total {
            break;
        }
        set_page(&mut ask, Page { skip: skipped + have, ..Page::default() });
        let more = match client.ask(ask.clone())? {
            Ok(answer) => answer,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !append(&mut collected, more)? {
            break;
        }
    }
    Ok(Ok(collected))
}

const fn page_of(ask: &Ask) -> Option<Page> {
    match ask {
        Ask::TaskList { page, .. } | Ask::CardTables { page, .. } | Ask::AuditShow { page, .. } => Some(*page),
        _ => None,
    }
}

const fn set_page(ask: &mut Ask, new: Page) {
    if let Ask::TaskList { page, .. } | Ask::CardTables { page, .. } | Ask::AuditShow { page, .. } = ask {
        *page = new;
    }
}

/// Entries that there are, and that an answer holds, for answers that come in pages.
const fn extent(answer: &Answer) -> Option<(u64, u64)> {
    match answer {
        Answer::TaskList(page) => Some((page.total, page.tasks.len() as u64)),
        Answer::CardTables(page) => Some((page.total, page.rows.len() as u64)),
        Answer::Audit(page) => Some((page.total, page.records.len() as u64)),
        _ => None,
    }
}

/// Adds a page. False: it was empty, so the listing became shorter meanwhile and this is its end.
fn append(to: &mut Answer, page: Answer) -> Result<bool, ClientError> {
    let added = match (to, page) {
        (Answer::TaskList(all), Answer::TaskList(more)) => grow(&mut all.tasks, more.tasks),
        (Answer::CardTables(all), Answer::CardTables(more)) => grow(&mut all.rows, more.rows),
        (Answer::Audit(all), Answer::Audit(more)) => grow(&mut all.records, more.records),
        _ => return Err(ClientError::WrongAnswer),
    };
    Ok(added > 0)
}

fn grow<T>(all: &mut Vec<T>, more: Vec<T>) -> usize {
    let added = more.len();
    all.extend(more);
    added
}
