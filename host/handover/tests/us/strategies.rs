//! Values of any shape.

#![allow(unreachable_pub, reason = "a module of test binaries")]

use proptest::{collection::vec, option, prelude::*, sample::select};
use writ_handover::{
    pspdu::{GeneralizedTime, RawElement},
    time::UnixTime,
    us::{Integer, VisibleString, pcesp::*},
};

pub fn visible<const MIN: usize, const MAX: usize>() -> BoxedStrategy<VisibleString<'static, MIN, MAX>> {
    vec(b' '..=b'~', MIN..=MAX).prop_map(|octets| octets.into()).boxed()
}

pub fn time() -> impl Strategy<Value = GeneralizedTime<'static>> {
    (any::<u32>(), prop_oneof![Just(0), 0..1_000_000_u32]).prop_map(|(seconds, micro)| {
        let time = UnixTime::new(seconds.into(), micro * 1000).expect("below a second");
        GeneralizedTime::from_unix(time).expect("a year of four digits")
    })
}

/// Elements that have no meaning in any type, in the order of their tags.
pub fn others(wild: bool) -> BoxedStrategy<Vec<RawElement<'static>>> {
    if !wild {
        return Just(Vec::new()).boxed();
    }
    let elements = [&b"\x9f\x28\x01\x2a"[..], b"\xbf\x29\x02\x80\x00", b"\xbf\x2a\x80\x04\x01\x07\x00\x00"];
    let element = |octets: &'static [u8]| RawElement::parse(octets).expect("one element");
    proptest::sample::subsequence(elements.map(element).to_vec(), 0..=3).boxed()
}

/// A number of an enumeration; one without a meaning where `wild`.
fn number(wild: bool, known: std::ops::RangeInclusive<i64>) -> BoxedStrategy<i64> {
    if wild { prop_oneof![any::<i64>(), known].boxed() } else { known.boxed() }
}

fn sdp() -> impl Strategy<Value = Option<Sdp<'static>>> {
    option::of(prop_oneof!["[a-zé€=\r\n]{0,300}", Just("v=0\r\n".to_owned())].prop_map(Sdp::from))
}

/// A SEQUENCE out of strategies for its fields.
macro_rules! sequence {
    ($type:ident $wild:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        ($($strategy,)* $crate::strategies::others($wild)).prop_map(|($($field,)* others)| $type { $($field,)* others })
    };
}

pub(crate) use sequence;

fn call_id(wild: bool) -> impl Strategy<Value = CallId<'static>> {
    sequence!(CallId wild { sequence_number: visible(), system_identity: visible() })
}

fn party(wild: bool) -> impl Strategy<Value = PartyId<'static>> {
    sequence!(PartyId wild {
        directory_number: option::of(visible()),
        user_provided: option::of(visible()),
        ip_address: option::of(visible()),
        trunk_id: option::of(visible()),
        generic_address: option::of(visible()),
        generic_digits: option::of(visible()),
        generic_name: option::of(visible()),
        port: option::of(visible()),
        context: option::of(visible()),
    })
}

fn ccc_id(wild: bool) -> BoxedStrategy<CccIdentifier<'static>> {
    let pair = sequence!(CccPair wild { transmit: visible(), receive: visible() });
    let known = prop_oneof![visible().prop_map(CccIdentifier::Combined), pair.prop_map(CccIdentifier::Separate)];
    if wild {
        let other = RawElement::parse(b"\x87\x01\x00").expect("one element");
        prop_oneof![4 => known, 1 => Just(CccIdentifier::Other(other))].boxed()
    } else {
        known.boxed()
    }
}

fn redirected_from(wild: bool) -> impl Strategy<Value = RedirectedFromInfo<'static>> {
    sequence!(RedirectedFromInfo wild {
        last_redirecting: option::of(party(wild)),
        original_called: option::of(party(wild)),
        redirections: option::of((1..=100_u64).prop_map(Integer)),
    })
}

fn display(wild: bool) -> impl Strategy<Value = TerminalDisplayInfo<'static>> {
    sequence!(TerminalDisplayInfo wild {
        general_display: option::of(visible()),
        called_number: option::of(visible()),
        calling_number: option::of(visible()),
        calling_name: option::of(visible()),
        original_called_number: option::of(visible()),
        last_redirecting_number: option::of(visible()),
        redirecting_name: option::of(visible()),
        redirecting_reason: option::of(visible()),
        message_waiting: option::of(visible()),
    })
}

fn signal(wild: bool) -> impl Strategy<Value = Signal<'static>> {
    let signal = sequence!(Signal wild {
        switchhook_flash: option::of(visible()),
        dialed_digits: option::of(visible()),
        feature_key: option::of(visible()),
        other_signaling: option::of(visible()),
    });
    // One of them at least.
    (signal, visible()).prop_map(|(signal, digits)| match &signal {
        Signal { switchhook_flash: None, dialed_digits: None, feature_key: None, other_signaling: None, .. } => {
            Signal { dialed_digits: Some(digits), ..signal }
        }
        _ => signal,
    })
}

fn conference(wild: bool) -> impl Strategy<Value = Option<Vec<ConferenceParties<'static>>>> {
    let parties = sequence!(ConferenceParties wild {
        parties: option::of(vec(party(wild), 0..3)),
        ccc_id: option::of(ccc_id(wild)),
    });
    option::of(vec(parties, 0..3))
}

/// A message out of strategies for the fields that not all messages have.
macro_rules! message {
    ($type:ident $wild:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        sequence!($type $wild {
            case_id: visible(), accessing_element_id: visible(), event_time: time(), $($field: $strategy),*
        }).prop_map(Message::$type).boxed()
    };
}

fn flow(wild: bool) -> impl Strategy<Value = FlowDirection> {
    number(wild, 1..=3).prop_map(FlowDirection::from_number)
}

fn content(wild: bool) -> Vec<BoxedStrategy<Message<'static>>> {
    let option = prop_oneof![
        4 => vec(call_id(wild), 0..3).prop_map(CcOpenOption::Time),
        1 => Just(CcOpenOption::Reserved),
    ];
    let resource_state = number(wild, 1..=2).prop_map(ResourceState::from_number);
    vec![
        message!(CcOpen wild {
            option: option, ccc_id: ccc_id(wild), subject: sdp(), associate: sdp(), flow_direction: flow(wild),
        }),
        message!(CcClose wild { ccc_id: ccc_id(wild), flow_direction: flow(wild) }),
        message!(CcChange wild {
            call_id: call_id(wild), ccc_id: ccc_id(wild), subject: sdp(), associate: sdp(),
            flow_direction: flow(wild), resource_state: option::of(resource_state),
        }),
        message!(MediaReport wild { call_id: call_id(wild), subject: sdp(), associate: sdp() }),
    ]
}

fn calls(wild: bool) -> Vec<BoxedStrategy<Message<'static>>> {
    let input = prop_oneof![visible().prop_map(Input::User), visible().prop_map(Input::Translation)];
    vec![
        message!(Answer wild { call_id: call_id(wild), answering: option::of(party(wild)) }),
        message!(Origination wild {
            call_id: call_id(wild), calling: party(wild), called: option::of(party(wild)), input: input,
            transit_carrier_id: option::of(visible()),
        }),
        message!(Redirection wild {
            old: call_id(wild), redirected_to: party(wild), transit_carrier_id: option::of(visible()),
            new: option::of(call_id(wild)), redirected_from: option::of(party(wild)),
        }),
        message!(Release wild { call_id: call_id(wild) }),
        message!(TerminationAttempt wild {
            call_id: call_id(wild), calling: option::of(party(wild)), called: option::of(party(wild)),
            redirected_from: option::of(redirected_from(wild)),
        }),
        message!(ServiceInstance wild {
            call_id: call_id(wild), related_call_id: option::of(call_id(wild)), service_name: visible(),
            first_call_calling: option::of(party(wild)), second_call_calling: option::of(party(wild)),
            called: option::of(party(wild)), calling: option::of(party(wild)),
        }),
    ]
}

/// What version 4 demands and version 3 does not have.
fn since_4(version: ProtocolVersion, wild: bool) -> BoxedStrategy<Option<PartyId<'static>>> {
    if version.number() >= 4 { party(wild).prop_map(Some).boxed() } else { Just(None).boxed() }
}

fn signals(version: ProtocolVersion, wild: bool) -> Vec<BoxedStrategy<Message<'static>>> {
    let alerting = number(wild, 0..=15).prop_map(AlertingSignal::from_number);
    let audible = number(wild, 0..=21).prop_map(AudibleSignal::from_number);
    vec![
        message!(NetworkSignal wild {
            call_id: call_id(wild), alerting: alerting.prop_map(Some), audible: option::of(audible),
            display: option::of(display(wild)), other: option::of(visible()), signaled_to: since_4(version, wild),
        }),
        message!(SubjectSignal wild {
            call_id: option::of(call_id(wild)), signal: signal(wild), signaled_from: since_4(version, wild),
        }),
    ]
}

fn only_version_4(wild: bool) -> Vec<BoxedStrategy<Message<'static>>> {
    let digits = vec(select(b"0123456789#*ABCD".to_vec()), 1..=32).prop_map(VisibleString::from);
    vec![
        message!(DialedDigitExtraction wild { call_id: call_id(wild), digits: digits }),
        message!(ConferencePartyChange wild {
            call_id: call_id(wild), communicating: conference(wild), removed: conference(wild), joined: conference(wild),
        }),
    ]
}

/// Every message that a version has; `wild` ones hold numbers and fields without a meaning too.
pub fn messages(version: ProtocolVersion, wild: bool) -> Vec<BoxedStrategy<Message<'static>>> {
    let mut messages = [content(wild), calls(wild), signals(version, wild)].concat();
    if version.number() >= 4 {
        messages.extend(only_version_4(wild));
    }
    messages
}

/// Any PDU.
pub fn cdc_pdu(wild: bool) -> impl Strategy<Value = CdcPdu<'static>> {
    let number = if wild { prop_oneof![Just(3), Just(4), any::<i64>()].boxed() } else { (3..=4_i64).boxed() };
    number.prop_map(ProtocolVersion::from_number).prop_flat_map(move |version| {
        let message = proptest::strategy::Union::new(messages(version, wild));
        (message, others(wild)).prop_map(move |(message, others)| CdcPdu { version, message, others })
    })
}
