//! Orders about destinations.

use super::Control;
use crate::{
    convert,
    roles::Principal,
    state::store::{Counter, StoredDestination},
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};
use writ_control::{
    AddDestination, Answer, Refusal, RefusalCode, TransportSecurity,
    report::{DestinationChange, DestinationPage, DestinationView},
};
use writ_mediation::{
    audit::{Event, EventKind},
    units::{DestinationIndex, SessionKey},
};

/// Longest name.
const NAME_BYTES_MAX: usize = 64;
/// Destinations that there may be. Each holds two connections and its share of the arena.
const DESTINATIONS_MAX: usize = 64;

impl Control {
    /// The destination with a name.
    pub(super) fn destination_by_name(&self, name: &str) -> Result<DestinationIndex, Refusal> {
        let named = |stored: &&StoredDestination| stored.definition.name == name;
        self.destinations.values().find(named).map(|stored| stored.index).ok_or_else(|| {
            let what = if is_name(name) {
                format!("there is no destination `{name}`")
            } else {
                "no name of a destination".into()
            };
            Refusal::new(RefusalCode::NotFound, "destination", what).hint("see `writ destination list`")
        })
    }

    pub(super) fn destination_add(
        &mut self,
        who: &Principal,
        definition: AddDestination,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        if !is_name(&definition.name) {
            let what = format!("1 to {NAME_BYTES_MAX} letters, digits, dots, underscores or hyphens are wanted");
            return Err(Refusal::new(RefusalCode::Invalid, "name", what));
        }
        for (interface, address) in convert::interfaces(&definition.addresses) {
            if !is_receiver(address) {
                let what = format!("{address} is the address of no single receiver");
                return Err(Refusal::new(RefusalCode::Invalid, interface.name(), what));
            }
        }
        let addresses = convert::interfaces(&definition.addresses).map(|(_, address)| address.ip());
        let is_hi = definition.addresses.delivery() == writ_control::Delivery::Hi;
        if let Err(error) = definition.settings.check(is_hi, &addresses) {
            return Err(Refusal::new(RefusalCode::Invalid, error.setting, error.wanted));
        }
        if self.destinations.values().any(|stored| stored.definition.name == definition.name) {
            let what = format!("a destination `{}` exists", definition.name);
            return Err(Refusal::new(RefusalCode::Conflict, "name", what));
        }
        if self.destinations.len() >= DESTINATIONS_MAX {
            let what = format!("{DESTINATIONS_MAX} destinations exist already");
            return Err(Refusal::new(RefusalCode::Limit, "destinations", what));
        }
        if !self.sessions.has_room() {
            let what = "the arena has no room for the sessions of one more destination";
            return Err(Refusal::new(RefusalCode::Limit, "arena.blocks", what)
                .hint("give it more blocks, or remove a destination that is not used"));
        }
        self.sessions.check(&definition)?;
        let planned = StoredDestination { index: DestinationIndex(u16::MAX), definition };
        let after = Some(self.destination_view(&planned));
        if dry_run {
            return Ok(changed(false, None, after));
        }
        self.require_sound()?;
        let index = DestinationIndex(self.store.take_number(Counter::Destination)? as u16);
        let stored = StoredDestination { index, ..planned };
        let event = about(EventKind::DestinationAdded, &stored).actor(who.uid, "operate");
        self.record(&event)?;
        if stored.definition.security == TransportSecurity::DangerPlaintext {
            tracing::warn!("destination {} takes intercepted data without any protection", stored.definition.name);
            self.record(&about(EventKind::Plaintext, &stored).actor(who.uid, "operate"))?;
        }
        self.store.insert_destination(&stored)?;
        if let Err(refusal) = self.sessions.prepare(&stored, &mut BTreeMap::new()) {
            self.sessions.remove(&keys(&stored));
            self.store.remove_destination(index)?;
            self.note(&about(EventKind::DestinationRemoved, &stored).text("reason", refusal.what.clone()));
            return Err(refusal);
        }
        self.sessions.launch();
        self.destinations.insert(index, stored);
        Ok(changed(true, None, after))
    }

    pub(super) fn destination_list(&self) -> Result<Answer, Refusal> {
        let mut destinations: Vec<DestinationView> =
            self.destinations.values().map(|stored| self.destination_view(stored)).collect();
        destinations.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Answer::DestinationList(DestinationPage { destinations }))
    }

    pub(super) fn destination_remove(&mut self, who: &Principal, name: &str, dry_run: bool) -> Result<Answer, Refusal> {
        let index = self.destination_by_name(name)?;
        let Some(stored) = self.destinations.get(&index).cloned() else {
            return Err(Refusal::new(RefusalCode::Internal, "destination", "it vanished"));
        };
        let before = self.destination_view(&stored);
        if before.tasks > 0 {
            let what = match before.tasks {
                1 => format!("1 task still delivers to `{name}`"),
                tasks => format!("{tasks} tasks still deliver to `{name}`"),
            };
            return Err(Refusal::new(RefusalCode::Conflict, "destination", what)
                .hint("deactivate them and wait until they have ended"));
        }
        let waiting: u64 = keys(&stored)
            .iter()
            .filter_map(|key| self.sessions.handle(*key))
            .map(|handle| handle.view().status.buffered_bytes)
            .sum();
        if waiting > 0 {
            let what = format!("{waiting} bytes of ended tasks are not confirmed by `{name}`");
            return Err(Refusal::new(RefusalCode::Conflict, "destination", what).hint("wait until they are delivered"));
        }
        if dry_run {
            return Ok(changed(false, Some(before), None));
        }
        let event = about(EventKind::DestinationRemoved, &stored).actor(who.uid, "operate");
        self.record(&event)?;
        self.store.remove_destination(index)?;
        self.sessions.remove(&keys(&stored));
        self.destinations.remove(&index);
        Ok(changed(true, Some(before), None))
    }

    fn destination_view(&self, stored: &StoredDestination) -> DestinationView {
        let AddDestination { name, addresses, security, confirmation, settings } = stored.definition.clone();
        let tasks = self.live().filter(|task| task.spec.destinations.contains(&stored.index)).count() as u64;
        DestinationView { name, addresses, security, confirmation, settings, tasks }
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// Whether exactly one host and port can be meant. The unspecified address would reach this host.
fn is_receiver(address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    let is_broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast
}

fn keys(stored: &StoredDestination) -> Vec<SessionKey> {
    let key = |(interface, _)| SessionKey { destination: stored.index, interface };
    convert::interfaces(&stored.definition.addresses).map(key).to_vec()
}

fn about(kind: EventKind, stored: &StoredDestination) -> Event {
    let [(first, first_at), (second, second_at)] = convert::interfaces(&stored.definition.addresses);
    let event = Event::new(kind)
        .number("destination", stored.index.0.into())
        .text("name", stored.definition.name.clone())
        .text("addresses", format!("{} {first_at}, {} {second_at}", first.name(), second.name()))
        .text("confirmation", stored.definition.confirmation.name());
    let settings = stored.definition.settings.named();
    let event = settings.into_iter().fold(event, |event, (name, value)| event.text(name, value));
    match &stored.definition.security {
        TransportSecurity::MutualTls { server_name, ca_pem, min_tls } => event
            .text("security", "mutual TLS")
            .text("server_name", server_name.clone())
            .text("min_tls", min_tls.name())
            .flag("own_authorities", ca_pem.is_some()),
        TransportSecurity::DangerPlaintext => event.text("security", "danger_plaintext"),
    }
}

fn changed(applied: bool, before: Option<DestinationView>, after: Option<DestinationView>) -> Answer {
    Answer::DestinationChange(Box::new(DestinationChange { applied, before, after }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_one_host_and_port() {
        let is = |text: &str| is_receiver(text.parse().expect("an address"));
        assert!(["192.0.2.1:1", "127.0.0.1:65535", "[2001:db8::1]:443", "[::ffff:192.0.2.1]:9"].into_iter().all(is));
        let none = ["192.0.2.1:0", "0.0.0.0:9", "[::]:9", "[::ffff:0.0.0.0]:9", "224.0.0.1:9", "[ff02::1]:9"];
        assert!(!none.into_iter().chain(["255.255.255.255:9"]).any(is));
    }
}
