//! BER: forms, limits, refusals.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use proptest::prelude::*;
use std::borrow::Cow;
use writ_handover::ber::*;

fn first(octets: &[u8]) -> Result<Element<'_>, Error> {
    Reader::new(octets).require()
}

#[track_caller]
fn refused(octets: &[u8], offset: usize, kind: ErrorKind) {
    assert_eq!(first(octets).unwrap_err(), Error { offset, kind });
}

#[test]
fn lengths_of_any_form_are_read() {
    for octets in [&b"\x04\x02ab"[..], b"\x04\x81\x02ab", b"\x04\x82\x00\x02ab", b"\x04\x88\0\0\0\0\0\0\0\x02ab"] {
        assert_eq!(first(octets).unwrap().octet_string(), Ok(Cow::Borrowed(&b"ab"[..])));
    }
    refused(b"\x04\x85\x01\0\0\0\0ab", 0, ErrorKind::Length);
    refused(b"\x04\xff\x02ab", 0, ErrorKind::Length);
    refused(b"\x04\x03ab", 0, ErrorKind::Truncated);
    refused(b"\x04\x82\x00", 0, ErrorKind::Truncated);
    refused(b"\x04", 0, ErrorKind::Truncated);
    refused(b"\x04\x84\xff\xff\xff\xffab", 0, ErrorKind::Truncated);
}

#[test]
fn indefinite_lengths_are_read() {
    // SEQUENCE { OCTET STRING, SEQUENCE {} } and something after it.
    let octets = b"\x30\x80\x04\x01a\x30\x80\0\0\0\0\x05\0";
    let mut reader = Reader::new(octets);
    let sequence = reader.require().unwrap();
    assert_eq!(sequence.contents(), b"\x04\x01a\x30\x80\0\0");
    assert_eq!(sequence.raw(), &octets[..11]);
    let mut children = sequence.children().unwrap();
    assert_eq!((children.require().unwrap().offset(), children.require().unwrap().offset()), (2, 5));
    assert_eq!(children.finish(), Ok(()));
    assert_eq!(reader.require().unwrap().null(), Ok(()));
    assert!(reader.next().unwrap().is_none());

    refused(b"\x30\x80\x04\x01a", 5, ErrorKind::Truncated);
    refused(b"\x30\x80\x04\x01a\0", 5, ErrorKind::Truncated);
    refused(b"\x30\x80\x04\x05a\0\0", 4, ErrorKind::Truncated);
    refused(b"\x04\x80a\0\0", 0, ErrorKind::IndefinitePrimitive);
    refused(b"\0\0", 0, ErrorKind::EndOfContents);
    refused(b"\x30\x80\0\x01a\0\0", 2, ErrorKind::EndOfContents);
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| [b"\x30\x80".repeat(depth), b"\0\0".repeat(depth)].concat();
    assert!(first(&nested(DEPTH_MAX)).is_ok());
    refused(&nested(DEPTH_MAX + 1), 2 * DEPTH_MAX + 2, ErrorKind::Depth);
    // A hundred thousand levels stop at the limit, too.
    refused(&b"\x30\x80".repeat(100_000), 2 * DEPTH_MAX + 2, ErrorKind::Depth);

    let pieces = |depth: usize| {
        (0..depth).fold(b"\x04\x01a".to_vec(), |inner, _| [&[0x24, inner.len() as u8], &inner[..]].concat())
    };
    let joined = |depth| first(&pieces(depth)).unwrap().octet_string().map(Cow::into_owned);
    assert_eq!(joined(DEPTH_MAX), Ok(b"a".to_vec()));
    assert_eq!(joined(DEPTH_MAX + 1).unwrap_err().kind, ErrorKind::Depth);
}

#[test]
fn strings_in_pieces_are_joined() {
    let octets = b"\xa1\x80\x04\x02ab\x24\x80\x04\x01c\x04\0\0\0\x04\x01d\0\0";
    assert_eq!(first(octets).unwrap().octet_string().unwrap(), &b"abcd"[..]);
    let piece = first(b"\xa1\x05\x04\x01a\x05\0").unwrap().octet_string().unwrap_err();
    assert_eq!(piece, Error { offset: 5, kind: ErrorKind::Piece });
}

#[test]
fn tags_of_any_number() {
    for number in [0, 30, 31, 127, 128, 16_383, 16_384, u32::MAX] {
        let mut octets = Vec::new();
        Writer::new(&mut octets).primitive(Tag::context(number), b"x");
        assert_eq!(octets.len(), tag_octets(Tag::context(number)) + 2, "{number}");
        assert_eq!(first(&octets).unwrap().tag(), Tag::context(number));
    }
    // One number more than fits, and a leading zero.
    refused(b"\x9f\x90\x80\x80\x80\x00\x00", 0, ErrorKind::Tag);
    refused(b"\x9f\x80\x01\x00", 0, ErrorKind::Tag);
}

#[test]
fn values_that_are_none_are_refused() {
    let contents = |octets: &'static [u8]| first(octets).unwrap();
    let wrong = Error { offset: 0, kind: ErrorKind::Contents };
    assert_eq!(contents(b"\x02\0").unsigned(), Err(wrong));
    assert_eq!(contents(b"\x02\x01\xff").unsigned(), Err(wrong));
    assert_eq!(contents(b"\x02\x09\x01\0\0\0\0\0\0\0\0").unsigned(), Err(wrong));
    assert_eq!(contents(b"\x02\x05\x01\0\0\0\0").unsigned_u32(), Err(wrong));
    assert_eq!(contents(b"\x02\x09\0\0\0\0\0\0\0\0\0").signed(), Err(wrong));
    assert_eq!(contents(b"\x0a\0").signed(), Err(wrong));
    assert_eq!(contents(b"\x01\x02\0\0").boolean(), Err(wrong));
    assert_eq!(contents(b"\x05\x01\0").null(), Err(wrong));
    assert_eq!(contents(b"\x03\x01\x01").bit_string(), Err(wrong));
    assert_eq!(contents(b"\x03\x02\x08\0").bit_string(), Err(wrong));
    assert_eq!(contents(b"\x03\0").bit_string(), Err(wrong));
    let not_primitive = Error { offset: 0, kind: ErrorKind::NotPrimitive };
    assert_eq!(contents(b"\x22\x03\x02\x01\x01").unsigned(), Err(not_primitive));
    assert_eq!(contents(b"\x04\0").children().unwrap_err().kind, ErrorKind::NotConstructed);
    assert_eq!(contents(b"\x30\0").only_child().unwrap_err(), Error { offset: 2, kind: ErrorKind::Missing });
    let two = contents(b"\x30\x04\x05\0\x05\0").only_child().unwrap_err();
    assert_eq!(two, Error { offset: 4, kind: ErrorKind::Trailing });
}

#[test]
fn known_integers() {
    let known: [(i64, &[u8]); 8] = [
        (0, b"\x02\x01\0"),
        (127, b"\x02\x01\x7f"),
        (128, b"\x02\x02\0\x80"),
        (256, b"\x02\x02\x01\0"),
        (-1, b"\x02\x01\xff"),
        (-128, b"\x02\x01\x80"),
        (-129, b"\x02\x02\xff\x7f"),
        (i64::MIN, b"\x02\x08\x80\0\0\0\0\0\0\0"),
    ];
    for (value, octets) in known {
        let mut out = Vec::new();
        Writer::new(&mut out).signed(Tag::INTEGER, value);
        assert_eq!(out, octets);
        assert_eq!(first(octets).unwrap().signed(), Ok(value));
    }
}

proptest! {
    #[test]
    fn integers_are_read_as_written(signed in any::<i64>(), unsigned in any::<u64>(), shift in 0..64_u32) {
        let (signed, unsigned) = (signed >> shift, unsigned >> shift);
        let mut out = Vec::new();
        Writer::new(&mut out).signed(Tag::INTEGER, signed);
        prop_assert_eq!(out.len(), 2 + signed_octets(signed));
        prop_assert_eq!(first(&out).unwrap().signed(), Ok(signed));
        out.clear();
        Writer::new(&mut out).unsigned(Tag::INTEGER, unsigned);
        prop_assert_eq!(out.len(), tlv_octets(unsigned_octets(unsigned)));
        prop_assert_eq!(first(&out).unwrap().unsigned(), Ok(unsigned));
    }

    #[test]
    fn lengths_are_of_the_shortest_form(length in prop_oneof![0..300_usize, 65_000..66_000_usize, Just(1 << 24)]) {
        let mut out = Vec::new();
        Writer::new(&mut out).primitive(Tag::OCTET_STRING, &vec![7; length]);
        prop_assert_eq!(out.len(), tlv_octets(length));
        let form = match length { 0..=127 => 1, 128..=255 => 2, 256..=65_535 => 3, 65_536..=16_777_215 => 4, _ => 5 };
        prop_assert_eq!(length_octets(length), form);
        prop_assert_eq!(first(&out).unwrap().contents().len(), length);
    }

    #[test]
    fn any_octets_are_walked_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut open = vec![Reader::new(&octets)];
        while let Some(reader) = open.last_mut() {
            match reader.next() {
                Ok(Some(element)) => {
                    prop_assert!(element.offset() + element.raw().len() <= octets.len());
                    prop_assert_eq!(&octets[element.offset()..][..element.raw().len()], element.raw());
                    let _ = (element.unsigned(), element.signed(), element.bit_string(), element.octet_string());
                    if let Ok(children) = element.children() {
                        open.push(children);
                    }
                }
                Ok(None) => drop(open.pop()),
                Err(error) => {
                    prop_assert!(error.offset <= octets.len());
                    open.pop();
                }
            }
        }
        let _ = extent(&octets);
    }
}
