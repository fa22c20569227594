//! IPAddress (TS 102 232-1).

use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
    pspdu::{
        IpAssignment, IpType, Octets, RawElement,
        decode::{DecodeError, DecodeErrorKind, InField},
        sequence::{FieldWriter, Fields, check_size, octets},
    },
};
use core::net::IpAddr;

/// IPAddress: an address, or the network around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpAddress<'a> {
    /// `iP-type [1]`.
    pub ip_type: IpType,
    /// `iP-value [2]`.
    pub value: IpValue<'a>,
    /// `iP-assignment [3]`.
    pub assignment: Option<IpAssignment>,
    /// `iPv6PrefixLength [4]`, 1 to 128: mandatory beside a binary IPv6 address.
    pub ipv6_prefix_length: Option<u32>,
    /// `iPv4SubnetMask [5]`.
    pub ipv4_subnet_mask: Option<[u8; 4]>,
    /// `iP-NAT-translated [6]`.
    pub nat_translated: Option<bool>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// IP-value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IpValue<'a> {
    /// `iPBinaryAddress [1]`: 4 or 16 octets.
    Binary(Octets<'a>),
    /// `iPTextAddress [2]`: with the prefix length, if there is one.
    Text(Octets<'a>),
    /// Anything else.
    Other(RawElement<'a>),
}

impl IpAddress<'_> {
    /// One address in binary form: a single host, so an IPv6 one has the prefix length 128.
    pub fn host(address: IpAddr, assignment: IpAssignment) -> IpAddress<'static> {
        let (ip_type, value, ipv6_prefix_length) = match address {
            IpAddr::V4(address) => (IpType::V4, address.octets().to_vec(), None),
            IpAddr::V6(address) => (IpType::V6, address.octets().to_vec(), Some(128)),
        };
        IpAddress {
            ip_type,
            value: IpValue::Binary(value.into()),
            assignment: Some(assignment),
            ipv6_prefix_length,
            ipv4_subnet_mask: None,
            nat_translated: None,
            others: Vec::new(),
        }
    }

    /// The address, if it is in binary form with the length that its type has.
    pub fn address(&self) -> Option<IpAddr> {
        let IpValue::Binary(octets) = &self.value else { return None };
        match self.ip_type {
            IpType::V4 => <[u8; 4]>::try_from(&**octets).ok().map(IpAddr::from),
            IpType::V6 => <[u8; 16]>::try_from(&**octets).ok().map(IpAddr::from),
            IpType::Other(_) => None,
        }
    }
}

impl<'a> IpAddress<'a> {
    pub(in crate::pspdu) fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "IPAddress")?;
        let (mut ip_type, mut value, mut assignment) = (None, None, None);
        let (mut ipv6_prefix_length, mut ipv4_subnet_mask, mut nat_translated) = (None, None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(1) => ip_type = Some(IpType::read(&field, "iP-type")?),
                Some(2) => value = Some(IpValue::read(&field.only_child().in_field("iP-value")?)?),
                Some(3) => assignment = Some(IpAssignment::read(&field, "iP-assignment")?),
                Some(4) => ipv6_prefix_length = Some(field.unsigned_u32().in_field("iPv6PrefixLength")?),
                Some(5) => ipv4_subnet_mask = Some(subnet_mask(&field)?),
                Some(6) => nat_translated = Some(field.boolean().in_field("iP-NAT-translated")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            ip_type: fields.require(ip_type, "iP-type")?,
            value: fields.require(value, "iP-value")?,
            assignment,
            ipv6_prefix_length,
            ipv4_subnet_mask,
            nat_translated,
            others,
        })
    }

    pub(in crate::pspdu) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.enumerated(1, self.ip_type.number());
        fields.constructed(2, |writer| self.value.write(writer))?;
        if let Some(assignment) = self.assignment {
            fields.enumerated(3, assignment.number());
        }
        if let Some(length) = self.ipv6_prefix_length {
            fields.unsigned(4, u64::from(length));
        }
        if let Some(mask) = &self.ipv4_subnet_mask {
            fields.octets(5, mask);
        }
        if let Some(translated) = self.nat_translated {
            let (writer, tag) = fields.before(6);
            writer.boolean(tag, translated);
        }
        fields.finish()
    }
}

fn subnet_mask(field: &Element<'_>) -> Result<[u8; 4], DecodeError> {
    const NAME: &str = "iPv4SubnetMask";
    let value = octets(field, NAME)?;
    <[u8; 4]>::try_from(&*value).map_err(|_| DecodeError {
        offset: field.offset(),
        field: NAME,
        kind: DecodeErrorKind::Value,
    })
}

impl<'a> IpValue<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        Ok(match element.tag().context_number() {
            Some(1) => Self::Binary(octets(element, "iPBinaryAddress")?),
            Some(2) => Self::Text(octets(element, "iPTextAddress")?),
            _ => Self::Other(RawElement::from_element(element)),
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Binary(address) => {
                check_size(address, "iPBinaryAddress", 4, 16)?;
                writer.primitive(Tag::context(1), address);
            }
            Self::Text(address) => {
                check_size(address, "iPTextAddress", 7, 45)?;
                writer.primitive(Tag::context(2), address);
            }
            Self::Other(raw) => writer.raw(raw.octets()),
        }
        Ok(())
    }
}
