//! Writes streams of every format and what is in them, for `testbench/oracles/us.py`: to the folder that `WRIT_US_STREAMS` names, or to
//! `us` in cargo's folder for temporary files.

use crate::{
    json::{self, Json},
    strategies, strategies_atis,
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use writ_handover::{
    time::UnixTime,
    us::{
        ccc::{CaseId, CccId, Form, Template},
        pcesp::{CdcPdu, ProtocolVersion},
    },
};

/// PDUs of each message.
const EACH: usize = 40;

/// The octets of PDUs one after the other, and what is said of each.
#[derive(Default)]
struct Stream {
    octets: Vec<u8>,
    pdus: Vec<Value>,
}

impl Stream {
    fn add(&mut self, pdu: &[u8], mut expected: Value) {
        expected["offset"] = self.octets.len().into();
        expected["length"] = pdu.len().into();
        self.octets.extend_from_slice(pdu);
        self.pdus.push(expected);
    }

    /// Writes the octets and gives the entry for `expected.json`.
    fn write(self, folder: &Path, file: &str, mut entry: Value) -> io::Result<Value> {
        fs::write(folder.join(file), self.octets)?;
        entry["file"] = file.into();
        entry["pdus"] = self.pdus.into();
        Ok(entry)
    }
}

fn pcesp(folder: &Path, runner: &mut TestRunner, version: ProtocolVersion) -> io::Result<Value> {
    let mut stream = Stream::default();
    for message in strategies::messages(version, false) {
        for _ in 0..EACH {
            let pdu = CdcPdu::new(version, message.new_tree(runner).unwrap().current());
            stream.add(&pdu.to_vec().unwrap(), json!({ "value": json::pdu(&pdu, "io3") }));
        }
    }
    let number = version.number();
    let entry = json!({ "format": "pcesp", "version": number, "type": "CdcPdu" });
    stream.write(folder, &format!("pcesp-v{number}.bin"), entry)
}

/// PDUs of the reconstruction of ATIS-1000013, `EACH` for each of its messages on average.
macro_rules! atis {
    ($folder:ident, $runner:ident, $strategy:ident, $name:literal, $messages:literal) => {{
        let mut stream = Stream::default();
        let values = strategies_atis::$strategy(false);
        for _ in 0..$messages * EACH {
            let pdu = values.new_tree(&mut $runner).unwrap().current();
            let mut octets = Vec::new();
            pdu.encode(&mut octets).unwrap();
            stream.add(&octets, json!({ "value": pdu.json() }));
        }
        stream.write($folder, concat!("atis-", $name, ".bin"), json!({ "format": "atis", "type": $name })).unwrap()
    }};
}

/// A packet that a dissector can read to its end: IPv4 or IPv6 with UDP to the discard port.
fn packet(index: u16) -> Vec<u8> {
    let payload = usize::from(index) * 7 % 1300;
    let udp_length = u16::try_from(8 + payload).unwrap().to_be_bytes();
    let mut packet = if index.is_multiple_of(2) {
        let total = u16::try_from(28 + payload).unwrap().to_be_bytes();
        let mut header = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, 17, 0, 0];
        header.extend([192, 0, 2, 1, 198, 51, 100, 2]);
        header
    } else {
        let mut header = vec![0x60, 0, 0, 0, udp_length[0], udp_length[1], 17, 64];
        header.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        header.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        header
    };
    packet.extend([0xc0, 1, 0, 9, udp_length[0], udp_length[1], 0, 0]);
    packet.extend((0..payload).map(|octet| octet as u8));
    packet
}

fn ccc(folder: &Path, form: Form, name: &str) -> io::Result<Value> {
    let mut stream = Stream::default();
    let mut out = [0; 2048];
    for index in 0..300_u16 {
        let id = CccId(u32::from(index).wrapping_mul(0x9e37_79b9));
        let time = UnixTime::from_ns(1_700_000_000_000_000_000 + u64::from(index) * 1_234_567_891);
        let case = CaseId((u64::from(index) * 0x0101_0101_0101).to_be_bytes());
        let (template, mut expected) = (
            match form {
                Form::Id => Template::new(id),
                Form::IdTime => Template::with_time(id),
                Form::IdTimeCase => Template::with_time_and_case(id, case),
            },
            json!({ "id": id.0 }),
        );
        if form != Form::Id {
            expected["ns"] = (time.seconds() * 1_000_000_000 + u64::from(time.nanoseconds())).into();
        }
        if form == Form::IdTimeCase {
            expected["case"] = case.0.iter().map(|octet| format!("{octet:02x}")).collect::<String>().into();
        }
        let octets = template.encode(&mut out, time, &packet(index)).unwrap();
        stream.add(&out[..octets], expected);
    }
    stream.write(folder, &format!("ccc-{name}.bin"), json!({ "format": "ccc", "form": name }))
}

#[test]
fn streams_are_written_for_the_oracles() {
    let folder = std::env::var_os("WRIT_US_STREAMS")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("us"), PathBuf::from);
    let folder = folder.as_path();
    fs::create_dir_all(folder).unwrap();
    let mut runner = TestRunner::deterministic();
    let streams = [
        pcesp(folder, &mut runner, ProtocolVersion::V3).unwrap(),
        pcesp(folder, &mut runner, ProtocolVersion::V4).unwrap(),
        ccc(folder, Form::Id, "id").unwrap(),
        ccc(folder, Form::IdTime, "id_time").unwrap(),
        ccc(folder, Form::IdTimeCase, "id_time_case").unwrap(),
        atis!(folder, runner, ias_cc_apdu, "IAS-CC-APDU", 1),
        atis!(folder, runner, ias_protocol, "IasProtocol", 11),
        atis!(folder, runner, ias_optional_protocol, "IasOptionalProtocol", 4),
    ];
    fs::write(folder.join("expected.json"), serde_json::to_vec_pretty(&json!({ "streams": streams })).unwrap())
        .unwrap();
    println!("{}", folder.display());
}
