//! PS-PDUs against what asn1tools made of the same values: byte-exact, both ways.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod common;

use std::{collections::BTreeMap, net::IpAddr};
use writ_handover::{
    ids::{Cin, CountryCode, InterceptionPointId, Liid, NetworkElementId, OperatorId},
    pspdu::*,
    time::UnixTime,
};

const TIME: UnixTime = UnixTime::from_ns(1_700_000_000_123_456_789);

fn vectors() -> BTreeMap<String, Vec<u8>> {
    common::vectors(include_str!("asn1tools_vectors.txt"))
}

fn context(cin: Option<u32>) -> Context {
    Context {
        versions: Versions::default(),
        liid: Liid::parse("LIID-1").unwrap(),
        authorization_country: CountryCode::parse("US").unwrap(),
        operator: OperatorId::parse("OPER1").unwrap(),
        network_element: Some(NetworkElementId::parse("NE1").unwrap()),
        cin: cin.map(Cin),
        delivery_country: Some(CountryCode::parse("US").unwrap()),
        interception_point: None,
    }
}

fn at_point(mut context: Context) -> Context {
    context.interception_point = Some(InterceptionPointId::parse("POI-1").unwrap());
    context
}

/// Encodes to the octets of the vector, and decodes back to the value.
#[track_caller]
fn check(name: &str, pdu: &PsPdu<'_>) {
    let expected = &vectors()[name];
    assert_eq!(&pdu.to_vec().unwrap(), expected, "{name}: encoded");
    let decoded = decode(expected, &Limits::default()).unwrap().unwrap();
    assert_eq!((&decoded.pdu, decoded.length, decoded.warnings), (pdu, expected.len(), vec![]), "{name}: decoded");
}

#[track_caller]
fn check_payload(name: &str, context: &Context, sequence: u32, payload: Payload<'_>) {
    check(name, &PsPdu { header: context.header(sequence, TIME), payload });
}

fn time(text: &'static str) -> GeneralizedTime<'static> {
    GeneralizedTime(text.into())
}

fn ipv6() -> IpAddr {
    "2001:db8::1".parse().unwrap()
}

fn full_ip_iri() -> IpIri<'static> {
    let v4 = IpAddress::host("192.0.2.1".parse().unwrap(), IpAssignment::Static);
    let v6 = IpAddress::host(ipv6(), IpAssignment::Dynamic);
    let text = IpAddress {
        ip_type: IpType::V4,
        value: IpValue::Text("192.0.2.254".into()),
        assignment: None,
        ipv6_prefix_length: None,
        ipv4_subnet_mask: None,
        nat_translated: None,
        others: vec![],
    };
    IpIri {
        target_ip_address: Some(IpAddress {
            ipv4_subnet_mask: Some([255, 255, 255, 248]),
            nat_translated: Some(true),
            ..v4
        }),
        target_network_id: Some("00:11:22:33:44:55".into()),
        target_cpe_id: Some("cpe-é".into()),
        target_location: Some("loc".into()),
        pop_port_number: Some(u32::MAX),
        call_back_number: Some("+15550100".into()),
        start_time: Some(time("20231114221320Z")),
        end_time: Some(time("20240229235959Z")),
        end_reason: Some(EndReason::LeaseExpired),
        octets_received: Some(u64::MAX),
        octets_transmitted: Some(128),
        raw_aaa_data: Some((&[0, 255, 1]).into()),
        expected_end_time: Some(time("20240301000001Z")),
        pop_phone_number: Some("+15550101".into()),
        pop_ip_address: Some(text),
        additional_ip_address: Some(IpAddress { ipv6_prefix_length: Some(64), ..v6.clone() }),
        authentication_type: Some(AuthenticationType::Radius),
        other_target_identifiers: vec![OtherTargetIdentifier::IpAddress(IpAddress { assignment: None, ..v6 })],
        pop_port_id: Some("port-1".into()),
        ..IpIri::new(
            RelativeOid::ip_iri(20),
            AccessEventType::StartOfInterceptionWithSessionActive,
            "alice@example.net".into(),
            InternetAccessType::Fttx,
            IpVersion::V4AndV6,
        )
    }
}

#[test]
fn ip_iri_with_every_field() {
    let context = at_point(context(Some(u32::MAX)));
    let header = PsHeader {
        extended_interception_point: Some("POI-EXTENDED".into()),
        network_function: Some("NF-1".into()),
        ..context.header(u32::MAX, TIME)
    };
    let payload = IriPayload::new(IriType::Begin, IriContents::IpIri(Box::new(full_ip_iri())));
    check("ipiri_full", &PsPdu { header, payload: Payload::Iri(vec![payload]) });
}

#[test]
fn the_times_of_ip_iri_are_what_the_text_says() {
    let iri = full_ip_iri();
    let unix = |time: Option<GeneralizedTime<'_>>| time.unwrap().to_unix().unwrap().seconds();
    // Seconds from `date -u -d ... +%s`.
    assert_eq!(unix(iri.start_time), 1_700_000_000);
    assert_eq!(unix(iri.end_time), 1_709_251_199);
    assert_eq!(unix(iri.expected_end_time), 1_709_251_201);
}

#[test]
fn ip_cc_hot_and_cold() {
    let context = at_point(context(Some(7)));
    let packet: Vec<u8> = (0..60).collect();
    let contents = IpCc { object_id: RelativeOid::ip_cc(20), contents: IpCcContents::Packets((&*packet).into()) };
    let payload = CcPayload::new(PayloadDirection::FromTarget, CcContents::IpCc(contents));
    check_payload("ipcc", &context, 128, Payload::Cc(vec![payload]));

    let stamp = Stamp { sequence: 128, time: TIME, direction: PayloadDirection::FromTarget };
    let mut out = [0xee; 512];
    let octets = Template::new(&context).encode_ipcc(&mut out, &stamp, &packet).unwrap();
    assert_eq!(out[..octets], vectors()["ipcc"]);
    assert!(out[octets..].iter().all(|&octet| octet == 0xee), "nothing is written after the PDU");
}

#[test]
fn header_report_hot_and_cold() {
    let mut context = context(Some(7));
    context.versions.li_ps = 43;
    let header: Vec<u8> = (0..28).collect();
    let report = PacketReport::header(RelativeOid::ip_iri_packet_report(20), (&*header).into());
    let payload = IriPayload {
        payload_direction: Some(PayloadDirection::ToTarget),
        ..IriPayload::new(IriType::Report, IriContents::PacketReport(report))
    };
    check_payload("report_header", &context, 32_768, Payload::Iri(vec![payload]));

    let stamp = Stamp { sequence: 32_768, time: TIME, direction: PayloadDirection::ToTarget };
    let mut out = [0xee; 512];
    let octets = Template::new(&context).encode_packet_report(&mut out, &stamp, &header).unwrap();
    assert_eq!(out[..octets], vectors()["report_header"]);
    assert!(out[octets..].iter().all(|&octet| octet == 0xee), "nothing is written after the PDU");
}

#[test]
fn packet_summary() {
    let header: Vec<u8> = (0..28).collect();
    let indications = Indications::ZEROED_IPV4_TOTAL_LENGTH
        .and(Indications::ZEROED_IPV4_TIME_TO_LIVE)
        .and(Indications::ZEROED_IPV4_HEADER_CHECKSUM)
        .and(Indications::ZEROED_UDP_CHECKSUM);
    let report = PacketReport {
        object_id: RelativeOid::ip_iri_packet_report(20),
        report: PacketReportContents::Summary {
            header: (&*header).into(),
            indications,
            trigger: PacketReportTrigger::FlowEnd,
            packet_count: Some(300),
            byte_count: Some(70_000),
            first: Some(GeneralizedTime::from_unix(TIME).unwrap()),
            last: Some(time("20231114221420Z")),
            others: vec![],
        },
        others: vec![],
    };
    let payload = IriPayload {
        payload_direction: Some(PayloadDirection::Combined),
        ..IriPayload::new(IriType::Report, IriContents::PacketReport(report))
    };
    check_payload("report_summary", &context(Some(7)), 300, Payload::Iri(vec![payload]));
}

#[test]
fn truncated_and_aggregated_content() {
    let octets: Vec<u8> = (0..200).collect();
    let ip_cc = |contents| CcContents::IpCc(IpCc { object_id: RelativeOid::ip_cc(20), contents });
    let truncated = IpCcContents::Truncated { packet: (&*octets).into(), original_length: Some(1500), others: vec![] };
    let payload = CcPayload::new(PayloadDirection::Indeterminate, ip_cc(truncated));
    check_payload("ipcc_truncated", &at_point(context(Some(7))), 0, Payload::Cc(vec![payload]));

    let packets = [
        (PayloadDirection::FromTarget, 40, 0),
        (PayloadDirection::ToTarget, 127, 999_999),
        (PayloadDirection::Combined, 128, 127),
        (PayloadDirection::NotApplicable, 300, 128),
    ];
    let payloads = (0_u8..).zip(packets).map(|(index, (direction, length, micro_seconds))| CcPayload {
        micro_second_time_stamp: Some(MicroSecondTimeStamp {
            seconds: 1_700_000_000 + u64::from(index),
            micro_seconds,
        }),
        time_stamp_qualifier: Some(TimeStampQualifier::TimeOfInterception),
        ..CcPayload::new(direction, ip_cc(IpCcContents::Packets(vec![index; length].into())))
    });
    check_payload("ipcc_aggregated", &context(Some(7)), 70_000, Payload::Cc(payloads.collect()));
}

#[test]
fn transport_related_information() {
    let message =
        OperatorLeaMessage { priority: MessagePriority::Error, message: "task lost 3 packets".into(), others: vec![] };
    let response =
        OptionResponse { accepted: vec![], declined: vec![DeliveryOption::PduAcknowledgement], others: vec![] };
    check_payload("keep_alive", &context(None), 255, Payload::Tri(Tri::KeepAlive));
    check_payload("keep_alive_response", &context(None), 255, Payload::Tri(Tri::KeepAliveResponse));
    check_payload("operator_message", &context(None), 1, Payload::Tri(Tri::OperatorLeaMessage(message)));
    check_payload("cin_reset", &context(Some(7)), 1, Payload::Tri(Tri::CinReset));
    check_payload("option_response", &context(None), 2, Payload::Tri(Tri::OptionResponse(response)));
    check_payload("padding", &context(None), 3, Payload::Tri(Tri::PaddingPdu((&[0; 5]).into())));
    check_payload("ack_response", &context(None), 3, Payload::Tri(Tri::PduAcknowledgementResponse));
}

#[test]
fn encryption_container() {
    let octets: Vec<u8> = (0..32).collect();
    let container = EncryptionContainer {
        encryption_type: EncryptionType::Aes256Cbc,
        encrypted_payload: octets.into(),
        payload_type: Some(EncryptedPayloadType::Part1),
        others: vec![],
    };
    check_payload("encrypted", &context(Some(7)), 9, Payload::Encrypted(container));
}

#[test]
fn hi1_notifications() {
    let context = context(None);
    let new = || Notification::new(&context.liid, &context.operator, TIME).unwrap();
    check_payload("hi1_activated", &context, 0, Payload::Hi1(Hi1Operation::Activated(new())));

    let activated = new();
    let communication = activated.communication.clone().unwrap();
    let deactivated = Notification {
        domain_id: Some(Notification::DOMAIN_ID),
        communication: Some(Hi1CommunicationIdentifier {
            communication_identity_number: Some("7".into()),
            ..communication.clone()
        }),
        time_stamp: Hi1TimeStamp::Utc(UtcTime::from_unix(TIME).unwrap()),
        target_information: Some("192.0.2.1".into()),
        ..new()
    };
    check_payload("hi1_deactivated", &context, 1, Payload::Hi1(Hi1Operation::Deactivated(deactivated)));

    let alarm = AlarmIndicator {
        domain_id: None,
        communication: Some(communication),
        time_stamp: Hi1TimeStamp::from_unix(TIME).unwrap(),
        alarm_information: "loss".into(),
        lawful_interception_identifier: Some("LIID-1".into()),
        others: vec![],
    };
    check_payload("hi1_alarm", &context, 2, Payload::Hi1(Hi1Operation::Alarm(alarm)));
}

#[test]
fn every_vector_is_checked() {
    let source = include_str!("asn1tools.rs");
    for name in vectors().keys() {
        assert!(source.contains(&format!("\"{name}\"")), "{name}");
    }
}
