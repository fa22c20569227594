use super::*;
use proptest::prelude::*;

fn keys() -> AuditKeys {
    AuditKeys::new(&[7; 32], &[9; 32]).expect("octets of the right length")
}

fn time(n: u64) -> AuditTime {
    AuditTime { utc: UnixTime::from_ns(1_700_000_000_000_000_000 + n), tai: TaiNs(n) }
}

/// A log of `records` records with a checkpoint after every fourth, and the hash of each record.
fn sample(records: u64) -> (Vec<u8>, Vec<[u8; 32]>) {
    let (mut log, mut file, mut heads) = (Log::begin(keys()), Vec::new(), Vec::new());
    for n in 0..records {
        let line = if n % 5 == 4 {
            log.checkpoint(time(n), [n as u8; 32]).0
        } else {
            let event = Event::new(EventKind::Loss).number("packets", n).identifier("liid", format!("LIID-{n}"));
            log.append(&event, time(n), [n as u8; 32])
        };
        file.extend(line);
        heads.push(*log.head());
    }
    (file, heads)
}

fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    file.split_inclusive(|&octet| octet == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn a_good_log_verifies() {
    let (file, heads) = sample(12);
    let verified = verify(&file, &keys().public_key(), None).expect("untouched");
    assert_eq!((verified.records, verified.signed_records, verified.anchored_at), (12, 9, None));
    assert!(verified.to_string().contains("up to record 11"), "{verified}");
    let anchored = verify(&file, &keys().public_key(), Some(heads[9])).expect("untouched");
    assert_eq!(anchored.anchored_at, Some(9));
}

#[test]
fn a_cut_log_needs_an_expected_head_to_be_noticed() {
    let (file, heads) = sample(12);
    let cut = lines(&file)[..8].concat();
    let seen = verify(&cut, &keys().public_key(), None).expect("a prefix is a log");
    assert!(seen.to_string().contains("up to record 7"), "{seen}");
    let defect = verify(&cut, &keys().public_key(), Some(heads[11])).expect_err("records are missing");
    assert_eq!(defect, Defect { record: 8, reason: DefectReason::HeadNotFound });
    for file in [&file[..], &[]] {
        let zero = verify(file, &keys().public_key(), Some([0; 32])).expect_err("no record has this hash");
        assert_eq!(zero.reason, DefectReason::HeadNotFound);
    }
}

#[test]
fn each_kind_of_tampering_is_named() {
    let (file, _) = sample(10);
    let key = keys().public_key();
    let lines = lines(&file);
    let swapped = {
        let mut l = lines.clone();
        l.swap(2, 3);
        l.concat()
    };
    assert_eq!(verify(&swapped, &key, None), Err(Defect { record: 2, reason: DefectReason::Number }));
    let missing = {
        let mut l = lines.clone();
        l.remove(5);
        l.concat()
    };
    assert_eq!(verify(&missing, &key, None), Err(Defect { record: 5, reason: DefectReason::Number }));
    let torn = &file[..file.len() - 10];
    assert_eq!(verify(torn, &key, None), Err(Defect { record: 9, reason: DefectReason::Form }));
    assert_eq!(verify(&file, &[1; 32], None), Err(Defect { record: 4, reason: DefectReason::Signature }));
    // Somebody who computes hashes anew from record 1 on cannot sign the checkpoint.
    let mut forger = Log::begin(AuditKeys::new(&[8; 32], &[9; 32]).expect("keys"));
    let mut forged = Vec::new();
    for n in 0..5 {
        forged.extend(if n == 4 {
            forger.checkpoint(time(n), [0; 32]).0
        } else {
            forger.append(&Event::new(EventKind::Other), time(n), [0; 32])
        });
    }
    assert_eq!(verify(&forged, &key, None), Err(Defect { record: 4, reason: DefectReason::Signature }));
}

/// A record that was replaced by another good one, written with the right keys: the next one shows it.
#[test]
fn a_replaced_record_breaks_the_chain_behind_it() {
    let (file, _) = sample(4);
    let mut other = Log::begin(keys());
    let mut forged = Vec::new();
    for n in 0..3 {
        let packets = if n == 2 { 0 } else { n };
        let event = Event::new(EventKind::Loss).number("packets", packets).identifier("liid", format!("LIID-{n}"));
        forged = other.append(&event, time(n), [n as u8; 32]);
    }
    let mut lines = lines(&file);
    assert_ne!(lines[2], forged);
    lines[2] = forged;
    let defect = verify(&lines.concat(), &keys().public_key(), None);
    assert_eq!(defect, Err(Defect { record: 3, reason: DefectReason::Chain }));
}

#[test]
fn a_log_goes_on_after_a_torn_line() {
    let (mut file, _) = sample(7);
    file.extend_from_slice(b"{\"body\":{\"event\"");
    let Resumed { mut log, verified, torn_bytes } = Log::resume(keys(), &file).expect("only the tail is torn");
    assert_eq!((verified.records, torn_bytes), (7, 16));
    file.truncate(file.len() - torn_bytes);
    file.extend(log.append(&Event::new(EventKind::ProcessStarted), time(99), [3; 32]));
    assert_eq!(verify(&file, &keys().public_key(), Some(*log.head())).expect("whole").anchored_at, Some(7));
}

#[test]
fn identifiers_are_committed_to_and_sealed() {
    let mut log = Log::begin(keys());
    let event = Event::new(EventKind::Refused).identifier("liid", "LEA-4711").identifier("xid", "LEA-4711");
    let line = String::from_utf8(log.append(&event, time(0), [5; 32])).expect("JSON");
    assert!(!line.contains("4711") && !format!("{event:?}").contains("4711"));
    let value: Value = serde_json::from_str(&line).expect("JSON");
    let field = &value["body"]["fields"]["liid"];
    let other = &value["body"]["fields"]["xid"];
    assert_ne!(field["commitment"], other["commitment"], "the salt differs");
    let sealed = field["sealed"].as_str().expect("text");
    let opened = log.keys().open("liid", sealed).expect("the right key");
    assert_eq!(opened.value.reveal(), "LEA-4711");
    assert!(opened.fits("liid", field["commitment"].as_str().expect("text")));
    assert!(!opened.fits("xid", field["commitment"].as_str().expect("text")));
    assert_eq!(log.keys().open("xid", sealed), None, "a sealed field cannot be moved");
    assert_eq!(AuditKeys::new(&[7; 32], &[1; 32]).expect("keys").open("liid", sealed), None);
}

#[test]
fn dates_are_right() {
    let text = |s: u64| utc_text(UnixTime::from_ns(s * 1_000_000_000 + 1_000));
    assert_eq!(text(0), "1970-01-01T00:00:00.000001Z");
    assert_eq!(text(951_782_400), "2000-02-29T00:00:00.000001Z");
    assert_eq!(text(1_709_251_199), "2024-02-29T23:59:59.000001Z");
    assert_eq!(text(4_102_444_800), "2100-01-01T00:00:00.000001Z");
}

proptest! {
    #[test]
    fn every_changed_octet_is_noticed_in_its_record(at in 0..4_000_usize, flip in 1..=255_u8) {
        let (file, heads) = sample(6);
        let at = at % file.len();
        let mut bad = file.clone();
        bad[at] ^= flip;
        let record = file[..at].iter().filter(|&&octet| octet == b'\n').count() as u64;
        let defect = verify(&bad, &keys().public_key(), Some(heads[5])).expect_err("one octet differs");
        prop_assert!(defect.record <= record, "{defect} after a change in record {record}");
        prop_assert!(record - defect.record <= 1);
    }

    #[test]
    fn never_panics(file: Vec<u8>) {
        let _ = verify(&file, &[0; 32], None);
        let _ = Verifier::new([0; 32], None).record(&file);
    }
}
