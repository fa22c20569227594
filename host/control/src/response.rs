//! What is answered.

use crate::report::{
    AuditPage, AuditVerdict, CardCounters, CardReport, DestinationChange, DestinationPage, StatusReport, TablePage,
    TaskChange, TaskPage, TaskView,
};
use core::fmt;
use serde::{Deserialize, Serialize};

/// One line from the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// [`crate::PROTOCOL_VERSION`].
    pub version: u32,
    /// How it went.
    pub outcome: Outcome,
}

impl Response {
    /// An answer of this version.
    pub const fn new(outcome: Outcome) -> Self {
        Self { version: crate::PROTOCOL_VERSION, outcome }
    }
}

impl From<Result<Answer, Refusal>> for Response {
    fn from(result: Result<Answer, Refusal>) -> Self {
        Self::new(match result {
            Ok(answer) => Outcome::Done(Box::new(answer)),
            Err(refusal) => Outcome::Refused(Box::new(refusal)),
        })
    }
}

/// Whether the daemon did what was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done, or found.
    Done(Box<Answer>),
    /// Not done; nothing was changed.
    Refused(Box<Refusal>),
}

/// Answers, one kind for each kind of question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
    /// To `status`.
    Status(Box<StatusReport>),
    /// To `task activate`, `task deactivate` and `task revoke`.
    TaskChange(Box<TaskChange>),
    /// To `task list`.
    TaskList(TaskPage),
    /// To `task show`.
    Task(Box<TaskView>),
    /// To `destination add` and `destination remove`.
    DestinationChange(Box<DestinationChange>),
    /// To `destination list`.
    DestinationList(DestinationPage),
    /// To `card status`.
    CardStatus(Box<CardReport>),
    /// To `card counters`.
    CardCounters(CardCounters),
    /// To `card tables`.
    CardTables(TablePage),
    /// To `audit show`.
    Audit(AuditPage),
    /// To `audit verify`.
    AuditVerdict(AuditVerdict),
}

/// Why something was refused, in a word that programs can rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The line is no request.
    BadRequest,
    /// The request is of a version that this daemon does not speak.
    UnsupportedVersion,
    /// The peer's uid does not have the role.
    NotPermitted,
    /// There is no such thing.
    NotFound,
    /// Something that exists stands in the way.
    Conflict,
    /// A value is not allowed, in itself or for this kind of order.
    Invalid,
    /// A limit is reached.
    Limit,
    /// Card, store or audit log cannot do it now.
    Unavailable,
    /// A fault of the daemon.
    Internal,
}

impl RefusalCode {
    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::UnsupportedVersion => "unsupported_version",
            Self::NotPermitted => "not_permitted",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Limit => "limit",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// Why something was refused. Carries no identity of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// What is wrong.
    pub what: String,
    /// Where: a field of the request, a part of the system.
    #[serde(rename = "where")]
    pub place: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(code: RefusalCode, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), place: place.into(), hint: String::new() }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (at {})", self.code.name(), self.what, self.place)
    }
}

impl core::error::Error for Refusal {}
