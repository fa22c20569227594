//! PS-PDUs: limits, refusals, warnings.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod common;

use common::from_hex;
use writ_handover::{
    EncodeError, ber,
    ids::{CountryCode, Liid, OperatorId},
    pspdu::*,
    time::UnixTime,
};

/// PSHeader and a keep-alive, taken apart so that tests can put something else in between.
const DOMAIN: &str = "800704000202050128";
const LIID: &str = "81064c4949442d31";
const COMMUNICATION: &str = "a309a00780054f50455231";
const SEQUENCE: &str = "840101";
const KEEP_ALIVE: &str = "a204a2028300";

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let mut length = [0; 9];
    let octets = ber::put_length(&mut length, contents.len());
    out.extend_from_slice(&length[..octets]);
    out.extend_from_slice(contents);
    out
}

/// A PDU with these header fields and this payload.
fn pdu(header: &[&str], payload: &str) -> Vec<u8> {
    let header: Vec<u8> = header.iter().flat_map(|field| from_hex(field)).collect();
    tlv(0x30, &[tlv(0xa1, &header), from_hex(payload)].concat())
}

/// A PDU with this element in `payload`.
fn with_payload(payload: &str) -> Vec<u8> {
    let payload = tlv(0xa2, &from_hex(payload));
    let header = [DOMAIN, LIID, COMMUNICATION, SEQUENCE].map(from_hex).concat();
    tlv(0x30, &[tlv(0xa1, &header), payload].concat())
}

#[track_caller]
fn refused(octets: &[u8], offset: usize, field: &'static str, kind: DecodeErrorKind) {
    assert_eq!(decode(octets, &Limits::default()), Err(DecodeError { offset, field, kind }));
}

fn read(octets: &[u8]) -> Decoded<'_> {
    decode(octets, &Limits::default()).unwrap().unwrap()
}

fn context() -> Context {
    Context {
        versions: Versions::default(),
        liid: Liid::parse("LIID-1").unwrap(),
        authorization_country: CountryCode::parse("US").unwrap(),
        operator: OperatorId::parse("OPER1").unwrap(),
        network_element: None,
        cin: None,
        delivery_country: None,
        interception_point: None,
    }
}

#[test]
fn the_parts_of_these_tests_make_a_pdu() {
    let octets = pdu(&[DOMAIN, LIID, COMMUNICATION, SEQUENCE], KEEP_ALIVE);
    let decoded = read(&octets);
    assert_eq!(decoded.pdu.payload, Payload::Tri(Tri::KeepAlive));
    assert_eq!(decoded.pdu.header.liid(), Ok(Liid::parse("LIID-1").unwrap()));
    assert_eq!((decoded.length, decoded.warnings), (octets.len(), vec![]));
}

#[test]
fn missing_fields_are_named() {
    let missing = |header: &[&str], field| refused(&pdu(header, KEEP_ALIVE), 2, field, DecodeErrorKind::Missing);
    missing(&[LIID, COMMUNICATION, SEQUENCE], "li-psDomainId");
    missing(&[DOMAIN, COMMUNICATION, SEQUENCE], "lawfulInterceptionIdentifier");
    missing(&[DOMAIN, LIID, SEQUENCE], "communicationIdentifier");
    missing(&[DOMAIN, LIID, COMMUNICATION], "sequenceNumber");
    refused(&pdu(&[DOMAIN, LIID, COMMUNICATION, SEQUENCE], ""), 0, "payload", DecodeErrorKind::Missing);
    refused(
        &pdu(&[DOMAIN, LIID, "a302a000", SEQUENCE], KEEP_ALIVE),
        23,
        "operatorIdentifier",
        DecodeErrorKind::Missing,
    );
    refused(&with_payload("a1023000"), 39, "cCContents", DecodeErrorKind::Missing);
}

#[test]
fn wrong_fields_are_named() {
    let header = |sequence| pdu(&[DOMAIN, LIID, COMMUNICATION, sequence], KEEP_ALIVE);
    let contents = DecodeErrorKind::Ber(ber::ErrorKind::Contents);
    refused(&header("8401ff"), 32, "sequenceNumber", contents);
    refused(&header("84050100000000"), 32, "sequenceNumber", contents);
    refused(&header("840101840102"), 35, "PSHeader", DecodeErrorKind::Repeated);
    refused(&header("840101a70880010181030f4240"), 40, "microSeconds", DecodeErrorKind::Value);
}

#[test]
fn what_is_no_ps_pdu_is_refused() {
    refused(b"\x31\x00", 0, "PS-PDU", DecodeErrorKind::Tag(ber::Tag::universal(17)));
    refused(
        b"GET / HTTP/1.1\r\n",
        0,
        "PS-PDU",
        DecodeErrorKind::Tag(ber::Tag { class: ber::Class::Application, number: 7 }),
    );
    let mut octets = pdu(&[DOMAIN, LIID, COMMUNICATION, SEQUENCE], KEEP_ALIVE);
    octets.extend_from_slice(&[0x83, 0]);
    octets[1] += 2;
    let offset = octets.len() - 2;
    refused(&octets, offset, "PS-PDU", DecodeErrorKind::Tag(ber::Tag::context(3)));
    refused(b"\x10\x00", 0, "PS-PDU", DecodeErrorKind::Ber(ber::ErrorKind::NotConstructed));
}

#[test]
fn what_is_over_the_limit_is_refused_at_once() {
    let limits = Limits { pdu_length_max: 100 };
    let over = |length| {
        Err(DecodeError { offset: 0, field: "PS-PDU", kind: DecodeErrorKind::OverLimit { length, length_max: 100 } })
    };
    assert_eq!(decode(b"\x30\x81\x61", &limits), Ok(None));
    assert_eq!(decode(b"\x30\x62", &limits), Ok(None));
    assert_eq!(decode(b"\x30\x63", &limits), over(101));
    assert_eq!(decode(b"\x30\x84\xff\xff\xff\xff", &limits), over(0xffff_ffff + 6));
    // An indefinite length that never ends.
    let endless = [&b"\x30\x80"[..], &b"\x04\x00".repeat(49)].concat();
    assert_eq!(decode(&endless, &limits), Ok(None));
    assert_eq!(decode(&[&endless[..], b"\x04"].concat(), &limits), over(101));
}

#[test]
fn stray_zero_and_foreign_domain_are_warned_of() {
    let warned = |domain| {
        let octets = pdu(&[domain, LIID, COMMUNICATION, SEQUENCE], KEEP_ALIVE);
        let decoded = read(&octets);
        (format!("{:?}", decoded.pdu.header.domain), decoded.warnings)
    };
    let li_ps = |version| format!("{:?}", Domain::LiPs { version });
    let warning = |kind| vec![Warning { offset: 4, kind }];
    assert_eq!(warned(DOMAIN), (li_ps(40), vec![]));
    assert_eq!(warned("80080400020205018101"), (li_ps(129), vec![]));
    assert_eq!(warned("80080400020205011100"), (li_ps(17), warning(WarningKind::DomainIdStrayZero)));
    let foreign = format!("{:?}", Domain::Foreign((&[4, 0, 2, 2, 5, 2, 1]).into()));
    assert_eq!(warned("800704000202050201"), (foreign, warning(WarningKind::DomainIdForeign)));
}

#[test]
fn unknown_kinds_are_kept_as_they_are() {
    let raw = |hex| {
        let octets = with_payload(hex);
        let decoded = read(&octets);
        assert_eq!(decoded.pdu.to_vec().unwrap(), octets);
        match decoded.pdu.payload {
            Payload::Other(raw) => raw.octets().to_vec(),
            Payload::Cc(payloads) => match &payloads[0].contents {
                CcContents::Other(raw) => raw.octets().to_vec(),
                other => panic!("{other:?}"),
            },
            Payload::Tri(Tri::Other(raw)) => raw.octets().to_vec(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(raw("a6023000"), from_hex("a6023000"));
    assert_eq!(raw("a1083006a2048f02abcd"), from_hex("8f02abcd"));
    assert_eq!(raw("a2039f2a00"), from_hex("9f2a00"));
}

#[test]
fn strings_in_pieces_are_joined() {
    let octets = with_payload("a11d301ba219a217800405031402a10fa08004024500240504030006010000");
    let decoded = read(&octets);
    let Payload::Cc(payloads) = &decoded.pdu.payload else { panic!("{decoded:?}") };
    let CcContents::IpCc(ip_cc) = &payloads[0].contents else { panic!("{payloads:?}") };
    assert_eq!(ip_cc.contents, IpCcContents::Packets((&[0x45, 0, 0, 6, 1]).into()));
    assert_eq!(ip_cc.object_id.arcs(), Some(vec![5, 3, 20, 2]));
}

#[test]
fn what_the_format_has_no_room_for_is_not_written() {
    let context = context();
    let time = UnixTime::from_ns(1);
    let written = |change: &dyn Fn(&mut PsPdu<'_>)| {
        let mut pdu = PsPdu { header: context.header(1, time), payload: Payload::Tri(Tri::KeepAlive) };
        change(&mut pdu);
        let mut out = vec![1, 2, 3];
        let result = pdu.encode(&mut out);
        assert!(result.is_ok() || out == [1, 2, 3], "on an error the output is as it was");
        result
    };
    assert_eq!(written(&|_| {}), Ok(()));
    let too_long = |field, length, length_max| Err(EncodeError::FieldTooLong { field, length, length_max });
    let liid =
        |length| move |pdu: &mut PsPdu<'_>| pdu.header.lawful_interception_identifier = vec![b'a'; length].into();
    assert_eq!(written(&liid(26)), too_long("lawfulInterceptionIdentifier", 26, 25));
    assert_eq!(written(&liid(0)), Err(EncodeError::ValueOutOfRange { field: "lawfulInterceptionIdentifier" }));
    let micro_seconds = MicroSecondTimeStamp { seconds: 1, micro_seconds: 1_000_000 };
    let stamped = |pdu: &mut PsPdu<'_>| pdu.header.micro_second_time_stamp = Some(micro_seconds);
    assert_eq!(written(&stamped), Err(EncodeError::ValueOutOfRange { field: "microSeconds" }));
    let message = |pdu: &mut PsPdu<'_>| {
        pdu.payload = Payload::Tri(Tri::OperatorLeaMessage(OperatorLeaMessage {
            priority: MessagePriority::Informational,
            message: vec![b'a'; 256].into(),
            others: vec![],
        }));
    };
    assert_eq!(written(&message), too_long("message", 256, 255));
}

#[test]
fn an_operator_too_long_for_hi1_is_left_to_the_header() {
    let liid = Liid::parse("LIID-1").unwrap();
    let has_operator = |text| {
        let operator = OperatorId::parse(text).unwrap();
        Notification::new(&liid, &operator, UnixTime::EPOCH).unwrap().communication.is_some()
    };
    assert!(has_operator("12345"));
    assert!(!has_operator("123456"));
}

#[test]
fn header_reports_need_their_version() {
    let mut context = context();
    let stamp = Stamp { sequence: 0, time: UnixTime::EPOCH, direction: PayloadDirection::FromTarget };
    let mut out = [0; 256];
    context.versions.li_ps = 39;
    let refused = Template::new(&context).encode_packet_report(&mut out, &stamp, &[0x45]);
    assert_eq!(refused, Err(EncodeError::ValueOutOfRange { field: "li-psDomainId" }));
    context.versions.li_ps = 40;
    assert!(Template::new(&context).encode_packet_report(&mut out, &stamp, &[0x45]).is_ok());
}

#[test]
fn templates_take_packets_and_directions_only() {
    let mut template = Template::new(&context());
    let mut stamp = Stamp { sequence: 0, time: UnixTime::EPOCH, direction: PayloadDirection::FromTarget };
    let mut out = vec![0; PACKET_OCTETS_MAX + 256];
    let long = vec![0x45; PACKET_OCTETS_MAX + 1];
    let too_long =
        Err(EncodeError::FieldTooLong { field: "packet", length: long.len(), length_max: PACKET_OCTETS_MAX });
    assert_eq!(template.encode_ipcc(&mut out, &stamp, &long), too_long);
    assert_eq!(template.encode_packet_report(&mut out, &stamp, &long), too_long);
    let octets = template.encode_ipcc(&mut out, &stamp, &long[1..]).unwrap();
    assert_eq!(read_with(&out[..octets], 2 * PACKET_OCTETS_MAX), octets);
    stamp.direction = PayloadDirection::Other(128);
    let refused = Err(EncodeError::ValueOutOfRange { field: "payloadDirection" });
    assert_eq!(template.encode_ipcc(&mut out, &stamp, &[0x45]), refused);
}

fn read_with(octets: &[u8], pdu_length_max: usize) -> usize {
    decode(octets, &Limits { pdu_length_max }).unwrap().unwrap().length
}

#[test]
fn the_longest_identifiers_fit_the_template() {
    use writ_handover::ids::{Cin, InterceptionPointId, NetworkElementId};
    let context = Context {
        versions: Versions { li_ps: 255, ip_access: 255 },
        liid: Liid::parse(&"x".repeat(25)).unwrap(),
        authorization_country: CountryCode::parse("US").unwrap(),
        operator: OperatorId::parse(&"o".repeat(16)).unwrap(),
        network_element: Some(NetworkElementId::parse(&"n".repeat(16)).unwrap()),
        cin: Some(Cin(u32::MAX)),
        delivery_country: Some(CountryCode::parse("US").unwrap()),
        interception_point: Some(InterceptionPointId::parse(&"p".repeat(8)).unwrap()),
    };
    let time = UnixTime::new(u64::MAX, 999_999_999).unwrap();
    let stamp = Stamp { sequence: u32::MAX, time, direction: PayloadDirection::Combined };
    let packet = vec![0x45; PACKET_OCTETS_MAX];
    let mut out = vec![0; PACKET_OCTETS_MAX + 300];
    let mut template = Template::new(&context);
    let octets = template.encode_ipcc(&mut out, &stamp, &packet).unwrap();
    let ip_cc = IpCc { object_id: RelativeOid::ip_cc(255), contents: IpCcContents::Packets((&*packet).into()) };
    let payload = CcPayload::new(PayloadDirection::Combined, CcContents::IpCc(ip_cc));
    let cold = PsPdu { header: context.header(u32::MAX, time), payload: Payload::Cc(vec![payload]) };
    assert!(cold.to_vec().unwrap() == out[..octets]);
    assert!(octets <= packet.len() + OVERHEAD_OCTETS_MAX);
    let octets = template.encode_packet_report(&mut out, &stamp, &packet).unwrap();
    assert!(octets <= packet.len() + OVERHEAD_OCTETS_MAX);
    assert_eq!(read_with(&out[..octets], out.len()), octets);
}

#[test]
fn debug_shows_neither_identifiers_nor_content() {
    let octets = common::vectors(include_str!("asn1tools_vectors.txt"));
    let mut shown = String::new();
    for octets in octets.values() {
        let decoded = read(octets);
        shown.push_str(&format!("{decoded:?} {:#?}", decoded.pdu));
    }
    for secret in ["LIID-1", "alice", "192", "4c4949", "cpe-", "+1555", "76, 73", "task lost"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert!(!format!("{:?} {:?}", context(), Template::new(&context())).contains("LIID-1"));
}
