//! Who may do what. Only the peer's uid counts, as the kernel reports it; root has no role unless the configuration gives one.

use crate::config::{Person, Role};
use std::collections::{BTreeMap, BTreeSet};
use writ_control::{Ask, Refusal, RefusalCode};

/// A person who is known to the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// Uid of the peer.
    pub(crate) uid: u32,
    /// The name that goes into the records.
    pub(crate) person: String,
    may: BTreeSet<Role>,
}

/// Everybody who is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roles {
    people: BTreeMap<u32, Principal>,
}

impl Roles {
    /// From the configuration, which has checked that uids are unique.
    pub(crate) fn new(people: &[Person]) -> Self {
        let principal = |person: &Person| {
            let uid = *person.uid.get_ref();
            let name = person.person.get_ref().trim().to_owned();
            (uid, Principal { uid, person: name, may: person.may.clone() })
        };
        Self { people: people.iter().map(principal).collect() }
    }

    /// The person behind a uid, if that person may ask this.
    pub(crate) fn authorise(&self, uid: u32, ask: &Ask) -> Result<&Principal, Refusal> {
        let needed = roles_for(ask);
        let allowed = |principal: &&Principal| needed.iter().any(|role| principal.may.contains(role));
        self.people.get(&uid).filter(allowed).ok_or_else(|| {
            let what = format!("uid {uid} may not ask for `{}`", ask.name());
            let names: Vec<&str> = needed.iter().map(|role| role.name()).collect();
            Refusal::new(RefusalCode::NotPermitted, "roles", what).hint(format!(
                "it takes one of the roles {}, given by uid in the daemon's configuration",
                names.join(", ")
            ))
        })
    }
}

impl Role {
    /// The role, as configured.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Operate => "operate",
            Self::Approve => "approve",
            Self::Audit => "audit",
            Self::View => "view",
        }
    }
}

/// Roles any of which is enough.
const fn roles_for(ask: &Ask) -> &'static [Role] {
    match ask {
        Ask::TaskActivate { .. }
        | Ask::TaskDeactivate { .. }
        | Ask::TaskRevoke { .. }
        | Ask::DestinationAdd { .. }
        | Ask::DestinationRemove { .. } => &[Role::Operate],
        Ask::AuditShow { .. } | Ask::AuditVerify { .. } => &[Role::Audit],
        Ask::TaskList { reveal: true, .. }
        | Ask::TaskShow { reveal: true, .. }
        | Ask::CardTables { reveal: true, .. } => &[Role::Operate, Role::Approve, Role::Audit],
        Ask::Status {}
        | Ask::TaskList { .. }
        | Ask::TaskShow { .. }
        | Ask::DestinationList {}
        | Ask::CardStatus {}
        | Ask::CardCounters {}
        | Ask::CardTables { .. } => &[Role::View, Role::Operate, Role::Approve, Role::Audit],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_control::Page;

    fn roles() -> Roles {
        let person =
            |uid, may: &[Role]| (uid, Principal { uid, person: format!("P{uid}"), may: may.iter().copied().collect() });
        Roles { people: [person(1, &[Role::View]), person(2, &[Role::Operate]), person(3, &[Role::Audit])].into() }
    }

    #[test]
    fn root_has_no_implicit_role_and_a_role_is_not_another() {
        let status = Ask::Status {};
        let remove = Ask::DestinationRemove { name: "x".into(), dry_run: true };
        let verify = Ask::AuditVerify { expect_head: None };
        let reveal = Ask::TaskList { reveal: true, page: Page::default() };
        let may = |uid, ask| roles().authorise(uid, ask).map(|principal| principal.uid).ok();
        assert_eq!([may(0, &status), may(0, &remove), may(0, &verify), may(0, &reveal)], [None; 4]);
        assert_eq!([may(1, &status), may(1, &remove), may(1, &verify), may(1, &reveal)], [Some(1), None, None, None]);
        assert_eq!([may(2, &remove), may(2, &verify), may(2, &reveal)], [Some(2), None, Some(2)]);
        assert_eq!([may(3, &remove), may(3, &verify), may(3, &reveal)], [None, Some(3), Some(3)]);
    }
}
