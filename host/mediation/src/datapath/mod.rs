//! From records to accepted PDUs. One [`Encoder`] a ring thread; it alone gives out sequence numbers and fills the arena.
//!
//! # What it does
//! [`Encoder::packet`] takes one packet with the tasks that it hit and writes one PDU per task and destination straight into the
//! destination's open block: IPCC on HI3 or IPIRIPacketReport on HI2, an X3 PDU of format 5/6 or an X2 PDU with the headers. What
//! is delivered is the IP packet that the hit is of, the outer or the inner one of a tunnel: what stands around it is left off, layer 2 and
//! the padding of short frames too, and a headers-only task sees not one octet past its cut, whatever the record holds for others. A hit on
//! what stands in front of IP is of the whole frame: X3, format 7. Of several hits of one task, one of the frame goes before one of
//! an IP packet, and the outer packet before the inner one. Beginnings, ends, losses and notices come through the same thread, so that numbers
//! have one owner.
//!
//! # What it refuses
//! A packet stamped outside a task's [start, end) is not delivered under it, whoever offered it: it is counted as a fault. When the
//! arena is full, [`Encoder::packet`] says so, and the caller stops releasing records, so that the loss happens in the card, where
//! it is counted. A destination that holds all the memory it may have loses its own packets, counted, and nobody else's.
//!
//! # Numbers
//! Each numbering starts at 0. A number is used up by an accepted PDU or by a lost packet and never given to another PDU, not after
//! a crash either. u64 inside, the low 32 bits on the wire.
//!
//! # Threads, blocking, allocation
//! Owned by one thread; nothing blocks. [`Encoder::packet`] allocates nothing once its scratch space has grown to the largest
//! number of hits seen; a truncated packet and the beginning of a task are exceptions.
//!
//! # Clauses
//! TS 102 232-1 5.2 (header, sequence number, CIN), TS 102 232-3 (IPCC, IPIRI, IPIRIPacketReport), TS 103 221-2 5 (X2/X3), TS 101
//! 671 (HI1 notices).

mod encryption;
mod events;
mod integrity;
mod ip;
mod open;
mod packet;
mod route;

pub use encryption::PayloadKey;
pub use events::Loss;
pub use integrity::{HASHED_PDUS_MAX, Hash, IntegrityPolicy, SignaturePolicy, Signer};
pub use open::{OpenError, OpenTask, Opened, OpenedContext, Phase};

use crate::{
    accounting::TaskDelta,
    arena::{Arena, BlockMemory, FreeBlock, NoRoom, SealedBlock},
    leap::LeapTable,
    session::Withheld,
    units::{DestinationIndex, HostNs, RecordNumber, SessionKey, TaiNs, TaskIndex},
};
use route::Task;
use std::collections::BTreeMap;
use writ_handover::{
    ids::{CountryCode, InterceptionPointId, NetworkElementId, NetworkFunctionId, OperatorId, PointOfInterceptionId},
    pspdu, x2x3,
};

/// Highest task index plus one.
pub const TASKS_MAX: u32 = 1 << 20;

/// What all PDUs of this host have in common. From configuration.
#[derive(Debug, Clone)]
pub struct EncoderConfig {
    /// Country of the authority.
    pub country: CountryCode,
    /// Country that is delivered to, where it is another one.
    pub delivery_country: Option<CountryCode>,
    /// The operator.
    pub operator: OperatorId,
    /// The network element.
    pub network_element: Option<NetworkElementId>,
    /// Where the copy is taken, on HI.
    pub interception_point: Option<InterceptionPointId>,
    /// NFID on X.
    pub network_function: Option<NetworkFunctionId>,
    /// IPID on X.
    pub point_of_interception: Option<PointOfInterceptionId>,
    /// DID on X.
    pub domain_id: Option<Vec<u8>>,
    /// For destinations that do not want others.
    pub formats: Formats,
    /// A block that holds something is handed on after this time even if it is not full, unless blocks are scarce.
    pub block_age_ns_max: u64,
}

impl EncoderConfig {
    /// With what is needed; the rest absent or at its default.
    pub fn new(country: CountryCode, operator: OperatorId) -> Self {
        Self {
            country,
            delivery_country: None,
            operator,
            network_element: None,
            interception_point: None,
            network_function: None,
            point_of_interception: None,
            domain_id: None,
            formats: Formats::default(),
            block_age_ns_max: 2_000_000,
        }
    }
}

/// How PDUs look, as far as destinations differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Formats {
    /// HI2 and HI3: hashes and signatures.
    pub integrity: Option<IntegrityPolicy>,
    /// Of the ASN.1 modules; header reports need LI-PS-PDU 40 or later.
    pub versions: pspdu::Versions,
    /// Of X2/X3.
    pub x_version: x2x3::Version,
}

/// Most targets of a task that one packet's PDU can name: as many as lookups can hit together, with room to spare.
const TARGETS_NAMED_MAX: usize = 32;

/// An IP header of a frame and the transport header behind it. Offsets count from the frame's first byte; see the card's contract for their
/// meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpHeader {
    /// First byte of the IP header.
    pub l3_offset: usize,
    /// End of the IP header with its options or extension headers.
    pub l3_end: usize,
    /// End of the transport header; equal to `l3_end` if there is none that the card knows.
    pub l4_end: usize,
    /// IP protocol behind the IP headers.
    pub protocol: u8,
    /// The transport header begins with two ports.
    pub has_ports: bool,
}

/// A packet record, as the ring gives it.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    /// The record's number.
    pub record: RecordNumber,
    /// Arrival.
    pub stamp: TaiNs,
    /// The outer, or only, IP header.
    pub outer: Option<IpHeader>,
    /// The IP header inside a tunnel.
    pub inner: Option<IpHeader>,
    /// The captured bytes, from the frame's first byte on.
    pub captured: &'a [u8],
    /// Bytes of the frame on the wire, without its check sequence.
    pub original_bytes: usize,
}

impl core::fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Packet")
            .field("record", &self.record)
            .field("stamp", &self.stamp)
            .field("captured", &self.captured.len())
            .finish_non_exhaustive()
    }
}

/// Whose packet a hit selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitSide {
    /// The target sent it.
    Source,
    /// It goes to the target.
    Destination,
    /// The target is a piece of network and no end: the direction is not known.
    Either,
}

/// Which IP packet of the frame a hit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HitLayer {
    /// The outer, or only, one.
    Outer,
    /// The one inside a tunnel.
    Inner,
}

/// One hit of one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskHit {
    /// The task.
    pub task: TaskIndex,
    /// Whose packet it is.
    pub side: HitSide,
    /// Which of the task's targets was hit, counted from 0.
    pub target: u16,
    /// The IP packet that it is of. Of no meaning for a hit of the frame.
    pub layer: HitLayer,
    /// It is of the whole frame: what was hit stands in front of the outer IP header.
    pub frame: bool,
}

/// No free block in the arena. Nothing was lost: offer the same packet (or event) again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaFull;

impl core::fmt::Display for ArenaFull {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the arena has no free block")
    }
}

impl core::error::Error for ArenaFull {}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Encoded {
    /// PDUs that were accepted.
    pub accepted: u32,
    /// PDUs that were lost, because their destination holds all the memory it may have.
    pub lost: u32,
    /// Tasks that were not served: unknown, outside their time, or revoked.
    pub refused: u32,
    /// PDUs that an earlier process had accepted: the card offered the record again.
    pub replayed: u32,
}

/// How far a packet got that the arena had no room for. The packets of other rings may go on meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    record: RecordNumber,
    stamp: TaiNs,
    /// PDUs that are done.
    pdus: usize,
    so_far: Encoded,
}

/// A task that the packet hit, all its hits together.
#[derive(Debug, Clone, Copy)]
struct Match {
    task: TaskIndex,
    from_target: bool,
    to_target: bool,
    /// A hit was of the whole frame.
    frame: bool,
    /// The outermost packet that a hit was of.
    layer: HitLayer,
    /// Targets that were hit, one bit each.
    targets: u64,
}

/// See the module's documentation.
pub struct Encoder<B> {
    arena: Arena<B>,
    config: EncoderConfig,
    leap: LeapTable,
    /// Of destinations that want others than [`EncoderConfig::formats`].
    formats: BTreeMap<DestinationIndex, Formats>,
    /// Of destinations whose payloads are encrypted on HI2 and HI3.
    payload_keys: BTreeMap<DestinationIndex, PayloadKey>,
    signer: Option<Box<dyn Signer>>,
    /// Tasks with hashes, and when it was last looked whether any are due.
    hashed_tasks: usize,
    hashes_checked: HostNs,
    tasks: Vec<Option<Box<Task>>>,
    matches: Vec<Match>,
    /// Of each ring at most one.
    progress: Vec<Progress>,
}

impl<B> core::fmt::Debug for Encoder<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let tasks = self.tasks.iter().flatten().count();
        f.debug_struct("Encoder").field("config", &self.config).field("tasks", &tasks).finish_non_exhaustive()
    }
}

impl<B: BlockMemory> Encoder<B> {
    /// An encoder over an arena. Register the sessions next.
    pub fn new(arena: Arena<B>, config: EncoderConfig, leap: LeapTable) -> Self {
        Self {
            arena,
            config,
            leap,
            formats: BTreeMap::new(),
            payload_keys: BTreeMap::new(),
            signer: None,
            hashed_tasks: 0,
            hashes_checked: HostNs(0),
            tasks: Vec::new(),
            matches: Vec::with_capacity(64),
            progress: Vec::with_capacity(8),
        }
    }

    /// Registers a destination's interface with the number of blocks that it may hold, or changes that number. If the caps of all
    /// sessions together, or of all destinations, are no more than the arena has, no destination can ever starve another.
    pub fn register_session(&mut self, key: SessionKey, cap_blocks: usize) {
        self.arena.register(key, cap_blocks);
    }

    /// Limits the blocks that all interfaces of a destination hold together, so that each can have what the other does not need.
    pub fn cap_destination(&mut self, destination: DestinationIndex, cap_blocks: usize) {
        self.arena.cap_destination(destination, cap_blocks);
    }

    /// Sets the formats that tasks opened from now on have towards a destination.
    pub fn set_formats(&mut self, destination: DestinationIndex, formats: Formats) {
        self.formats.insert(destination, formats);
    }

    /// Encrypts the payloads of tasks opened from now on towards a destination, on HI2 and HI3.
    pub fn set_payload_key(&mut self, destination: DestinationIndex, key: PayloadKey) {
        self.payload_keys.insert(destination, key);
    }

    /// Gives the encoder the key for signatures; without one it only hashes.
    pub fn set_signer(&mut self, signer: Box<dyn Signer>) {
        self.signer = Some(signer);
    }

    fn formats(&self, destination: DestinationIndex) -> Formats {
        self.formats.get(&destination).copied().unwrap_or(self.config.formats)
    }

    /// Installs a newer leap second table.
    pub fn set_leap_table(&mut self, leap: LeapTable) {
        self.leap = leap;
    }

    /// Takes memory back from a session.
    pub fn recycle(&mut self, block: FreeBlock<B>) {
        self.arena.recycle(block);
    }

    /// Hands on blocks that hold something and are older than [`EncoderConfig::block_age_ns_max`], as long as there are enough: see
    /// [`crate::arena`]. `is_ready` says whether a session has taken all blocks that it was given; to one that has not, more parts
    /// would be of no use. Call it often, also when nothing arrives.
    pub fn flush(&mut self, now: HostNs, is_ready: impl Fn(SessionKey) -> bool) {
        self.put_due_hashes(now);
        self.arena.flush(now, self.config.block_age_ns_max, is_ready);
    }

    /// Hashes and signatures by their age. Looked for ten times a second: nobody wants them sooner.
    fn put_due_hashes(&mut self, now: HostNs) {
        const LOOK_NS: u64 = 100_000_000;
        if self.hashed_tasks == 0 || now.since(self.hashes_checked) < LOOK_NS {
            return;
        }
        self.hashes_checked = now;
        for task in self.tasks.iter_mut().flatten() {
            if task.put_hashes(&mut self.arena, self.signer.as_deref(), now, false).is_err() {
                // The others would find no room either.
                break;
            }
        }
    }

    /// Hashes and signs everything that waits for it, as far as there is room: before the process ends.
    pub fn finish_hashes(&mut self, now: HostNs) {
        for task in self.tasks.iter_mut().flatten() {
            // What finds no room is delivered without a hash, as after a crash.
            let _ = task.put_hashes(&mut self.arena, self.signer.as_deref(), now, true);
        }
    }

    /// Hands on all blocks that hold something: before the process ends, or to wait for a task to drain.
    pub fn flush_all(&mut self) {
        self.arena.flush_all();
    }

    /// The next block to hand to its session. Hand them on in this order.
    pub fn pop_sealed(&mut self) -> Option<SealedBlock<B>> {
        self.arena.pop_sealed()
    }

    /// How full the arena is.
    pub fn usage(&self) -> crate::arena::ArenaUsage {
        self.arena.usage()
    }

    /// Differences since the last call, for [`crate::accounting::Ledger::apply_delta`].
    pub fn take_deltas(&mut self, mut each: impl FnMut(TaskDelta)) {
        for task in self.tasks.iter_mut().flatten() {
            task.take_deltas(&mut each);
        }
    }

    /// Records start again from 0: nothing that the former numbering said about records already seen holds any more.
    pub fn card_restarted(&mut self) {
        for task in self.tasks.iter_mut().flatten() {
            task.forget_records(|_| false);
            for route in &mut task.routes {
                route.packets.lost.forget_told(&mut self.arena.contexts);
            }
        }
        self.progress.clear();
    }

    /// Records go on with these, one a ring, as the process before left them. Only these may have become PDUs already: what is known of others is of
    /// a former life of the card, or so old that their numbers have come round.
    pub fn card_taken_over(&mut self, first: &[RecordNumber]) {
        for task in self.tasks.iter_mut().flatten() {
            task.forget_records(|last| first.contains(&last));
        }
        self.progress.clear();
    }

    /// Accepts a PDU that had been withheld, unchanged, under its old number. Release a task's PDUs in the order in which they were
    /// withheld.
    ///
    /// # Errors
    /// [`ArenaFull`]: try again later.
    pub fn release(&mut self, withheld: &Withheld, now: HostNs) -> Result<(), ArenaFull> {
        let share = self.arena.share(withheld.key).ok_or(ArenaFull)?;
        let block = self.arena.room(share, withheld.pdu.len(), now).map_err(|_: NoRoom| ArenaFull)?;
        block.space()[..withheld.pdu.len()].copy_from_slice(&withheld.pdu);
        let entry = crate::arena::Entry {
            end: 0,
            context: withheld.context,
            sequence: withheld.sequence,
            record: RecordNumber::default(),
            packets: withheld.packets,
            has_record: false,
            numbered: false,
        };
        block.commit(withheld.pdu.len(), entry);
        Ok(())
    }
}
