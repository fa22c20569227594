//! Identifiers, times and directions.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use proptest::prelude::*;
use writ_handover::{
    direction,
    ids::*,
    pspdu::{self, GeneralizedTime, UtcTime},
    time::UnixTime,
    x2x3,
};

#[test]
fn liid_has_one_spelling_for_each_octet_string() {
    let printable = Liid::parse("A/b-1~!").unwrap();
    assert_eq!((printable.as_octets(), printable.text()), (&b"A/b-1~!"[..], "A/b-1~!".to_owned()));
    let hex = "00ff00ff00ff00ff00ff00ff00";
    let binary = Liid::parse(hex).unwrap();
    assert_eq!((binary.as_octets().len(), binary.text()), (13, hex.to_owned()));
    assert_eq!(Liid::parse(&"00".repeat(25)).unwrap().as_octets(), [0; 25]);
    // Hexadecimal digits, but not more than 25: characters.
    assert_eq!(Liid::parse("00ff").unwrap().as_octets(), b"00ff");
}

#[test]
fn what_is_no_liid_is_refused() {
    let length = |length, length_max| IdError::Length { what: "LIID", length, length_min: 1, length_max };
    let character = |index| IdError::Character { what: "LIID", index };
    assert_eq!(Liid::parse(""), Err(length(0, 25)));
    assert_eq!(Liid::parse("a b"), Err(character(1)));
    assert_eq!(Liid::parse("é"), Err(character(0)));
    assert_eq!(Liid::parse("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), Err(IdError::LiidForm));
    assert!(IdError::LiidForm.to_string().contains("1 to 25") && IdError::LiidForm.to_string().contains("26 to 50"));
    assert_eq!(Liid::parse("00FF00ff00ff00ff00ff00ff00"), Err(IdError::LiidForm));
    assert_eq!(Liid::parse(&"0".repeat(27)), Err(IdError::OddHex));
    assert_eq!(Liid::parse(&"0".repeat(51)), Err(IdError::LiidForm));
    assert_eq!(Liid::parse(&"41".repeat(13)), Err(IdError::HexOfPrintable));
    assert_eq!(Liid::from_octets(b""), Err(length(0, 25)));
    assert_eq!(Liid::from_octets(&[0; 26]), Err(length(26, 25)));
    assert_eq!(Liid::from_octets(b"a b"), Err(character(1)));
}

proptest! {
    #[test]
    fn liid_text_and_octets_map_one_to_one(octets in prop::collection::vec(any::<u8>(), 0..30)) {
        if let Ok(liid) = Liid::from_octets(&octets) {
            prop_assert_eq!(liid.as_octets(), &octets[..]);
            prop_assert_eq!(Liid::parse(&liid.text()), Ok(liid));
        }
    }

    #[test]
    fn liid_that_parses_prints_the_same(text in "[!-~]{1,25}|[0-9a-f]{20,55}|.{0,30}") {
        if let Ok(liid) = Liid::parse(&text) {
            prop_assert_eq!(liid.text(), text);
            prop_assert_eq!(Liid::from_octets(liid.as_octets()), Ok(liid));
        }
    }

    #[test]
    fn xid_prints_what_it_parses(octets in any::<[u8; 16]>(), other in ".{0,40}") {
        let text = Xid(octets).text();
        prop_assert_eq!(Xid::parse(&text), Ok(Xid(octets)));
        prop_assert_eq!(Xid::parse(&text.to_uppercase()), Ok(Xid(octets)));
        let _ = Xid::parse(&other);
    }

    #[test]
    fn generalized_time_says_what_it_was_made_from(seconds in 0..253_402_300_800_u64, micro_seconds in 0..1_000_000_u32) {
        let time = UnixTime::new(seconds, micro_seconds * 1000).unwrap();
        prop_assert_eq!(GeneralizedTime::from_unix(time).unwrap().to_unix(), Some(time));
    }

    #[test]
    fn any_text_is_a_time_or_not(text in "[0-9]{0,16}([.,][0-9]{0,12})?(Z|[+-][0-9]{0,5})?|.{0,20}") {
        let _ = GeneralizedTime(text.clone().into()).to_unix();
        let _ = UtcTime(text.into()).to_unix();
    }
}

#[test]
fn xid_has_the_form_of_a_uuid() {
    let xid = Xid::parse("01234567-89ab-4def-8123-456789ABCDEF").unwrap();
    assert_eq!(xid.text(), "01234567-89ab-4def-8123-456789abcdef");
    assert_eq!(xid.0[..3], [1, 0x23, 0x45]);
    let character = |index| Err(IdError::Character { what: "XID", index });
    assert_eq!(Xid::parse("01234567-89ab-4def-8123-456789abcdeg"), character(35));
    assert_eq!(Xid::parse("0123456789-ab-4def-8123-456789abcdef"), character(8));
    assert_eq!(Xid::parse("01234567-89ab-4def-8123-456789ab-def"), character(32));
    assert!(Xid::parse("").is_err());
}

#[test]
fn other_identifiers_keep_to_their_formats() {
    assert!(OperatorId::parse("1234567890123456").is_ok());
    assert!(OperatorId::parse("12345678901234567").is_err());
    assert!(OperatorId::parse("").is_err());
    assert!(NetworkElementId::parse("tab\t").is_err());
    assert!(InterceptionPointId::parse("POI-1").is_ok());
    assert!(InterceptionPointId::parse("POI_1").is_err(), "no PrintableString");
    assert!(InterceptionPointId::parse("123456789").is_err());
    assert!(CountryCode::parse("US").is_ok());
    for wrong in ["us", "U", "USA", "U1", ""] {
        assert!(CountryCode::parse(wrong).is_err(), "{wrong}");
    }
    assert!(NetworkFunctionId::parse(&"x".repeat(128)).is_ok());
    assert!(PointOfInterceptionId::parse(&"x".repeat(129)).is_err());
}

#[test]
fn debug_shows_a_short_prefix_at_most() {
    assert_eq!(format!("{:?}", Liid::parse("CASE-2024-0815").unwrap()), "Liid(CASE…)");
    assert_eq!(format!("{:?}", Liid::parse("AB1").unwrap()), "Liid(A…)");
    assert_eq!(format!("{:?}", Xid([0x1a; 16])), "Xid(1a1a…)");
    let error = Liid::parse("secret name").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[test]
fn known_times() {
    // Seconds from `date -u -d ... +%s`.
    let known = [
        (0, "19700101000000Z", "700101000000Z"),
        (951_782_400, "20000229000000Z", "000229000000Z"),
        (1_709_251_199, "20240229235959Z", "240229235959Z"),
        (2_524_607_999, "20491231235959Z", "491231235959Z"),
    ];
    for (seconds, generalized, utc) in known {
        let time = UnixTime::new(seconds, 0).unwrap();
        assert_eq!(GeneralizedTime::from_unix(time).unwrap(), GeneralizedTime(generalized.into()));
        assert_eq!(UtcTime::from_unix(time).unwrap(), UtcTime(utc.into()));
        assert_eq!(UtcTime(utc.into()).to_unix(), Some(time));
    }
    let century = UnixTime::new(4_107_542_400, 250_000_000).unwrap();
    assert_eq!(GeneralizedTime::from_unix(century).unwrap(), GeneralizedTime("21000301000000.25Z".into()));
    assert!(UtcTime::from_unix(century).is_err());
    assert!(GeneralizedTime::from_unix(UnixTime::new(253_402_300_800, 0).unwrap()).is_err());
}

#[test]
fn times_with_an_offset_and_wrong_ones() {
    let unix =
        |text: &'static str| GeneralizedTime(text.into()).to_unix().map(|time| (time.seconds(), time.nanoseconds()));
    assert_eq!(unix("20231114221320Z"), Some((1_700_000_000, 0)));
    assert_eq!(unix("20231115001320.5+0200"), Some((1_700_000_000, 500_000_000)));
    assert_eq!(unix("20231114171320,1234567891-05"), Some((1_700_000_000, 123_456_789)));
    let wrong = [
        "20231114221320",
        "20231314221320Z",
        "20230229000000Z",
        "20231114241320Z",
        "20231114226020Z",
        "20231114221320.Z",
        "20231114221320ZZ",
        "20231114221320+2",
        "19691231235959Z",
        "2023é114221320Z",
        "",
    ];
    for text in wrong {
        assert_eq!(unix(text), None, "{text}");
    }
}

#[test]
fn directions_translate_as_the_standards_number_them() {
    let pairs = [(1, 2), (2, 1), (3, 0), (4, 3), (5, 4)];
    for (x, ps) in pairs {
        let (x, ps) = (x2x3::PayloadDirection::from_number(x), pspdu::PayloadDirection::from_number(ps));
        assert_eq!(direction::pspdu_from_x(x), Some(ps));
        assert_eq!(direction::x_from_pspdu(ps), Some(x));
    }
    assert_eq!(direction::pspdu_from_x(x2x3::PayloadDirection::Reserved), None);
    assert_eq!(direction::pspdu_from_x(x2x3::PayloadDirection::Other(6)), None);
    assert_eq!(direction::x_from_pspdu(pspdu::PayloadDirection::Other(5)), None);
}
