//! What Writ's own decoders read in the streams of a run, as JSON for foreign decoders to be compared with.
//!
//! The file `expected.json` lists, for each stream, every PDU with its place and its fields. The scripts in `testbench/oracles` let tshark and
//! asn1tools read the same octets and compare.

use std::ffi::OsStr;
use std::path::Path;
use std::{fs, io};

use serde_json::{Value, json};
use writ_handover::pspdu::{self, CcContents, IpCcContents, IriContents, PacketReportContents, Payload};
use writ_handover::x2x3;

use crate::lemf::Interface;

/// How much there is to compare.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expectations {
    /// Streams found.
    pub streams: usize,
    /// PDUs in them.
    pub pdus: usize,
    /// Of these, X2 and X3.
    pub x_pdus: usize,
    /// Of these, HI2 and HI3.
    pub hi_pdus: usize,
}

/// Reads all streams of a run's folder and writes `expected.json` beside them.
///
/// # Errors
/// If a file cannot be read or written, or if Writ's own decoders refuse a stream.
pub fn write(folder: &Path) -> io::Result<Expectations> {
    let mut counts = Expectations::default();
    let mut streams = Vec::new();
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let Some((name, interface)) = path.file_name().and_then(OsStr::to_str).and_then(stream_name) else { continue };
        let octets = fs::read(&path)?;
        let pdus = read(interface, &octets)
            .map_err(|text| io::Error::new(io::ErrorKind::InvalidData, format!("{name}: {text}")))?;
        counts.streams += 1;
        counts.pdus += pdus.len();
        *if interface.is_hi() { &mut counts.hi_pdus } else { &mut counts.x_pdus } += pdus.len();
        streams.push(json!({"file": name, "interface": interface.name(), "pdus": pdus}));
    }
    fs::write(folder.join("expected.json"), serde_json::to_vec(&json!({"streams": streams}))?)?;
    Ok(counts)
}

fn stream_name(name: &str) -> Option<(&str, Interface)> {
    let interfaces = [Interface::Hi2, Interface::Hi3, Interface::X2, Interface::X3];
    let (first, _) = name.strip_suffix(".bin")?.split_once('-')?;
    interfaces.into_iter().find(|interface| interface.name() == first).map(|interface| (name, interface))
}

fn read(interface: Interface, octets: &[u8]) -> Result<Vec<Value>, String> {
    let mut pdus = Vec::new();
    let mut offset = 0;
    while offset < octets.len() {
        let rest = &octets[offset..];
        let found = if interface.is_hi() { ps_pdu(rest) } else { x_pdu(rest) };
        let (mut fields, length) = found
            .map_err(|text| format!("octet {offset}: {text}"))?
            .ok_or(format!("octet {offset}: it ends inside a PDU"))?;
        fields["offset"] = offset.into();
        fields["length"] = length.into();
        pdus.push(fields);
        offset += length;
    }
    Ok(pdus)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn x_pdu(octets: &[u8]) -> Result<Option<(Value, usize)>, String> {
    let decoded = x2x3::decode(octets, &x2x3::Limits::default()).map_err(|error| error.to_string())?;
    let Some((pdu, length)) = decoded else { return Ok(None) };
    let header = pdu.header;
    let fields = json!({
        "type": header.pdu_type.number(),
        "format": header.payload_format.number(),
        "direction": header.payload_direction.number(),
        "header_length": header.header_length,
        "payload_length": header.payload_length,
        "xid": header.xid.text(),
        "correlation": header.correlation_id,
        "sequence": pdu.sequence_number(),
        "seconds": pdu.timestamp().map(|time| time.seconds()),
        "nanoseconds": pdu.timestamp().map(|time| time.nanoseconds()),
        "attributes": pdu.attributes().map(|attribute| attribute.number()).collect::<Vec<_>>(),
        "matched": pdu.matched_targets().collect::<Vec<_>>(),
    });
    Ok(Some((fields, length)))
}

fn ps_pdu(octets: &[u8]) -> Result<Option<(Value, usize)>, String> {
    let decoded = pspdu::decode(octets, &pspdu::Limits::default()).map_err(|error| error.to_string())?;
    let Some(pspdu::Decoded { pdu, length, .. }) = decoded else { return Ok(None) };
    let header = &pdu.header;
    let stamp = header.micro_second_time_stamp;
    let mut fields = json!({
        "liid": hex(&header.lawful_interception_identifier),
        "operator": hex(&header.communication.network.operator),
        "cin": header.communication.cin.map(|cin| cin.0),
        "sequence": header.sequence,
        "seconds": stamp.map(|stamp| stamp.seconds),
        "micro_seconds": stamp.map(|stamp| stamp.micro_seconds),
    });
    let (arm, payloads) = match &pdu.payload {
        Payload::Iri(payloads) => ("iRIPayloadSequence", payloads.iter().map(iri).collect::<Result<_, _>>()?),
        Payload::Cc(payloads) => ("cCPayloadSequence", payloads.iter().map(cc).collect::<Result<_, _>>()?),
        Payload::Tri(_) => ("tRIPayload", Vec::new()),
        Payload::Hi1(pspdu::Hi1Operation::Activated(_)) => ("hI1-Operation liActivated", Vec::new()),
        Payload::Hi1(pspdu::Hi1Operation::Deactivated(_)) => ("hI1-Operation liDeactivated", Vec::new()),
        _ => return Err("a kind of payload that Writ does not send".to_owned()),
    };
    fields["arm"] = arm.into();
    fields["payloads"] = payloads.into();
    Ok(Some((fields, length)))
}

fn iri(payload: &pspdu::IriPayload<'_>) -> Result<Value, String> {
    let stamp = payload.micro_second_time_stamp;
    let mut fields = json!({
        "iri_type": payload.iri_type.map(|iri_type| iri_type.number()),
        "direction": payload.payload_direction.map(|direction| direction.number()),
        "seconds": stamp.map(|stamp| stamp.seconds),
        "micro_seconds": stamp.map(|stamp| stamp.micro_seconds),
    });
    match &payload.contents {
        IriContents::PacketReport(report) => {
            let PacketReportContents::Header { header, .. } = &report.report else {
                return Err("a summary report".to_owned());
            };
            fields["header"] = hex(header).into();
        }
        IriContents::IpIri(contents) => {
            fields["access_event"] = contents.access_event_type.number().into();
            fields["username"] = hex(&contents.target_username).into();
        }
        _ => return Err("an IRI of another service".to_owned()),
    }
    Ok(fields)
}

fn cc(payload: &pspdu::CcPayload<'_>) -> Result<Value, String> {
    let CcContents::IpCc(contents) = &payload.contents else { return Err("content of another service".to_owned()) };
    let (name, packet) = match &contents.contents {
        IpCcContents::Packets(packet) => ("packet", packet),
        IpCcContents::Truncated { packet, .. } => ("truncated_packet", packet),
        IpCcContents::Other(_) => return Err("contents of an unknown form".to_owned()),
    };
    let stamp = payload.micro_second_time_stamp;
    Ok(json!({
        "direction": payload.direction.map(|direction| direction.number()),
        "seconds": stamp.map(|stamp| stamp.seconds),
        "micro_seconds": stamp.map(|stamp| stamp.micro_seconds),
        name: hex(packet),
    }))
}

#[cfg(test)]
mod tests {
    use writ_handover::ids::Xid;
    use writ_handover::time::UnixTime;
    use writ_handover::x2x3::{Attribute, Head, PayloadDirection, PayloadFormat, PduType, Version};

    use super::*;

    fn header_report(sequence: u32) -> Vec<u8> {
        let head = Head {
            version: Version::V0_5,
            pdu_type: PduType::X2,
            payload_format: PayloadFormat::Ipv4,
            payload_direction: PayloadDirection::FromTarget,
            xid: Xid([7; 16]),
            correlation_id: 3,
        };
        let time = UnixTime::new(1_700_000_000, 5).expect("less than a second");
        let target = "<ipv4Address>192.0.2.1</ipv4Address>";
        let attributes =
            [Attribute::SequenceNumber(sequence), Attribute::Timestamp(time), Attribute::MatchedTarget(target)];
        let mut out = vec![0; 500];
        let length = x2x3::encode(&mut out, &head, &attributes, &[0x45; 20]).expect("there is room");
        out.truncate(length);
        out
    }

    #[test]
    fn streams_are_found_and_described() {
        let folder = std::env::temp_dir().join(format!("writ-expectations-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let pdus = [header_report(0), header_report(1)];
        fs::write(folder.join("x2-a.bin"), pdus.concat()).expect("a temporary folder");
        fs::write(folder.join("summary.json"), "{}").expect("a temporary folder");
        let counts = write(&folder).expect("a good stream");
        assert_eq!((counts.streams, counts.pdus, counts.x_pdus, counts.hi_pdus), (1, 2, 2, 0));
        let text = fs::read(folder.join("expected.json")).expect("just written");
        let expected: Value = serde_json::from_slice(&text).expect("JSON");
        let second = &expected["streams"][0]["pdus"][1];
        assert_eq!((second["offset"].as_u64(), second["sequence"].as_u64()), (Some(pdus[0].len() as u64), Some(1)));
        assert_eq!((&second["type"], &second["direction"], &second["nanoseconds"]), (&json!(1), &json!(3), &json!(5)));
        assert_eq!(second["matched"], json!(["<ipv4Address>192.0.2.1</ipv4Address>"]));

        fs::write(folder.join("x2-a.bin"), &pdus[0][..50]).expect("a temporary folder");
        let error = write(&folder).expect_err("cut in the middle").to_string();
        assert_eq!(error, "x2-a.bin: octet 0: it ends inside a PDU");
        fs::remove_dir_all(&folder).expect("our own folder");
    }
}
