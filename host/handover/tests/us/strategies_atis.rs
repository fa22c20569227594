//! ATIS-1000013 values of any shape.

#![allow(unreachable_pub, reason = "a module of test binaries")]

use crate::strategies::{sequence, time, visible};
use proptest::{collection::vec, option, prelude::*};
use writ_handover::us::{Integer, OctetString, Utf8String, unverified_atis1000013::*};

fn utf8() -> impl Strategy<Value = Utf8String<'static>> {
    "[a-zé€ ]{0,140}".prop_map(Utf8String::from)
}

fn octets<const MIN: usize, const MAX: usize>(
    length: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = OctetString<'static, MIN, MAX>> {
    vec(any::<u8>(), length).prop_map(OctetString::from)
}

fn any_value() -> BoxedStrategy<AnyValue<'static>> {
    prop_oneof![
        visible::<0, 20>().prop_map(|text| AnyValue::Visible(text.0.into())),
        utf8().prop_map(AnyValue::Utf8),
        (0..=i64::MAX as u64).prop_map(|number| AnyValue::Integer(Integer(number))),
        octets(0..=150).prop_map(AnyValue::Octets),
        "[0-9 ]{0,20}".prop_map(|digits| AnyValue::Numeric(NumericString(digits.into()))),
    ]
    .boxed()
}

pub fn content_identifier(wild: bool) -> BoxedStrategy<ContentIdentifier<'static>> {
    let name = || "[a-z]{0,30}".prop_map(Utf8String::from);
    let call = sequence!(CallIdentity wild { main: name(), leg: option::of(name()) });
    prop_oneof![octets(1..=64).prop_map(ContentIdentifier::Correlation), call.prop_map(ContentIdentifier::Call)].boxed()
}

fn allocation() -> impl Strategy<Value = AllocationMethod<'static>> {
    prop_oneof![
        Just(AllocationMethod::Static),
        Just(AllocationMethod::Dynamic),
        Just(AllocationMethod::Unknown),
        Just(AllocationMethod::NotApplicable),
    ]
}

fn assignment(wild: bool) -> BoxedStrategy<IpAssignment<'static>> {
    let address = prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| IpAddress::V4(octets.to_vec().into())),
        any::<[u8; 16]>().prop_map(|octets| IpAddress::V6(octets.to_vec().into())),
    ];
    sequence!(IpAssignment wild {
        address: address,
        allocation: allocation(),
        flow_label: option::of(utf8()),
        prefix_length: option::of((0..=128_u64).prop_map(Integer)),
    })
    .boxed()
}

fn location(wild: bool) -> impl Strategy<Value = Location<'static>> {
    sequence!(Location wild { location_type: utf8(), location: utf8() })
}

fn delivery(wild: bool) -> BoxedStrategy<DeliveryInformation<'static>> {
    let address = sequence!(CcAddress wild {
        address: any::<std::net::IpAddr>().prop_map(IpAddress::from),
        port: any::<u16>().prop_map(|port| port.to_string().into()),
    });
    let format = prop_oneof![
        Just(DeliveryFormat::ScteDatagram),
        Just(DeliveryFormat::Asn1(CMCC)),
        Just(DeliveryFormat::IasDatagram),
    ];
    sequence!(DeliveryInformation wild {
        content_identifier: content_identifier(wild),
        delivery_identifier: address.prop_map(DeliveryIdentifier::Address),
        format: format,
    })
    .boxed()
}

fn access_method(wild: bool) -> BoxedStrategy<Option<AccessMethod<'static>>> {
    let access_type = prop_oneof![
        Just(AccessType::DialUp),
        Just(AccessType::Dsl),
        Just(AccessType::Lan),
        Just(AccessType::Cable),
        Just(AccessType::WiFi),
        Just(AccessType::WiMax),
        utf8().prop_map(AccessType::Named),
    ];
    option::of(sequence!(AccessMethod wild {
        access_type: access_type,
        equipment_id: option::of(utf8()),
        part_of_multiple_login: option::of(Just(())),
    }))
    .boxed()
}

/// A message out of strategies for the fields that not all messages have.
macro_rules! message {
    ($type:ident $wild:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        sequence!($type $wild {
            case_id: visible(), iap_system_id: visible(), timestamp: time(), $($field: $strategy),*
        })
    };
}

fn access(wild: bool) -> BoxedStrategy<IasMessage<'static>> {
    prop_oneof![
        message!(AccessAttempt wild {
            subscriber_identity: any_value(), access_method: access_method(wild),
            network_access_node: option::of(any_value()),
        })
        .prop_map(|message| IasMessage::AccessAttempt(message.into())),
        message!(AccessAccepted wild {
            subscriber_identity: any_value(), access_method: access_method(wild),
            network_access_node: option::of(any_value()), ip_address: option::of(assignment(wild)),
            access_session_id: any_value(), characteristics: option::of(any_value()),
            location: option::of(location(wild)),
        })
        .prop_map(|message| IasMessage::AccessAccepted(message.into())),
        message!(AccessFailed wild {
            subscriber_identity: any_value(), ip_address: option::of(assignment(wild)),
            reason: option::of(any_value()),
        })
        .prop_map(|message| IasMessage::AccessFailed(message.into())),
        message!(AccessRejected wild {
            subscriber_identity: any_value(), ip_address: option::of(assignment(wild)),
            reason: option::of(any_value()),
        })
        .prop_map(|message| IasMessage::AccessRejected(message.into())),
        message!(AccessSessionEnd wild {
            subscriber_identity: any_value(), ip_address: option::of(assignment(wild)),
            access_session_id: any_value(), reason: option::of(any_value()),
        })
        .prop_map(|message| IasMessage::AccessSessionEnd(message.into())),
    ]
    .boxed()
}

fn session(wild: bool) -> BoxedStrategy<IasMessage<'static>> {
    let established = message!(SessionEstablished wild {
        subscriber_identity: any_value(), access_session_id: option::of(any_value()),
        packet_data_session_id: any_value(), ip_address: assignment(wild), characteristics: option::of(any_value()),
        location: option::of(location(wild)), delivery_information: option::of(delivery(wild)),
    });
    prop_oneof![
        (established, any::<bool>()).prop_map(|(message, is_new)| match is_new {
            true => IasMessage::SessionStart(message.into()),
            false => IasMessage::SessionAlreadyEstablished(message.into()),
        }),
        message!(SessionFailed wild {
            subscriber_identity: any_value(), access_session_id: option::of(any_value()),
            reason: option::of(any_value()),
        })
        .prop_map(|message| IasMessage::SessionFailed(message.into())),
        message!(SessionEnd wild {
            subscriber_identity: any_value(), access_session_id: option::of(any_value()),
            packet_data_session_id: any_value(), ip_address: assignment(wild), reason: option::of(any_value()),
        })
        .prop_map(|message| IasMessage::SessionEnd(message.into())),
    ]
    .boxed()
}

fn reports(wild: bool) -> BoxedStrategy<IasMessage<'static>> {
    let port = || option::of(any::<u16>().prop_map(|port| PortNumber::from(port.to_string())));
    let header_set = sequence!(HeaderSet wild {
        stream_id: any_value(), source: assignment(wild), destination: assignment(wild), source_port: port(),
        destination_port: port(),
    });
    let stream_set = sequence!(StreamSet wild {
        stream_id: any_value(), source: assignment(wild), destination: assignment(wild),
        packet_count: (0..=i64::MAX as u64).prop_map(Integer), source_port: port(), destination_port: port(),
    });
    prop_oneof![
        message!(HeaderReport wild { content_identifier: content_identifier(wild), header_set: header_set })
            .prop_map(|message| IasMessage::HeaderReport(message.into())),
        message!(SummaryReport wild { content_identifier: content_identifier(wild), stream_set: stream_set })
            .prop_map(|message| IasMessage::SummaryReport(message.into())),
    ]
    .boxed()
}

/// Any identifying PDU; `wild` ones hold fields without a meaning too.
pub fn ias_protocol(wild: bool) -> impl Strategy<Value = IasProtocol<'static>> {
    let message = prop_oneof![access(wild), session(wild), reports(wild)];
    sequence!(IasProtocol wild { protocol_identifier: Just(CMII), message: message })
}

/// Any optional PDU about a surveillance.
pub fn ias_optional_protocol(wild: bool) -> impl Strategy<Value = IasOptionalProtocol<'static>> {
    let arms = [
        IasOptionalMessage::Activation,
        IasOptionalMessage::Continuation,
        IasOptionalMessage::Change,
        IasOptionalMessage::Deactivation,
    ];
    let message = message!(Surveillance wild { status: utf8() });
    let message = (message, proptest::sample::select(arms.to_vec())).prop_map(|(message, arm)| arm(message));
    sequence!(IasOptionalProtocol wild { protocol_identifier: Just(CMII), message: message })
}

/// What content is known by.
pub fn correlation(wild: bool) -> impl Strategy<Value = CorrelationInfo<'static>> {
    sequence!(CorrelationInfo wild {
        case_id: option::of(visible()),
        iap_system_id: option::of(visible()),
        content_identifier: content_identifier(wild),
    })
}

/// Any PDU of content.
pub fn ias_cc_apdu(wild: bool) -> impl Strategy<Value = IasCcApdu<'static>> {
    let direction = prop_oneof![Just(PacketDirection::FromSubject), Just(PacketDirection::ToSubject)];
    let header = sequence!(CcDeliveryHeader wild {
        correlation: correlation(wild),
        time_stamp: option::of(time()),
        direction: option::of(direction),
        sequence_number: option::of((0..=i64::MAX as u64).prop_map(Integer)),
    });
    sequence!(IasCcApdu wild { header: option::of(header), payload: octets(0..=400) })
}
