//! X2/X3 PDUs: what holds for every value and every input.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use proptest::{collection::vec, option, prelude::*};
use writ_handover::{
    EncodeError,
    ids::{NetworkFunctionId, PointOfInterceptionId, Xid},
    time::UnixTime,
    x2x3::*,
};

/// An attribute that owns its value.
#[derive(Debug, Clone)]
enum Owned {
    Octets(u16, Vec<u8>),
    Text(u16, String),
    Fixed(Attribute<'static>),
}

impl Owned {
    fn borrow(&self) -> Attribute<'_> {
        match self {
            Self::Octets(1, value) => Attribute::Ts102232(value),
            Self::Octets(2, value) => Attribute::Ts33128(value),
            Self::Octets(3, value) => Attribute::Ts33108(value),
            Self::Octets(4, value) => Attribute::Proprietary(value),
            Self::Octets(5, value) => Attribute::DomainId(value),
            Self::Octets(6, value) => Attribute::NetworkFunctionId(value),
            Self::Octets(7, value) => Attribute::PointOfInterceptionId(value),
            Self::Octets(21, value) => Attribute::AdditionalXidInformation(value),
            Self::Octets(number, value) => Attribute::Other { number: *number, value },
            Self::Text(17, text) => Attribute::MatchedTarget(text),
            Self::Text(18, text) => Attribute::OtherTarget(text),
            Self::Text(19, text) => Attribute::MimeContentType(text),
            Self::Text(20, text) => Attribute::MimeTransferEncoding(text),
            Self::Text(_, text) => Attribute::SessionDescription(text),
            Self::Fixed(attribute) => *attribute,
        }
    }
}

fn time() -> impl Strategy<Value = UnixTime> {
    (any::<u32>(), 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanoseconds)| UnixTime::new(seconds.into(), nanoseconds).unwrap())
}

fn attribute() -> impl Strategy<Value = Owned> {
    let number = prop_oneof![1..=7_u16, Just(21), 23..100_u16, Just(0), Just(u16::MAX)];
    prop_oneof![
        (number, vec(any::<u8>(), 0..300)).prop_map(|(number, value)| Owned::Octets(number, value)),
        (17..=22_u16, ".{0,40}")
            .prop_filter_map("21 is no text", |(number, text)| (number != 21).then_some(Owned::Text(number, text))),
        any::<u32>().prop_map(|sequence| Owned::Fixed(Attribute::SequenceNumber(sequence))),
        time().prop_map(|time| Owned::Fixed(Attribute::Timestamp(time))),
        any::<[u8; 4]>().prop_map(|address| Owned::Fixed(Attribute::SourceIpv4(address.into()))),
        any::<[u8; 4]>().prop_map(|address| Owned::Fixed(Attribute::DestinationIpv4(address.into()))),
        any::<[u8; 16]>().prop_map(|address| Owned::Fixed(Attribute::SourceIpv6(address.into()))),
        any::<[u8; 16]>().prop_map(|address| Owned::Fixed(Attribute::DestinationIpv6(address.into()))),
        any::<u16>().prop_map(|port| Owned::Fixed(Attribute::SourcePort(port))),
        any::<u16>().prop_map(|port| Owned::Fixed(Attribute::DestinationPort(port))),
        any::<u8>().prop_map(|protocol| Owned::Fixed(Attribute::IpProtocol(protocol))),
    ]
}

fn head() -> impl Strategy<Value = Head> {
    let numbers = (
        any::<u8>(),
        prop_oneof![0..6_u16, any::<u16>()],
        prop_oneof![0..20_u16, any::<u16>()],
        prop_oneof![0..7_u16, any::<u16>()],
    );
    (numbers, any::<[u8; 16]>(), any::<u64>()).prop_map(
        |((minor, pdu_type, format, direction), xid, correlation_id)| Head {
            version: Version { major: 0, minor },
            pdu_type: PduType::from_number(pdu_type),
            payload_format: PayloadFormat::from_number(format),
            payload_direction: PayloadDirection::from_number(direction),
            xid: Xid(xid),
            correlation_id,
        },
    )
}

fn encoded(head: &Head, attributes: &[Owned], payload: &[u8]) -> Vec<u8> {
    let attributes: Vec<_> = attributes.iter().map(Owned::borrow).collect();
    let mut out = vec![0; encoded_length(&attributes, payload).unwrap()];
    assert_eq!(encode(&mut out, head, &attributes, payload), Ok(out.len()));
    out
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        head in head(), attributes in vec(attribute(), 0..12), payload in vec(any::<u8>(), 0..1600), after in vec(any::<u8>(), 0..50),
    ) {
        let mut octets = encoded(&head, &attributes, &payload);
        let expected = octets.len();
        octets.extend_from_slice(&after);
        let (pdu, length) = decode(&octets, &Limits::default()).unwrap().unwrap();
        prop_assert_eq!(length, expected);
        let read = Head {
            version: pdu.header.version,
            pdu_type: pdu.header.pdu_type,
            payload_format: pdu.header.payload_format,
            payload_direction: pdu.header.payload_direction,
            xid: pdu.header.xid,
            correlation_id: pdu.header.correlation_id,
        };
        prop_assert_eq!(read, head);
        prop_assert_eq!(pdu.attributes().collect::<Vec<_>>(), attributes.iter().map(Owned::borrow).collect::<Vec<_>>());
        prop_assert_eq!(pdu.payload, &payload[..]);
    }

    #[test]
    fn a_pdu_is_waited_for_to_its_end(
        head in head(), attributes in vec(attribute(), 0..12), payload in vec(any::<u8>(), 0..300), cut in any::<prop::sample::Index>(),
    ) {
        let octets = encoded(&head, &attributes, &payload);
        prop_assert_eq!(decode(&octets[..cut.index(octets.len())], &Limits::default()), Ok(None));
    }

    #[test]
    fn template_writes_what_encode_writes(
        head in head(),
        ids in (option::of(vec(any::<u8>(), 0..30)), option::of("[ -~]{1,128}"), option::of("[ -~]{1,128}")),
        sequence in any::<u32>(),
        time in time(),
        v6 in any::<bool>(),
        flow in option::of((any::<[u8; 16]>(), any::<[u8; 16]>(), option::of((any::<u16>(), any::<u16>())), option::of(any::<u8>()))),
        targets in vec(vec("<[a-z]{1,30}>", 0..3), 0..3),
        payload in vec(any::<u8>(), 0..1600),
    ) {
        let network_function = ids.1.as_ref().map(|text| NetworkFunctionId::parse(text).unwrap());
        let point_of_interception = ids.2.as_ref().map(|text| PointOfInterceptionId::parse(text).unwrap());
        let template = Template::new(&TemplateParameters {
            version: head.version,
            pdu_type: head.pdu_type,
            xid: head.xid,
            correlation_id: head.correlation_id,
            domain_id: ids.0.as_deref(),
            network_function: network_function.as_ref(),
            point_of_interception: point_of_interception.as_ref(),
        }).unwrap();

        let mut attributes = Vec::new();
        attributes.extend(ids.0.as_deref().map(Attribute::DomainId));
        attributes.extend(ids.1.as_ref().map(|text| Attribute::NetworkFunctionId(text.as_bytes())));
        attributes.extend(ids.2.as_ref().map(|text| Attribute::PointOfInterceptionId(text.as_bytes())));
        attributes.extend([Attribute::SequenceNumber(sequence), Attribute::Timestamp(time)]);
        let flow = flow.map(|(source, destination, ports, protocol)| {
            let first = |octets: [u8; 16]| [octets[0], octets[1], octets[2], octets[3]];
            let addresses = if v6 {
                attributes.extend([Attribute::SourceIpv6(source.into()), Attribute::DestinationIpv6(destination.into())]);
                Addresses::V6 { source, destination }
            } else {
                let (source, destination) = (first(source), first(destination));
                attributes.extend([Attribute::SourceIpv4(source.into()), Attribute::DestinationIpv4(destination.into())]);
                Addresses::V4 { source, destination }
            };
            let ports = ports.map(|(source, destination)| {
                attributes.extend([Attribute::SourcePort(source), Attribute::DestinationPort(destination)]);
                Ports { source, destination }
            });
            attributes.extend(protocol.map(Attribute::IpProtocol));
            Flow { addresses, ports, protocol }
        });
        attributes.extend(targets.iter().flatten().map(|text| Attribute::MatchedTarget(text)));
        let blocks: Vec<_> = targets
            .iter()
            .map(|texts| AttributeBlock::new(&texts.iter().map(|text| Attribute::MatchedTarget(text)).collect::<Vec<_>>()).unwrap())
            .collect();
        let blocks: Vec<_> = blocks.iter().collect();
        let packet = Packet {
            format: head.payload_format,
            direction: head.payload_direction,
            sequence,
            time,
            flow,
            blocks: &blocks,
            payload: &payload,
        };

        let mut expected = vec![0; encoded_length(&attributes, &payload).unwrap()];
        prop_assert_eq!(encode(&mut expected, &head, &attributes, &payload), Ok(expected.len()));
        prop_assert_eq!(template.encoded_length(&packet), expected.len());
        let mut out = vec![0xee; expected.len() + 3];
        prop_assert_eq!(template.encode(&mut out, &packet), Ok(expected.len()));
        prop_assert_eq!(&out[..expected.len()], &expected[..]);
        prop_assert_eq!(&out[expected.len()..], &[0xee; 3]);
        nothing_is_written_without_room(&template, &packet, expected.len())?;
    }
}

fn nothing_is_written_without_room(
    template: &Template,
    packet: &Packet<'_>,
    needed: usize,
) -> Result<(), TestCaseError> {
    let mut short = vec![0xee; needed - 1];
    prop_assert_eq!(template.encode(&mut short, packet), Err(EncodeError::NoRoom { needed }));
    prop_assert!(short.iter().all(|&octet| octet == 0xee));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_octets_are_read_or_refused(octets in vec(any::<u8>(), 0..400)) {
        if let Err(error) = decode(&octets, &Limits::default()) {
            prop_assert!(error.offset <= octets.len());
        }
    }

    #[test]
    fn damaged_pdus_are_read_or_refused(
        head in head(), attributes in vec(attribute(), 0..12), payload in vec(any::<u8>(), 0..100),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut octets = encoded(&head, &attributes, &payload);
        for (at, value) in damage {
            let at = at.index(octets.len());
            octets[at] ^= value;
        }
        match decode(&octets, &Limits::default()) {
            Ok(Some((pdu, length))) => {
                // Every octet of the header is accounted for.
                let attributes: Vec<_> = pdu.attributes().collect();
                prop_assert_eq!(encoded_length(&attributes, pdu.payload), Ok(length));
            }
            Ok(None) => {}
            Err(error) => {
                prop_assert!(error.offset <= octets.len());
                prop_assert!(error.pdu_length.is_none_or(|length| length <= octets.len()));
            }
        }
    }
}
