//! PS-PDUs: what holds for every value and every input.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod common;
#[path = "common/strategies.rs"]
mod strategies;

use proptest::prelude::*;
use strategies::{content, ps_pdu, sequence, time};
use writ_handover::{
    EncodeError, ber,
    ids::{Cin, CountryCode, InterceptionPointId, Liid, NetworkElementId, OperatorId},
    pspdu::*,
};

/// The same element with every constructed part in indefinite length.
fn to_indefinite(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reader = ber::Reader::new(octets);
    while let Some(element) = reader.next().unwrap() {
        let raw = element.raw();
        if !element.is_constructed() {
            out.extend_from_slice(raw);
            continue;
        }
        let tag_octets = ber::tag_octets(element.tag());
        out.extend_from_slice(&raw[..tag_octets]);
        out.push(0x80);
        out.extend_from_slice(&to_indefinite(element.contents()));
        out.extend_from_slice(&[0, 0]);
    }
    out
}

fn context(identity: &(u8, bool, Option<u32>, String)) -> Context {
    let (version, with_points, cin, liid) = identity;
    Context {
        versions: Versions { li_ps: (*version).max(40), ip_access: *version },
        liid: Liid::parse(liid).unwrap(),
        authorization_country: CountryCode::parse("US").unwrap(),
        operator: OperatorId::parse("OPER1").unwrap(),
        network_element: with_points.then(|| NetworkElementId::parse("NE1").unwrap()),
        cin: cin.map(Cin),
        delivery_country: with_points.then(|| CountryCode::parse("CA").unwrap()),
        interception_point: with_points.then(|| InterceptionPointId::parse("POI-1").unwrap()),
    }
}

fn identity() -> impl Strategy<Value = (u8, bool, Option<u32>, String)> {
    (any::<u8>(), any::<bool>(), proptest::option::of(sequence()), "[!-~]{1,25}")
}

/// A packet as the hot encoder takes it.
fn packet() -> impl Strategy<Value = (Stamp, Vec<u8>)> {
    let direction = (0..5_i64).prop_map(PayloadDirection::from_number);
    (sequence(), time(), direction, content())
        .prop_map(|(sequence, time, direction, packet)| (Stamp { sequence, time, direction }, packet))
}

/// What the hot encoder writes is what the cold one writes, never longer than it promises.
fn check_hot(
    cold: &PsPdu<'_>,
    packet_octets: usize,
    mut encode: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
) -> Result<(), TestCaseError> {
    let expected = cold.to_vec().unwrap();
    let octets = expected.len();
    prop_assert!(octets <= packet_octets + OVERHEAD_OCTETS_MAX);
    let mut out = vec![0xee; octets + 3];
    prop_assert_eq!(encode(&mut out), Ok(octets));
    prop_assert!(out[..octets] == expected, "hot and cold differ");
    prop_assert_eq!(&out[octets..], &[0xee; 3]);
    let mut short = vec![0xee; octets - 1];
    prop_assert_eq!(encode(&mut short), Err(EncodeError::NoRoom { needed: octets }));
    prop_assert!(short.iter().all(|&octet| octet == 0xee), "nothing is written where there is no room");
    Ok(())
}

proptest! {
    #[test]
    fn what_was_written_is_read(pdu in ps_pdu(true)) {
        let octets = pdu.to_vec().unwrap();
        let decoded = decode(&octets, &Limits::default()).unwrap().unwrap();
        prop_assert_eq!(decoded, Decoded { pdu, length: octets.len(), warnings: vec![] });
    }

    #[test]
    fn indefinite_lengths_say_the_same(pdu in ps_pdu(false)) {
        let octets = to_indefinite(&pdu.to_vec().unwrap());
        let decoded = decode(&octets, &Limits::default()).unwrap().unwrap();
        prop_assert_eq!(decoded, Decoded { pdu, length: octets.len(), warnings: vec![] });
    }

    #[test]
    fn a_pdu_is_waited_for_to_its_end(pdu in ps_pdu(true), cut in any::<prop::sample::Index>(), indefinite in any::<bool>()) {
        let mut octets = pdu.to_vec().unwrap();
        if indefinite {
            octets = to_indefinite(&octets);
        }
        prop_assert_eq!(decode(&octets[..cut.index(octets.len())], &Limits::default()), Ok(None));
    }

    #[test]
    fn the_next_pdu_is_left_alone(pdu in ps_pdu(true), after in prop::collection::vec(any::<u8>(), 0..20)) {
        let mut octets = pdu.to_vec().unwrap();
        let length = octets.len();
        octets.extend_from_slice(&after);
        prop_assert_eq!(decode(&octets, &Limits::default()).unwrap().unwrap().length, length);
    }

    /// One template for all: what it keeps of a PDU must never show in the next one.
    #[test]
    fn ipcc_hot_is_cold(identity in identity(), packets in prop::collection::vec(packet(), 1..6)) {
        let context = context(&identity);
        let mut template = Template::new(&context);
        for (stamp, packet) in packets {
            let contents = IpCcContents::Packets((&*packet).into());
            let ip_cc = IpCc { object_id: RelativeOid::ip_cc(context.versions.ip_access), contents };
            let payload = Payload::Cc(vec![CcPayload::new(stamp.direction, CcContents::IpCc(ip_cc))]);
            let cold = PsPdu { header: context.header(stamp.sequence, stamp.time), payload };
            check_hot(&cold, packet.len(), |out| template.encode_ipcc(out, &stamp, &packet))?;
        }
    }

    #[test]
    fn header_report_hot_is_cold(identity in identity(), packets in prop::collection::vec(packet(), 1..6)) {
        let context = context(&identity);
        let object_id = RelativeOid::ip_iri_packet_report(context.versions.ip_access);
        let mut template = Template::new(&context);
        for (stamp, header) in packets {
            let report = IriContents::PacketReport(PacketReport::header(object_id.clone(), (&*header).into()));
            let payload =
                IriPayload { payload_direction: Some(stamp.direction), ..IriPayload::new(IriType::Report, report) };
            let cold = PsPdu { header: context.header(stamp.sequence, stamp.time), payload: Payload::Iri(vec![payload]) };
            check_hot(&cold, header.len(), |out| template.encode_packet_report(out, &stamp, &header))?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Err(error) = decode(&octets, &Limits::default()) {
            prop_assert!(error.offset <= octets.len());
        }
        let _ = EncryptedPayload::decode(&octets);
    }

    #[test]
    fn damaged_pdus_are_read_or_refused(
        pdu in ps_pdu(true),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        insert in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        indefinite in any::<bool>(),
    ) {
        let mut octets = pdu.to_vec().unwrap();
        if indefinite {
            octets = to_indefinite(&octets);
        }
        for (at, value) in damage {
            let at = at.index(octets.len().min(600));
            octets[at] ^= value;
        }
        if let Some((at, value)) = insert {
            octets.insert(at.index(octets.len()), value);
        }
        match decode(&octets, &Limits::default()) {
            // What was read can be written, unless a length or a value is one that the format does not allow.
            Ok(Some(decoded)) => {
                if let Ok(written) = decoded.pdu.to_vec() {
                    let again = decode(&written, &Limits { pdu_length_max: usize::MAX }).unwrap().unwrap();
                    prop_assert_eq!(again.pdu, decoded.pdu);
                }
            }
            Ok(None) => {}
            Err(error) => prop_assert!(error.offset <= octets.len()),
        }
    }
}
