//! ATIS-1000013 as it was reconstructed. What pycrate encoded follows the same reconstruction: it shows that the encoding is right, not
//! that the reconstruction is.

use crate::{
    common::from_hex,
    json::Json,
    properties::check_hot,
    strategies_atis::{content_identifier, correlation, ias_cc_apdu, ias_optional_protocol, ias_protocol},
    values::{content, sequence, time},
};
use proptest::{prelude::*, sample::select};
use std::net::{IpAddr, Ipv4Addr};
use writ_handover::{
    EncodeError,
    pspdu::{GeneralizedTime, Limits},
    time::UnixTime,
    us::{Decoded, Integer, VisibleString, unverified_atis1000013::*},
};

/// Reads, compares with the value, writes.
macro_rules! check {
    ($type:ident, $name:ident, $octets:ident, $value:ident) => {{
        let Decoded { pdu, length } = $type::decode(&$octets, &Limits::default()).unwrap().unwrap();
        assert_eq!(length, $octets.len(), "{}", $name);
        assert_eq!(pdu.json().unwrap(), $value, "{}: fields", $name);
        let mut out = Vec::new();
        pdu.encode(&mut out).unwrap();
        assert_eq!(out, $octets, "{}: octets", $name);
    }};
}

#[test]
fn every_field_is_what_pycrate_wrote_and_is_written_back() {
    let mut count = 0;
    for line in include_str!("atis_vectors.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.splitn(3, ' ');
        let (name, octets) = (parts.next().unwrap(), from_hex(parts.next().unwrap()));
        let value: serde_json::Value = serde_json::from_str(parts.next().unwrap()).unwrap();
        match name.split_once('-').unwrap().0 {
            "IAS_CC_APDU" => check!(IasCcApdu, name, octets, value),
            "IasProtocol" => check!(IasProtocol, name, octets, value),
            "IasOptionalProtocol" => check!(IasOptionalProtocol, name, octets, value),
            other => panic!("{other}"),
        }
        count += 1;
    }
    // Content, 11 identifying and 4 optional messages in four variants.
    assert_eq!(count, 4 * 16, "vectors");
}

fn correlation_info(case_id: &'static str) -> CorrelationInfo<'static> {
    CorrelationInfo {
        case_id: Some(case_id.into()),
        iap_system_id: Some("IAP-1".into()),
        content_identifier: ContentIdentifier::Correlation("42".into()),
        others: vec![],
    }
}

#[test]
fn identifiers_that_cannot_be_written_make_no_template() {
    let too_long = ContentTemplate::new(&correlation_info("26 characters are too many")).unwrap_err();
    assert_eq!(too_long, EncodeError::FieldTooLong { field: "caseId", length: 26, length_max: 25 });
    let call = |main: String| ContentIdentifier::Call(CallIdentity { main: main.into(), leg: None, others: vec![] });
    let (case_id, iap): (CaseId<'_>, IapSystemId<'_>) = ("CASE-1".into(), "IAP-1".into());
    assert!(HeaderReportTemplate::new(&case_id, &iap, &call("x".repeat(120))).is_ok());
    let error = HeaderReportTemplate::new(&case_id, &iap, &call("x".repeat(130))).unwrap_err();
    assert!(matches!(error, EncodeError::FieldTooLong { field: "contentIdentifier", length_max: 128, .. }), "{error}");
    let empty: CaseId<'_> = "".into();
    let error = HeaderReportTemplate::new(&empty, &iap, &call("1".into())).unwrap_err();
    assert_eq!(error, EncodeError::ValueOutOfRange { field: "caseId" });
}

#[test]
fn what_has_no_place_in_a_pdu_is_not_written() {
    let template = ContentTemplate::new(&correlation_info("CASE-1")).unwrap();
    let stamp = ContentStamp { time: UnixTime::EPOCH, direction: PacketDirection::ToSubject, sequence: 0 };
    let mut out = [0xee; 512];
    let mut refused = |stamp: &ContentStamp, packet: &[u8]| {
        let error = template.encode(&mut out, stamp, packet).unwrap_err();
        assert!(out.iter().all(|&octet| octet == 0xee), "nothing is written");
        error
    };
    let long = vec![0; (1 << 20) + 1];
    let too_long = EncodeError::FieldTooLong { field: "payload", length: long.len(), length_max: 1 << 20 };
    assert_eq!(refused(&stamp, &long), too_long);
    let late = ContentStamp { time: UnixTime::new(253_402_300_800, 0).unwrap(), ..stamp };
    assert_eq!(refused(&late, &[0x45]), EncodeError::ValueOutOfRange { field: "timeStamp" });
    let nowhere = ContentStamp { direction: PacketDirection::Other(128), ..stamp };
    assert_eq!(refused(&nowhere, &[0x45]), EncodeError::ValueOutOfRange { field: "packetDirection" });
}

#[test]
fn nothing_that_identifies_is_shown() {
    let stamp = HeaderStamp {
        time: UnixTime::EPOCH,
        stream_id: 1,
        source: (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77)), Allocation::Static),
        destination: (IpAddr::V4(Ipv4Addr::new(198, 51, 100, 78)), Allocation::NotApplicable),
        ports: Some((4711, 4712)),
    };
    let report =
        HeaderReportTemplate::new(&"SECRET".into(), &"SECRET".into(), &ContentIdentifier::Correlation("SECRET".into()));
    let shown = format!(
        "{stamp:?} {report:?} {:?} {:?}",
        ContentTemplate::new(&correlation_info("SECRET")),
        correlation_info("SECRET")
    );
    for hidden in ["SECRET", "192", "77", "198", "4711", "4712", "83, 69"] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
}

/// A header report as the cold encoder has it.
fn cold_report(
    case_id: &CaseId<'static>,
    iap_system_id: &IapSystemId<'static>,
    content_identifier: &ContentIdentifier<'static>,
    stamp: &HeaderStamp,
) -> Vec<u8> {
    let assignment = |(address, allocation): (IpAddr, Allocation)| IpAssignment {
        address: address.into(),
        allocation: allocation.into(),
        flow_label: None,
        prefix_length: None,
        others: vec![],
    };
    let header_set = HeaderSet {
        stream_id: AnyValue::Integer(Integer(stamp.stream_id.into())),
        source: assignment(stamp.source),
        destination: assignment(stamp.destination),
        source_port: stamp.ports.map(|(source, _)| source.to_string().into()),
        destination_port: stamp.ports.map(|(_, destination)| destination.to_string().into()),
        others: vec![],
    };
    let report = HeaderReport {
        case_id: case_id.clone(),
        iap_system_id: iap_system_id.clone(),
        timestamp: GeneralizedTime::from_unix(stamp.time).unwrap(),
        content_identifier: content_identifier.clone(),
        header_set,
        others: vec![],
    };
    let mut out = Vec::new();
    IasProtocol::new(IasMessage::HeaderReport(report.into())).encode(&mut out).unwrap();
    out
}

fn allocation() -> impl Strategy<Value = Allocation> {
    prop_oneof![
        Just(Allocation::Static),
        Just(Allocation::Dynamic),
        Just(Allocation::Unknown),
        Just(Allocation::NotApplicable)
    ]
}

fn header_stamp() -> impl Strategy<Value = HeaderStamp> {
    let end = || (any::<IpAddr>(), allocation());
    let port = || prop_oneof![any::<u16>(), select(vec![0, 9, 10, 99, 100, 999, 1000, 9999, 10_000, u16::MAX])];
    (time(), sequence(), end(), end(), proptest::option::of((port(), port()))).prop_map(
        |(time, stream_id, source, destination, ports)| HeaderStamp { time, stream_id, source, destination, ports },
    )
}

/// Writes, reads, compares.
macro_rules! round_trip {
    ($type:ident, $pdu:ident) => {{
        let mut octets = Vec::new();
        $pdu.encode(&mut octets).unwrap();
        let decoded = $type::decode(&octets, &Limits::default()).unwrap().unwrap();
        prop_assert_eq!(decoded, Decoded { pdu: $pdu, length: octets.len() });
    }};
}

proptest! {
    #[test]
    fn identifying_messages_that_were_written_are_read(pdu in ias_protocol(true)) {
        round_trip!(IasProtocol, pdu);
    }

    #[test]
    fn optional_messages_that_were_written_are_read(pdu in ias_optional_protocol(true)) {
        round_trip!(IasOptionalProtocol, pdu);
    }

    #[test]
    fn content_that_was_written_is_read(pdu in ias_cc_apdu(true)) {
        round_trip!(IasCcApdu, pdu);
    }

    #[test]
    fn content_hot_is_cold(
        correlation in correlation(true), sequence in sequence(), time in time(), to_subject in any::<bool>(), packet in content(),
    ) {
        let direction = if to_subject { PacketDirection::ToSubject } else { PacketDirection::FromSubject };
        let template = ContentTemplate::new(&correlation).unwrap();
        let header = CcDeliveryHeader {
            correlation,
            time_stamp: Some(GeneralizedTime::from_unix(time).unwrap()),
            direction: Some(direction),
            sequence_number: Some(Integer(sequence.into())),
            others: vec![],
        };
        let mut expected = Vec::new();
        IasCcApdu { header: Some(header), payload: (&*packet).into(), others: vec![] }.encode(&mut expected).unwrap();
        let stamp = ContentStamp { time, direction, sequence };
        check_hot(&expected, expected.len(), |out| template.encode(out, &stamp, &packet))?;
    }

    #[test]
    fn header_report_hot_is_cold(
        names in (crate::strategies::visible::<1, 25>(), crate::strategies::visible::<1, 64>()),
        content_identifier in content_identifier(true), stamp in header_stamp(),
    ) {
        let (case_id, iap_system_id): (CaseId<'_>, IapSystemId<'_>) = names;
        let template = HeaderReportTemplate::new(&case_id, &iap_system_id, &content_identifier).unwrap();
        let expected = cold_report(&case_id, &iap_system_id, &content_identifier, &stamp);
        check_hot(&expected, expected.len(), |out| template.encode(out, &stamp))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let limits = Limits::default();
        for error in [
            IasProtocol::decode(&octets, &limits).err(),
            IasOptionalProtocol::decode(&octets, &limits).err(),
            IasCcApdu::decode(&octets, &limits).err(),
        ].into_iter().flatten() {
            prop_assert!(error.offset <= octets.len());
        }
    }

    #[test]
    fn damaged_messages_are_read_or_refused(
        pdu in ias_protocol(true), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut octets = Vec::new();
        pdu.encode(&mut octets).unwrap();
        for (at, value) in damage {
            let at = at.index(octets.len());
            octets[at] ^= value;
        }
        match IasProtocol::decode(&octets, &Limits::default()) {
            Ok(Some(decoded)) => {
                let mut written = Vec::new();
                if decoded.pdu.encode(&mut written).is_ok() {
                    let again = IasProtocol::decode(&written, &Limits { pdu_length_max: usize::MAX }).unwrap().unwrap();
                    prop_assert_eq!(again.pdu, decoded.pdu);
                }
            }
            Ok(None) => {}
            Err(error) => prop_assert!(error.offset <= octets.len()),
        }
    }
}

#[test]
fn text_of_a_template_is_checked_like_any_other() {
    let case_id: VisibleString<'_, 1, 25> = "é".into();
    let error = HeaderReportTemplate::new(&case_id, &"IAP-1".into(), &ContentIdentifier::Correlation("1".into()));
    assert_eq!(error.unwrap_err(), EncodeError::ValueOutOfRange { field: "caseId" });
}
