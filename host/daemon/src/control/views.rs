//! How tasks look from outside.

use super::Control;
use crate::{convert, state::store::StoredTask};
use writ_control::{
    Sensitive,
    report::{Responsible, TargetView, TaskView},
};
use writ_mediation::{
    task::TaskSpec,
    units::{DestinationIndex, Sensitive as Private},
};

impl Control {
    /// A task for operators. Identities only with `reveal`.
    pub(super) fn view(&self, stored: &StoredTask, reveal: bool) -> TaskView {
        let spec = &stored.spec;
        let shown = |text: &Private| reveal.then(|| Sensitive::new(text.reveal()));
        let targets = spec.targets.iter().map(|target| TargetView {
            kind: target.kind().to_owned(),
            value: reveal.then(|| value_of(target.text.reveal())),
        });
        TaskView {
            xid: spec.xid.0.into_uuid(),
            liid: Sensitive::new(spec.liid.text()),
            destination: self.destination_names(spec),
            state: convert::wire_state(stored.state, stored.reason),
            kind: convert::wire_kind(spec.kind),
            authority: spec.authority_reference.reveal().to_owned(),
            officer: spec.officer.reveal().to_owned(),
            signer: spec.signer.reveal().to_owned(),
            circuit: shown(&spec.circuit),
            username: shown(&spec.username),
            access_type: spec.access_type.name().to_owned(),
            targets: targets.collect(),
            scope: convert::wire_scope(spec.scope),
            deliver: convert::wire_delivery(spec.delivery),
            start: convert::instant(&self.leap, spec.start),
            end: convert::instant(&self.leap, spec.end),
            effective_end: convert::instant(&self.leap, convert::effective_end(spec)),
            armed: stored.armed.map(|armed| convert::instant(&self.leap, armed)),
            responsible: Responsible { uid: spec.responsible.uid, person: spec.responsible.name.reveal().to_owned() },
        }
    }

    /// Names of a task's destinations.
    pub(super) fn destination_names(&self, spec: &TaskSpec) -> String {
        let name = |index: &DestinationIndex| {
            let removed = || format!("(removed destination {})", index.0);
            self.destinations.get(index).map_or_else(removed, |stored| stored.definition.name.clone())
        };
        spec.destinations.iter().map(name).collect::<Vec<_>>().join(",")
    }
}

/// The value behind `KIND=`.
fn value_of(text: &str) -> Sensitive {
    Sensitive::new(text.split_once('=').map_or(text, |(_, value)| value))
}

/// An XID as a UUID.
pub(super) trait IntoUuid {
    /// The same sixteen octets.
    fn into_uuid(self) -> writ_control::Uuid;
}

impl IntoUuid for [u8; 16] {
    fn into_uuid(self) -> writ_control::Uuid {
        writ_control::Uuid::from_bytes(self)
    }
}
