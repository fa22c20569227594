//! X2/X3 PDUs: limits, refusals, keep-alives.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use writ_handover::{EncodeError, ids::Xid, time::UnixTime, x2x3::*};

const LIMITS: Limits = Limits { header_length_max: 200, payload_length_max: 100 };

/// A header with these attribute octets, and a payload of two octets.
fn pdu(attributes: &[u8]) -> Vec<u8> {
    let mut octets = vec![0, 5, 0, 2, 0, 0, 0, 40 + attributes.len() as u8, 0, 0, 0, 2, 0, 5, 0, 3];
    octets.extend_from_slice(&[0x11; 16]);
    octets.extend_from_slice(&[0; 8]);
    octets.extend_from_slice(attributes);
    octets.extend_from_slice(&[0x45, 0]);
    octets
}

#[track_caller]
fn refused(octets: &[u8], offset: usize, field: &'static str, kind: DecodeErrorKind, pdu_length: Option<usize>) {
    assert_eq!(decode(octets, &LIMITS), Err(DecodeError { offset, field, kind, pdu_length }));
}

#[test]
fn minor_versions_are_read_and_major_ones_refused() {
    for minor in [0, 1, 5, 6, 255] {
        let mut octets = pdu(&[]);
        octets[1] = minor;
        let (read, length) = decode(&octets, &LIMITS).unwrap().unwrap();
        assert_eq!((read.header.version, length), (Version { major: 0, minor }, octets.len()));
    }
    // One octet is enough to tell.
    refused(&[1], 0, "version", DecodeErrorKind::MajorVersion { major: 1 }, None);
}

#[test]
fn lengths_out_of_bounds_are_refused_at_once() {
    let mut octets = pdu(&[]);
    octets[7] = 39;
    refused(&octets[..8], 4, "header length", DecodeErrorKind::HeaderTooShort { length: 39 }, None);
    octets[4..8].copy_from_slice(&201_u32.to_be_bytes());
    let over_limit = DecodeErrorKind::OverLimit { length: 201, length_max: 200 };
    refused(&octets[..8], 4, "header length", over_limit, None);
    octets = pdu(&[]);
    octets[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    let over_limit = DecodeErrorKind::OverLimit { length: u32::MAX, length_max: 100 };
    refused(&octets[..12], 8, "payload length", over_limit, None);
}

#[test]
fn attributes_that_are_wrong_are_named() {
    let truncated = |needed, left| DecodeErrorKind::Truncated { needed, left };
    refused(&pdu(&[0, 8, 0]), 40, "attribute", truncated(4, 3), Some(45));
    refused(&pdu(&[0, 8, 0, 4, 1, 2, 3]), 40, "sequence number", truncated(4, 3), Some(49));
    let length = |length, expected| DecodeErrorKind::Length { length, expected };
    refused(&pdu(&[0, 8, 0, 3, 1, 2, 3]), 40, "sequence number", length(3, 4), Some(49));
    refused(&pdu(&[0, 10, 0, 0]), 40, "source IPv4 address", length(0, 4), Some(46));
    refused(&pdu(&[0, 13, 0, 4, 1, 2, 3, 4]), 40, "destination IPv6 address", length(4, 16), Some(50));
    refused(&pdu(&[0, 14, 0, 1, 1]), 40, "source port", length(1, 2), Some(47));
    refused(&pdu(&[0, 16, 0, 2, 1, 1]), 40, "IP protocol", length(2, 1), Some(48));
    // The second one, after a good one.
    let not_utf8 = DecodeErrorKind::NotUtf8 { valid_up_to: 1 };
    refused(&pdu(&[0, 99, 0, 0, 0, 17, 0, 2, b'<', 0xff]), 44, "matched target identifier", not_utf8, Some(52));
    let late = [0, 9, 0, 8, 0, 0, 0, 1, 0x3b, 0x9a, 0xca, 0];
    refused(&pdu(&late), 40, "timestamp", DecodeErrorKind::Nanoseconds { nanoseconds: 1_000_000_000 }, Some(54));
}

#[test]
fn a_stream_goes_on_after_a_pdu_with_a_wrong_attribute() {
    let stream = [pdu(&[0, 14, 0, 1, 1]), pdu(&[])].concat();
    let error = decode(&stream, &LIMITS).unwrap_err();
    let (next, _) = decode(&stream[error.pdu_length.unwrap()..], &LIMITS).unwrap().unwrap();
    assert_eq!(next.payload, [0x45, 0]);
}

#[test]
fn unknown_numbers_are_kept() {
    let mut octets = pdu(&[0xff, 0xff, 0, 1, 7]);
    octets[3] = 9;
    octets[13] = 18;
    octets[15] = 6;
    let (read, _) = decode(&octets, &LIMITS).unwrap().unwrap();
    assert_eq!(read.header.pdu_type, PduType::Other(9));
    assert_eq!(read.header.payload_format, PayloadFormat::Other(18));
    assert_eq!(read.header.payload_direction, PayloadDirection::Other(6));
    assert_eq!(read.attributes().collect::<Vec<_>>(), [Attribute::Other { number: 0xffff, value: &[7] }]);
}

#[test]
fn keepalives_are_what_the_standard_shows() {
    let mut expected = vec![0, 5, 0, 3, 0, 0, 0, 0x30];
    expected.extend_from_slice(&[0; 32]);
    expected.extend_from_slice(&[0, 8, 0, 4, 0xde, 0xad, 0xbe, 0xef]);
    assert_eq!(keepalive(Version::V0_5, 0xdead_beef)[..], expected);
    expected[3] = 4;
    expected[1] = 6;
    let ack = keepalive_ack(Version::V0_6, 0xdead_beef);
    assert_eq!(ack[..], expected);
    let (read, _) = decode(&ack, &LIMITS).unwrap().unwrap();
    assert_eq!((read.header.pdu_type, read.header.xid), (PduType::KeepaliveAck, Xid::NIL));
    assert_eq!(read.sequence_number(), Some(0xdead_beef));
}

#[test]
fn what_does_not_fit_is_not_written() {
    let head = Head {
        version: Version::V0_5,
        pdu_type: PduType::X2,
        payload_format: PayloadFormat::Sip,
        payload_direction: PayloadDirection::ToTarget,
        xid: Xid([1; 16]),
        correlation_id: 0,
    };
    let mut out = [0xee; 45];
    let failed = |out: &mut [u8], attribute| encode(out, &head, &[attribute], &[0; 3]).unwrap_err();
    assert_eq!(failed(&mut out, Attribute::IpProtocol(17)), EncodeError::NoRoom { needed: 48 });
    let long = vec![0; 65_536];
    let too_long = EncodeError::FieldTooLong { field: "AXRI", length: 65_536, length_max: 65_535 };
    assert_eq!(failed(&mut out, Attribute::AdditionalXidInformation(&long)), too_long);
    let late = UnixTime::new(1 << 32, 0).unwrap();
    assert_eq!(failed(&mut out, Attribute::Timestamp(late)), EncodeError::ValueOutOfRange { field: "timestamp" });
    let disguised = Attribute::Other { number: 8, value: &[0; 4] };
    assert_eq!(failed(&mut out, disguised), EncodeError::ValueOutOfRange { field: "sequence number" });
    assert_eq!(out, [0xee; 45]);
}

#[test]
fn target_identifiers_have_the_form_of_the_schema() {
    assert_eq!(target::ipv4_address([192, 0, 2, 1].into()), "<ipv4Address>192.0.2.1</ipv4Address>");
    let address = "2001:DB8::ab:1".parse().unwrap();
    assert_eq!(target::ipv6_address(address), "<ipv6Address>2001:0db8:0000:0000:0000:0000:00ab:0001</ipv6Address>");
    assert_eq!(target::tcp_port(443), "<tcpPort>443</tcpPort>");
    assert_eq!(target::udp_port(5060), "<udpPort>5060</udpPort>");
    assert_eq!(target::ipv6_cidr(address, 56), "<ipv6Cidr>2001:0db8:0000:0000:0000:0000:00ab:0001/56</ipv6Cidr>");
    let v4 = target::ipv4_cidr("192.0.2.0".parse().unwrap(), 24);
    assert_eq!(v4, "<ipv4Cidr><IPv4CIDR>192.0.2.0/24</IPv4CIDR></ipv4Cidr>");
    assert_eq!(target::gtpu_tunnel_id(u32::MAX), "<gtpuTunnelId>4294967295</gtpuTunnelId>");
    assert_eq!(target::mac_address([2, 0, 0x5e, 0, 0x53, 0xab]), "<macAddress>02:00:5e:00:53:ab</macAddress>");
}

#[test]
fn debug_shows_neither_target_nor_content() {
    let attributes = [
        Attribute::SourceIpv4([203, 0, 113, 77].into()),
        Attribute::DestinationPort(31_337),
        Attribute::MatchedTarget("<nai>alice@example.net</nai>"),
        Attribute::SessionDescription("c=IN IP4 203.0.113.77"),
    ];
    let head = Head {
        version: Version::V0_5,
        pdu_type: PduType::X3,
        payload_format: PayloadFormat::Ipv4,
        payload_direction: PayloadDirection::ToTarget,
        xid: Xid([0xab; 16]),
        correlation_id: 0,
    };
    let mut out = [0; 256];
    let length = encode(&mut out, &head, &attributes, b"secret").unwrap();
    let (pdu, _) = decode(&out[..length], &Limits::default()).unwrap().unwrap();
    let shown = format!("{pdu:?} {head:?} {:?}", AttributeBlock::new(&attributes).unwrap());
    for secret in ["203", "31337", "31_337", "alice", "secret", "115, 101", "abababab"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
