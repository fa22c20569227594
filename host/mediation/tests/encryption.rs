//! Encrypted payloads: what comes out of the container is what goes out in the clear without a key, octet for octet.

mod common;

use aes::{Aes192, Aes256};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::NoPadding},
};
use common::{
    T0, address, encoder_config, hit,
    memory::{Block, Memory},
    task, udp_frame,
};
use std::{collections::BTreeMap, net::IpAddr};
use writ_handover::{
    ids::Cin,
    pspdu::{self, EncryptedPayload, EncryptedPayloadType, EncryptionContainer, EncryptionType, Payload, PsPdu, Tri},
};
use writ_mediation::{
    arena::{Arena, ArenaConfig, ArenaIdentity},
    datapath::{Encoder, Formats, Hash, HitSide, IntegrityPolicy, OpenTask, PayloadKey, Phase},
    leap::LeapTable,
    lifecycle::CloseReason,
    task::{Delivery, Scope},
    units::{DestinationIndex, HostNs, Interface, SessionKey, TaiNs, TaskIndex},
};

const KEY: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";
const NOW: HostNs = HostNs(1);

/// What one task gives on each interface: beginning, packets of many lengths (one of them cut short), end.
fn run(key: Option<PayloadKey>, delivery: Delivery) -> BTreeMap<Interface, Vec<Vec<u8>>> {
    let memory = Memory::new(8);
    let identity = ArenaIdentity { boot: [1; 16], arena: [2; 16] };
    let (arena, _) = Arena::open(memory.take(), &ArenaConfig::default(), &identity).expect("good memory");
    let mut encoder: Encoder<Block> = Encoder::new(arena, encoder_config(), LeapTable::built_in());
    let destination = DestinationIndex(1);
    for interface in Interface::ALL {
        encoder.register_session(SessionKey { destination, interface }, 3);
    }
    let integrity = IntegrityPolicy { hash: Hash::Sha256, pdus: 16, after_ns: u64::MAX, signature: None };
    encoder.set_formats(destination, Formats { integrity: Some(integrity), ..Formats::default() });
    if let Some(key) = key {
        encoder.set_payload_key(destination, key);
    }
    let scope = if delivery == Delivery::Hi2Only { Scope::HeadersL4 } else { Scope::Content };
    let spec = task(1, address("192.0.2.1"), scope, delivery, &[1]);
    let open = OpenTask { cin: Cin(7), correlation_id: 0, phase: Phase::New };
    encoder.open_task(TaskIndex(1), &spec, &open).expect("room");
    encoder.announce_task(TaskIndex(1), TaiNs(T0), NOW).expect("room");
    let (target, other): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [198, 51, 100, 7].into());
    for number in 0..40_u32 {
        let frame = udp_frame(target, other, (1, 2), &vec![number as u8; number as usize * 37]);
        let mut packet = frame.packet(number, T0 + u64::from(number));
        if number == 20 {
            packet.captured = &packet.captured[..100];
        }
        assert_eq!(encoder.packet(NOW, &packet, &[hit(1, HitSide::Source)]).expect("room").accepted, 1);
    }
    encoder.close_task(TaskIndex(1), CloseReason::Deactivated, TaiNs(T0 + 1_000_000), NOW).expect("room");
    encoder.flush_all();
    let mut all: BTreeMap<Interface, Vec<Vec<u8>>> = BTreeMap::new();
    while let Some(block) = encoder.pop_sealed() {
        let pdus = (0..block.len()).map(|at| block.pdus(block.start_of(at)..block.entry(at).end).to_vec());
        all.entry(block.key().interface).or_default().extend(pdus);
    }
    all
}

fn decode(pdu: &[u8]) -> PsPdu<'_> {
    pspdu::decode(pdu, &pspdu::Limits::default()).expect("good").expect("whole").pdu
}

fn decrypt(container: &EncryptionContainer<'_>, sequence: u32) -> Vec<u8> {
    let mut vector = [0; 16];
    vector.as_chunks_mut::<4>().0.fill(sequence.to_be_bytes());
    let mut blocks = container.encrypted_payload.to_vec();
    let plain = match container.encryption_type {
        EncryptionType::Aes256Cbc => {
            Decryptor::<Aes256>::new(&KEY.into(), &vector.into()).decrypt_padded::<NoPadding>(&mut blocks)
        }
        EncryptionType::Aes192Cbc => {
            let key: [u8; 24] = KEY[..24].try_into().expect("24 octets");
            Decryptor::<Aes192>::new(&key.into(), &vector.into()).decrypt_padded::<NoPadding>(&mut blocks)
        }
        other => panic!("{other:?}"),
    };
    plain.expect("whole blocks").to_vec()
}

#[test]
fn what_is_in_the_container_is_what_goes_out_without_a_key() {
    for (octets, delivery) in [(32, Delivery::Hi2AndHi3), (24, Delivery::Hi2Only)] {
        let (plain, sealed) = (run(None, delivery), run(PayloadKey::new(&KEY[..octets]), delivery));
        assert_eq!(plain.keys().collect::<Vec<_>>(), sealed.keys().collect::<Vec<_>>());
        let (mut containers, mut counter) = (0, BTreeMap::new());
        for (interface, pdus) in &plain {
            assert_eq!(pdus.len(), sealed[interface].len());
            for (pdu, sealed) in pdus.iter().zip(&sealed[interface]) {
                let (pdu, found) = (decode(pdu), decode(sealed));
                assert_eq!(pdu.header, found.header, "the header stays readable");
                let Payload::Encrypted(container) = &found.payload else {
                    // Hashes are the same too: they are over the PDUs before encryption.
                    assert!(matches!(pdu.payload, Payload::Hi1(_) | Payload::Tri(Tri::IntegrityCheck(_))));
                    assert_eq!(pdu.payload, found.payload);
                    continue;
                };
                assert_eq!(container.payload_type, Some(EncryptedPayloadType::Part3));
                let octets = decrypt(container, pdu.header.sequence);
                let decrypted = EncryptedPayload::decode(&octets).expect("an encrypted payload");
                assert_eq!(decrypted.payload.payload, pdu.payload);
                assert!(decrypted.padding.len() < 16 && decrypted.padding.iter().all(|octet| *octet == 0));
                let expected = counter.entry(interface).or_insert(decrypted.payload.byte_counter);
                assert_eq!(decrypted.payload.byte_counter, *expected, "all that went before, in octets");
                *expected += octets.len() as u64;
                containers += 1;
            }
        }
        assert_eq!(containers, 42, "40 packets, begin and end");
    }
}

#[test]
fn nothing_of_a_packet_is_readable_and_no_key_is_shown() {
    let sealed = run(PayloadKey::new(&KEY), Delivery::Hi2AndHi3);
    let secret = [33_u8; 24];
    assert!(!sealed[&Interface::Hi3].iter().any(|pdu| pdu.windows(24).any(|octets| octets == secret)));
    assert!(
        run(None, Delivery::Hi2AndHi3)[&Interface::Hi3]
            .iter()
            .any(|pdu| pdu.windows(24).any(|octets| octets == secret))
    );
    for octets in [0, 16, 23, 25, 31, 33] {
        assert_eq!(PayloadKey::new(&[0; 40][..octets]), None, "{octets}");
    }
    let shown = format!("{:?}", PayloadKey::new(&KEY));
    assert!(shown.contains("256") && !shown.contains("48"), "{shown}");
}
