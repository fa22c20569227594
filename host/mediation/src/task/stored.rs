//! The stored form of a task: JSON with a version. It holds everything that identifies the target, so the store has to seal it.

use crate::{
    task::{AccessType, Delivery, OrderKind, Responsible, Scope, TargetIdentifier, TaskSpec},
    units::{DestinationIndex, Interface, Sensitive, TaiNs},
};
use core::fmt;
use serde::{Deserialize, Serialize};
use writ_handover::ids::{Liid, Xid};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    xid: String,
    liid: String,
    kind: String,
    authority_reference: Sensitive,
    officer: Sensitive,
    signer: Sensitive,
    circuit: Sensitive,
    username: Sensitive,
    access_type: String,
    targets: Vec<String>,
    scope: String,
    delivery: String,
    destinations: Vec<DestinationIndex>,
    start_tai_ns: TaiNs,
    end_tai_ns: TaiNs,
    responsible_uid: u32,
    responsible_name: Sensitive,
}

/// Why stored bytes are no task: the store is damaged or from another version. Names the field, never a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredError {
    /// Not the JSON that [`TaskSpec::to_stored`] writes; line and column.
    Form {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Written by another version.
    Version(u32),
    /// The value of a field has no meaning; the field.
    Field(&'static str),
}

impl fmt::Display for StoredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form { line, column } => {
                write!(f, "stored task: not what this version writes, at line {line}, column {column}")
            }
            Self::Version(version) => write!(f, "stored task: version {version}, this one reads {VERSION}"),
            Self::Field(field) => write!(f, "stored task: field {field} holds no valid value"),
        }
    }
}

impl core::error::Error for StoredError {}

impl TaskSpec {
    /// The stored form. Holds the target's identity: seal it.
    pub fn to_stored(&self) -> Vec<u8> {
        let stored = Stored {
            version: VERSION,
            xid: self.xid.text(),
            liid: self.liid.text(),
            kind: self.kind.name().into(),
            authority_reference: self.authority_reference.clone(),
            officer: self.officer.clone(),
            signer: self.signer.clone(),
            circuit: self.circuit.clone(),
            username: self.username.clone(),
            access_type: self.access_type.name().into(),
            targets: self.targets.iter().map(|target| target.text.reveal().to_owned()).collect(),
            scope: self.scope.name().into(),
            delivery: self.delivery.name().into(),
            destinations: self.destinations.clone(),
            start_tai_ns: self.start,
            end_tai_ns: self.end,
            responsible_uid: self.responsible.uid,
            responsible_name: self.responsible.name.clone(),
        };
        serde_json::to_vec(&stored).expect("strings and numbers always serialise")
    }

    /// Reads [`TaskSpec::to_stored`]'s form back. `read_target` reads the text of a target, `None` for one that means nothing.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_stored(
        bytes: &[u8],
        read_target: impl Fn(&str) -> Option<TargetIdentifier>,
    ) -> Result<Self, StoredError> {
        let stored: Stored = serde_json::from_slice(bytes)
            .map_err(|error| StoredError::Form { line: error.line(), column: error.column() })?;
        if stored.version != VERSION {
            return Err(StoredError::Version(stored.version));
        }
        let targets = stored.targets.iter().map(|text| read_target(text)).collect::<Option<Vec<_>>>();
        let spec = Self {
            xid: Xid::parse(&stored.xid).map_err(|_| StoredError::Field("xid"))?,
            liid: Liid::parse(&stored.liid).map_err(|_| StoredError::Field("liid"))?,
            kind: OrderKind::parse(&stored.kind).ok_or(StoredError::Field("kind"))?,
            authority_reference: stored.authority_reference,
            officer: stored.officer,
            signer: stored.signer,
            circuit: stored.circuit,
            username: stored.username,
            access_type: AccessType::parse(&stored.access_type).ok_or(StoredError::Field("access_type"))?,
            targets: targets.filter(|targets| !targets.is_empty()).ok_or(StoredError::Field("targets"))?,
            scope: Scope::parse(&stored.scope).ok_or(StoredError::Field("scope"))?,
            delivery: Delivery::parse(&stored.delivery).ok_or(StoredError::Field("delivery"))?,
            destinations: stored.destinations,
            start: stored.start_tai_ns,
            end: stored.end_tai_ns,
            responsible: Responsible { uid: stored.responsible_uid, name: stored.responsible_name },
        };
        match spec.delivery.packet_interface(spec.scope) {
            None => return Err(StoredError::Field("delivery")),
            Some(interface) if spec.selects_frames() && interface != Interface::X3 => {
                return Err(StoredError::Field("targets"));
            }
            Some(_) => {}
        }
        if spec.destinations.is_empty() {
            return Err(StoredError::Field("destinations"));
        }
        if spec.end <= spec.start {
            return Err(StoredError::Field("end_tai_ns"));
        }
        Ok(spec)
    }
}
