//! All sessions: made when a destination is, stopped when it goes.

use crate::{
    card::ring::{Outlet, RingOrder},
    clock::{self, HostClock},
    config::Config,
    convert,
    delivery::journal::JournalFolder,
    delivery::task::{Delivery, SessionHandle, SessionOrder, Surroundings},
    delivery::tls::Identity,
    delivery::transport::Endpoint,
    delivery::withheld::WithheldFile,
    mailbox::Mailbox,
    state::keys::{KEY_BYTES, MasterKey, Purpose},
    state::signer::load_payload_keys,
    state::store::StoredDestination,
};
use crossbeam_channel::Sender;
use std::{collections::BTreeMap, num::NonZeroU64, path::PathBuf, sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle};
use writ_control::{AddDestination, Confirmation as WireConfirmation, Refusal, RefusalCode};
use writ_driver::memory::BlockMemory;
use writ_handover::ids::{CountryCode, Liid, NetworkElementId, OperatorId};
use writ_mediation::{
    arena::{FreeBlock, SealedBlock},
    datapath::{Formats, PayloadKey},
    journal::{Journal, JournalKey, JournalRecovery},
    session::{Confirmation, HandoverIdentity, KeepAlive, Session, SessionConfig, WallClock},
    units::{Interface, SessionKey},
};

const NS_PER_MS: u64 = 1_000_000;
const MIB: u64 = 1024 * 1024;
/// Fewest blocks of a session: one that is filled, one that is sent.
const BLOCKS_MIN: usize = 2;
/// With `written`: so much of what was handed over is sent again on a new connection.
const RESEND_BYTES: u64 = 4 * MIB;
/// With `barrier`: a confirmation is asked for after so many bytes.
const BARRIER_BYTES: u64 = 8 * MIB;

/// What sessions are made from.
pub(crate) struct Sessions {
    runtime: Handle,
    identity: Identity,
    settings: Settings,
    control: Mailbox,
    ring: Sender<RingOrder>,
    freed: Sender<FreeBlock<BlockMemory>>,
    clock: HostClock,
    running: BTreeMap<SessionKey, Running>,
}

/// The part of the configuration that sessions need.
struct Settings {
    journals: PathBuf,
    withheld: PathBuf,
    journal_key: [u8; KEY_BYTES],
    keep_alive: KeepAlive,
    barrier_ns: u64,
    handover: HandoverIdentity,
    /// There is a key for signatures.
    can_sign: bool,
    payload_keys: BTreeMap<String, PayloadKey>,
    blocks: usize,
    /// Blocks that one destination may hold; without it all share alike.
    blocks_per_destination: Option<usize>,
}

struct Running {
    handle: SessionHandle,
    /// Until it is launched.
    prepared: Option<Delivery>,
    task: Option<JoinHandle<()>>,
}

/// Blocks of one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    /// Of both sessions together.
    destination: usize,
    /// Of each.
    session: usize,
}

impl Share {
    /// Each session is sure of a quarter and can have what the other one does not need: with orders for content nearly everything goes
    /// over HI3 or X3, with orders for headers over HI2 or X2.
    fn new(blocks: usize) -> Self {
        let destination = blocks.max(2 * BLOCKS_MIN);
        let sure = (destination / 4).max(BLOCKS_MIN);
        Self { destination, session: destination - sure }
    }
}

/// The ends of channels that sessions hold.
pub(crate) struct Links {
    /// The runtime that sessions run on.
    pub(crate) runtime: Handle,
    /// Where reports go.
    pub(crate) control: Mailbox,
    /// The ring thread.
    pub(crate) ring: Sender<RingOrder>,
    /// Where free blocks go.
    pub(crate) freed: Sender<FreeBlock<BlockMemory>>,
    /// The host's clock.
    pub(crate) clock: HostClock,
}

impl Sessions {
    /// No session yet.
    pub(crate) fn new(config: &Config, identity: Identity, master: &MasterKey, links: Links) -> Result<Self, Refusal> {
        let blocks = *config.arena.blocks.get_ref() as usize;
        let blocks_per_destination = config.arena.blocks_per_destination.as_ref().map(|cap| *cap.get_ref() as usize);
        let network = &config.network;
        let invalid = |what: String| Refusal::new(RefusalCode::Invalid, "network", what);
        let handover = HandoverIdentity {
            liid: Liid::parse("writ").map_err(|error| invalid(error.to_string()))?,
            country: CountryCode::parse(network.country.get_ref()).map_err(|error| invalid(error.to_string()))?,
            operator: OperatorId::parse(network.operator.get_ref()).map_err(|error| invalid(error.to_string()))?,
            network_element: Some(
                NetworkElementId::parse(network.element.get_ref()).map_err(|error| invalid(error.to_string()))?,
            ),
        };
        let settings = Settings {
            journals: config.state_dir.join("journal"),
            withheld: config.state_dir.join("withheld"),
            journal_key: master.derive(Purpose::Journal),
            keep_alive: KeepAlive {
                after_ns: config.limits.keepalive_idle_ms.get_ref() * NS_PER_MS,
                answer_ns: config.limits.keepalive_answer_ms.get_ref() * NS_PER_MS,
            },
            barrier_ns: config.limits.barrier_ms.get_ref() * NS_PER_MS,
            handover,
            can_sign: config.keys.integrity.is_some(),
            payload_keys: load_payload_keys(&config.keys)
                .map_err(|error| Refusal::new(RefusalCode::Invalid, "keys.payload", error.to_string()))?,
            blocks,
            blocks_per_destination,
        };
        let Links { runtime, control, ring, freed, clock } = links;
        Ok(Self { runtime, identity, settings, control, ring, freed, clock, running: BTreeMap::new() })
    }

    /// Checks what a destination says about certificates and names, without connecting.
    pub(crate) fn check(&self, destination: &AddDestination) -> Result<(), Refusal> {
        if self.lacks_key(destination) {
            let what = "signatures need a key, and the daemon's configuration names none";
            return Err(Refusal::new(RefusalCode::Invalid, "integrity", what).hint("keys.integrity, in writd.toml"));
        }
        self.payload_key(destination)?;
        for (_, address) in convert::interfaces(&destination.addresses) {
            Endpoint::new(&self.identity, destination, address)
                .map_err(|error| Refusal::new(RefusalCode::Invalid, "destination", error.to_string()))?;
        }
        Ok(())
    }

    /// Whether it wants signatures that cannot be made.
    fn lacks_key(&self, destination: &AddDestination) -> bool {
        !self.settings.can_sign && destination.settings.integrity.is_some_and(|integrity| integrity.sign)
    }

    /// The key that it wants payloads encrypted with. Without it nothing may go out.
    fn payload_key(&self, destination: &AddDestination) -> Result<Option<PayloadKey>, Refusal> {
        let Some(name) = &destination.settings.payload_key else { return Ok(None) };
        let key = self.settings.payload_keys.get(name).cloned();
        key.map(Some).ok_or_else(|| {
            let what = format!(
                "destination `{}` wants payloads encrypted with a key `{name}` that is not configured",
                destination.name
            );
            Refusal::new(RefusalCode::Invalid, "payload_key", what).hint("keys.payload, in writd.toml")
        })
    }

    /// Prepares the sessions of a destination: they take blocks and orders, but nothing is sent before [`Sessions::launch`]. `recovered` gives each the
    /// blocks that an earlier process had accepted for it.
    pub(crate) fn prepare(
        &mut self,
        destination: &StoredDestination,
        recovered: &mut BTreeMap<SessionKey, Vec<SealedBlock<BlockMemory>>>,
    ) -> Result<Vec<(SessionKey, JournalRecovery)>, Refusal> {
        let mut found = Vec::new();
        if self.lacks_key(&destination.definition) {
            // It was made when there was one. Without signatures it is still better served than not at all.
            let name = &destination.definition.name;
            tracing::error!(
                "destination {name} wants signatures and keys.integrity names no key: it gets hashes alone"
            );
        }
        for (interface, address) in convert::interfaces(&destination.definition.addresses) {
            let key = SessionKey { destination: destination.index, interface };
            let blocks = recovered.remove(&key).unwrap_or_default();
            let endpoint = Endpoint::new(&self.identity, &destination.definition, address)
                .map_err(|error| Refusal::new(RefusalCode::Invalid, "destination", error.to_string()))?;
            found.extend(
                self.prepare_one(key, &destination.definition, endpoint, blocks)?.map(|recovery| (key, recovery)),
            );
        }
        Ok(found)
    }

    fn prepare_one(
        &mut self,
        key: SessionKey,
        destination: &AddDestination,
        endpoint: Endpoint,
        recovered: Vec<SealedBlock<BlockMemory>>,
    ) -> Result<Option<JournalRecovery>, Refusal> {
        let unavailable = |what: String| Refusal::new(RefusalCode::Unavailable, "journal", what);
        let (journal, recovery) = match key.interface {
            Interface::Hi2 | Interface::X2 => {
                let folder = JournalFolder::open(&self.settings.journals, key)
                    .map_err(|error| unavailable(error.to_string()))?;
                let (journal, recovery) = Journal::open(folder, self.journal_key(key), Box::new(fill_random), key)
                    .map_err(|error| unavailable(error.to_string()))?;
                (Some(journal), Some(recovery))
            }
            Interface::Hi3 | Interface::X3 => (None, None),
        };
        let mut session = Session::new(self.session_config(key, destination), journal)
            .map_err(|error| Refusal::new(RefusalCode::Internal, "session", error.to_string()))?;
        for block in recovered {
            if session.push(block).is_err() {
                tracing::error!("a recovered block did not belong to its session");
            }
        }
        let (sender, blocks) = crossbeam_channel::bounded(self.settings.blocks);
        let keeper = WithheldFile::open(&self.settings.withheld, key, &self.settings.journal_key)
            .map_err(|error| Refusal::new(RefusalCode::Unavailable, "withheld", error.to_string()))?;
        let wake = Arc::new(Notify::new());
        let payload_key = self.payload_key(destination)?;
        self.attach(
            key,
            convert::formats(&destination.settings),
            payload_key,
            Outlet { blocks: sender, wake: Arc::clone(&wake) },
        );
        let around = Surroundings {
            blocks,
            freed: self.freed.clone(),
            wake,
            control: self.control.clone(),
            keeper,
            clock: self.clock,
            name: destination.name.clone(),
        };
        let (delivery, handle) = Delivery::new(session, endpoint, around);
        self.running.insert(key, Running { handle, prepared: Some(delivery), task: None });
        Ok(recovery)
    }

    /// Whether the arena has room for one more destination's sessions.
    pub(crate) fn has_room(&self) -> bool {
        self.settings.blocks / (self.running.len() + 2) >= BLOCKS_MIN
    }

    /// Shares the arena out. The shares of all destinations together are never more than there is, so that one that is slow or away takes
    /// nothing from another.
    fn share_out(&self) {
        let destinations = (self.running.len() / 2).max(1);
        let fair = self.settings.blocks / destinations;
        let share = Share::new(self.settings.blocks_per_destination.map_or(fair, |most| most.min(fair)));
        for (&key, running) in &self.running {
            let _ = self.ring.send(RingOrder::DestinationCap(key.destination, share.destination));
            let _ = self.ring.send(RingOrder::Cap(key, share.session));
            running.handle.order(SessionOrder::Share(share.session));
        }
    }

    /// Lets all prepared sessions run. Returns how many.
    pub(crate) fn launch(&mut self) -> usize {
        self.share_out();
        let mut launched = 0;
        for running in self.running.values_mut() {
            if let Some(delivery) = running.prepared.take() {
                running.task = Some(self.runtime.spawn(delivery.run()));
                launched += 1;
            }
        }
        launched
    }

    fn attach(&self, key: SessionKey, formats: Formats, payload_key: Option<PayloadKey>, outlet: Outlet) {
        let (reply, attached) = crossbeam_channel::bounded(1);
        if self
            .ring
            .send(RingOrder::Attach { key, cap_blocks: BLOCKS_MIN, formats, payload_key, outlet, reply })
            .is_ok()
        {
            let _ = attached.recv();
        }
    }

    fn session_config(&self, key: SessionKey, destination: &AddDestination) -> SessionConfig {
        let wall_clock = WallClock { host: self.clock.now(), utc: clock::universal_time() };
        let identity = key.interface.is_handover().then(|| self.settings.handover.clone());
        let mut config = SessionConfig::new(key, identity, wall_clock);
        let wanted = &destination.settings;
        let or_configured = |ms: Option<u32>, configured| ms.map_or(configured, |ms| u64::from(ms) * NS_PER_MS);
        config.keep_alive = KeepAlive {
            after_ns: or_configured(wanted.keepalive_idle_ms, self.settings.keep_alive.after_ns),
            answer_ns: or_configured(wanted.keepalive_answer_ms, self.settings.keep_alive.answer_ns),
        };
        config.formats = convert::formats(wanted);
        config.rate_bytes_per_s = wanted.rate_bytes_per_s.and_then(NonZeroU64::new);
        config.confirmation = match destination.confirmation {
            WireConfirmation::Barrier => Confirmation::Barrier {
                every_bytes: BARRIER_BYTES,
                every_ns: or_configured(wanted.barrier_ms, self.settings.barrier_ns),
            },
            WireConfirmation::Written => Confirmation::Written { resend_bytes: RESEND_BYTES },
        };
        config
    }

    /// Each session's journal has its own key.
    fn journal_key(&self, key: SessionKey) -> JournalKey {
        let name = format!("{} {}", key.destination.0, key.interface.name());
        JournalKey(*blake3::keyed_hash(&self.settings.journal_key, name.as_bytes()).as_bytes())
    }

    /// Frees blocks that belong to nobody.
    pub(crate) fn give_back(&self, blocks: impl Iterator<Item = SealedBlock<BlockMemory>>) {
        for block in blocks {
            let _ = self.freed.send(block.free());
        }
    }

    /// Handles of all running sessions.
    pub(crate) fn handles(&self) -> impl Iterator<Item = (SessionKey, &SessionHandle)> {
        self.running.iter().map(|(key, running)| (*key, &running.handle))
    }

    /// The handle of one.
    pub(crate) fn handle(&self, key: SessionKey) -> Option<&SessionHandle> {
        self.running.get(&key).map(|running| &running.handle)
    }

    /// Stops the sessions of a destination that goes, and removes their empty journals.
    pub(crate) fn remove(&mut self, keys: &[SessionKey]) {
        for &key in keys {
            let Some(running) = self.running.remove(&key) else { continue };
            running.handle.order(SessionOrder::Stop);
            self.join(running.task);
            // Nothing of it may be left when its blocks would have nowhere to go.
            let _ = self.ring.send(RingOrder::Detach(key));
            let folder = JournalFolder::path_of(&self.settings.journals, key);
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!("removing the empty journal {}: {error}", folder.display());
                }
                _ => {}
            }
        }
        self.share_out();
    }

    /// Stops all sessions. What they have not confirmed stays where it is.
    pub(crate) fn stop_all(&mut self) {
        for running in self.running.values() {
            running.handle.order(SessionOrder::Stop);
        }
        for (_, running) in std::mem::take(&mut self.running) {
            self.join(running.task);
        }
    }

    fn join(&self, task: Option<JoinHandle<()>>) {
        let Some(task) = task else { return };
        let joined = self.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(2), task).await });
        if joined.is_err() {
            tracing::warn!("a session did not stop in time");
        }
    }
}

/// Randomness for journals. Without it no key may be made, so there is nothing to go on with.
fn fill_random(into: &mut [u8]) {
    aws_lc_rs::rand::fill(into).expect("the system gave randomness at the start and does not stop");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_session_may_have_most_of_a_share_and_both_are_sure_of_some() {
        for blocks in 1..300 {
            let share = Share::new(blocks);
            assert!(share.destination == blocks.max(4), "a destination has no more than its share: {blocks}");
            assert!(share.session < share.destination && share.session * 4 >= share.destination * 2, "{blocks}");
            assert!(share.destination - share.session >= BLOCKS_MIN, "the other one is sure of these: {blocks}");
        }
    }
}
