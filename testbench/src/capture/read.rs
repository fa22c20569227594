use std::fs;
use std::path::Path;

use pcap_parser::nom;
use pcap_parser::pcapng::{parse_block_be, parse_block_le, parse_sectionheaderblock};
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{
    Block, InterfaceDescriptionBlock, LegacyPcapBlock, Linktype, PcapError, PcapHeader, parse_pcap_frame,
    parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};

use super::{Capture, CaptureError, CaptureErrorKind, Frame};

/// Largest file that is read: a capture is held in memory as a whole.
pub const FILE_BYTES_MAX: u64 = 1 << 30;

/// Longest single packet that is believed; a longer one is a corrupted length.
const PACKET_BYTES_MAX: u32 = 256 * 1024;
const NS_PER_S: u128 = 1_000_000_000;
const PCAPNG_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

type Parsed<'a, T> = Result<(&'a [u8], T), nom::Err<PcapError<&'a [u8]>>>;

/// Reads a pcap or pcapng file.
pub fn read_file(path: &Path) -> Result<Capture, CaptureError> {
    let io = |error| CaptureError::new(path, 0, 0, CaptureErrorKind::Io(error));
    let bytes = fs::metadata(path).map_err(io)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(CaptureError::new(path, 0, 0, CaptureErrorKind::TooLarge { bytes }));
    }
    read_bytes(path, &fs::read(path).map_err(io)?)
}

/// Reads a capture that is in memory; `name` stands in its errors.
pub fn read_bytes(name: &Path, bytes: &[u8]) -> Result<Capture, CaptureError> {
    let capture =
        if bytes.starts_with(&PCAPNG_MAGIC) { Pcapng::new(name, bytes).read()? } else { read_pcap(name, bytes)? };
    if capture.frames.is_empty() {
        return Err(CaptureError::new(name, 0, bytes.len(), CaptureErrorKind::Empty));
    }
    Ok(capture)
}

fn truncation_warning(name: &Path, block: usize, offset: usize, end: usize) -> String {
    format!("{}: block {block} at byte {offset}: the file ends inside it, after {} bytes", name.display(), end - offset)
}

fn read_pcap(name: &Path, bytes: &[u8]) -> Result<Capture, CaptureError> {
    let fail = |block, offset, kind| CaptureError::new(name, block, offset, kind);
    let (mut rest, header) = match parse_pcap_header(bytes) {
        Ok(parsed) => parsed,
        Err(nom::Err::Incomplete(_)) if bytes.len() >= 4 => return Err(fail(0, 0, CaptureErrorKind::HeaderTruncated)),
        Err(_) => return Err(fail(0, 0, CaptureErrorKind::NotACapture)),
    };
    if header.network != Linktype::ETHERNET {
        return Err(fail(0, 0, CaptureErrorKind::LinkType(header.network.0)));
    }
    let mut capture = Capture::default();
    let mut block = 1;
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        match parse_record(&header, rest) {
            Ok((next, record)) => {
                capture.frames.push(pcap_frame(&header, &record).map_err(|kind| fail(block, offset, kind))?);
                rest = next;
            }
            Err(nom::Err::Incomplete(_)) => {
                implausible_length(&header, rest).map_err(|kind| fail(block, offset, kind))?;
                capture.warnings.push(truncation_warning(name, block, offset, bytes.len()));
                break;
            }
            Err(error) => return Err(fail(block, offset, malformed(&error))),
        }
        block += 1;
    }
    Ok(capture)
}

fn parse_record<'a>(header: &PcapHeader, rest: &'a [u8]) -> Parsed<'a, LegacyPcapBlock<'a>> {
    if header.is_modified_format() {
        parse_pcap_frame_modified(rest)
    } else if header.is_bigendian() {
        parse_pcap_frame_be(rest)
    } else {
        parse_pcap_frame(rest)
    }
}

/// Tells a corrupted length from a file that was merely cut: a cut file does not claim impossible packets.
fn implausible_length(header: &PcapHeader, rest: &[u8]) -> Result<(), CaptureErrorKind> {
    let Some(field) = rest.get(8..12).and_then(|field| <[u8; 4]>::try_from(field).ok()) else { return Ok(()) };
    let length = if header.is_bigendian() { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) };
    if length > PACKET_BYTES_MAX {
        return Err(CaptureErrorKind::Malformed(format!("the record claims {length} bytes")));
    }
    Ok(())
}

fn pcap_frame(header: &PcapHeader, record: &LegacyPcapBlock<'_>) -> Result<Frame, CaptureErrorKind> {
    if record.caplen > PACKET_BYTES_MAX {
        return Err(CaptureErrorKind::Malformed(format!("the record claims {} bytes", record.caplen)));
    }
    let unit_ns = if header.is_nanosecond_precision() { 1 } else { 1_000 };
    let fraction_ns = u64::from(record.ts_usec) * unit_ns;
    if u128::from(fraction_ns) >= NS_PER_S {
        return Err(CaptureErrorKind::Malformed(format!("fraction of a second {} is out of range", record.ts_usec)));
    }
    Ok(Frame {
        time_ns: u64::from(record.ts_sec) * NS_PER_S as u64 + fraction_ns,
        interface: 0,
        original_len: record.origlen.max(record.caplen),
        data: record.data.to_vec(),
    })
}

fn malformed(error: &nom::Err<PcapError<&[u8]>>) -> CaptureErrorKind {
    let what = match error {
        nom::Err::Incomplete(_) => "a field is cut off".to_owned(),
        nom::Err::Error(PcapError::NomError(_, kind)) | nom::Err::Failure(PcapError::NomError(_, kind)) => {
            format!("its fields do not fit its length ({kind:?})")
        }
        nom::Err::Error(_) | nom::Err::Failure(_) => "its fields do not fit its length".to_owned(),
    };
    CaptureErrorKind::Malformed(what)
}

/// What an interface description says about time.
struct Interface {
    units_per_s: u64,
    offset_s: i64,
}

/// The walk over the blocks of a pcapng file.
struct Pcapng<'a> {
    name: &'a Path,
    bytes: &'a [u8],
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Interfaces of the sections before this one, so that numbers stay distinct over sections.
    interface_base: u32,
    capture: Capture,
}

impl<'a> Pcapng<'a> {
    fn new(name: &'a Path, bytes: &'a [u8]) -> Self {
        Self { name, bytes, big_endian: false, interfaces: Vec::new(), interface_base: 0, capture: Capture::default() }
    }

    fn read(mut self) -> Result<Capture, CaptureError> {
        let mut rest = self.bytes;
        let mut number = 0;
        while !rest.is_empty() {
            let offset = self.bytes.len() - rest.len();
            let parsed = self.parse_block(rest);
            match parsed {
                Ok((next, block)) => {
                    // A block of no length would make the walk endless.
                    if next.len() >= rest.len() {
                        return Err(self.fail(
                            number,
                            offset,
                            CaptureErrorKind::Malformed("a block of no length".to_owned()),
                        ));
                    }
                    self.take(&block).map_err(|kind| CaptureError::new(self.name, number, offset, kind))?;
                    rest = next;
                }
                Err(nom::Err::Incomplete(_)) if number == 0 => {
                    return Err(self.fail(number, offset, CaptureErrorKind::HeaderTruncated));
                }
                Err(nom::Err::Incomplete(_)) => {
                    self.capture.warnings.push(truncation_warning(self.name, number, offset, self.bytes.len()));
                    break;
                }
                Err(error) => return Err(self.fail(number, offset, malformed(&error))),
            }
            number += 1;
        }
        Ok(self.capture)
    }

    fn fail(&self, block: usize, offset: usize, kind: CaptureErrorKind) -> CaptureError {
        CaptureError::new(self.name, block, offset, kind)
    }

    fn parse_block<'b>(&self, rest: &'b [u8]) -> Parsed<'b, Block<'b>> {
        // A section header tells its own byte order; every other block follows the section's.
        if rest.starts_with(&PCAPNG_MAGIC) {
            parse_sectionheaderblock(rest).map(|(next, header)| (next, Block::SectionHeader(header)))
        } else if self.big_endian {
            parse_block_be(rest)
        } else {
            parse_block_le(rest)
        }
    }

    fn take(&mut self, block: &Block<'_>) -> Result<(), CaptureErrorKind> {
        match block {
            Block::SectionHeader(section) => {
                self.big_endian = section.big_endian();
                self.interface_base += self.interfaces.len() as u32;
                self.interfaces.clear();
            }
            Block::InterfaceDescription(description) => self.interfaces.push(self.interface(description)?),
            Block::EnhancedPacket(packet) => {
                let Some(interface) = self.interfaces.get(packet.if_id as usize) else {
                    return Err(CaptureErrorKind::UnknownInterface(packet.if_id));
                };
                let data = packet.packet_data();
                if packet.caplen > PACKET_BYTES_MAX || data.len() != packet.caplen as usize {
                    return Err(CaptureErrorKind::Malformed(format!("the packet claims {} bytes", packet.caplen)));
                }
                let units = (u64::from(packet.ts_high) << 32) | u64::from(packet.ts_low);
                self.capture.frames.push(Frame {
                    time_ns: interface.time_ns(units)?,
                    interface: self.interface_base + packet.if_id,
                    original_len: packet.origlen.max(packet.caplen),
                    data: data.to_vec(),
                });
            }
            Block::SimplePacket(_) => return Err(CaptureErrorKind::NoTime),
            _ => {}
        }
        Ok(())
    }

    fn interface(&self, description: &InterfaceDescriptionBlock<'_>) -> Result<Interface, CaptureErrorKind> {
        if description.linktype != Linktype::ETHERNET {
            return Err(CaptureErrorKind::LinkType(description.linktype.0));
        }
        // The parser reads the offset little-endian whatever the section says.
        let offset_s = if self.big_endian { description.if_tsoffset.swap_bytes() } else { description.if_tsoffset };
        let resolution = description.if_tsresol;
        let exponent = u32::from(resolution & 0x7f);
        let units_per_s =
            if resolution & 0x80 == 0 { 10_u64.checked_pow(exponent) } else { 1_u64.checked_shl(exponent) };
        match units_per_s {
            Some(units_per_s) => Ok(Interface { units_per_s, offset_s }),
            None => Err(CaptureErrorKind::TimeResolution(resolution)),
        }
    }
}

impl Interface {
    fn time_ns(&self, units: u64) -> Result<u64, CaptureErrorKind> {
        let since_offset = i128::try_from(u128::from(units) * NS_PER_S / u128::from(self.units_per_s));
        since_offset
            .ok()
            .map(|ns| ns + i128::from(self.offset_s) * NS_PER_S as i128)
            .and_then(|ns| u64::try_from(ns).ok())
            .ok_or_else(|| CaptureErrorKind::Malformed("its time is out of range".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pcap(magic: u32, network: u32, records: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&magic.to_le_bytes());
        out.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0]);
        out.extend_from_slice(&network.to_le_bytes());
        for (seconds, fraction, data) in records {
            out.extend_from_slice(&seconds.to_le_bytes());
            out.extend_from_slice(&fraction.to_le_bytes());
            out.extend_from_slice(&(data.len() as u32).to_le_bytes());
            out.extend_from_slice(&(data.len() as u32).to_le_bytes());
            out.extend_from_slice(data);
        }
        out
    }

    fn read(bytes: &[u8]) -> Result<Capture, CaptureError> {
        read_bytes(Path::new("test.pcap"), bytes)
    }

    #[test]
    fn micro_and_nanoseconds() {
        let micro = read(&pcap(0xa1b2_c3d4, 1, &[(5, 7, &[1, 2, 3])])).expect("a good file");
        assert_eq!(micro.frames[0].time_ns, 5_000_007_000);
        let nano = read(&pcap(0xa1b2_3c4d, 1, &[(5, 7, &[1, 2, 3])])).expect("a good file");
        assert_eq!(nano.frames[0].time_ns, 5_000_000_007);
        assert_eq!(nano.frames[0].data, [1, 2, 3]);
    }

    #[test]
    fn big_endian_pcap() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&0xa1b2_c3d4_u32.to_be_bytes());
        bytes.extend_from_slice(&[0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 1]);
        for value in [9_u32, 3, 2, 60] {
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        bytes.extend_from_slice(&[7, 8]);
        let capture = read(&bytes).expect("a good file");
        assert_eq!((capture.frames[0].time_ns, capture.frames[0].original_len), (9_000_003_000, 60));
    }

    #[test]
    fn cut_file_keeps_what_came_before() {
        let whole = pcap(0xa1b2_c3d4, 1, &[(1, 0, &[1; 20]), (2, 0, &[2; 20])]);
        let capture = read(&whole[..whole.len() - 5]).expect("the first frame is whole");
        assert_eq!(capture.frames.len(), 1);
        assert_eq!(capture.warnings, ["test.pcap: block 2 at byte 60: the file ends inside it, after 31 bytes"]);
    }

    #[test]
    fn a_file_that_is_not_there_has_no_blocks() {
        let text = read_file(Path::new("/nonexistent/nope.pcap")).expect_err("nowhere").to_string();
        assert!(text.starts_with("/nonexistent/nope.pcap: No such file"), "{text}");
    }

    #[test]
    fn refusals_name_block_and_offset() {
        let text = |bytes: &[u8]| read(bytes).expect_err("refused").to_string();
        assert_eq!(text(b"hello, world"), "test.pcap: block 0 at byte 0: neither a pcap nor a pcapng file");
        assert_eq!(
            text(&pcap(0xa1b2_c3d4, 1, &[])[..20]),
            "test.pcap: block 0 at byte 0: the file ends inside its header"
        );
        assert!(text(&pcap(0xa1b2_c3d4, 113, &[])).contains("link type 113"));
        assert_eq!(text(&pcap(0xa1b2_c3d4, 1, &[])), "test.pcap: block 0 at byte 24: the file holds no frame");
        let mut huge = pcap(0xa1b2_c3d4, 1, &[(1, 0, &[1; 20])]);
        huge[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(text(&huge), "test.pcap: block 1 at byte 24: malformed: the record claims 4294967295 bytes");
        let late = pcap(0xa1b2_c3d4, 1, &[(1, 1_000_000, &[1; 20])]);
        assert!(text(&late).contains("fraction of a second 1000000 is out of range"));
    }

    /// A big-endian pcapng of two interfaces: microseconds, and 2^-10 s with an offset of 100 s.
    fn big_endian_pcapng() -> Vec<u8> {
        let mut out = Vec::new();
        let mut words = |words: &[u32]| words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
        words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 0x0001_0000, u32::MAX, u32::MAX, 28]);
        words(&[1, 20, 0x0001_0000, 0, 20]);
        // Options: 9 (resolution) = 0x8a, 14 (offset) = 100, end.
        words(&[1, 44, 0x0001_0000, 0, 0x0009_0001, 0x8a00_0000, 0x000e_0008, 0, 100, 0, 44]);
        words(&[6, 36, 0, 0, 3_000_001, 3, 60, 0x0102_0300, 36]);
        words(&[6, 36, 1, 0, 512, 3, 60, 0x0405_0600, 36]);
        // A statistics block says nothing that matters here.
        words(&[5, 24, 1, 0, 0, 24]);
        out
    }

    #[test]
    fn big_endian_pcapng_with_resolutions_and_offsets() {
        let capture = read(&big_endian_pcapng()).expect("a good file");
        let found: Vec<_> =
            capture.frames.iter().map(|frame| (frame.interface, frame.time_ns, frame.data.clone())).collect();
        assert_eq!(found, [(0, 3_000_001_000, vec![1, 2, 3]), (1, 100_500_000_000, vec![4, 5, 6])]);
        assert!(capture.frames.iter().all(|frame| frame.original_len == 60));
    }

    #[test]
    fn packets_of_no_interface_and_without_time_are_refused() {
        let text = |bytes: &[u8]| read(bytes).expect_err("refused").to_string();
        let mut stray = big_endian_pcapng();
        stray[28 + 20 + 44 + 11] = 7;
        assert_eq!(text(&stray), "test.pcap: block 3 at byte 92: a packet of interface 7, which is not described");
        let mut odd = big_endian_pcapng();
        odd[28 + 20 + 20] = 0xff;
        assert!(text(&odd).contains("time resolution 0xff is not supported"), "{}", text(&odd));
        let mut simple = big_endian_pcapng();
        simple.truncate(92);
        for word in [3_u32, 20, 4, 0x0102_0304, 20] {
            simple.extend_from_slice(&word.to_be_bytes());
        }
        assert!(text(&simple).contains("bears no time"), "{}", text(&simple));
    }

    #[test]
    fn every_prefix_and_flipped_byte_is_survived() {
        let mut writer = super::super::PcapngWriter::new(Vec::new(), super::super::LinkType::Ethernet).expect("memory");
        for number in 0..3_u8 {
            writer.packet(u64::from(number), &[number; 61]).expect("memory");
        }
        let pcapng = writer.into_inner();
        for file in [pcapng, big_endian_pcapng(), pcap(0xa1b2_c3d4, 1, &[(1, 0, &[1; 20]), (2, 0, &[2; 20])])] {
            for end in 0..file.len() {
                let _ = read(&file[..end]);
                let mut flipped = file.clone();
                flipped[end] ^= 0xa5;
                let _ = read(&flipped);
            }
        }
    }
}
