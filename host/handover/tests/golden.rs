//! The reference PDUs of the standards' folder: both ways, byte-exact; built with the types of this crate where it emits that kind.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod common;

use std::fs;
use writ_handover::{
    ids::{Cin, CountryCode, Liid, NetworkElementId, NetworkFunctionId, OperatorId, PointOfInterceptionId, Xid},
    pspdu,
    time::UnixTime,
    x2x3::{self, Attribute, PayloadDirection, PayloadFormat, PduType},
};

const TIME: UnixTime = UnixTime::from_ns(1_700_000_000_123_456_000);

fn context(li_ps: u8, cin: Option<u32>) -> pspdu::Context {
    pspdu::Context {
        versions: pspdu::Versions { li_ps, ip_access: 20 },
        liid: Liid::parse("LIID-1").unwrap(),
        authorization_country: CountryCode::parse("US").unwrap(),
        operator: OperatorId::parse("OPER1").unwrap(),
        network_element: Some(NetworkElementId::parse("NE1").unwrap()),
        cin: cin.map(Cin),
        delivery_country: Some(CountryCode::parse("US").unwrap()),
        interception_point: None,
    }
}

#[test]
fn every_golden_ps_pdu_goes_through_unchanged() {
    let Some(folder) = common::shared("standards/handover") else { return };
    let goldens = common::vectors(&fs::read_to_string(folder.join("pspdu_golden.txt")).unwrap());
    assert_eq!(goldens.len(), 12);
    for (name, octets) in &goldens {
        let decoded = pspdu::decode(octets, &pspdu::Limits::default()).unwrap().unwrap();
        assert_eq!((decoded.length, &decoded.warnings), (octets.len(), &vec![]), "{name}");
        assert_eq!(&decoded.pdu.to_vec().unwrap(), octets, "{name}");
    }
}

#[test]
fn both_lists_of_golden_ps_pdus_are_the_same() {
    let Some(folder) = common::shared("standards/handover") else { return };
    let text = common::vectors(&fs::read_to_string(folder.join("pspdu_golden.txt")).unwrap());
    let json = fs::read_to_string(folder.join("pspdu_golden_asn1tools.json")).unwrap();
    let json: std::collections::BTreeMap<String, String> = serde_json::from_str(&json).unwrap();
    assert_eq!(text, json.into_iter().map(|(name, hex)| (name, common::from_hex(&hex))).collect());
}

#[test]
fn golden_ps_pdus_are_what_this_crate_builds() {
    use pspdu::*;
    let Some(folder) = common::shared("standards/handover") else { return };
    let goldens = common::vectors(&fs::read_to_string(folder.join("pspdu_golden.txt")).unwrap());
    let built = |context: &Context, sequence, payload| {
        PsPdu { header: context.header(sequence, TIME), payload }.to_vec().unwrap()
    };
    let tri = |cin, sequence, tri| built(&context(40, cin), sequence, Payload::Tri(tri));
    assert_eq!(tri(None, 1, Tri::KeepAlive), goldens["keepalive"]);
    assert_eq!(tri(None, 1, Tri::KeepAliveResponse), goldens["keepaliveResponse"]);
    assert_eq!(tri(Some(7), 0, Tri::FirstSegment), goldens["firstSegment"]);
    assert_eq!(tri(Some(7), 9, Tri::LastSegment), goldens["lastSegment"]);
    let request = OptionRequest { requested: vec![DeliveryOption::PduAcknowledgement], others: vec![] };
    assert_eq!(tri(None, 2, Tri::OptionRequest(request)), goldens["optionRequest"]);

    let address = IpAddress::host([192, 0, 2, 1].into(), IpAssignment::Dynamic);
    let iri = IpIri {
        target_ip_address: Some(address),
        ..IpIri::new(
            RelativeOid::ip_iri(20),
            AccessEventType::AccessAccept,
            "alice".into(),
            InternetAccessType::Fttx,
            IpVersion::V4,
        )
    };
    let iri = IriPayload::new(IriType::Begin, IriContents::IpIri(Box::new(iri)));
    assert_eq!(built(&context(40, Some(7)), 1, Payload::Iri(vec![iri])), goldens["ipiri"]);
}

#[test]
fn golden_packets_are_what_the_templates_write() {
    let Some(folder) = common::shared("standards/handover") else { return };
    let goldens = common::vectors(&fs::read_to_string(folder.join("pspdu_golden.txt")).unwrap());
    let packet = common::from_hex("450000210001400040114e8fc0000201c633640704d213c4000d000068656c6c6f");
    let mut out = [0; 256];
    let stamp = |sequence| pspdu::Stamp { sequence, time: TIME, direction: pspdu::PayloadDirection::FromTarget };
    let template = |li_ps| pspdu::Template::new(&context(li_ps, Some(7)));
    let octets = template(40).encode_ipcc(&mut out, &stamp(1), &packet).unwrap();
    assert_eq!(out[..octets], goldens["ipcc"]);
    let octets = template(43).encode_packet_report(&mut out, &stamp(5), &packet[..28]).unwrap();
    assert_eq!(out[..octets], goldens["pktreport_hdr"]);
}

const XID: Xid = Xid([0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x43, 0x33, 0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55]);
const CORRELATION_ID: u64 = 0x0001_0203_0405_0607;
const X3_TIME: UnixTime = UnixTime::from_ns(1_700_000_000_123_456_789);

fn golden_x3_attributes() -> Vec<Attribute<'static>> {
    vec![
        Attribute::NetworkFunctionId(b"NE-1"),
        Attribute::PointOfInterceptionId(b"POI-1"),
        Attribute::SequenceNumber(70_000),
        Attribute::Timestamp(X3_TIME),
        Attribute::SourceIpv4([192, 0, 2, 1].into()),
        Attribute::DestinationIpv4([198, 51, 100, 7].into()),
        Attribute::SourcePort(1234),
        Attribute::DestinationPort(5060),
        Attribute::IpProtocol(17),
        Attribute::MatchedTarget("<ipv4Address>192.0.2.1</ipv4Address>"),
    ]
}

#[test]
fn golden_x3_pdu_reads_and_writes() {
    let Some(folder) = common::shared("standards/handover") else { return };
    let golden = fs::read(folder.join("x3v5.bin")).unwrap();
    let (pdu, length) = x2x3::decode(&golden, &x2x3::Limits::default()).unwrap().unwrap();
    let header = x2x3::Header {
        version: x2x3::Version::V0_5,
        pdu_type: PduType::X3,
        header_length: 150,
        payload_length: 33,
        payload_format: PayloadFormat::Ipv4,
        payload_direction: PayloadDirection::FromTarget,
        xid: XID,
        correlation_id: CORRELATION_ID,
    };
    assert_eq!((length, pdu.header), (golden.len(), header));
    assert_eq!(pdu.attributes().collect::<Vec<_>>(), golden_x3_attributes());
    assert_eq!(pdu.payload, &golden[150..]);

    let head = x2x3::Head {
        version: header.version,
        pdu_type: header.pdu_type,
        payload_format: header.payload_format,
        payload_direction: header.payload_direction,
        xid: header.xid,
        correlation_id: header.correlation_id,
    };
    let mut out = vec![0; golden.len()];
    assert_eq!(x2x3::encode(&mut out, &head, &golden_x3_attributes(), pdu.payload), Ok(golden.len()));
    assert_eq!(out, golden);
}

#[test]
fn golden_x3_pdu_is_what_the_template_writes() {
    let Some(folder) = common::shared("standards/handover") else { return };
    let golden = fs::read(folder.join("x3v5.bin")).unwrap();
    let template = x2x3::Template::new(&x2x3::TemplateParameters {
        version: x2x3::Version::V0_5,
        pdu_type: PduType::X3,
        xid: Xid::parse("11111111-2222-4333-8444-555555555555").unwrap(),
        correlation_id: CORRELATION_ID,
        domain_id: None,
        network_function: Some(&NetworkFunctionId::parse("NE-1").unwrap()),
        point_of_interception: Some(&PointOfInterceptionId::parse("POI-1").unwrap()),
    })
    .unwrap();
    let target = x2x3::target::ipv4_address([192, 0, 2, 1].into());
    let block = x2x3::AttributeBlock::new(&[Attribute::MatchedTarget(&target)]).unwrap();
    let packet = x2x3::Packet {
        format: PayloadFormat::Ipv4,
        direction: PayloadDirection::FromTarget,
        sequence: 70_000,
        time: X3_TIME,
        flow: Some(x2x3::Flow {
            addresses: x2x3::Addresses::V4 { source: [192, 0, 2, 1], destination: [198, 51, 100, 7] },
            ports: Some(x2x3::Ports { source: 1234, destination: 5060 }),
            protocol: Some(17),
        }),
        blocks: &[&block],
        payload: &golden[150..],
    };
    let mut out = [0xee; 256];
    assert_eq!(template.encode(&mut out, &packet), Ok(golden.len()));
    assert_eq!(out[..golden.len()], golden);
    assert!(out[golden.len()..].iter().all(|&octet| octet == 0xee), "nothing is written after the PDU");
}

#[test]
fn captured_x3_stream() {
    let Some(folder) = common::shared("standards/handover") else { return };
    let golden = fs::read(folder.join("x3v5.bin")).unwrap();
    let streams = common::tcp_payloads(&fs::read(folder.join("li5g_tcp.pcap")).unwrap());
    let keepalive = x2x3::keepalive(x2x3::Version::V0_5, 1);
    assert_eq!(streams[&40_000], [&golden[..], &keepalive, &golden, &golden].concat());
    assert_eq!(streams[&9_999], x2x3::keepalive_ack(x2x3::Version::V0_5, 1));
    assert_eq!(streams.len(), 2);

    let mut rest = &streams[&40_000][..];
    let mut types = Vec::new();
    while let Some((pdu, length)) = x2x3::decode(rest, &x2x3::Limits::default()).unwrap() {
        types.push((pdu.header.pdu_type, pdu.sequence_number()));
        rest = &rest[length..];
    }
    let packet = (PduType::X3, Some(70_000));
    assert_eq!((types, rest), (vec![packet, (PduType::Keepalive, Some(1)), packet, packet], &[][..]));
}
