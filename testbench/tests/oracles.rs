//! The script that lets tshark read X2/X3 PDUs: what it has to let pass, and what it has to find. Skipped where there is no tshark.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use writ_handover::ids::Xid;
use writ_handover::time::UnixTime;
use writ_handover::x2x3::{self, Attribute, Head, PayloadDirection, PayloadFormat, PduType, Version};
use writ_testbench::expectations;

/// Octets that tshark's heuristic takes for RTCP: a receiver report of 26 blocks, which it then says to be far longer than it is.
const LIKE_RTCP: [u8; 12] = [0x9a, 0xc9, 0x32, 0x55, 0xa5, 0x6a, 0xcf, 0xf3, 0xb1, 0x91, 0xe5, 0x8b];
/// Place of the first attribute's length in a PDU.
const FIRST_ATTRIBUTE_LENGTH: usize = 42;

/// An IPv4 packet with UDP, without check sums.
fn packet(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = 20 + options.len();
    let length = |octets: usize| u16::try_from(octets).expect("small").to_be_bytes();
    let mut out = vec![0x40 + u8::try_from(header / 4).expect("small"), 0];
    out.extend(length(header + 8 + payload.len()));
    out.extend([0x02, 0xaa, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 60, 203, 0, 113, 42]);
    out.extend(options);
    out.extend([0xd6, 0xd9, 0x01, 0xbb]);
    out.extend(length(8 + payload.len()));
    out.extend([0, 0]);
    out.extend(payload);
    out
}

fn pdu(pdu_type: PduType, payload_format: PayloadFormat, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let head = Head {
        version: Version::V0_5,
        pdu_type,
        payload_format,
        payload_direction: PayloadDirection::FromTarget,
        xid: Xid([7; 16]),
        correlation_id: 3,
    };
    let time = UnixTime::new(1_700_000_000, 5).expect("less than a second");
    let attributes = [Attribute::SequenceNumber(sequence), Attribute::Timestamp(time)];
    let mut out = vec![0; 1_000];
    let length = x2x3::encode(&mut out, &head, &attributes, payload).expect("there is room");
    out.truncate(length);
    out
}

/// A folder as a run leaves it, with one X3 stream, and with what Writ's decoder reads there.
fn run_folder(name: &str, pdus: &[Vec<u8>]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oracle-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("our own folder");
    fs::write(folder.join("x3-a.bin"), pdus.concat()).expect("our own folder");
    expectations::write(&folder).expect("Writ reads what it wrote");
    folder
}

/// Whether the script is content, and what it says.
fn oracle(folder: &Path) -> (bool, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracles/tshark.py");
    let output = Command::new("python3").arg(script).arg(folder).output().expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

fn is_there() -> bool {
    let is_there = Command::new("tshark").arg("-v").output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: no tshark");
    }
    is_there
}

#[test]
fn what_a_subscriber_sends_is_no_fault_of_the_pdu() {
    if !is_there() {
        return;
    }
    let rtcp: Vec<u8> = LIKE_RTCP.iter().copied().cycle().take(112).collect();
    let (rtcp, bad_option) = (packet(&[], &rtcp), packet(&[0x83, 1, 0, 0], b"loose source route of one octet"));
    let mut short_udp = packet(&[], b"UDP that is shorter than its own header, as it says");
    short_udp[25] = 4;
    let frame = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..], &rtcp].concat();
    let pdus = [
        pdu(PduType::X3, PayloadFormat::Ipv4, 0, &rtcp),
        pdu(PduType::X3, PayloadFormat::Ipv4, 1, &bad_option),
        pdu(PduType::X3, PayloadFormat::Ethernet, 2, &frame),
        pdu(PduType::X3, PayloadFormat::Ipv4, 3, &short_udp),
        // A header report ends where the order's scope does.
        pdu(PduType::X2, PayloadFormat::Ipv4, 4, &rtcp[..20]),
    ];
    let (is_good, said) = oracle(&run_folder("subscriber", &pdus));
    assert!(is_good && said.contains("5 X2/X3 PDUs read, 0 faults"), "{said}");
}

#[test]
fn a_damaged_pdu_is_found() {
    if !is_there() {
        return;
    }
    let good = pdu(PduType::X3, PayloadFormat::Ipv4, 0, &packet(&[], b"some octets"));
    let payload = good.len() - packet(&[], b"some octets").len();
    // Of which octets, what they become, and what has to be said.
    let damages: [(usize, &[u8], &str); 7] = [
        (FIRST_ATTRIBUTE_LENGTH, &[0xff, 0xff], "BoundError Unreassembled Packet: 5GLI"),
        (8, &[0, 0, 0xff, 0xff], "BoundError Unreassembled Packet: 5GLI"),
        (FIRST_ATTRIBUTE_LENGTH, &[0, 3], "not read as an X2/X3 PDU"),
        (FIRST_ATTRIBUTE_LENGTH - 2, &[0, 6], "attributes: tshark [6, 9], Writ [8, 9]"),
        (12, &[0, 6], "format: tshark 6, Writ 5"),
        (16, &[6], "xid: tshark"),
        (7, &[u8::try_from(payload - 1).expect("small")], "header_length: tshark"),
    ];
    for (number, (place, octets, wanted)) in damages.into_iter().enumerate() {
        let pdus = [good.clone(), pdu(PduType::X3, PayloadFormat::Ipv4, 1, &packet(&[], b"whole"))];
        let folder = run_folder(&format!("damaged-{number}"), &pdus);
        let mut damaged = pdus.concat();
        damaged[place..place + octets.len()].copy_from_slice(octets);
        fs::write(folder.join("x3-a.bin"), damaged).expect("our own folder");
        let (is_good, said) = oracle(&folder);
        assert!(!is_good && said.contains("PDU 0 at octet 0"), "octet {place}: {said}");
        assert!(said.contains(wanted), "octet {place}: `{wanted}` is not in: {said}");
        assert!(said.contains("2 X2/X3 PDUs read, 1 faults"), "octet {place}: {said}");
    }
}
