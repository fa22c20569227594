//! Call content of PacketCable: each packet in a UDP datagram of its own, behind the number of its content channel (CCC).
//!
//! ```text
//! Form::Id            CCC identifier (4) | IP packet
//! Form::IdTime        CCC identifier (4) | NTP time stamp (8) | IP packet
//! Form::IdTimeCase    CCC identifier (4) | NTP time stamp (8) | case identifier (8) | IP packet
//! ```
//!
//! Nothing in a datagram says which form it has: that is agreed with the receiver. The second form is of PacketCable 1.5, the third of 2.0.
//! Which call a channel belongs to is said by [`super::pcesp::CcOpen`].
//!
//! [`Template`] writes the datagrams of one channel without allocation; [`Datagram`] is the typed form, both ways.

use crate::{EncodeError, redact::Redacted, time::UnixTime};
use std::fmt;

/// The longest datagram that UDP can carry, in octets; over IPv4 it is 20 less.
pub const DATAGRAM_OCTETS_MAX: usize = 65_527;

/// Number of a content channel, unique at the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CccId(pub u32);

impl CccId {
    /// As PCESP writes it: eight hexadecimal digits, capitals.
    pub fn text(self) -> String {
        format!("{:08X}", self.0)
    }
}

/// Names the surveillance in a datagram: eight octets that were agreed on. `Debug` does not show them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CaseId(pub [u8; 8]);

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CaseId").field(&Redacted(self.0.len())).finish()
    }
}

/// Seconds and 2^-32 seconds since 1900 modulo 2^32 seconds (RFC 5905 clause 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NtpTime(pub u64);

/// Seconds from 1900-01-01 to 1970-01-01.
const UNIX_EPOCH: u64 = 2_208_988_800;
const NANOSECONDS: u64 = 1_000_000_000;

impl NtpTime {
    /// The era is lost; the fraction is rounded up, by less than a nanosecond.
    #[inline]
    pub const fn from_unix(time: UnixTime) -> Self {
        let fraction = ((time.nanoseconds() as u64) << 32).div_ceil(NANOSECONDS);
        Self(time.seconds().wrapping_add(UNIX_EPOCH) << 32 | fraction)
    }

    /// Taken for a time between 1970-01-01 and 2106-02-07; nanoseconds are rounded down, so that what [`NtpTime::from_unix`] made of such a
    /// time comes back.
    pub const fn to_unix(self) -> UnixTime {
        let seconds = ((self.0 >> 32) as u32).wrapping_sub(UNIX_EPOCH as u32);
        let nanoseconds = ((self.0 & 0xffff_ffff) * NANOSECONDS) >> 32;
        UnixTime::new(seconds as u64, nanoseconds as u32).expect("a fraction is less than a second")
    }
}

/// What stands between the channel's number and the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Nothing.
    Id,
    /// A time stamp.
    IdTime,
    /// A time stamp and a case identifier.
    IdTimeCase,
}

impl Form {
    /// Octets before the packet.
    pub const fn header_octets(self) -> usize {
        match self {
            Self::Id => 4,
            Self::IdTime => 12,
            Self::IdTimeCase => 20,
        }
    }
}

/// What the form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extra {
    /// [`Form::Id`]
    None,
    /// [`Form::IdTime`]
    Time(NtpTime),
    /// [`Form::IdTimeCase`]
    TimeCase(NtpTime, CaseId),
}

/// A datagram. `Debug` does not show the packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The content channel.
    pub id: CccId,
    /// What stands between this and the packet.
    pub extra: Extra,
    /// The packet, from its IP header on.
    pub packet: &'a [u8],
}

impl fmt::Debug for Datagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagram")
            .field("id", &self.id)
            .field("extra", &self.extra)
            .field("packet", &Redacted(self.packet.len()))
            .finish()
    }
}

impl<'a> Datagram<'a> {
    /// The form.
    pub const fn form(&self) -> Form {
        match self.extra {
            Extra::None => Form::Id,
            Extra::Time(_) => Form::IdTime,
            Extra::TimeCase(..) => Form::IdTimeCase,
        }
    }

    /// Octets of the datagram.
    pub const fn octets(&self) -> usize {
        self.form().header_octets() + self.packet.len()
    }

    /// Writes the datagram to the start of `out` and says how long it is. Does not allocate. On an error nothing was written.
    ///
    /// Fails with [`EncodeError::ValueOutOfRange`] if the packet does not start like IPv4 or IPv6.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let (time, case) = match self.extra {
            Extra::None => (NtpTime(0), CaseId([0; 8])),
            Extra::Time(time) => (time, CaseId([0; 8])),
            Extra::TimeCase(time, case) => (time, case),
        };
        let mut header = [0; 20];
        header[..4].copy_from_slice(&self.id.0.to_be_bytes());
        header[4..12].copy_from_slice(&time.0.to_be_bytes());
        header[12..].copy_from_slice(&case.0);
        put(out, &header, self.form().header_octets(), self.packet)
    }

    /// Reads a datagram of a form that was agreed on.
    pub fn decode(datagram: &'a [u8], form: Form) -> Result<Self, DecodeError> {
        let fault = |offset, field, kind| DecodeError { offset, field, kind };
        let truncated = |field| fault(datagram.len(), field, DecodeErrorKind::Truncated);
        if datagram.len() > DATAGRAM_OCTETS_MAX {
            let kind = DecodeErrorKind::OverLimit { length: datagram.len() };
            return Err(fault(DATAGRAM_OCTETS_MAX, "datagram", kind));
        }
        let (id, rest) = datagram.split_first_chunk().ok_or(truncated("CCC identifier"))?;
        let time = |rest: &'a [u8]| {
            let (time, rest) = rest.split_first_chunk().ok_or(truncated("time stamp"))?;
            Ok((NtpTime(u64::from_be_bytes(*time)), rest))
        };
        let (extra, packet) = match form {
            Form::Id => (Extra::None, rest),
            Form::IdTime => {
                let (time, rest) = time(rest)?;
                (Extra::Time(time), rest)
            }
            Form::IdTimeCase => {
                let (time, rest) = time(rest)?;
                let (case, rest) = rest.split_first_chunk().ok_or(truncated("case identifier"))?;
                (Extra::TimeCase(time, CaseId(*case)), rest)
            }
        };
        match packet.first() {
            None => Err(truncated("IP packet")),
            Some(&octet) if !is_ip(octet) => {
                Err(fault(form.header_octets(), "IP packet", DecodeErrorKind::NotIp { version: octet >> 4 }))
            }
            Some(_) => Ok(Self { id: CccId(u32::from_be_bytes(*id)), extra, packet }),
        }
    }
}

/// Whether a packet that starts with this octet is IPv4 or IPv6.
#[inline]
const fn is_ip(first: u8) -> bool {
    matches!(first >> 4, 4 | 6)
}

/// Writes a header, of which `header_octets` count, and a packet.
#[inline]
fn put(out: &mut [u8], header: &[u8; 20], header_octets: usize, packet: &[u8]) -> Result<usize, EncodeError> {
    const FIELD: &str = "packet";
    if !packet.first().is_some_and(|&octet| is_ip(octet)) {
        return Err(EncodeError::ValueOutOfRange { field: FIELD });
    }
    let needed = header_octets + packet.len();
    if needed > DATAGRAM_OCTETS_MAX {
        let length_max = DATAGRAM_OCTETS_MAX - header_octets;
        return Err(EncodeError::FieldTooLong { field: FIELD, length: packet.len(), length_max });
    }
    let datagram = out.get_mut(..needed).ok_or(EncodeError::NoRoom { needed })?;
    let (before, rest) = datagram.split_at_mut(header_octets);
    before.copy_from_slice(&header[..header_octets]);
    rest.copy_from_slice(packet);
    Ok(needed)
}

/// The hot path: the datagrams of one channel, which differ in time stamp and packet only.
#[derive(Clone)]
pub struct Template {
    header: [u8; 20],
    form: Form,
}

impl Template {
    /// Lays out datagrams with the channel's number only.
    pub fn new(id: CccId) -> Self {
        Self::lay_out(id, CaseId([0; 8]), Form::Id)
    }

    /// Lays out datagrams with a time stamp.
    pub fn with_time(id: CccId) -> Self {
        Self::lay_out(id, CaseId([0; 8]), Form::IdTime)
    }

    /// Lays out datagrams with a time stamp and a case identifier.
    pub fn with_time_and_case(id: CccId, case: CaseId) -> Self {
        Self::lay_out(id, case, Form::IdTimeCase)
    }

    fn lay_out(id: CccId, case: CaseId, form: Form) -> Self {
        let mut header = [0; 20];
        header[..4].copy_from_slice(&id.0.to_be_bytes());
        header[12..].copy_from_slice(&case.0);
        Self { header, form }
    }

    /// Octets that [`Template::encode`] will write for a packet of this length.
    pub const fn octets(&self, packet_length: usize) -> usize {
        self.form.header_octets() + packet_length
    }

    /// Writes the datagram of a packet that was seen at `time` to the start of `out` and says how long it is. Does not allocate. On an error
    /// nothing was written.
    ///
    /// Fails with [`EncodeError::ValueOutOfRange`] if the packet does not start like IPv4 or IPv6.
    #[inline]
    pub fn encode(&self, out: &mut [u8], time: UnixTime, packet: &[u8]) -> Result<usize, EncodeError> {
        let mut header = self.header;
        header[4..12].copy_from_slice(&NtpTime::from_unix(time).0.to_be_bytes());
        put(out, &header, self.form.header_octets(), packet)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.form).finish()
    }
}

/// Why a datagram was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// Where, counted from the first octet of the datagram.
    pub offset: usize,
    /// In which field.
    pub field: &'static str,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

/// What is wrong with a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The datagram ends within the field or before it.
    Truncated,
    /// The packet is neither IPv4 nor IPv6: the datagram may have another form than the one agreed on.
    NotIp {
        /// What stands where an IP packet has its version.
        version: u8,
    },
    /// Longer than [`DATAGRAM_OCTETS_MAX`].
    OverLimit {
        /// Octets given.
        length: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CCC datagram from the peer, octet {}, {}: ", self.offset, self.field)?;
        match self.kind {
            DecodeErrorKind::Truncated => write!(f, "the datagram ends here"),
            DecodeErrorKind::NotIp { version } => {
                write!(f, "version {version} is no IP; check which form of datagram was agreed on")
            }
            DecodeErrorKind::OverLimit { length } => {
                write!(f, "{length} octets are more than a UDP datagram has ({DATAGRAM_OCTETS_MAX})")
            }
        }
    }
}

impl std::error::Error for DecodeError {}
