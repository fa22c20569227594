//! The hot path: PDUs of one task, of which little differs from packet to packet.

use super::{
    Attribute, HEADER_OCTETS, Head, PayloadDirection, PayloadFormat, PduType, Version,
    attribute::ATTRIBUTE_HEADER_OCTETS,
};
use crate::{
    EncodeError,
    cursor::Cursor,
    ids::{NetworkFunctionId, PointOfInterceptionId, Xid},
    redact::Redacted,
    time::UnixTime,
};
use std::fmt;

/// What all PDUs of one task on one interface have in common.
#[derive(Debug, Clone, Copy)]
pub struct TemplateParameters<'a> {
    /// Version to write.
    pub version: Version,
    /// [`PduType::X2`] or [`PduType::X3`].
    pub pdu_type: PduType,
    /// The task.
    pub xid: Xid,
    /// Groups PDUs of one communication; 0 where nothing is correlated.
    pub correlation_id: u64,
    /// Attribute DID, where one is agreed.
    pub domain_id: Option<&'a [u8]>,
    /// Attribute NFID. TS 33.128 requires it.
    pub network_function: Option<&'a NetworkFunctionId>,
    /// Attribute IPID. TS 33.128 requires it.
    pub point_of_interception: Option<&'a PointOfInterceptionId>,
}

/// Attributes laid out once, to be put into many PDUs: the identifiers of the target that matched, for one.
#[derive(Clone, PartialEq, Eq)]
pub struct AttributeBlock {
    octets: Box<[u8]>,
}

impl AttributeBlock {
    /// Lays the attributes out in the order given.
    pub fn new(attributes: &[Attribute<'_>]) -> Result<Self, EncodeError> {
        Ok(Self { octets: laid_out(attributes)?.into_boxed_slice() })
    }

    /// Octets that the block adds to a PDU.
    pub const fn octets(&self) -> usize {
        self.octets.len()
    }
}

impl fmt::Debug for AttributeBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AttributeBlock").field(&Redacted(self.octets.len())).finish()
    }
}

fn laid_out(attributes: &[Attribute<'_>]) -> Result<Vec<u8>, EncodeError> {
    let mut length = 0;
    for attribute in attributes {
        length += attribute.checked_length()?;
    }
    let mut octets = vec![0; length];
    let mut cursor = Cursor::new(&mut octets);
    for attribute in attributes {
        attribute.write(&mut cursor);
    }
    Ok(octets)
}

/// Addresses of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Attributes 10 and 11.
    V4 {
        /// Where the packet came from.
        source: [u8; 4],
        /// Where it went to.
        destination: [u8; 4],
    },
    /// Attributes 12 and 13.
    V6 {
        /// Where the packet came from.
        source: [u8; 16],
        /// Where it went to.
        destination: [u8; 16],
    },
}

/// Ports of a packet: attributes 14 and 15.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Where the packet came from.
    pub source: u16,
    /// Where it went to.
    pub destination: u16,
}

/// Addressing of a packet: attributes 10 to 16.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Attributes 10 to 13.
    pub addresses: Addresses,
    /// Attributes 14 and 15: absent where the packet has no ports or the order does not allow them.
    pub ports: Option<Ports>,
    /// Attribute 16.
    pub protocol: Option<u8>,
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The addresses may be the target's.
        f.debug_struct("Flow")
            .field("ports", &self.ports.is_some())
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

impl Flow {
    /// Octets of the attributes.
    #[inline]
    const fn octets(&self) -> usize {
        let addresses = match self.addresses {
            Addresses::V4 { .. } => 2 * (ATTRIBUTE_HEADER_OCTETS + 4),
            Addresses::V6 { .. } => 2 * (ATTRIBUTE_HEADER_OCTETS + 16),
        };
        let ports = if self.ports.is_some() { 2 * (ATTRIBUTE_HEADER_OCTETS + 2) } else { 0 };
        let protocol = if self.protocol.is_some() { ATTRIBUTE_HEADER_OCTETS + 1 } else { 0 };
        addresses + ports + protocol
    }

    #[inline]
    fn write(&self, out: &mut Cursor<'_>) {
        match self.addresses {
            Addresses::V4 { source, destination } => {
                out.put(&[0, 10, 0, 4]);
                out.put(&source);
                out.put(&[0, 11, 0, 4]);
                out.put(&destination);
            }
            Addresses::V6 { source, destination } => {
                out.put(&[0, 12, 0, 16]);
                out.put(&source);
                out.put(&[0, 13, 0, 16]);
                out.put(&destination);
            }
        }
        if let Some(ports) = self.ports {
            let [s1, s0] = ports.source.to_be_bytes();
            let [d1, d0] = ports.destination.to_be_bytes();
            out.put(&[0, 14, 0, 2, s1, s0, 0, 15, 0, 2, d1, d0]);
        }
        if let Some(protocol) = self.protocol {
            out.put(&[0, 16, 0, 1, protocol]);
        }
    }
}

/// What differs from packet to packet.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    /// What the payload is.
    pub format: PayloadFormat,
    /// Which way it went.
    pub direction: PayloadDirection,
    /// Attribute 8: number of the PDU in its context (XID, DID, NFID, IPID, correlation id), X2 and X3 apart.
    pub sequence: u32,
    /// Attribute 9: when the packet was seen.
    pub time: UnixTime,
    /// Attributes 10 to 16, where wanted.
    pub flow: Option<Flow>,
    /// Attributes after those: the identifiers that matched, for one.
    pub blocks: &'a [&'a AttributeBlock],
    /// The packet, or as much of it as the order allows.
    pub payload: &'a [u8],
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("format", &self.format)
            .field("direction", &self.direction)
            .field("sequence", &self.sequence)
            .field("time", &self.time)
            .field("flow", &self.flow)
            .field("payload", &Redacted(self.payload.len()))
            .finish_non_exhaustive()
    }
}

/// Everything of a task's PDUs that does not change from packet to packet, laid out once.
#[derive(Clone)]
pub struct Template {
    /// Header and attributes up to and with the timestamp. What changes is zero here and written over.
    prefix: Box<[u8]>,
}

/// Octets at the end of the prefix: sequence number and timestamp, with their attribute headers.
const STAMP_OCTETS: usize = (ATTRIBUTE_HEADER_OCTETS + 4) + (ATTRIBUTE_HEADER_OCTETS + 8);

impl Template {
    /// Lays a template out. Fails if the DID is too long for an attribute.
    pub fn new(parameters: &TemplateParameters<'_>) -> Result<Self, EncodeError> {
        let mut attributes = Vec::with_capacity(5);
        attributes.extend(parameters.domain_id.map(Attribute::DomainId));
        attributes.extend(parameters.network_function.map(|id| Attribute::NetworkFunctionId(id.as_octets())));
        attributes.extend(parameters.point_of_interception.map(|id| Attribute::PointOfInterceptionId(id.as_octets())));
        attributes.push(Attribute::SequenceNumber(0));
        attributes.push(Attribute::Timestamp(UnixTime::EPOCH));
        let attributes = laid_out(&attributes)?;
        let mut prefix = vec![0; HEADER_OCTETS];
        let head = Head {
            version: parameters.version,
            pdu_type: parameters.pdu_type,
            payload_format: PayloadFormat::Keepalive,
            payload_direction: PayloadDirection::Reserved,
            xid: parameters.xid,
            correlation_id: parameters.correlation_id,
        };
        head.write(&mut Cursor::new(&mut prefix), 0, 0);
        prefix.extend_from_slice(&attributes);
        Ok(Self { prefix: prefix.into_boxed_slice() })
    }

    #[inline]
    fn header_length(&self, packet: &Packet<'_>) -> usize {
        let flow = packet.flow.as_ref().map_or(0, Flow::octets);
        self.prefix.len() + flow + packet.blocks.iter().map(|block| block.octets.len()).sum::<usize>()
    }

    /// Octets that [`Template::encode`] will write.
    #[inline]
    pub fn encoded_length(&self, packet: &Packet<'_>) -> usize {
        self.header_length(packet) + packet.payload.len()
    }

    /// Writes one PDU to the start of `out` and says how long it is. Does not allocate. On an error nothing was written.
    #[inline]
    pub fn encode(&self, out: &mut [u8], packet: &Packet<'_>) -> Result<usize, EncodeError> {
        let header_length = self.header_length(packet);
        let needed = header_length + packet.payload.len();
        let too_long = |field, length| EncodeError::FieldTooLong { field, length, length_max: u32::MAX as usize };
        let header_field = u32::try_from(header_length).map_err(|_| too_long("header", header_length))?;
        let payload_field =
            u32::try_from(packet.payload.len()).map_err(|_| too_long("payload", packet.payload.len()))?;
        let seconds =
            u32::try_from(packet.time.seconds()).map_err(|_| EncodeError::ValueOutOfRange { field: "timestamp" })?;
        let out = out.get_mut(..needed).ok_or(EncodeError::NoRoom { needed })?;

        let (prefix, rest) = out.split_at_mut(self.prefix.len());
        prefix.copy_from_slice(&self.prefix);
        prefix[4..8].copy_from_slice(&header_field.to_be_bytes());
        prefix[8..12].copy_from_slice(&payload_field.to_be_bytes());
        prefix[12..14].copy_from_slice(&packet.format.number().to_be_bytes());
        prefix[14..16].copy_from_slice(&packet.direction.number().to_be_bytes());
        let stamp_at = prefix.len() - STAMP_OCTETS;
        let stamp = &mut prefix[stamp_at..];
        stamp[4..8].copy_from_slice(&packet.sequence.to_be_bytes());
        stamp[12..16].copy_from_slice(&seconds.to_be_bytes());
        stamp[16..20].copy_from_slice(&packet.time.nanoseconds().to_be_bytes());

        let mut cursor = Cursor::new(rest);
        if let Some(flow) = &packet.flow {
            flow.write(&mut cursor);
        }
        for block in packet.blocks {
            cursor.put(&block.octets);
        }
        cursor.put(packet.payload);
        Ok(needed)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&Redacted(self.prefix.len())).finish()
    }
}
