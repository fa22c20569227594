//! Values of any shape for property tests.

#![allow(unreachable_pub, reason = "a module of test binaries")]

use proptest::{collection::vec, option, prelude::*, sample::select};
use writ_handover::{ids::Cin, pspdu::*, time::UnixTime};

fn octets(length: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Octets<'static>> {
    vec(any::<u8>(), length).prop_map(Octets::from)
}

/// A string of a kind whose length matters for the encoding: around the limits of the length forms.
pub fn content() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        0..300_usize,
        Just(127),
        Just(128),
        Just(255),
        Just(256),
        1400..1600_usize,
        Just(65_535),
        Just(65_536)
    ];
    (length, any::<u8>()).prop_map(|(length, first)| (0..length).map(|index| first.wrapping_add(index as u8)).collect())
}

/// Any time whose microseconds have one to three octets.
pub fn time() -> impl Strategy<Value = UnixTime> {
    let seconds = prop_oneof![0..256_u64, any::<u32>().prop_map(u64::from)];
    let micro_seconds = prop_oneof![0..256_u32, 0..65_536_u32, 0..1_000_000_u32];
    (seconds, micro_seconds).prop_map(|(seconds, micro)| UnixTime::new(seconds, micro * 1000).expect("below a second"))
}

pub fn sequence() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        0..300_u32,
        select(vec![0x7f, 0x80, 0x7fff, 0x8000, 0x7f_ffff, 0x80_0000, 0x7fff_ffff, 0x8000_0000, u32::MAX])
    ]
}

fn generalized_time() -> impl Strategy<Value = GeneralizedTime<'static>> {
    time().prop_map(|time| GeneralizedTime::from_unix(time).expect("a year of four digits"))
}

fn micro_second_time_stamp() -> impl Strategy<Value = MicroSecondTimeStamp> {
    (any::<u64>(), 0..1_000_000_u32)
        .prop_map(|(seconds, micro_seconds)| MicroSecondTimeStamp { seconds, micro_seconds })
}

/// An enumeration: the numbers with a meaning, or any where `meaningless` is set.
fn number(meaningless: bool, known: std::ops::RangeInclusive<i64>) -> BoxedStrategy<i64> {
    if meaningless { prop_oneof![any::<i64>(), -200..200_i64, known].boxed() } else { known.boxed() }
}

/// Elements that have no meaning in a type whose fields are below 30.
fn others(wanted: bool) -> BoxedStrategy<Vec<RawElement<'static>>> {
    if !wanted {
        return Just(Vec::new()).boxed();
    }
    let elements = vec(
        select(vec![&b"\x9f\x28\x01\x2a"[..], b"\xbf\x29\x02\x80\x00", b"\xbf\x2a\x80\x04\x01\x07\x00\x00"]),
        0..=3,
    );
    elements
        .prop_map(|mut elements| {
            elements.sort_unstable();
            elements.dedup();
            elements.into_iter().map(|element| RawElement::parse(element).expect("one element")).collect()
        })
        .boxed()
}

fn ip_address(wild: bool) -> impl Strategy<Value = IpAddress<'static>> {
    let value = prop_oneof![
        octets(4..=4).prop_map(IpValue::Binary),
        octets(16..=16).prop_map(IpValue::Binary),
        Just(IpValue::Text("192.0.2.1/24".into())),
    ];
    let numbers = (number(wild, 0..=1), option::of(number(wild, 1..=3)), option::of(1..=128_u32));
    (numbers, value, option::of(any::<[u8; 4]>()), option::of(any::<bool>()), others(wild)).prop_map(
        |((ip_type, assignment, ipv6_prefix_length), value, ipv4_subnet_mask, nat_translated, others)| IpAddress {
            ip_type: IpType::from_number(ip_type),
            value,
            assignment: assignment.map(IpAssignment::from_number),
            ipv6_prefix_length,
            ipv4_subnet_mask,
            nat_translated,
            others,
        },
    )
}

fn ip_iri(wild: bool) -> impl Strategy<Value = IpIri<'static>> {
    let text = |length_max: usize| {
        option::of(
            "[a-z]{1,20}".prop_map(move |text: String| Octets::from(text[..text.len().min(length_max)].to_owned())),
        )
    };
    let mandatory = (any::<u8>(), number(wild, 0..=10), octets(0..40), number(wild, 0..=9), number(wild, 1..=3));
    let addresses = (option::of(ip_address(wild)), option::of(ip_address(wild)), vec(ip_address(wild), 0..3));
    let texts = (text(20), text(128), text(64), text(20), option::of(octets(0..200)));
    let numbers = (
        option::of(any::<u32>()),
        option::of(any::<u64>()),
        option::of(any::<u64>()),
        option::of(number(wild, 0..=4)),
        option::of(number(wild, 0..=4)),
    );
    let times = (option::of(generalized_time()), option::of(generalized_time()), option::of(generalized_time()));
    (mandatory, addresses, texts, numbers, times, others(wild)).prop_map(
        |(mandatory, addresses, texts, numbers, times, others)| {
            let (version, event, username, access, ip_version) = mandatory;
            IpIri {
                target_ip_address: addresses.0,
                target_network_id: texts.0,
                target_cpe_id: texts.1,
                target_location: texts.2,
                pop_port_number: numbers.0,
                call_back_number: texts.3,
                start_time: times.0,
                end_time: times.1,
                end_reason: numbers.3.map(EndReason::from_number),
                octets_received: numbers.1,
                octets_transmitted: numbers.2,
                raw_aaa_data: texts.4,
                expected_end_time: times.2,
                additional_ip_address: addresses.1,
                authentication_type: numbers.4.map(AuthenticationType::from_number),
                other_target_identifiers: addresses.2.into_iter().map(OtherTargetIdentifier::IpAddress).collect(),
                others,
                ..IpIri::new(
                    RelativeOid::ip_iri(version),
                    AccessEventType::from_number(event),
                    username,
                    InternetAccessType::from_number(access),
                    IpVersion::from_number(ip_version),
                )
            }
        },
    )
}

fn packet_report(wild: bool) -> impl Strategy<Value = PacketReport<'static>> {
    let report = prop_oneof![
        (octets(0..200), others(wild)).prop_map(|(header, others)| PacketReportContents::Header { header, others }),
        (
            (octets(0..200), any::<u32>(), number(wild, 1..=10), others(wild)),
            (option::of(any::<u64>()), option::of(any::<u64>())),
            (option::of(generalized_time()), option::of(generalized_time())),
        )
            .prop_map(|((header, indications, trigger, others), (packet_count, byte_count), (first, last))| {
                PacketReportContents::Summary {
                    header,
                    indications: Indications(indications),
                    trigger: PacketReportTrigger::from_number(trigger),
                    packet_count,
                    byte_count,
                    first,
                    last,
                    others,
                }
            }),
    ];
    (any::<u8>(), report, others(wild)).prop_map(|(version, report, others)| PacketReport {
        object_id: RelativeOid::ip_iri_packet_report(version),
        report,
        others,
    })
}

fn ipmm_iri(wild: bool) -> impl Strategy<Value = IpmmIri<'static>> {
    let sip = || {
        (ip_address(wild), ip_address(wild), octets(0..400), others(wild))
            .prop_map(|(source, destination, content, others)| SipMessage { source, destination, content, others })
    };
    let contents = prop_oneof![
        octets(0..400).prop_map(IpmmIriContents::Original),
        sip().prop_map(IpmmIriContents::Sip),
        octets(0..400).prop_map(IpmmIriContents::Xcap),
        octets(0..400).prop_map(IpmmIriContents::IriOnlyOriginal),
        sip().prop_map(IpmmIriContents::IriOnlySip),
        octets(0..400).prop_map(IpmmIriContents::IriOnlyRtp),
    ];
    (contents, others(wild)).prop_map(|(contents, others)| IpmmIri {
        object_id: RelativeOid::ipmm_iri(17),
        contents,
        others,
    })
}

fn iri_payload(wild: bool) -> impl Strategy<Value = IriPayload<'static>> {
    let contents = prop_oneof![
        ip_iri(wild).prop_map(|iri| IriContents::IpIri(Box::new(iri))),
        ipmm_iri(wild).prop_map(IriContents::IpmmIri),
        packet_report(wild).prop_map(IriContents::PacketReport),
    ];
    let stamps =
        (option::of(generalized_time()), option::of(micro_second_time_stamp()), option::of(number(wild, 0..=3)));
    let directions = (option::of(number(wild, 0..=4)), option::of(number(wild, 0..=4)));
    (option::of(number(wild, 1..=4)), contents, stamps, directions, others(wild)).prop_map(
        |(iri_type, contents, stamps, directions, others)| IriPayload {
            iri_type: iri_type.map(IriType::from_number),
            time_stamp: stamps.0,
            contents,
            micro_second_time_stamp: stamps.1,
            time_stamp_qualifier: stamps.2.map(TimeStampQualifier::from_number),
            session_direction: directions.0.map(PayloadDirection::from_number),
            payload_direction: directions.1.map(PayloadDirection::from_number),
            others,
        },
    )
}

fn cc_payload(wild: bool) -> impl Strategy<Value = CcPayload<'static>> {
    let ip_cc = prop_oneof![
        content().prop_map(|packet| IpCcContents::Packets(packet.into())),
        (content(), option::of(any::<u64>()), others(wild)).prop_map(|(packet, original_length, others)| {
            IpCcContents::Truncated { packet: packet.into(), original_length, others }
        }),
    ];
    let ipmm_cc = (
        (octets(0..400), option::of(octets(0..30))),
        option::of(number(wild, 0..=7)),
        option::of(number(wild, 0..=2)),
        others(wild),
    )
        .prop_map(|((contents, stream_identifier), frame_type, protocol, others)| IpmmCc {
            object_id: RelativeOid::ipmm_cc(17),
            contents,
            frame_type: frame_type.map(FrameType::from_number),
            stream_identifier,
            protocol: protocol.map(MediaProtocol::from_number),
            others,
        });
    let contents = prop_oneof![
        (any::<u8>(), ip_cc).prop_map(|(version, contents)| CcContents::IpCc(IpCc {
            object_id: RelativeOid::ip_cc(version),
            contents
        })),
        ipmm_cc.prop_map(CcContents::IpmmCc),
    ];
    let stamps =
        (option::of(generalized_time()), option::of(micro_second_time_stamp()), option::of(number(wild, 0..=3)));
    (option::of(number(wild, 0..=4)), contents, stamps, others(wild)).prop_map(
        |(direction, contents, stamps, others)| CcPayload {
            direction: direction.map(PayloadDirection::from_number),
            time_stamp: stamps.0,
            contents,
            micro_second_time_stamp: stamps.1,
            time_stamp_qualifier: stamps.2.map(TimeStampQualifier::from_number),
            others,
        },
    )
}

fn integrity_check(wild: bool) -> impl Strategy<Value = IntegrityCheck<'static>> {
    let algorithms = (option::of(number(wild, 1..=4)), option::of(number(wild, 1..=3)));
    (
        vec(sequence(), 0..20),
        number(wild, 1..=2),
        option::of(number(wild, 1..=3)),
        octets(0..140),
        algorithms,
        others(wild),
    )
        .prop_map(|(included_sequence_numbers, check_type, data_type, check_value, (hash, signature), others)| {
            IntegrityCheck {
                included_sequence_numbers,
                check_type: CheckType::from_number(check_type),
                data_type: data_type.map(DataType::from_number),
                check_value,
                hash_algorithm: hash.map(HashAlgorithm::from_number),
                signature_algorithm: signature.map(SignatureAlgorithm::from_number),
                others,
            }
        })
}

fn tri(wild: bool) -> impl Strategy<Value = Tri<'static>> {
    let options = || vec(Just(DeliveryOption::PduAcknowledgement), 0..3);
    prop_oneof![
        select(vec![
            Tri::TestPdu,
            Tri::KeepAlive,
            Tri::KeepAliveResponse,
            Tri::FirstSegment,
            Tri::LastSegment,
            Tri::CinReset,
            Tri::OptionComplete,
            Tri::PduAcknowledgementRequest,
            Tri::PduAcknowledgementResponse,
        ]),
        integrity_check(wild).prop_map(Tri::IntegrityCheck),
        octets(0..300).prop_map(Tri::PaddingPdu),
        (number(wild, 1..=2), octets(1..=255), others(wild)).prop_map(|(priority, message, others)| {
            Tri::OperatorLeaMessage(OperatorLeaMessage {
                priority: MessagePriority::from_number(priority),
                message,
                others,
            })
        }),
        (options(), others(wild))
            .prop_map(|(requested, others)| Tri::OptionRequest(OptionRequest { requested, others })),
        (options(), options(), others(wild)).prop_map(|(accepted, declined, others)| Tri::OptionResponse(
            OptionResponse { accepted, declined, others }
        )),
    ]
}

fn hi1(wild: bool) -> impl Strategy<Value = Hi1Operation<'static>> {
    let time_stamp = || {
        prop_oneof![
            (generalized_time(), number(wild, 0..=2))
                .prop_map(|(time, season)| Hi1TimeStamp::Local { time, season: SeasonIndication::from_number(season) }),
            Just(Hi1TimeStamp::Utc(UtcTime("231114221320Z".into()))),
        ]
    };
    let communication = || {
        option::of((option::of(octets(1..=8)), octets(1..=5), others(wild), others(wild)).prop_map(
            |(communication_identity_number, operator, network_others, others)| Hi1CommunicationIdentifier {
                communication_identity_number,
                operator,
                network_others,
                others,
            },
        ))
    };
    let domain_id = || option::of(Just(Notification::DOMAIN_ID));
    let notification =
        (domain_id(), octets(1..=25), communication(), time_stamp(), option::of(octets(1..=256)), others(wild))
            .prop_map(|(domain_id, liid, communication, time_stamp, target_information, others)| Notification {
                domain_id,
                lawful_interception_identifier: liid,
                communication,
                time_stamp,
                target_information,
                others,
            });
    let alarm = (domain_id(), communication(), time_stamp(), octets(1..=256), option::of(octets(1..=25)), others(wild))
        .prop_map(|(domain_id, communication, time_stamp, alarm_information, liid, others)| AlarmIndicator {
            domain_id,
            communication,
            time_stamp,
            alarm_information,
            lawful_interception_identifier: liid,
            others,
        });
    prop_oneof![
        (notification, select(vec![Hi1Operation::Activated, Hi1Operation::Deactivated, Hi1Operation::Modified]))
            .prop_map(|(notification, operation)| operation(notification)),
        alarm.prop_map(Hi1Operation::Alarm),
    ]
}

fn payload(wild: bool) -> impl Strategy<Value = Payload<'static>> {
    let container = (number(wild, 1..=7), octets(0..300), option::of(number(wild, 1..=8)), others(wild)).prop_map(
        |(encryption_type, encrypted_payload, payload_type, others)| EncryptionContainer {
            encryption_type: EncryptionType::from_number(encryption_type),
            encrypted_payload,
            payload_type: payload_type.map(EncryptedPayloadType::from_number),
            others,
        },
    );
    prop_oneof![
        vec(iri_payload(wild), 0..3).prop_map(Payload::Iri),
        vec(cc_payload(wild), 0..3).prop_map(Payload::Cc),
        tri(wild).prop_map(Payload::Tri),
        hi1(wild).prop_map(Payload::Hi1),
        container.prop_map(Payload::Encrypted),
    ]
}

fn header(wild: bool) -> impl Strategy<Value = PsHeader<'static>> {
    let country = || option::of("[A-Z]{2}".prop_map(Octets::from));
    let network = (octets(1..=16), option::of(octets(1..=16)), others(wild))
        .prop_map(|(operator, network_element, others)| NetworkIdentifier { operator, network_element, others });
    let communication = (network, option::of(sequence().prop_map(Cin)), country(), others(wild)).prop_map(
        |(network, cin, delivery_country, others)| CommunicationIdentifier { network, cin, delivery_country, others },
    );
    let points =
        (option::of("[A-Za-z0-9]{1,8}".prop_map(Octets::from)), option::of(octets(1..300)), option::of(octets(1..300)));
    let stamps =
        (option::of(generalized_time()), option::of(micro_second_time_stamp()), option::of(number(wild, 0..=3)));
    let domain = prop_oneof![Just(40), 0..200_u32, any::<u32>()].prop_map(|version| Domain::LiPs { version });
    ((domain, octets(1..=25), country()), communication, sequence(), points, stamps, others(wild)).prop_map(
        |((domain, liid, authorization_country), communication, sequence, points, stamps, others)| PsHeader {
            domain,
            lawful_interception_identifier: liid,
            authorization_country,
            communication,
            sequence,
            time_stamp: stamps.0,
            interception_point: points.0,
            micro_second_time_stamp: stamps.1,
            time_stamp_qualifier: stamps.2.map(TimeStampQualifier::from_number),
            extended_interception_point: points.1,
            network_function: points.2,
            others,
        },
    )
}

/// Any PS-PDU of the kinds with a type; `wild` ones hold numbers and fields without a meaning too.
pub fn ps_pdu(wild: bool) -> impl Strategy<Value = PsPdu<'static>> {
    (header(wild), payload(wild)).prop_map(|(header, payload)| PsPdu { header, payload })
}
