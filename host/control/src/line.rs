//! Lines: bounded, one JSON object each.

use crate::{PROTOCOL_VERSION, Refusal, RefusalCode, Request, Response};
use core::fmt;
use serde::{Deserialize, Serialize};

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineError {
    /// No line feed within the limit, in bytes.
    TooLong(usize),
    /// The peer speaks another version.
    Version(u64),
    /// Not an object of the protocol: what the reader said.
    Malformed(String),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(limit) => write!(f, "line is longer than {limit} bytes"),
            Self::Version(version) => {
                write!(f, "protocol version {version} is not spoken here, only {PROTOCOL_VERSION} is")
            }
            Self::Malformed(why) => write!(f, "not a message of the operator protocol: {why}"),
        }
    }
}

impl core::error::Error for LineError {}

impl From<LineError> for Refusal {
    fn from(error: LineError) -> Self {
        let code = match error {
            LineError::Version(_) => RefusalCode::UnsupportedVersion,
            LineError::TooLong(_) | LineError::Malformed(_) => RefusalCode::BadRequest,
        };
        Self::new(code, "request", error.to_string())
    }
}

/// Collects bytes of a stream until a line is whole.
#[derive(Debug)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Bytes at the front that were searched already.
    searched: usize,
    bytes_max: usize,
}

impl LineBuffer {
    /// Takes lines of at most `bytes_max` bytes, line feed included.
    pub const fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), searched: 0, bytes_max }
    }

    /// Adds what was read.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line without its line feed, or `None` if more has to be read.
    ///
    /// # Errors
    /// [`LineError::TooLong`]; the stream cannot be read any further after it.
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        let found = self.bytes[self.searched..].iter().position(|&byte| byte == b'\n');
        match found.map(|at| at + self.searched) {
            Some(end) if end < self.bytes_max => {
                let rest = self.bytes.split_off(end + 1);
                let mut line = core::mem::replace(&mut self.bytes, rest);
                line.pop();
                self.searched = 0;
                Ok(Some(line))
            }
            None if self.bytes.len() < self.bytes_max => {
                self.searched = self.bytes.len();
                Ok(None)
            }
            _ => Err(LineError::TooLong(self.bytes_max)),
        }
    }
}

/// A message as one line with its line feed.
///
/// # Errors
/// Those of the serializer; none for the types of this crate.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, LineError> {
    let mut line = serde_json::to_vec(message).map_err(|error| LineError::Malformed(error.to_string()))?;
    line.push(b'\n');
    Ok(line)
}

/// Reads a request. The version is looked at first, so that a message of the future is refused for the right reason.
///
/// # Errors
/// [`LineError`].
pub fn decode_request(line: &[u8]) -> Result<Request, LineError> {
    decode(line)
}

/// Reads a response.
///
/// # Errors
/// [`LineError`].
pub fn decode_response(line: &[u8]) -> Result<Response, LineError> {
    decode(line)
}

fn decode<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Result<T, LineError> {
    #[derive(Deserialize)]
    struct Version {
        version: u64,
    }
    let malformed = |error: serde_json::Error| LineError::Malformed(describe(&error));
    let Version { version } = serde_json::from_slice(line).map_err(malformed)?;
    if version != u64::from(PROTOCOL_VERSION) {
        return Err(LineError::Version(version));
    }
    serde_json::from_slice(line).map_err(malformed)
}

/// The reader's words without values: those might be identities. What stands between quotes or backticks is kept only when it is
/// a word of the protocol.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let category = match error.classify() {
        serde_json::error::Category::Io => "unreadable",
        serde_json::error::Category::Syntax => "no valid JSON",
        serde_json::error::Category::Data => "a field is missing, unknown or has a wrong value",
        serde_json::error::Category::Eof => "it ends in the middle",
    };
    let field = ["missing field `", "unknown field `", "unknown variant `"].iter().find_map(|start| {
        let name = text.strip_prefix(start)?.split_once('`')?.0;
        let is_word =
            name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'-');
        is_word.then(|| format!("{start}{name}`"))
    });
    let at = format!("line {}, column {}", error.line(), error.column());
    match field {
        Some(field) => format!("{field} at {at}"),
        None => format!("{category}, at {at}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActivateTask, Ask, Delivery, OrderKind, Outcome, Page, Scope, Sensitive, TaskSelector, TimeSpec};
    use uuid::Uuid;

    fn activation() -> Request {
        Request::new(Ask::TaskActivate {
            task: Box::new(ActivateTask {
                xid: Some(Uuid::from_u128(7)),
                kind: OrderKind::PenRegister,
                authority: "ORDER-1".into(),
                officer: "A. Officer".into(),
                signer: "A. Judge".into(),
                circuit: Sensitive::new("C-1"),
                username: Sensitive::new("someone"),
                access_type: "fttx".into(),
                liid: Sensitive::new("LIID/1"),
                targets: vec![
                    "ipv4=192.0.2.1".parse().expect("good"),
                    "endpoint=[2001:db8::1]:80/tcp".parse().expect("good"),
                ],
                scope: Scope::HeadersL4,
                deliver: Delivery::Hi,
                destination: "agency".into(),
                start: TimeSpec::Now,
                end: TimeSpec::After { nanos: 5 },
            }),
            dry_run: true,
        })
    }

    #[test]
    fn requests_survive_the_round_trip() {
        let selector = TaskSelector::Handover { destination: "a".into(), liid: Sensitive::new("b") };
        let asks = [
            Ask::Status {},
            activation().ask,
            Ask::TaskDeactivate { task: selector, dry_run: false },
            Ask::AuditShow { task: None, page: Page::default() },
        ];
        for ask in asks {
            let line = encode(&Request::new(ask.clone())).expect("plain data");
            assert_eq!(line.last(), Some(&b'\n'));
            assert_eq!(decode_request(&line[..line.len() - 1]).expect("just written").ask, ask);
        }
    }

    #[test]
    fn refusals_survive_the_round_trip() {
        let refusal = Refusal::new(RefusalCode::Conflict, "liid", "in use").hint("choose another");
        let line = encode(&Response::from(Err(refusal.clone()))).expect("plain data");
        assert_eq!(decode_response(&line).expect("just written").outcome, Outcome::Refused(Box::new(refusal)));
    }

    #[test]
    fn debug_of_a_request_shows_no_identity() {
        let debug = format!("{:?}", activation());
        for secret in ["192.0", "2001", "someone", "C-1", "LIID/1"] {
            assert!(!debug.contains(secret), "{secret} in {debug}");
        }
    }

    #[test]
    fn unknown_words_are_refused_without_showing_values() {
        let good = String::from_utf8(encode(&activation()).expect("plain data")).expect("JSON is UTF-8");
        let version = format!("\"version\":{PROTOCOL_VERSION},");
        let cases = [
            (good.replace("\"authority\"", "\"authorty\""), "unknown field `authorty`"),
            (good.replace("\"officer\":\"A. Officer\",", ""), "missing field `officer`"),
            (good.replace("\"ipv4=192.0.2.1\"", "{\"ipv4\":\"192.0.2.1\"}"), "wrong value"),
            (good.replace("pen-register", "hunch"), "unknown variant `hunch`"),
            (good.replace(&version, &format!("{version}\"extra\":2,")), "unknown field `extra`"),
            (good.replace(&version, ""), "missing field `version`"),
            (good.replace(&version, "\"version\":1,"), "version 1"),
            (good[..good.len() / 2].to_owned(), "ends in the middle"),
            ("nonsense".to_owned(), "no valid JSON"),
        ];
        for (line, wanted) in cases {
            let error = decode_request(line.as_bytes()).expect_err(wanted).to_string();
            assert!(error.contains(wanted), "{wanted}: {error}");
            assert!(!error.contains("192.0.2"), "{error}");
        }
    }

    #[test]
    fn lines_come_whole_and_bounded() {
        let mut buffer = LineBuffer::new(8);
        buffer.extend(b"ab");
        assert_eq!(buffer.next_line(), Ok(None));
        buffer.extend(b"c\n\nlongest\nx");
        assert_eq!(buffer.next_line(), Ok(Some(b"abc".to_vec())));
        assert_eq!(buffer.next_line(), Ok(Some(Vec::new())));
        assert_eq!(buffer.next_line(), Ok(Some(b"longest".to_vec())));
        assert_eq!(buffer.next_line(), Ok(None));
        buffer.extend(b"1234567");
        assert_eq!(buffer.next_line(), Err(LineError::TooLong(8)));
        let mut buffer = LineBuffer::new(8);
        buffer.extend(b"12345678\n");
        assert_eq!(buffer.next_line(), Err(LineError::TooLong(8)));
    }
}
