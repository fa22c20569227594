use std::io::{self, Write};

/// Link types that Writ's tools write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum LinkType {
    /// Ethernet frames without their check sequence.
    Ethernet = 1,
    /// Raw IP packets, version 4 or 6.
    RawIp = 101,
}

/// Writes a pcapng file of one interface with nanosecond stamps.
#[derive(Debug)]
pub struct PcapngWriter<W> {
    inner: W,
}

impl<W: Write> PcapngWriter<W> {
    /// Writes the section header and the interface description.
    pub fn new(mut inner: W, link_type: LinkType) -> io::Result<Self> {
        // Section header: no options, length of the section not stated.
        for word in [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 0x0000_0001, u32::MAX, u32::MAX, 28] {
            inner.write_all(&word.to_le_bytes())?;
        }
        // Interface description: no length limit, option 9 (if_tsresol) = 9 (10^-9 s), end of options.
        let mut block = Vec::with_capacity(32);
        for word in [1_u32, 32, u32::from(link_type as u16), 0] {
            block.extend_from_slice(&word.to_le_bytes());
        }
        block.extend_from_slice(&[9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
        block.extend_from_slice(&32_u32.to_le_bytes());
        inner.write_all(&block)?;
        Ok(Self { inner })
    }

    /// Appends a packet; `time_ns` is UTC since 1970.
    pub fn packet(&mut self, time_ns: u64, data: &[u8]) -> io::Result<()> {
        let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "a packet of more than 4 GiB");
        let length = u32::try_from(data.len()).map_err(|_| too_long())?;
        let padding = data.len().next_multiple_of(4) - data.len();
        let block_length = length.checked_add(32 + padding as u32).ok_or_else(too_long)?;
        for word in [6, block_length, 0, (time_ns >> 32) as u32, time_ns as u32, length, length] {
            self.inner.write_all(&word.to_le_bytes())?;
        }
        self.inner.write_all(data)?;
        self.inner.write_all(&[0; 3][..padding])?;
        self.inner.write_all(&block_length.to_le_bytes())
    }

    /// Flushes and gives the underlying writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.flush()?;
        Ok(self.inner)
    }
}

impl PcapngWriter<Vec<u8>> {
    /// The bytes written to memory.
    pub fn into_inner(self) -> Vec<u8> {
        self.inner
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::capture::{Frame, read_bytes};

    #[test]
    fn what_is_written_is_read_back() {
        let frames: Vec<Frame> = (0..70_u32)
            .map(|number| Frame {
                time_ns: 1_700_000_000_123_456_789 + u64::from(number),
                interface: 0,
                original_len: 14 + number,
                data: vec![number as u8; 14 + number as usize],
            })
            .collect();
        let mut writer = PcapngWriter::new(Vec::new(), LinkType::Ethernet).expect("memory");
        for frame in &frames {
            writer.packet(frame.time_ns, &frame.data).expect("memory");
        }
        let capture = read_bytes(Path::new("memory"), &writer.into_inner()).expect("our own file");
        assert_eq!(capture.frames, frames);
        assert!(capture.warnings.is_empty());
    }

    #[test]
    fn raw_ip_is_no_ethernet() {
        let mut writer = PcapngWriter::new(Vec::new(), LinkType::RawIp).expect("memory");
        writer.packet(0, &[0x45]).expect("memory");
        let error = read_bytes(Path::new("memory"), &writer.into_inner()).expect_err("not Ethernet");
        assert!(error.to_string().contains("block 1 at byte 28: link type 101"), "{error}");
    }
}
