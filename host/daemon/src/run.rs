//! From configuration to a running daemon, and back to nothing.

use crate::{
    card::{
        open::CardOnBus,
        ring::{RingOrder, RingThread},
        side::CardSide,
        take::{self, Arrival, Known, Taken},
    },
    clock::{self, HostClock},
    config::Config,
    control::{
        Control,
        socket::ControlSocket,
        start::{Found, Parts},
    },
    convert,
    delivery::{
        sessions::{Links, Sessions},
        tls,
    },
    mailbox::{Mailbox, Message},
    process::{self, FolderLock},
    roles::Roles,
    state::{
        audit::{AuditFound, AuditLog},
        kept::KeptCard,
        keys::{self, MasterKey, SealBroken},
        signer::{IntegrityKey, load_payload_keys},
        store::{Store, StoredCard},
    },
};
use crossbeam_channel::Receiver;
use std::{collections::BTreeMap, error::Error, io::Write, path::Path, sync::Arc, thread::JoinHandle, time::Duration};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::{oneshot, watch},
};
use writ_abi::{limits, time::TimeQuality};
use writ_driver::{
    BringUp, Identity, LookupSettings,
    bus::cardd::CarddCard,
    memory::{BlockMemory, FileMapping},
};
use writ_handover::ids::{
    CountryCode, InterceptionPointId, NetworkElementId, NetworkFunctionId, OperatorId, PointOfInterceptionId,
};
use writ_mediation::{
    arena::{Arena, ArenaConfig, ArenaIdentity, BLOCK_BYTES, Recovery, SealedBlock},
    datapath::{Encoder, EncoderConfig},
    leap::LeapTable,
    units::{SessionKey, TaiNs},
};
use writ_tables::{Capabilities, Geometry};

/// Longest time for the card to sweep its tables after the reset.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// How often it is looked whether a card that is gone is back.
const CARDD_EVERY: Duration = Duration::from_secs(1);
/// Where tzdata puts a newer leap second table.
const LEAP_SECONDS: &str = "/usr/share/zoneinfo/leap-seconds.list";
/// How far the clock of a card that is brought up again is set past the last time that is known of it.
const CLOCK_MARGIN_NS: u64 = 1_000_000;

pub(crate) type Fault = Box<dyn Error>;

/// Runs until a signal says stop.
pub(crate) fn run(config: &Config) -> Result<(), Fault> {
    process::harden()?;
    if !process::lock_memory()? {
        tracing::warn!(
            "intercepted data can get into swap: give writd LimitMEMLOCK=infinity or CAP_IPC_LOCK, or take the machine's swap away"
        );
    }
    for folder in [&config.state_dir, &config.runtime_dir] {
        process::private_folder(folder)?;
    }
    for folder in ["journal", "withheld"] {
        process::private_folder(&config.state_dir.join(folder))?;
    }
    let _lock = FolderLock::take(&config.state_dir)?;
    while Daemon::start(config)?.serve(config)? == End::CardIsBack {
        tracing::info!("writ-cardd is back: beginning anew with its card");
    }
    Ok(())
}

/// Why a daemon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A signal asked for it.
    Asked,
    /// Its card was gone and can be had again.
    CardIsBack,
}

/// Checks what the configuration names and a start would read: nothing is written, and a master key that is still to be made is good.
pub(crate) fn check_files(config: &Config) -> Result<(), Fault> {
    tls::Identity::load(&config.tls)?;
    config.keys.integrity.as_deref().map(IntegrityKey::load).transpose()?;
    load_payload_keys(&config.keys)?;
    MasterKey::check(&config.keys)?;
    Ok(())
}

/// Everything that runs.
struct Daemon {
    runtime: Runtime,
    mailbox: Mailbox,
    control: JoinHandle<()>,
    control_ended: oneshot::Receiver<()>,
    card_gone: oneshot::Receiver<()>,
    ring: JoinHandle<()>,
    // Dropped last: it is the card.
    _card: CardOnBus,
}

/// What is on the disk.
struct State {
    master: MasterKey,
    store: Store,
    audit: AuditLog,
    audit_found: AuditFound,
}

fn open_state(config: &Config) -> Result<State, Fault> {
    let store_path = config.state_dir.join("store.sqlite");
    let fresh = !store_path.exists() && !config.state_dir.join("audit.log").exists();
    let master = MasterKey::load(&config.keys, fresh)?;
    let (audit, audit_found) = AuditLog::open(&config.state_dir, &master)?;
    let store = Store::open(&store_path, &master)?;
    store.require_given(&audit_found.named)?;
    audit.require_records(store.audit_records()?)?;
    Ok(State { master, store, audit, audit_found })
}

impl Daemon {
    fn start(config: &Config) -> Result<Self, Fault> {
        let identity = tls::Identity::load(&config.tls)?;
        let certificate_not_after_posix_s = identity.not_after_posix_s();
        let State { master, store, audit, audit_found } = open_state(config)?;
        let leap = leap_table();
        let (arena, recovery) = open_arena(config)?;
        let mut encoder = Encoder::new(arena, encoder_config(config)?, leap.clone());
        if let Some(path) = &config.keys.integrity {
            encoder.set_signer(Box::new(IntegrityKey::load(path)?));
        }

        let on_bus = CardOnBus::open(config)?;
        let floor = store.card_time_floor()?;
        let how = how_to_bring_up(config, &leap, floor)?;
        let known = known_card(&store)?;
        let Taken { parts, tables, session, arrival } =
            take::take(config, &on_bus, &how, |identity| geometry(identity, config), known.as_ref())?;
        let index_delay_us = config.card.index_delay_us.as_ref().map_or(0, |delay| *delay.get_ref());
        parts.card.set_index_delay(1000 * index_delay_us)?;
        let card = Arc::new(parts.card);
        let fan_out = tables.fan_out();
        let side = CardSide::new(Arc::clone(&card), parts.commands, tables);

        let clock = HostClock::start();
        let (mailbox, inbox) = Mailbox::new();
        let (ring_orders, orders) = crossbeam_channel::unbounded::<RingOrder>();
        let (free_sender, freed) = crossbeam_channel::unbounded();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let ring_thread =
            RingThread { rings: parts.rings, card, encoder, fan_out, orders, freed, control: mailbox.clone(), clock };
        let ring = std::thread::Builder::new().name("writd-ring".into()).spawn(move || ring_thread.run())?;

        let links = Links {
            runtime: runtime.handle().clone(),
            control: mailbox.clone(),
            ring: ring_orders.clone(),
            freed: free_sender,
            clock,
        };
        let sessions = Sessions::new(config, identity, &master, links)?;
        let (gone, card_gone) = oneshot::channel();
        let mut control = Control::new(Parts {
            backend: config.card.backend.get_ref().name(),
            own_tunnels: config.card.own_tunnels.iter().map(|tunnel| tunnel.name()).collect(),
            roles: Roles::new(&config.roles),
            leap,
            drain_s: config.limits.drain_s,
            shutdown_flush: Duration::from_millis(config.limits.shutdown_flush_ms),
            certificate_not_after_posix_s,
            store,
            audit,
            card: side,
            ring: ring_orders,
            sessions,
            clock,
            session,
            gone,
        });
        let found = found(audit_found, recovery, arrival, floor);
        control.recover(found, &inbox)?;
        let (control, control_ended) = spawn_control(control, inbox)?;
        Ok(Self { runtime, mailbox, control, control_ended, card_gone, ring, _card: on_bus })
    }

    /// Takes orders until a signal comes, or a card that was gone is back; then stops everything in order.
    fn serve(self, config: &Config) -> Result<End, Fault> {
        let Self { runtime, mailbox, control, control_ended, card_gone, ring, _card } = self;
        let (stop, stopping) = watch::channel(false);
        let stopped = runtime.block_on(async {
            let socket = ControlSocket::bind(&config.control_socket(), config.control.group)
                .map_err(|error| format!("control socket {}: {error}", config.control_socket().display()))?;
            let serving = tokio::spawn(socket.serve(mailbox.clone(), stopping));
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            say_ready();
            let end = tokio::select! {
                _ = terminate.recv() => Some(End::Asked),
                _ = interrupt.recv() => Some(End::Asked),
                () = card_is_back(card_gone, config.card.cardd.as_deref()) => Some(End::CardIsBack),
                _ = control_ended => None,
            };
            tracing::info!("stopping");
            stop.send_replace(true);
            let (reply, done) = oneshot::channel();
            if end.is_some() && mailbox.send(Message::Stop { reply }) {
                let _ = done.await;
            }
            let _ = serving.await;
            Ok::<Option<End>, Fault>(end)
        })?;
        for (name, thread) in [("control", control), ("ring", ring)] {
            if thread.join().is_err() {
                return Err(format!("the {name} thread broke").into());
            }
        }
        runtime.shutdown_timeout(Duration::from_secs(2));
        stopped.ok_or_else(|| "the control thread ended by itself".into())
    }
}

/// Waits until the card is gone and then until `writ-cardd` has one again. What was accepted is delivered meanwhile.
async fn card_is_back(gone: oneshot::Receiver<()>, cardd: Option<&Path>) {
    let (Ok(()), Some(socket)) = (gone.await, cardd) else { return std::future::pending().await };
    loop {
        tokio::time::sleep(CARDD_EVERY).await;
        let socket = socket.to_owned();
        // Where a service manager made the socket, this starts it.
        if let Ok(Ok(_)) = tokio::task::spawn_blocking(move || CarddCard::connect(&socket)).await {
            return;
        }
    }
}

/// For whoever started us: the control socket takes orders from now on.
fn say_ready() {
    tracing::info!("ready");
    let mut out = std::io::stdout();
    // Nobody has to listen.
    let _ = writeln!(out, "writd: ready").and_then(|()| out.flush());
}

fn spawn_control(
    control: Control,
    inbox: Receiver<Message>,
) -> Result<(JoinHandle<()>, oneshot::Receiver<()>), std::io::Error> {
    let (ended, control_ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("writd-control".into()).spawn(move || {
        control.run(&inbox);
        let _ = ended.send(());
    })?;
    Ok((thread, control_ended))
}

/// The newest table that is there.
fn leap_table() -> LeapTable {
    let built_in = LeapTable::built_in();
    let Ok(text) = std::fs::read_to_string(LEAP_SECONDS) else { return built_in };
    match LeapTable::parse(&text) {
        Ok(table) if table.expires() > built_in.expires() => table,
        Ok(_) => built_in,
        Err(error) => {
            tracing::warn!("{LEAP_SECONDS}: {error}");
            built_in
        }
    }
}

fn open_arena(config: &Config) -> Result<(Arena<BlockMemory>, Recovery<BlockMemory>), Fault> {
    let arena_config = ArenaConfig::default();
    let blocks = *config.arena.blocks.get_ref() as usize + arena_config.context_blocks;
    let mapping = FileMapping::open(&config.runtime_dir.join("arena.bin"), blocks * BLOCK_BYTES)?;
    let identity = ArenaIdentity { boot: boot_id()?, arena: keys::random()? };
    Ok(Arena::open(mapping.split_blocks(BLOCK_BYTES), &arena_config, &identity)?)
}

fn boot_id() -> Result<[u8; 16], Fault> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    let text = std::fs::read_to_string(PATH).map_err(|error| format!("{PATH}: {error}"))?;
    Ok(*writ_control::Uuid::parse_str(text.trim())?.as_bytes())
}

fn found(audit: AuditFound, recovery: Recovery<BlockMemory>, card: Arrival, card_time_before: TaiNs) -> Found {
    let mut blocks: BTreeMap<SessionKey, Vec<SealedBlock<BlockMemory>>> = BTreeMap::new();
    for block in recovery.sealed {
        blocks.entry(block.key()).or_default().push(block);
    }
    Found { audit, card, card_time_before, arena: recovery.outcome, damaged_pdus: recovery.damaged_pdus, blocks }
}

fn encoder_config(config: &Config) -> Result<EncoderConfig, Fault> {
    let network = &config.network;
    let (element, point) = (network.element.get_ref(), network.interception_point.get_ref());
    let mut encoder = EncoderConfig::new(
        CountryCode::parse(network.country.get_ref())?,
        OperatorId::parse(network.operator.get_ref())?,
    );
    encoder.network_element = Some(NetworkElementId::parse(element)?);
    encoder.interception_point = Some(InterceptionPointId::parse(point)?);
    encoder.network_function = Some(NetworkFunctionId::parse(element)?);
    encoder.point_of_interception = Some(PointOfInterceptionId::parse(point)?);
    Ok(encoder)
}

/// What an earlier process kept of the card.
fn known_card(store: &Store) -> Result<Option<Known>, Fault> {
    let Some(StoredCard { session, tables, told }) = store.kept_card()? else { return Ok(None) };
    let tasks: BTreeMap<u32, _> = store.live_tasks()?.into_iter().map(|task| (task.index.0, task)).collect();
    let order = |index, start_ns| {
        let task = tasks.get(&index)?;
        convert::table_task(task.index, &task.spec, TaiNs(start_ns)).ok()
    };
    let kept = tables
        .map_err(|SealBroken| format!("the tables that were kept: {SealBroken}"))
        .and_then(|text| KeptCard::parse(&text, told.as_deref(), order).map_err(|error| error.to_string()));
    Ok(Some(Known { session, kept }))
}

/// How to bring the card up, its clock never before `floor`.
fn how_to_bring_up(config: &Config, leap: &LeapTable, floor: TaiNs) -> Result<BringUp, Fault> {
    let epoch_ns = match &config.card.epoch_ns {
        Some(epoch) => *epoch.get_ref(),
        None => leap.tai_from_utc(clock::universal_time()).ok_or("the host's clock is beyond the year 2554")?.0,
    };
    let now_ns = epoch_ns.max(if floor.0 == 0 { 0 } else { floor.0.saturating_add(CLOCK_MARGIN_NS) });
    let lookup = LookupSettings {
        prefix_bits: prefix_bits(config),
        own_tunnels: config.card.own_tunnels.iter().flat_map(|tunnel| tunnel.kinds()).copied().collect(),
    };
    Ok(BringUp { now_ns, quality: TimeQuality::Free, lookup, ready_timeout: READY_TIMEOUT })
}

fn prefix_bits(config: &Config) -> Option<u8> {
    config.card.prefix_bits.as_ref().map(|bits| *bits.get_ref())
}

/// The tables as the planner has to see them: rows go to rings that are used, and prefixes into the table that is set for them.
fn geometry(identity: &Identity, config: &Config) -> Result<Geometry, Fault> {
    if identity.rule_banks as usize != limits::RULE_BANKS {
        return Err(
            format!("card has {} banks of rules, {} are wanted", identity.rule_banks, limits::RULE_BANKS).into()
        );
    }
    let used = config.card.record_ring_lines.get_ref().lines().iter().filter(|lines| **lines > 0).count() as u32;
    let capabilities = Capabilities {
        rows_per_way: identity.table_rows_per_way,
        rules_per_bank: identity.rules_per_bank,
        match_indices: identity.match_indices,
        rings: identity.record_rings.min(used),
    };
    Ok(Geometry::new(&capabilities)?.with_prefix_bits(prefix_bits(config)))
}
