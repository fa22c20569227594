//! What holds for every value and every input.

use crate::{
    strategies::cdc_pdu,
    values::{content, time},
};
use proptest::prelude::*;
use writ_handover::{
    EncodeError, ber,
    pspdu::Limits,
    us::{
        Decoded,
        ccc::{CaseId, CccId, Datagram, Extra, Form, NtpTime, Template},
        pcesp,
    },
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
        out.extend_from_slice(&raw[..ber::tag_octets(element.tag())]);
        out.push(0x80);
        out.extend_from_slice(&to_indefinite(element.contents()));
        out.extend_from_slice(&[0, 0]);
    }
    out
}

/// A packet's octets: IPv4 or IPv6 as far as the codec looks.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    (content(), any::<bool>()).prop_map(|(mut packet, is_v6)| {
        packet.truncate(65_000);
        packet.insert(0, if is_v6 { 0x60 } else { 0x45 });
        packet
    })
}

fn extra() -> impl Strategy<Value = Extra> {
    let case = || any::<[u8; 8]>().prop_map(CaseId);
    prop_oneof![
        Just(Extra::None),
        any::<u64>().prop_map(|time| Extra::Time(NtpTime(time))),
        (any::<u64>(), case()).prop_map(|(time, case)| Extra::TimeCase(NtpTime(time), case)),
    ]
}

/// What the hot encoder writes is what the cold one writes, and it says how much room it needs.
pub(crate) fn check_hot(
    expected: &[u8],
    octets: usize,
    encode: impl Fn(&mut [u8]) -> Result<usize, EncodeError>,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(octets, expected.len());
    let mut out = vec![0xee; octets + 3];
    prop_assert_eq!(encode(&mut out), Ok(octets));
    prop_assert!(&out[..octets] == expected, "hot and cold differ");
    prop_assert_eq!(&out[octets..], &[0xee; 3]);
    let mut short = vec![0xee; octets - 1];
    prop_assert_eq!(encode(&mut short), Err(EncodeError::NoRoom { needed: octets }));
    prop_assert!(short.iter().all(|&octet| octet == 0xee), "nothing is written where there is no room");
    Ok(())
}

proptest! {
    #[test]
    fn events_that_were_written_are_read(pdu in cdc_pdu(true)) {
        let octets = pdu.to_vec().unwrap();
        let decoded = pcesp::decode(&octets, &Limits::default()).unwrap().unwrap();
        prop_assert_eq!(decoded, Decoded { pdu, length: octets.len() });
    }

    #[test]
    fn indefinite_lengths_say_the_same(pdu in cdc_pdu(false)) {
        let octets = to_indefinite(&pdu.to_vec().unwrap());
        let decoded = pcesp::decode(&octets, &Limits::default()).unwrap().unwrap();
        prop_assert_eq!(decoded, Decoded { pdu, length: octets.len() });
    }

    #[test]
    fn an_event_is_waited_for_to_its_end(pdu in cdc_pdu(true), cut in any::<prop::sample::Index>(), after in 0..20_usize) {
        let mut octets = pdu.to_vec().unwrap();
        let length = octets.len();
        prop_assert_eq!(pcesp::decode(&octets[..cut.index(length)], &Limits::default()), Ok(None));
        octets.resize(length + after, 0xa5);
        prop_assert_eq!(pcesp::decode(&octets, &Limits::default()).unwrap().unwrap().length, length);
    }

    #[test]
    fn datagrams_that_were_written_are_read(id in any::<u32>(), extra in extra(), packet in packet()) {
        let datagram = Datagram { id: CccId(id), extra, packet: &packet };
        let mut out = vec![0; datagram.octets()];
        prop_assert_eq!(datagram.encode(&mut out), Ok(out.len()));
        prop_assert_eq!(Datagram::decode(&out, datagram.form()), Ok(datagram));
    }

    #[test]
    fn datagram_hot_is_cold(id in any::<u32>(), time in time(), case in any::<[u8; 8]>(), packet in packet()) {
        let (id, case, ntp) = (CccId(id), CaseId(case), NtpTime::from_unix(time));
        for (template, extra) in [
            (Template::new(id), Extra::None),
            (Template::with_time(id), Extra::Time(ntp)),
            (Template::with_time_and_case(id, case), Extra::TimeCase(ntp, case)),
        ] {
            let cold = Datagram { id, extra, packet: &packet };
            let mut expected = vec![0; cold.octets()];
            cold.encode(&mut expected).unwrap();
            check_hot(&expected, template.octets(packet.len()), |out| template.encode(out, time, &packet))?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Err(error) = pcesp::decode(&octets, &Limits::default()) {
            prop_assert!(error.offset <= octets.len());
        }
        for form in [Form::Id, Form::IdTime, Form::IdTimeCase] {
            match Datagram::decode(&octets, form) {
                Ok(datagram) => prop_assert_eq!(datagram.octets(), octets.len()),
                Err(error) => prop_assert!(error.offset <= octets.len()),
            }
        }
    }

    #[test]
    fn damaged_events_are_read_or_refused(
        pdu in cdc_pdu(true),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        insert in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        indefinite in any::<bool>(),
    ) {
        let mut octets = pdu.to_vec().unwrap();
        if indefinite {
            octets = to_indefinite(&octets);
        }
        for (at, value) in damage {
            let at = at.index(octets.len());
            octets[at] ^= value;
        }
        if let Some((at, value)) = insert {
            octets.insert(at.index(octets.len()), value);
        }
        match pcesp::decode(&octets, &Limits::default()) {
            // What was read can be written, unless a length or a value is one that the format does not allow.
            Ok(Some(decoded)) => {
                if let Ok(written) = decoded.pdu.to_vec() {
                    let again = pcesp::decode(&written, &Limits { pdu_length_max: usize::MAX }).unwrap().unwrap();
                    prop_assert_eq!(again.pdu, decoded.pdu);
                }
            }
            Ok(None) => {}
            Err(error) => prop_assert!(error.offset <= octets.len()),
        }
    }
}
