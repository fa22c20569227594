//! PCESP against what pycrate made of the same values, and what is refused.

use crate::{common::from_hex, json};
use writ_handover::{
    EncodeError, ber,
    pspdu::{DecodeError, DecodeErrorKind, GeneralizedTime, Limits},
    time::UnixTime,
    us::{Integer, ccc::CccId, pcesp::*},
};

/// Name, octets, value.
fn vectors() -> impl Iterator<Item = (&'static str, Vec<u8>, serde_json::Value)> {
    let lines = include_str!("pcesp_vectors.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let mut parts = line.splitn(3, ' ');
        let mut next = || parts.next().unwrap();
        (next(), from_hex(next()), serde_json::from_str(next()).unwrap())
    })
}

#[track_caller]
fn decoded(octets: &[u8]) -> CdcPdu<'_> {
    let decoded = decode(octets, &Limits::default()).unwrap().unwrap();
    assert_eq!(decoded.length, octets.len());
    decoded.pdu
}

#[test]
fn every_field_is_what_pycrate_wrote_and_is_written_back() {
    let mut count = 0;
    for (name, octets, value) in vectors() {
        let pdu = decoded(&octets);
        assert_eq!(json::pdu(&pdu, "io3"), value, "{name}: fields");
        assert_eq!(pdu.to_vec().unwrap(), octets, "{name}: octets");
        count += 1;
    }
    assert_eq!(count, 155, "vectors");
}

#[test]
fn there_is_a_vector_for_every_message() {
    let names: Vec<_> = vectors().map(|(name, ..)| name).collect();
    let messages = [
        "answer",
        "ccclose",
        "ccopen",
        "origination",
        "redirection",
        "release",
        "terminationattempt",
        "ccchange",
        "networksignal",
        "subjectsignal",
        "mediareport",
        "serviceinstance",
    ];
    let only_4 = ["dialeddigitextraction", "confpartychange"];
    for variant in ["bare", "full", "some", "few"] {
        for message in messages {
            for version in [3, 4] {
                assert!(names.contains(&&*format!("v{version}-{message}-{variant}")), "{message} {variant}");
            }
        }
        for message in only_4 {
            assert!(names.contains(&&*format!("v4-{message}-{variant}")), "{message} {variant}");
        }
    }
}

fn time() -> GeneralizedTime<'static> {
    GeneralizedTime::from_unix(UnixTime::from_ns(1_700_000_000_120_000_000)).unwrap()
}

fn call_id() -> CallId<'static> {
    CallId { sequence_number: "1700000000,1".into(), system_identity: "CMTS-1".into(), others: vec![] }
}

fn release() -> Release<'static> {
    Release {
        case_id: "CASE-1".into(),
        accessing_element_id: "AP-1".into(),
        event_time: time(),
        call_id: call_id(),
        others: vec![],
    }
}

fn network_signal() -> NetworkSignal<'static> {
    NetworkSignal {
        case_id: "CASE-1".into(),
        accessing_element_id: "AP-1".into(),
        event_time: time(),
        call_id: call_id(),
        alerting: Some(AlertingSignal::Pattern0),
        audible: None,
        display: None,
        other: None,
        signaled_to: None,
        others: vec![],
    }
}

fn digits(text: &'static str) -> Message<'static> {
    Message::DialedDigitExtraction(DialedDigitExtraction {
        case_id: "CASE-1".into(),
        accessing_element_id: "AP-1".into(),
        event_time: time(),
        call_id: call_id(),
        digits: text.into(),
        others: vec![],
    })
}

#[track_caller]
fn refused(version: ProtocolVersion, message: Message<'_>) -> EncodeError {
    let mut out = vec![1, 2, 3];
    let error = CdcPdu::new(version, message).encode(&mut out).unwrap_err();
    assert_eq!(out, [1, 2, 3], "nothing is written");
    error
}

#[test]
fn a_version_has_its_own_messages_and_fields_only() {
    use ProtocolVersion::{V3, V4};
    let range = |field| EncodeError::ValueOutOfRange { field };
    assert_eq!(refused(V3, digits("12")), range("dialeddigitextraction"));
    assert!(CdcPdu::new(V4, digits("12")).to_vec().is_ok());

    let without = network_signal();
    let with = NetworkSignal { signaled_to: Some(PartyId::default()), ..network_signal() };
    assert_eq!(refused(V3, Message::NetworkSignal(with.clone())), range("signaledToPartyId"));
    let missing = EncodeError::Missing { field: "signaledToPartyId" };
    assert_eq!(refused(V4, Message::NetworkSignal(without.clone())), missing);

    // What version 4 added is a field of unknown meaning in version 3, and kept.
    let octets = CdcPdu::new(V4, Message::NetworkSignal(with)).to_vec().unwrap();
    let mut as_3 = octets.clone();
    assert_eq!(as_3[2..5], [0x80, 1, 4]);
    as_3[4] = 3;
    let pdu = decoded(&as_3);
    let Message::NetworkSignal(signal) = &pdu.message else { panic!("{:?}", pdu.message) };
    assert_eq!((&signal.signaled_to, signal.others[0].tag()), (&None, ber::Tag::context(8)));
    assert_eq!(pdu.to_vec().unwrap(), as_3);

    // Reading demands it of version 4.
    let mut as_4 = CdcPdu::new(V3, Message::NetworkSignal(without)).to_vec().unwrap();
    as_4[4] = 4;
    let error = decode(&as_4, &Limits::default()).unwrap_err();
    assert_eq!((error.field, error.kind), ("signaledToPartyId", DecodeErrorKind::Missing));
}

#[test]
fn what_the_module_says_in_comments_is_demanded() {
    let silent = NetworkSignal { alerting: None, ..network_signal() };
    assert!(matches!(refused(ProtocolVersion::V3, Message::NetworkSignal(silent)), EncodeError::Missing { .. }));
    let range = |field| EncodeError::ValueOutOfRange { field };
    assert_eq!(refused(ProtocolVersion::V4, digits("12E")), range("digits"));
    assert_eq!(refused(ProtocolVersion::V4, digits("")), range("digits"));
    let silent = SubjectSignal {
        case_id: "CASE-1".into(),
        accessing_element_id: "AP-1".into(),
        event_time: time(),
        call_id: None,
        signal: Signal::default(),
        signaled_from: None,
        others: vec![],
    };
    assert!(matches!(refused(ProtocolVersion::V3, Message::SubjectSignal(silent)), EncodeError::Missing { .. }));
}

#[test]
fn strings_and_numbers_that_the_module_does_not_allow_are_not_written() {
    let refused = |release| refused(ProtocolVersion::V3, Message::Release(release));
    let long = Release { case_id: "26 characters are too many".into(), ..release() };
    assert_eq!(refused(long), EncodeError::FieldTooLong { field: "caseId", length: 26, length_max: 25 });
    let range = |field| EncodeError::ValueOutOfRange { field };
    assert_eq!(refused(Release { accessing_element_id: "".into(), ..release() }), range("accessingElementId"));
    assert_eq!(refused(Release { case_id: "é".into(), ..release() }), range("caseId"));
    assert_eq!(refused(Release { case_id: "a\n".into(), ..release() }), range("caseId"));
    assert_eq!(refused(Release { event_time: GeneralizedTime("".into()), ..release() }), range("eventTime"));

    let media = |subject: &'static [u8]| {
        Message::MediaReport(MediaReport {
            case_id: "CASE-1".into(),
            accessing_element_id: "AP-1".into(),
            event_time: time(),
            call_id: call_id(),
            subject: Some(subject.into()),
            associate: None,
            others: vec![],
        })
    };
    assert!(CdcPdu::new(ProtocolVersion::V3, media(b"v=0")).to_vec().is_ok());
    assert_eq!(super::pcesp::refused(ProtocolVersion::V3, media(b"\xff")), range("subject"));
    for (number, is_good) in [(0, false), (1, true), (100, true), (101, false)] {
        let message = Message::TerminationAttempt(TerminationAttempt {
            case_id: "CASE-1".into(),
            accessing_element_id: "AP-1".into(),
            event_time: time(),
            call_id: call_id(),
            calling: None,
            called: None,
            redirected_from: Some(RedirectedFromInfo { redirections: Some(Integer(number)), ..Default::default() }),
            others: vec![],
        });
        assert_eq!(CdcPdu::new(ProtocolVersion::V4, message).to_vec().is_ok(), is_good, "{number}");
    }
}

#[test]
fn times_are_written_without_zeros_at_their_end() {
    for (nanoseconds, text) in [
        (0, "20231114221320Z"),
        (999, "20231114221320Z"),
        (120_000_000, "20231114221320.12Z"),
        (100_000, "20231114221320.0001Z"),
        (123_456_789, "20231114221320.123456Z"),
    ] {
        let time = GeneralizedTime::from_unix(UnixTime::new(1_700_000_000, nanoseconds).unwrap()).unwrap();
        assert_eq!(time.0.as_text(), Some(text));
    }
    let last = UnixTime::new(253_402_300_799, 999_999_999).unwrap();
    assert_eq!(GeneralizedTime::from_unix(last).unwrap().0.as_text(), Some("99991231235959.999999Z"));
    assert!(GeneralizedTime::from_unix(UnixTime::new(253_402_300_800, 0).unwrap()).is_err());
}

#[test]
fn a_channel_is_named_in_capitals() {
    assert_eq!(CccIdentifier::combined(CccId(0xbeef)), CccIdentifier::Combined("0000BEEF".into()));
    let CccIdentifier::Separate(pair) = CccIdentifier::separate(CccId(u32::MAX), CccId(1)) else { panic!("a pair") };
    assert_eq!((pair.transmit.as_text(), pair.receive.as_text()), (Some("FFFFFFFF"), Some("00000001")));
}

#[track_caller]
fn fault(octets: &[u8]) -> (usize, &'static str, DecodeErrorKind) {
    let DecodeError { offset, field, kind } = decode(octets, &Limits::default()).unwrap_err();
    (offset, field, kind)
}

#[test]
fn faults_say_where() {
    let short = Release {
        case_id: "C".into(),
        accessing_element_id: "A".into(),
        event_time: GeneralizedTime("Z".into()),
        call_id: CallId { sequence_number: "1".into(), system_identity: "2".into(), others: vec![] },
        others: vec![],
    };
    let good = CdcPdu::new(ProtocolVersion::V4, Message::Release(short)).to_vec().unwrap();
    assert_eq!(good, from_hex("3018800104a113a81180014381014182015aa306800131810132"));
    assert!(matches!(decoded(&good).message, Message::Release(_)));
    let with = |at: usize, octet| {
        let mut octets = good.clone();
        octets[at] = octet;
        octets
    };
    assert_eq!(fault(&with(0, 0x31)), (0, "CdcPdu", DecodeErrorKind::Tag(ber::Tag::universal(17))));
    // The version's tag gone: the field is not there.
    assert_eq!(fault(&with(2, 0x82)), (0, "protocolVersion", DecodeErrorKind::Missing));
    // caseId twice.
    assert_eq!(fault(&with(12, 0x80)), (12, "Release", DecodeErrorKind::Repeated));
    // caseId longer than the message.
    assert_eq!(fault(&with(10, 0x7f)), (9, "Release", DecodeErrorKind::Ber(ber::ErrorKind::Truncated)));
    // callId primitive.
    assert_eq!(fault(&with(18, 0x83)), (18, "CallId", DecodeErrorKind::Ber(ber::ErrorKind::NotConstructed)));
    // message empty.
    let empty = from_hex("3005800104a100");
    assert_eq!(fault(&empty), (7, "message", DecodeErrorKind::Ber(ber::ErrorKind::Missing)));
    let limits = Limits { pdu_length_max: 20 };
    let kind = DecodeErrorKind::OverLimit { length: good.len(), length_max: 20 };
    assert_eq!(decode(&good, &limits), Err(DecodeError { offset: 0, field: "CdcPdu", kind }));
    assert_eq!(decode(&good[..good.len() - 1], &Limits::default()), Ok(None));
}

#[test]
fn a_choice_stands_once() {
    let (_, octets, _) = vectors().find(|(name, ..)| *name == "v3-origination-bare").unwrap();
    let pdu = decoded(&octets);
    let Message::Origination(origination) = pdu.message else { panic!("origination") };
    // The second alternative as a further field.
    let second = ber_string(if matches!(origination.input, Input::User(_)) { 0x87 } else { 0x86 });
    let others = vec![writ_handover::pspdu::RawElement::parse(&second).unwrap()];
    let twice = CdcPdu::new(pdu.version, Message::Origination(Origination { others, ..origination })).to_vec().unwrap();
    let error = decode(&twice, &Limits::default()).unwrap_err();
    assert_eq!((error.field, error.kind), ("input", DecodeErrorKind::Repeated));
}

fn ber_string(tag: u8) -> Vec<u8> {
    vec![tag, 1, b'1']
}

#[test]
fn fields_that_say_nothing_have_to_be_there() {
    for (name, field) in [
        ("v3-origination-bare", "reserved0"),
        ("v4-redirection-bare", "reserved0"),
        ("v4-terminationattempt-bare", "reserved0"),
    ] {
        let (_, mut octets, _) = vectors().find(|(vector, ..)| *vector == name).unwrap();
        // The NULL gets a tag that has no meaning: the last element of tag 8 or 6 and no octets.
        let at = octets.windows(2).rposition(|pair| matches!(pair, [0x88 | 0x86, 0])).unwrap();
        octets[at] = 0x9e;
        let error = decode(&octets, &Limits::default()).unwrap_err();
        assert_eq!((error.field, error.kind), (field, DecodeErrorKind::Missing), "{name}");
    }
}

#[test]
fn members_of_a_list_have_their_type() {
    let open = Message::CcOpen(CcOpen {
        case_id: "C".into(),
        accessing_element_id: "A".into(),
        event_time: GeneralizedTime("Z".into()),
        option: CcOpenOption::Time(vec![call_id()]),
        ccc_id: CccIdentifier::combined(CccId(1)),
        subject: None,
        associate: None,
        flow_direction: FlowDirection::Upstream,
        others: vec![],
    });
    let mut octets = CdcPdu::new(ProtocolVersion::V3, open).to_vec().unwrap();
    assert_eq!((octets[18], octets[20]), (0xa3, 0x30), "ccOpenTime and the first call");
    octets[20] = 0x31;
    assert_eq!(fault(&octets), (20, "ccOpenTime", DecodeErrorKind::Tag(ber::Tag::universal(17))));
}

#[test]
fn nothing_that_identifies_is_shown() {
    for (name, octets, value) in vectors() {
        let shown = format!("{:?}", decoded(&octets));
        let mut texts = vec![];
        strings(&value["message"], &mut texts);
        // Short ones and names of enumerations turn up by chance.
        for text in texts.iter().filter(|text| text.len() > 12) {
            let is_name = text.starts_with("downstream") || text.ends_with("Tone");
            assert!(is_name || !shown.contains(text.as_str()), "{name}");
        }
    }
}

fn strings(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => texts.push(text.clone()),
        serde_json::Value::Array(members) => members.iter().for_each(|member| strings(member, texts)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| strings(field, texts)),
        _ => {}
    }
}
