//! The other end: a connection that may break at any time, and a peer that reads at its own pace.

use crate::common::{
    Random,
    delivered::{self, Kind, Pdu},
};
use std::collections::{BTreeMap, VecDeque};
use writ_handover::{
    ids::{CountryCode, Liid, OperatorId},
    pspdu::{self, Payload, PsPdu, Tri},
    time::UnixTime,
    x2x3,
};

/// Octets that the connection holds that were written and not read.
const BUFFER_BYTES: usize = 128 * 1024;

/// What identifies a PDU for the receiver.
pub(crate) type PduKey = (Kind, String, u64, u32);

#[derive(Debug)]
pub(crate) struct Peer {
    handover: bool,
    pub(crate) up: bool,
    to_peer: VecDeque<u8>,
    to_host: VecDeque<u8>,
    partial: Vec<u8>,
    /// PDUs by what identifies them; duplicates are compared when they arrive.
    pub(crate) received: BTreeMap<PduKey, Pdu>,
    /// Bytes of duplicates on this connection.
    duplicate_bytes: u64,
    pub(crate) duplicate_bytes_max: u64,
    pub(crate) duplicates: u64,
    /// Received since the last keep-alive that was answered.
    pub(crate) unconfirmed: Vec<PduKey>,
    next_keep_alive: u32,
    awaited: VecDeque<u32>,
    pub(crate) answered: u64,
    pub(crate) connections: u64,
}

impl Peer {
    pub(crate) fn new(handover: bool) -> Self {
        Self {
            handover,
            up: false,
            to_peer: VecDeque::new(),
            to_host: VecDeque::new(),
            partial: Vec::new(),
            received: BTreeMap::new(),
            duplicate_bytes: 0,
            duplicate_bytes_max: 0,
            duplicates: 0,
            unconfirmed: Vec::new(),
            next_keep_alive: 0,
            awaited: VecDeque::new(),
            answered: 0,
            connections: 0,
        }
    }

    pub(crate) fn connect(&mut self) {
        self.reset();
        self.up = true;
        self.connections += 1;
        self.duplicate_bytes = 0;
        self.next_keep_alive = 0;
        self.awaited.clear();
    }

    /// The connection is gone, with everything that was not read.
    pub(crate) fn reset(&mut self) {
        self.up = false;
        self.to_peer.clear();
        self.to_host.clear();
        self.partial.clear();
    }

    /// The host's end died; what is in the connection can still be read.
    pub(crate) fn host_died(&mut self, random: &mut Random) {
        if self.up && random.one_in(2) {
            self.read(usize::MAX);
        }
        self.reset();
    }

    /// Takes what fits.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(BUFFER_BYTES - self.to_peer.len());
        self.to_peer.extend(&bytes[..count]);
        count
    }

    /// What the host may read now.
    pub(crate) fn take_answers(&mut self, limit: usize) -> Vec<u8> {
        let count = limit.min(self.to_host.len());
        self.to_host.drain(..count).collect()
    }

    pub(crate) fn read(&mut self, limit: usize) {
        let count = limit.min(self.to_peer.len());
        self.partial.extend(self.to_peer.drain(..count));
        let partial = std::mem::take(&mut self.partial);
        let mut rest = partial.as_slice();
        while let Some((pdu, used)) = delivered::parse(self.handover, rest) {
            rest = &rest[used..];
            self.take(pdu);
        }
        self.partial = rest.to_vec();
    }

    fn take(&mut self, pdu: Pdu) {
        match pdu.kind {
            Kind::KeepAlive => {
                self.send(Tri::KeepAliveResponse, pdu.sequence);
                self.unconfirmed.clear();
                return;
            }
            Kind::Answer => {
                assert_eq!(
                    self.awaited.pop_front(),
                    Some(pdu.sequence),
                    "answers come in order and for what was asked"
                );
                self.answered += 1;
                return;
            }
            _ => {}
        }
        let key = pdu.key();
        if let Some(known) = self.received.get(&key) {
            assert_eq!(known.raw, pdu.raw, "a number was used for two PDUs: {key:?}");
            self.duplicates += 1;
            self.duplicate_bytes += pdu.raw.len() as u64;
            self.duplicate_bytes_max = self.duplicate_bytes_max.max(self.duplicate_bytes);
        }
        self.unconfirmed.push(key.clone());
        self.received.insert(key, pdu);
    }

    /// A keep-alive of the peer's own.
    pub(crate) fn keep_alive(&mut self) {
        let sequence = self.next_keep_alive;
        self.next_keep_alive += 1;
        self.awaited.push_back(sequence);
        self.send(Tri::KeepAlive, sequence);
    }

    pub(crate) fn unanswered(&self) -> usize {
        self.awaited.len()
    }

    fn send(&mut self, tri: Tri<'_>, sequence: u32) {
        if !self.handover {
            let version = x2x3::Version::default();
            let octets = if matches!(tri, Tri::KeepAlive) {
                x2x3::keepalive(version, sequence)
            } else {
                x2x3::keepalive_ack(version, sequence)
            };
            return self.to_host.extend(octets);
        }
        let context = pspdu::Context {
            versions: pspdu::Versions::default(),
            liid: Liid::parse("lemf").expect("good"),
            authorization_country: CountryCode::parse("US").expect("good"),
            operator: OperatorId::parse("LEA").expect("good"),
            network_element: None,
            cin: None,
            delivery_country: None,
            interception_point: None,
        };
        let pdu = PsPdu { header: context.header(sequence, UnixTime::EPOCH), payload: Payload::Tri(tri) };
        self.to_host.extend(pdu.to_vec().expect("good"));
    }
}
