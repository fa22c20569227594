//! Hashes and signatures, judged from the octets of the streams as a receiver does.

mod common;

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
    },
};
use common::{
    T0, address, encoder_config, hit,
    memory::{Block, Memory},
    task, udp_frame,
};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};
use writ_handover::{
    ids::Cin,
    pspdu::{self, CheckType, DataType, HashAlgorithm, Octets, Payload, SignatureAlgorithm, Tri},
};
use writ_mediation::{
    arena::{Arena, ArenaConfig, ArenaIdentity, BLOCK_BYTES, Outcome},
    datapath::{Encoder, Formats, Hash, HitSide, IntegrityPolicy, OpenTask, Phase, SignaturePolicy, Signer},
    leap::LeapTable,
    lifecycle::CloseReason,
    task::{Delivery, Scope},
    units::{DestinationIndex, HostNs, Interface, SessionKey, TaiNs, TaskIndex},
};

const S: u64 = 1_000_000_000;
const POLICY: IntegrityPolicy = IntegrityPolicy {
    hash: Hash::Sha256,
    pdus: 10,
    after_ns: S,
    signature: Some(SignaturePolicy { hashes: 3, after_ns: 30 * S }),
};

struct Key(Arc<EcdsaKeyPair>);

impl Signer for Key {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Ecdsa
    }

    fn sign(&self, octets: &[u8]) -> Option<Vec<u8>> {
        self.0.sign(&SystemRandom::new(), octets).ok().map(|signature| signature.as_ref().to_vec())
    }
}

fn key() -> Arc<EcdsaKeyPair> {
    Arc::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("randomness"))
}

fn open_arena(memory: &Memory) -> (Arena<Block>, Outcome) {
    let identity = ArenaIdentity { boot: [1; 16], arena: [2; 16] };
    let (arena, recovery) = Arena::open(memory.take(), &ArenaConfig::default(), &identity).expect("good memory");
    (arena, recovery.outcome)
}

/// An encoder with one task.
fn encoder(
    arena: Arena<Block>,
    policy: IntegrityPolicy,
    key: &Arc<EcdsaKeyPair>,
    delivery: Delivery,
    phase: Phase,
) -> Encoder<Block> {
    let mut encoder = Encoder::new(arena, encoder_config(), LeapTable::built_in());
    for interface in Interface::ALL {
        encoder.register_session(SessionKey { destination: DestinationIndex(1), interface }, 4);
    }
    encoder.set_formats(DestinationIndex(1), Formats { integrity: Some(policy), ..Formats::default() });
    encoder.set_signer(Box::new(Key(Arc::clone(key))));
    let scope = if delivery == Delivery::Hi2Only { Scope::HeadersL4 } else { Scope::Content };
    let spec = task(1, address("192.0.2.1"), scope, delivery, &[1]);
    encoder.open_task(TaskIndex(1), &spec, &OpenTask { cin: Cin(7), correlation_id: 0, phase }).expect("room");
    encoder
}

/// Packets with these record numbers.
fn feed(encoder: &mut Encoder<Block>, numbers: std::ops::Range<u32>, now: u64) {
    let (target, other): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [198, 51, 100, 7].into());
    for number in numbers {
        let frame = udp_frame(target, other, (1, 2), &number.to_be_bytes().repeat(1 + number as usize % 40));
        let mut packet = frame.packet(number, T0 + u64::from(number));
        if number % 7 == 3 {
            // Of this one the card has lost the end.
            packet.captured = &packet.captured[..44];
        }
        let encoded = encoder.packet(HostNs(now), &packet, &[hit(1, HitSide::Source)]).expect("room");
        assert_eq!(encoded.accepted, 1);
    }
}

/// Each interface's octets.
fn streams(encoder: &mut Encoder<Block>, into: &mut BTreeMap<Interface, Vec<u8>>) {
    encoder.flush_all();
    while let Some(block) = encoder.pop_sealed() {
        into.entry(block.key().interface).or_default().extend_from_slice(block.pdus(0..block.bytes()));
        encoder.recycle(block.free());
    }
}

/// What a stream proves of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Proof {
    pdus: usize,
    hashes: usize,
    signatures: usize,
    /// PDUs that no hash names.
    bare: usize,
    /// Hashes that no signature names.
    unsigned: usize,
}

/// Checks a stream as its receiver: every check has to be right, and nothing may be named twice.
fn prove(stream: &[u8], data: DataType, key: &EcdsaKeyPair) -> Result<Proof, String> {
    let (mut rest, mut proof) = (stream, Proof::default());
    let (mut pdus, mut hashes) = (BTreeMap::new(), BTreeMap::new());
    let (mut last_hash, mut last_signature) = (0, 0);
    while !rest.is_empty() {
        let decoded = pspdu::decode(rest, &pspdu::Limits::default()).map_err(|error| error.to_string())?;
        let decoded = decoded.ok_or("half a PDU")?;
        let (octets, behind) = rest.split_at(decoded.length);
        rest = behind;
        let sequence = decoded.pdu.header.sequence;
        let check = match decoded.pdu.payload {
            Payload::Tri(Tri::IntegrityCheck(check)) => check,
            // Notices are no part of the chains.
            Payload::Hi1(_) => continue,
            _ => {
                proof.pdus += 1;
                pdus.insert(sequence, octets);
                continue;
            }
        };
        if decoded.pdu.header.communication.cin != Some(Cin(7)) || check.data_type != Some(data) {
            return Err(format!("check {sequence} is of another chain"));
        }
        if check.check_type == CheckType::Hash {
            let mut hash = digest::Context::new(match check.hash_algorithm {
                Some(HashAlgorithm::Sha256) => &digest::SHA256,
                Some(HashAlgorithm::Sha384) => &digest::SHA384,
                other => return Err(format!("{other:?}")),
            });
            for number in &check.included_sequence_numbers {
                hash.update(pdus.remove(number).ok_or(format!("hash {sequence} names {number}"))?);
            }
            let is_right = *hash.finish().as_ref() == *check.check_value && sequence == last_hash + 1;
            is_right.then_some(()).ok_or(format!("hash {sequence} is wrong"))?;
            (last_hash, proof.hashes) = (sequence, proof.hashes + 1);
            hashes.insert(sequence, ());
        } else {
            for number in &check.included_sequence_numbers {
                hashes.remove(number).ok_or(format!("signature {sequence} names {number}"))?;
            }
            let signature = check.check_value.to_vec();
            let bare = pspdu::IntegrityCheck { check_value: Octets::default(), ..check };
            let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public_key());
            public.verify(&bare.to_vec(), &signature).map_err(|_| format!("signature {sequence} is wrong"))?;
            (sequence == last_signature + 1).then_some(()).ok_or(format!("signature {sequence} is out of turn"))?;
            (last_signature, proof.signatures) = (sequence, proof.signatures + 1);
        }
    }
    (proof.bare, proof.unsigned) = (pdus.len(), hashes.len());
    Ok(proof)
}

#[test]
fn every_pdu_is_hashed_once_and_every_hash_is_signed() {
    for (hash, delivery) in [(Hash::Sha256, Delivery::Hi2AndHi3), (Hash::Sha384, Delivery::Hi2Only)] {
        let (memory, key, mut all) = (Memory::new(10), key(), BTreeMap::new());
        let policy = IntegrityPolicy { hash, ..POLICY };
        let mut encoder = encoder(open_arena(&memory).0, policy, &key, delivery, Phase::New);
        encoder.announce_task(TaskIndex(1), TaiNs(T0), HostNs(0)).expect("room");
        feed(&mut encoder, 0..95, 1);
        encoder.close_task(TaskIndex(1), CloseReason::Deactivated, TaiNs(T0 + S), HostNs(2)).expect("room");
        streams(&mut encoder, &mut all);
        if delivery == Delivery::Hi2AndHi3 {
            let content = prove(&all[&Interface::Hi3], DataType::Cc, &key).expect("a good stream");
            let wanted = Proof { pdus: 95, hashes: 10, signatures: 4, ..Proof::default() };
            assert_eq!(
                content, wanted,
                "nine by number and the rest at the end; signed three by three, the rest at the end"
            );
            let iri = prove(&all[&Interface::Hi2], DataType::Iri, &key).expect("a good stream");
            assert_eq!(iri, Proof { pdus: 2, hashes: 1, signatures: 1, ..Proof::default() });
        } else {
            let iri = prove(&all[&Interface::Hi2], DataType::Iri, &key).expect("a good stream");
            assert_eq!(iri, Proof { pdus: 97, hashes: 10, signatures: 4, ..Proof::default() });
        }
    }
}

#[test]
fn age_brings_a_hash_and_a_signature() {
    let (memory, key, mut all) = (Memory::new(10), key(), BTreeMap::new());
    let mut encoder = encoder(open_arena(&memory).0, POLICY, &key, Delivery::Hi2AndHi3, Phase::New);
    feed(&mut encoder, 0..4, S);
    let counts = |encoder: &mut Encoder<Block>, all: &mut BTreeMap<_, _>, now: u64| {
        encoder.flush(HostNs(now), |_| true);
        streams(encoder, all);
        let proof = prove(&all[&Interface::Hi3], DataType::Cc, &key).expect("a good stream");
        (proof.pdus, proof.hashes, proof.signatures)
    };
    assert_eq!(counts(&mut encoder, &mut all, 2 * S - 1), (4, 0, 0));
    assert_eq!(counts(&mut encoder, &mut all, 2 * S + S / 5), (4, 1, 0));
    assert_eq!(counts(&mut encoder, &mut all, 31 * S), (4, 1, 0), "nothing new, nothing to hash");
    assert_eq!(counts(&mut encoder, &mut all, 33 * S), (4, 1, 1));
    feed(&mut encoder, 4..5, 40 * S);
    assert_eq!(counts(&mut encoder, &mut all, 41 * S + S / 5), (5, 2, 1));
}

/// What was not hashed when the process died has no hash; numbers go on.
#[test]
fn after_a_kill_the_chain_goes_on() {
    let (memory, key, mut all) = (Memory::new(10), key(), BTreeMap::new());
    let mut first = encoder(open_arena(&memory).0, POLICY, &key, Delivery::Hi2AndHi3, Phase::New);
    feed(&mut first, 0..34, 1);
    streams(&mut first, &mut all);
    drop(first);
    let (arena, outcome) = open_arena(&memory);
    assert_eq!(outcome, Outcome::Recovered);
    let mut second = encoder(arena, POLICY, &key, Delivery::Hi2AndHi3, Phase::Resumed);
    feed(&mut second, 34..54, 1);
    streams(&mut second, &mut all);
    let proof = prove(&all[&Interface::Hi3], DataType::Cc, &key).expect("a good stream");
    assert_eq!(proof, Proof { pdus: 54, hashes: 5, signatures: 1, bare: 4, unsigned: 2 });
}

/// The judge of this file is none if it finds nothing.
#[test]
fn whatever_is_changed_is_found() {
    let (memory, key, mut all) = (Memory::new(10), key(), BTreeMap::new());
    let mut encoder = encoder(open_arena(&memory).0, POLICY, &key, Delivery::Hi2AndHi3, Phase::New);
    feed(&mut encoder, 0..30, 1);
    streams(&mut encoder, &mut all);
    let good = &all[&Interface::Hi3];
    let bounds: Vec<usize> = {
        let mut at = 0;
        let length =
            |octets: &[u8]| pspdu::decode(octets, &pspdu::Limits::default()).expect("good").expect("whole").length;
        std::iter::from_fn(|| (at < good.len()).then(|| (at, at += length(&good[at..])).0)).collect()
    };
    assert_eq!(bounds.len(), 34, "30 PDUs, three hashes and a signature");
    let all_named = |proof: &Proof| proof.bare == 0 && proof.unsigned == 0;
    assert!(prove(good, DataType::Cc, &key).as_ref().is_ok_and(all_named));
    for at in [bounds[0] + 60, bounds[3] + 100, bounds[33] - 9, good.len() - 20] {
        let mut changed = good.clone();
        changed[at] ^= 4;
        assert!(!prove(&changed, DataType::Cc, &key).as_ref().is_ok_and(all_named), "octet {at}");
    }
    let without = [&good[..bounds[5]], &good[bounds[6]..]].concat();
    assert!(prove(&without, DataType::Cc, &key).is_err(), "a PDU is missing");
    let another = key_of_somebody_else();
    assert!(prove(good, DataType::Cc, &another).is_err(), "another key");
}

fn key_of_somebody_else() -> Arc<EcdsaKeyPair> {
    key()
}

/// A hash that finds no room comes later, with all that came meanwhile.
#[test]
fn a_full_arena_delays_hashes_and_loses_none() {
    let (memory, key, mut all) = (Memory::new(4), key(), BTreeMap::new());
    let policy = IntegrityPolicy { pdus: 100_000, ..POLICY };
    let mut encoder = encoder(open_arena(&memory).0, policy, &key, Delivery::Hi2AndHi3, Phase::New);
    let (target, other): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [198, 51, 100, 7].into());
    let frame = udp_frame(target, other, (1, 2), &[0; 1400]);
    let mut accepted = 0;
    while encoder.packet(HostNs(1), &frame.packet(accepted, T0), &[hit(1, HitSide::Source)]).is_ok_and(|e| e.lost == 0)
    {
        accepted += 1;
        assert!(accepted < 4 * (BLOCK_BYTES / 1400) as u32, "it never gets full");
    }
    encoder.flush(HostNs(5 * S), |_| true);
    streams(&mut encoder, &mut all);
    encoder.flush(HostNs(6 * S), |_| true);
    streams(&mut encoder, &mut all);
    let proof = prove(&all[&Interface::Hi3], DataType::Cc, &key).expect("a good stream");
    assert_eq!((proof.pdus, proof.hashes, proof.bare), (accepted as usize, 1, 0));
}
