//! IPIRI: what happened to a target's access.

use super::IpAddress;
use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
    pspdu::{
        AccessEventType, AuthenticationType, EndReason, GeneralizedTime, InternetAccessType, IpVersion, Octets,
        RawElement, RelativeOid, Warning, WarningKind,
        decode::{DecodeError, InField},
        sequence::{FieldWriter, Fields, octets},
    },
};

/// IPIRI, object identifier and contents together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpIri<'a> {
    /// `iPIRIObjId [0]`.
    pub object_id: RelativeOid<'a>,
    /// `accessEventType [0]`.
    pub access_event_type: AccessEventType,
    /// `targetUsername [1]`.
    pub target_username: Octets<'a>,
    /// `internetAccessType [2]`.
    pub internet_access_type: InternetAccessType,
    /// `iPVersion [3]`. The type demands it, so it is not written without; some peers leave it out where no address is known yet.
    pub ip_version: Option<IpVersion>,
    /// `targetIPAddress [4]`: the first address of the target.
    pub target_ip_address: Option<IpAddress<'a>>,
    /// `targetNetworkID [5]`: 1 to 20 octets.
    pub target_network_id: Option<Octets<'a>>,
    /// `targetCPEID [6]`: 1 to 128 octets.
    pub target_cpe_id: Option<Octets<'a>>,
    /// `targetLocation [7]`: 1 to 64 octets.
    pub target_location: Option<Octets<'a>>,
    /// `pOPPortNumber [8]`.
    pub pop_port_number: Option<u32>,
    /// `callBackNumber [9]`: 1 to 20 octets.
    pub call_back_number: Option<Octets<'a>>,
    /// `startTime [10]`.
    pub start_time: Option<GeneralizedTime<'a>>,
    /// `endTime [11]`.
    pub end_time: Option<GeneralizedTime<'a>>,
    /// `endReason [12]`.
    pub end_reason: Option<EndReason>,
    /// `octetsReceived [13]`.
    pub octets_received: Option<u64>,
    /// `octetsTransmitted [14]`.
    pub octets_transmitted: Option<u64>,
    /// `rawAAAData [15]`.
    pub raw_aaa_data: Option<Octets<'a>>,
    /// `expectedEndTime [16]`.
    pub expected_end_time: Option<GeneralizedTime<'a>>,
    /// `pOPPhoneNumber [17]`: 1 to 20 octets.
    pub pop_phone_number: Option<Octets<'a>>,
    /// `pOPIPAddress [19]`.
    pub pop_ip_address: Option<IpAddress<'a>>,
    /// `additionalIPAddress [21]`: the first IPv6 address, where `iPVersion` says both.
    pub additional_ip_address: Option<IpAddress<'a>>,
    /// `authenticationType [22]`.
    pub authentication_type: Option<AuthenticationType>,
    /// `otherTargetIdentifiers [23]`: the addresses after the first.
    pub other_target_identifiers: Vec<OtherTargetIdentifier<'a>>,
    /// `pOPPortID [25]`.
    pub pop_port_id: Option<Octets<'a>>,
    /// Fields with other tags of the contents: `pOPIdentifier [18]`, `nationalIPIRIParameters [20]`, `location [24]`, `framedRoutes [26]` and
    /// what may follow.
    pub others: Vec<RawElement<'a>>,
}

/// OtherTargetIdentifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherTargetIdentifier<'a> {
    /// `iPAddress [0]`.
    IpAddress(IpAddress<'a>),
    /// Anything else.
    Other(RawElement<'a>),
}

impl<'a> IpIri<'a> {
    /// What every IPIRI has; all else is absent.
    pub const fn new(
        object_id: RelativeOid<'a>,
        access_event_type: AccessEventType,
        target_username: Octets<'a>,
        internet_access_type: InternetAccessType,
        ip_version: IpVersion,
    ) -> Self {
        Self {
            object_id,
            access_event_type,
            target_username,
            internet_access_type,
            ip_version: Some(ip_version),
            target_ip_address: None,
            target_network_id: None,
            target_cpe_id: None,
            target_location: None,
            pop_port_number: None,
            call_back_number: None,
            start_time: None,
            end_time: None,
            end_reason: None,
            octets_received: None,
            octets_transmitted: None,
            raw_aaa_data: None,
            expected_end_time: None,
            pop_phone_number: None,
            pop_ip_address: None,
            additional_ip_address: None,
            authentication_type: None,
            other_target_identifiers: Vec::new(),
            pop_port_id: None,
            others: Vec::new(),
        }
    }

    pub(in crate::pspdu) fn read(element: &Element<'a>, warnings: &mut Vec<Warning>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "IPIRI")?;
        let (mut object_id, mut contents) = (None, None);
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => object_id = Some(RelativeOid::from_octets(octets(&field, "iPIRIObjId")?)),
                Some(1) => contents = Some(field),
                // Extensible, and nothing has been added so far.
                _ => {}
            }
        }
        let object_id = fields.require(object_id, "iPIRIObjId")?;
        let contents = fields.require(contents, "iPIRIContents")?;
        let iri = Self::read_contents(object_id, &contents)?;
        if iri.ip_version.is_none() {
            warnings.push(Warning { offset: contents.offset(), kind: WarningKind::MissingField("iPVersion") });
        }
        Ok(iri)
    }

    fn read_contents(object_id: RelativeOid<'a>, element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "iPIRIContents")?;
        let (mut event, mut username, mut access) = (None, None, None);
        let mut iri = Self::new(
            object_id,
            AccessEventType::Unknown,
            Octets::default(),
            InternetAccessType::Undefined,
            IpVersion::V4,
        );
        iri.ip_version = None;
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => event = Some(AccessEventType::read(&field, "accessEventType")?),
                Some(1) => username = Some(octets(&field, "targetUsername")?),
                Some(2) => access = Some(InternetAccessType::read(&field, "internetAccessType")?),
                Some(3) => iri.ip_version = Some(IpVersion::read(&field, "iPVersion")?),
                _ => iri.read_optional(number, &field)?,
            }
        }
        iri.access_event_type = fields.require(event, "accessEventType")?;
        iri.target_username = fields.require(username, "targetUsername")?;
        iri.internet_access_type = fields.require(access, "internetAccessType")?;
        Ok(iri)
    }

    fn read_optional(&mut self, number: Option<u32>, field: &Element<'a>) -> Result<(), DecodeError> {
        let time = |name| octets(field, name).map(|text| Some(GeneralizedTime(text)));
        match number {
            Some(4) => self.target_ip_address = Some(IpAddress::read(field)?),
            Some(5) => self.target_network_id = Some(octets(field, "targetNetworkID")?),
            Some(6) => self.target_cpe_id = Some(octets(field, "targetCPEID")?),
            Some(7) => self.target_location = Some(octets(field, "targetLocation")?),
            Some(8) => self.pop_port_number = Some(field.unsigned_u32().in_field("pOPPortNumber")?),
            Some(9) => self.call_back_number = Some(octets(field, "callBackNumber")?),
            Some(10) => self.start_time = time("startTime")?,
            Some(11) => self.end_time = time("endTime")?,
            Some(12) => self.end_reason = Some(EndReason::read(field, "endReason")?),
            Some(13) => self.octets_received = Some(field.unsigned().in_field("octetsReceived")?),
            Some(14) => self.octets_transmitted = Some(field.unsigned().in_field("octetsTransmitted")?),
            Some(15) => self.raw_aaa_data = Some(octets(field, "rawAAAData")?),
            Some(16) => self.expected_end_time = time("expectedEndTime")?,
            Some(17) => self.pop_phone_number = Some(octets(field, "pOPPhoneNumber")?),
            Some(19) => self.pop_ip_address = Some(IpAddress::read(field)?),
            Some(21) => self.additional_ip_address = Some(IpAddress::read(field)?),
            Some(22) => self.authentication_type = Some(AuthenticationType::read(field, "authenticationType")?),
            Some(23) => self.other_target_identifiers = OtherTargetIdentifier::read_list(field)?,
            Some(25) => self.pop_port_id = Some(octets(field, "pOPPortID")?),
            _ => self.others.push(RawElement::from_element(field)),
        }
        Ok(())
    }

    pub(in crate::pspdu) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.primitive(Tag::context(0), self.object_id.octets());
        writer.constructed(Tag::context(1), |writer| {
            let mut fields = FieldWriter::new(writer, &self.others);
            fields.enumerated(0, self.access_event_type.number());
            fields.octets(1, &self.target_username);
            fields.enumerated(2, self.internet_access_type.number());
            let ip_version = self.ip_version.ok_or(EncodeError::Missing { field: "iPVersion" })?;
            fields.enumerated(3, ip_version.number());
            self.write_base(&mut fields)?;
            self.write_extensions(&mut fields)?;
            fields.finish()
        })
    }

    /// Fields 4 to 15.
    fn write_base(&self, fields: &mut FieldWriter<'_, '_, '_>) -> Result<(), EncodeError> {
        if let Some(address) = &self.target_ip_address {
            fields.constructed(4, |writer| address.write(writer))?;
        }
        fields.optional(5, self.target_network_id.as_ref(), "targetNetworkID", 1, 20)?;
        fields.optional(6, self.target_cpe_id.as_ref(), "targetCPEID", 1, 128)?;
        fields.optional(7, self.target_location.as_ref(), "targetLocation", 1, 64)?;
        if let Some(port) = self.pop_port_number {
            fields.unsigned(8, u64::from(port));
        }
        fields.optional(9, self.call_back_number.as_ref(), "callBackNumber", 1, 20)?;
        fields.optional(10, self.start_time.as_ref().map(|time| &time.0), "startTime", 1, usize::MAX)?;
        fields.optional(11, self.end_time.as_ref().map(|time| &time.0), "endTime", 1, usize::MAX)?;
        if let Some(reason) = self.end_reason {
            fields.enumerated(12, reason.number());
        }
        if let Some(octets) = self.octets_received {
            fields.unsigned(13, octets);
        }
        if let Some(octets) = self.octets_transmitted {
            fields.unsigned(14, octets);
        }
        fields.optional(15, self.raw_aaa_data.as_ref(), "rawAAAData", 0, usize::MAX)
    }

    /// Fields from 16 on.
    fn write_extensions(&self, fields: &mut FieldWriter<'_, '_, '_>) -> Result<(), EncodeError> {
        fields.optional(16, self.expected_end_time.as_ref().map(|time| &time.0), "expectedEndTime", 1, usize::MAX)?;
        fields.optional(17, self.pop_phone_number.as_ref(), "pOPPhoneNumber", 1, 20)?;
        if let Some(address) = &self.pop_ip_address {
            fields.constructed(19, |writer| address.write(writer))?;
        }
        if let Some(address) = &self.additional_ip_address {
            fields.constructed(21, |writer| address.write(writer))?;
        }
        if let Some(authentication) = self.authentication_type {
            fields.enumerated(22, authentication.number());
        }
        if !self.other_target_identifiers.is_empty() {
            fields.constructed(23, |writer| {
                self.other_target_identifiers.iter().try_for_each(|identifier| identifier.write(writer))
            })?;
        }
        fields.optional(25, self.pop_port_id.as_ref(), "pOPPortID", 0, usize::MAX)
    }
}

impl<'a> OtherTargetIdentifier<'a> {
    fn read_list(element: &Element<'a>) -> Result<Vec<Self>, DecodeError> {
        const NAME: &str = "otherTargetIdentifiers";
        let mut children = element.children().in_field(NAME)?;
        let mut identifiers = Vec::new();
        while let Some(child) = children.next().in_field(NAME)? {
            identifiers.push(match child.tag().context_number() {
                Some(0) => Self::IpAddress(IpAddress::read(&child)?),
                _ => Self::Other(RawElement::from_element(&child)),
            });
        }
        Ok(identifiers)
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::IpAddress(address) => writer.constructed(Tag::context(0), |writer| address.write(writer)),
            Self::Other(raw) => {
                writer.raw(raw.octets());
                Ok(())
            }
        }
    }
}
