//! CCC datagrams.

use writ_handover::{
    EncodeError,
    time::UnixTime,
    us::ccc::{
        CaseId, CccId, DATAGRAM_OCTETS_MAX, Datagram, DecodeError, DecodeErrorKind, Extra, Form, NtpTime, Template,
    },
};

const PACKET: [u8; 20] = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2];

#[test]
fn the_octets_of_each_form() {
    let time = NtpTime(0x1122_3344_5566_7788);
    let header = |extra| {
        let mut out = [0xee; 64];
        let datagram = Datagram { id: CccId(0xa1b2_c3d4), extra, packet: &PACKET };
        let octets = datagram.encode(&mut out).unwrap();
        assert_eq!((octets, out[octets]), (datagram.octets(), 0xee));
        assert_eq!(Datagram::decode(&out[..octets], datagram.form()), Ok(datagram));
        let (header, packet) = out[..octets].split_at(octets - PACKET.len());
        assert_eq!(packet, PACKET);
        header.to_vec()
    };
    let id = [0xa1, 0xb2, 0xc3, 0xd4];
    let stamp = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
    assert_eq!(header(Extra::None), id);
    assert_eq!(header(Extra::Time(time)), [&id[..], &stamp].concat());
    assert_eq!(header(Extra::TimeCase(time, CaseId(*b"CASE-001"))), [&id[..], &stamp, b"CASE-001"].concat());
}

#[test]
fn ntp_counts_from_1900() {
    // RFC 5905 figure 4: 1970-01-01 is 2,208,988,800 s of era 0; 2036-02-07T06:28:16Z is the first second of era 1.
    assert_eq!(NtpTime::from_unix(UnixTime::EPOCH), NtpTime(2_208_988_800 << 32));
    assert_eq!(NtpTime::from_unix(UnixTime::new(2_085_978_496, 500_000_000).unwrap()), NtpTime(1 << 31));
    assert_eq!(NtpTime(1 << 31).to_unix(), UnixTime::new(2_085_978_496, 500_000_000).unwrap());
    assert_eq!(NtpTime(u64::MAX).to_unix(), UnixTime::new(2_085_978_495, 999_999_999).unwrap());
    for nanoseconds in [0, 1, 2, 3, 499_999_999, 500_000_001, 999_999_998, 999_999_999] {
        let time = UnixTime::new(1_700_000_000, nanoseconds).unwrap();
        assert_eq!(NtpTime::from_unix(time).to_unix(), time);
    }
}

#[test]
fn faults_say_where() {
    let fault = |datagram: &[u8], form| match Datagram::decode(datagram, form) {
        Err(DecodeError { offset, field, kind }) => (offset, field, kind),
        Ok(datagram) => panic!("{datagram:?}"),
    };
    let zeros = [0; 40];
    for (octets, form, field) in [
        (0, Form::Id, "CCC identifier"),
        (3, Form::IdTimeCase, "CCC identifier"),
        (4, Form::Id, "IP packet"),
        (11, Form::IdTime, "time stamp"),
        (12, Form::IdTime, "IP packet"),
        (19, Form::IdTimeCase, "case identifier"),
        (20, Form::IdTimeCase, "IP packet"),
    ] {
        assert_eq!(fault(&zeros[..octets], form), (octets, field, DecodeErrorKind::Truncated));
    }
    assert_eq!(fault(&zeros, Form::IdTime), (12, "IP packet", DecodeErrorKind::NotIp { version: 0 }));
    let mut out = [0; 64];
    let octets = Template::with_time(CccId(1)).encode(&mut out, UnixTime::EPOCH, &PACKET).unwrap();
    // Another form than the one agreed on.
    assert_eq!(fault(&out[..octets], Form::Id), (4, "IP packet", DecodeErrorKind::NotIp { version: 8 }));
    let long = vec![0x45; DATAGRAM_OCTETS_MAX + 1];
    let kind = DecodeErrorKind::OverLimit { length: long.len() };
    assert_eq!(fault(&long, Form::Id), (DATAGRAM_OCTETS_MAX, "datagram", kind));
}

#[test]
fn what_is_no_packet_is_not_written() {
    let mut out = vec![0xee; DATAGRAM_OCTETS_MAX + 10];
    let template = Template::with_time_and_case(CccId(1), CaseId(*b"CASE-001"));
    let mut encode = |packet: &[u8]| {
        let result = template.encode(&mut out, UnixTime::EPOCH, packet);
        assert!(result.is_ok() || out.iter().all(|&octet| octet == 0xee), "nothing is written");
        result
    };
    let not_ip = Err(EncodeError::ValueOutOfRange { field: "packet" });
    assert_eq!(encode(&[]), not_ip);
    assert_eq!(encode(&[0x50, 0]), not_ip);
    let length_max = DATAGRAM_OCTETS_MAX - 20;
    let long = vec![0x60; length_max + 1];
    let too_long = EncodeError::FieldTooLong { field: "packet", length: length_max + 1, length_max };
    assert_eq!(encode(&long), Err(too_long));
    assert_eq!(encode(&long[1..]), Ok(DATAGRAM_OCTETS_MAX));
}

#[test]
fn nothing_that_identifies_is_shown() {
    let datagram = Datagram { id: CccId(1), extra: Extra::TimeCase(NtpTime(0), CaseId(*b"SECRET-1")), packet: &PACKET };
    let shown = format!("{datagram:?} {:?}", Template::with_time_and_case(CccId(1), CaseId(*b"SECRET-1")));
    assert!(shown.contains("CaseId(<8 octets>)") && shown.contains("packet: <20 octets>"), "{shown}");
    assert!(!shown.contains("SECRET") && !shown.contains("83, 69, 67"), "{shown}");
}
