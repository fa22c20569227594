//! Streams that other implementations sent: every PDU decodes, into the kinds that the streams are known to hold.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod common;

use std::{collections::BTreeMap, fs, path::Path};
use writ_handover::pspdu::*;

/// File, and how many PDUs of which kind it holds.
const STREAMS: &[(&str, &[(&str, usize)])] = &[
    ("etsi_file.test", &[("IPMM CC", 100)]),
    ("etsi_file_iri.test", &[("IPIRI", 1), ("IPMM IRI, SIP", 21)]),
    ("etsi_10_pings_HI2.raw_tcp", &[("keep-alive", 9), ("IPIRI", 1)]),
    ("etsi_10_pings_HI3.raw_tcp", &[("keep-alive", 5), ("IPCC", 20)]),
    ("ipstatic_hi2.bin", &[("IPIRI", 4), ("HI1 deactivated", 1)]),
    ("ipstatic_hi3.bin", &[("IPCC", 50)]),
    ("ipstatic_aes192_hi2.bin", &[("encrypted", 2)]),
    ("ipstatic_aes192_hi3.bin", &[("encrypted", 40)]),
    ("ipstatic_integrity_ecdsa_hi2.bin", &[("IPIRI", 2), ("hash", 2), ("signature", 2)]),
    ("ipstatic_integrity_ecdsa_hi3.bin", &[("IPCC", 40), ("hash", 4), ("signature", 2)]),
    ("radius_dual_hi2.bin", &[("IPIRI", 6)]),
    ("radius_v4_hi2.bin", &[("IPIRI", 6)]),
    ("radius_v4_hi3.bin", &[("IPCC", 10)]),
    ("voip_sip_hi2.bin", &[("keep-alive", 7), ("IPMM IRI, SIP", 15), ("HI1 activated", 1), ("HI1 deactivated", 1)]),
    ("voip_sip_hi3.bin", &[("keep-alive", 9), ("IPMM CC", 372)]),
    ("x2x3ingest_hi2.bin", &[("encrypted", 4), ("IPMM IRI, SIP", 2)]),
    ("x2x3ingest_hi3.bin", &[("IPMM CC", 9)]),
];

fn kind(pdu: &PsPdu<'_>) -> &'static str {
    match &pdu.payload {
        Payload::Cc(payloads) => match &payloads[..] {
            [CcPayload { contents: CcContents::IpCc(_), .. }] => "IPCC",
            [CcPayload { contents: CcContents::IpmmCc(_), .. }] => "IPMM CC",
            _ => "other CC",
        },
        Payload::Iri(payloads) => match &payloads[..] {
            [IriPayload { contents: IriContents::IpIri(_), .. }] => "IPIRI",
            [IriPayload { contents: IriContents::IpmmIri(iri), .. }] => match iri.contents {
                IpmmIriContents::Sip(_) => "IPMM IRI, SIP",
                _ => "IPMM IRI, other",
            },
            _ => "other IRI",
        },
        Payload::Tri(Tri::KeepAlive) => "keep-alive",
        Payload::Tri(Tri::IntegrityCheck(check)) if check.check_type == CheckType::Hash => "hash",
        Payload::Tri(Tri::IntegrityCheck(check)) if check.check_type == CheckType::Signature => "signature",
        Payload::Hi1(Hi1Operation::Activated(_)) => "HI1 activated",
        Payload::Hi1(Hi1Operation::Deactivated(_)) => "HI1 deactivated",
        Payload::Encrypted(_) => "encrypted",
        _ => "other",
    }
}

/// All PDUs of a stream, with their octets.
fn read_all(stream: &[u8]) -> Vec<(Decoded<'_>, &[u8])> {
    let mut rest = stream;
    let mut pdus = Vec::new();
    while !rest.is_empty() {
        let at = stream.len() - rest.len();
        let decoded = match decode(rest, &Limits::default()) {
            Ok(Some(decoded)) => decoded,
            other => panic!("PDU at {at}: {other:?}"),
        };
        let octets;
        (octets, rest) = rest.split_at(decoded.length);
        pdus.push((decoded, octets));
    }
    pdus
}

fn read_file(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_stream_holds_what_it_is_known_to_hold() {
    let Some(folder) = common::shared("foreign-streams") else { return };
    for (name, expected) in STREAMS {
        let stream = read_file(&folder, name);
        let mut counts = BTreeMap::new();
        for (decoded, _) in read_all(&stream) {
            *counts.entry(kind(&decoded.pdu)).or_insert(0) += 1;
        }
        assert_eq!(counts, expected.iter().copied().collect(), "{name}");
    }
}

#[test]
fn no_stream_is_left_out() {
    let Some(folder) = common::shared("foreign-streams") else { return };
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let streams: Vec<String> =
        entries.filter(|name| [".bin", ".test", ".raw_tcp"].iter().any(|ending| name.ends_with(ending))).collect();
    for name in &streams {
        assert!(STREAMS.iter().any(|(known, _)| known == name), "{name}");
    }
    assert_eq!(streams.len(), STREAMS.len());
}

#[test]
fn warnings_say_what_is_known_to_be_wrong_and_nothing_else() {
    let Some(folder) = common::shared("foreign-streams") else { return };
    for (name, _) in STREAMS {
        let stream = read_file(&folder, name);
        for (decoded, _) in read_all(&stream) {
            let kinds: Vec<_> = decoded.warnings.iter().map(|warning| warning.kind).collect();
            let is_access_attempt = matches!(&decoded.pdu.payload, Payload::Iri(payloads) if matches!(
                &payloads[0].contents, IriContents::IpIri(iri) if iri.access_event_type == AccessEventType::AccessAttempt));
            let expected = if name.starts_with("etsi_10_pings") {
                vec![WarningKind::DomainIdStrayZero]
            } else if name.starts_with("radius") && is_access_attempt {
                vec![WarningKind::MissingField("iPVersion")]
            } else {
                vec![]
            };
            assert_eq!(kinds, expected, "{name}");
            assert_eq!(decoded.pdu.header.domain, Domain::LiPs { version: 17 }, "{name}");
        }
    }
}

#[test]
fn what_was_read_is_written_and_read_again_the_same() {
    let Some(folder) = common::shared("foreign-streams") else { return };
    let mut shorter = 0;
    for (name, _) in STREAMS {
        let stream = read_file(&folder, name);
        for (decoded, octets) in read_all(&stream) {
            if decoded.warnings.iter().any(|warning| matches!(warning.kind, WarningKind::MissingField(_))) {
                assert!(decoded.pdu.to_vec().is_err(), "{name}");
                continue;
            }
            let written = decoded.pdu.to_vec().unwrap();
            let again = decode(&written, &Limits::default()).unwrap().unwrap();
            assert_eq!((&again.pdu, again.length, again.warnings), (&decoded.pdu, written.len(), vec![]), "{name}");
            shorter += usize::from(written.len() < octets.len());
        }
    }
    assert!(shorter > 500, "the streams are known to hold lengths that are not of the shortest form");
}

#[test]
fn sequences_have_no_gap() {
    let Some(folder) = common::shared("foreign-streams") else { return };
    let stream = read_file(&folder, "ipstatic_hi3.bin");
    let mut next = BTreeMap::new();
    for (decoded, _) in read_all(&stream) {
        let header = &decoded.pdu.header;
        let expected = next.entry((header.liid().unwrap(), header.communication.cin)).or_insert(0);
        assert_eq!(header.sequence, *expected);
        *expected += 1;
    }
    assert_eq!(next.values().sum::<u32>(), 50);
}

#[test]
fn half_a_pdu_is_waited_for() {
    let Some(folder) = common::shared("foreign-streams") else { return };
    for (name, _) in STREAMS {
        let stream = read_file(&folder, name);
        for (_, octets) in read_all(&stream).into_iter().take(3) {
            for length in 0..octets.len() {
                assert_eq!(decode(&octets[..length], &Limits::default()), Ok(None), "{name}, {length} octets");
            }
        }
    }
}

#[test]
fn the_capture_holds_the_streams() {
    let Some(folder) = common::shared("foreign-streams") else { return };
    let sides = common::tcp_payloads(&read_file(&folder, "etsi_10_pings.pcap"));
    for name in ["etsi_10_pings_HI2.raw_tcp", "etsi_10_pings_HI3.raw_tcp"] {
        let stream = read_file(&folder, name);
        assert!(sides.values().any(|side| side.starts_with(&stream)), "{name}");
    }
    let is_response = |pdu: &PsPdu<'_>| pdu.payload == Payload::Tri(Tri::KeepAliveResponse);
    let counts = sides.values().map(|side| {
        let pdus = read_all(side);
        (pdus.len(), pdus.iter().filter(|(decoded, _)| is_response(&decoded.pdu)).count())
    });
    let mut counts: Vec<_> = counts.collect();
    counts.sort_unstable();
    // The facility answers each keep-alive; it sends nothing else.
    assert_eq!(counts, [(5, 5), (9, 9), (10, 0), (25, 0)]);
}

#[test]
fn hashes_are_over_the_octets_of_the_pdus() {
    let Some(folder) = common::shared("foreign-streams") else { return };
    let stream = read_file(&folder, "ipstatic_integrity_ecdsa_hi2.bin");
    let pdus = read_all(&stream);
    let mut covered = BTreeMap::new();
    let mut checked = 0;
    for (decoded, octets) in &pdus {
        let cin = decoded.pdu.header.communication.cin;
        let Payload::Tri(Tri::IntegrityCheck(check)) = &decoded.pdu.payload else {
            covered.insert((cin, decoded.pdu.header.sequence), *octets);
            continue;
        };
        if check.check_type != CheckType::Hash {
            assert_eq!(check.signature_algorithm, Some(SignatureAlgorithm::Ecdsa));
            continue;
        }
        assert_eq!(check.hash_algorithm, Some(HashAlgorithm::Sha256));
        let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for &sequence in &check.included_sequence_numbers {
            hash.update(covered[&(cin, sequence)]);
        }
        assert_eq!(hash.finish().as_ref(), &*check.check_value);
        checked += 1;
    }
    assert_eq!(checked, 2);
}

/// First container of `ipstatic_aes192_hi2.bin`, decrypted by OpenSSL with the stream's known key.
const DECRYPTED: &str = "\
    304780086b0293d700000000a13ba0393037800101a232a230800405030a01a1288001078107746172676574318201068301\
    01a414810100a20681040a0112d98301018504ffffffff00000000000000";

#[test]
fn decrypted_payload() {
    let plaintext = common::from_hex(DECRYPTED);
    let decrypted = EncryptedPayload::decode(&plaintext).unwrap();
    assert_eq!(decrypted.payload.byte_counter, 0x6b02_93d7_0000_0000);
    assert_eq!((&*decrypted.padding, &decrypted.warnings[..]), (&[0; 7][..], &[][..]));
    let Payload::Iri(payloads) = &decrypted.payload.payload else { panic!("{decrypted:?}") };
    let IriContents::IpIri(iri) = &payloads[0].contents else { panic!("{payloads:?}") };
    assert_eq!(payloads[0].iri_type, Some(IriType::Begin));
    assert_eq!(iri.access_event_type, AccessEventType::StartOfInterceptionWithSessionActive);
    assert_eq!(iri.target_username.as_text(), Some("target1"));
    assert_eq!(iri.target_ip_address.as_ref().unwrap().address(), Some([10, 1, 18, 217].into()));
}
