//! PSHeader: who, what, when (TS 102 232-1 clause 5.2).

use super::{
    GeneralizedTime, Octets, RawElement, TimeStampQualifier, Warning, WarningKind,
    decode::{DecodeError, DecodeErrorKind, InField},
    object_id::{put_arc, split_arc},
    sequence::{FieldWriter, Fields, octets},
};
use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
    ids::{Cin, CountryCode, IdError, InterceptionPointId, Liid, NetworkElementId, OperatorId},
    time::UnixTime,
};

/// Versions of the modules that we say we write. They stand in the object identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// N of `li-psDomainId {0 4 0 2 2 5 1 N}`. Header reports need 40 or more.
    pub li_ps: u8,
    /// v of `{5 3 v ..}`: TS 102 232-3.
    pub ip_access: u8,
}

impl Default for Versions {
    /// 40 and 20: modules of the same edition.
    fn default() -> Self {
        Self { li_ps: 40, ip_access: 20 }
    }
}

/// `li-psDomainId`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain<'a> {
    /// `{0 4 0 2 2 5 1 version}`.
    LiPs {
        /// Version of the module.
        version: u32,
    },
    /// Anything else, as its contents octets.
    Foreign(Octets<'a>),
}

/// PSHeader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PsHeader<'a> {
    /// `li-psDomainId [0]`.
    pub domain: Domain<'a>,
    /// `lawfulInterceptionIdentifier [1]`; [`PsHeader::liid`] checks it.
    pub lawful_interception_identifier: Octets<'a>,
    /// `authorizationCountryCode [2]`.
    pub authorization_country: Option<Octets<'a>>,
    /// `communicationIdentifier [3]`.
    pub communication: CommunicationIdentifier<'a>,
    /// `sequenceNumber [4]`.
    pub sequence: u32,
    /// `timeStamp [5]`.
    pub time_stamp: Option<GeneralizedTime<'a>>,
    /// `interceptionPointID [6]`.
    pub interception_point: Option<Octets<'a>>,
    /// `microSecondTimeStamp [7]`.
    pub micro_second_time_stamp: Option<MicroSecondTimeStamp>,
    /// `timeStampQualifier [8]`.
    pub time_stamp_qualifier: Option<TimeStampQualifier>,
    /// `extendedInterceptionPointID [9]`.
    pub extended_interception_point: Option<Octets<'a>>,
    /// `networkFunctionIdentifier [10]`.
    pub network_function: Option<Octets<'a>>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// CommunicationIdentifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommunicationIdentifier<'a> {
    /// `networkIdentifier [0]`.
    pub network: NetworkIdentifier<'a>,
    /// `communicationIdentityNumber [1]`.
    pub cin: Option<Cin>,
    /// `deliveryCountryCode [2]`.
    pub delivery_country: Option<Octets<'a>>,
    /// Fields with other tags (`cINExtension [3]` among them).
    pub others: Vec<RawElement<'a>>,
}

/// NetworkIdentifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkIdentifier<'a> {
    /// `operatorIdentifier [0]`.
    pub operator: Octets<'a>,
    /// `networkElementIdentifier [1]`.
    pub network_element: Option<Octets<'a>>,
    /// Fields with other tags (`eTSI671NEID [2]` among them).
    pub others: Vec<RawElement<'a>>,
}

/// MicroSecondTimeStamp: UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroSecondTimeStamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: u64,
    /// Microseconds below one second.
    pub micro_seconds: u32,
}

impl From<UnixTime> for MicroSecondTimeStamp {
    /// Rounds down to microseconds.
    fn from(time: UnixTime) -> Self {
        Self { seconds: time.seconds(), micro_seconds: time.microseconds() }
    }
}

/// What all PDUs of one LIID and CIN have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Versions of the modules to say.
    pub versions: Versions,
    /// The interception.
    pub liid: Liid,
    /// Country of the authority that ordered it.
    pub authorization_country: CountryCode,
    /// The operator.
    pub operator: OperatorId,
    /// The network element.
    pub network_element: Option<NetworkElementId>,
    /// The communication; absent for HI1 and for keep-alives.
    pub cin: Option<Cin>,
    /// Country that the data is delivered to.
    pub delivery_country: Option<CountryCode>,
    /// Where in the network the copy was taken.
    pub interception_point: Option<InterceptionPointId>,
}

impl Context {
    /// The header of one PDU: stamped with the time of interception.
    pub fn header(&self, sequence: u32, time: UnixTime) -> PsHeader<'_> {
        PsHeader {
            domain: Domain::LiPs { version: u32::from(self.versions.li_ps) },
            lawful_interception_identifier: Octets::borrowed(self.liid.as_octets()),
            authorization_country: Some(Octets::borrowed(self.authorization_country.as_octets())),
            communication: CommunicationIdentifier {
                network: NetworkIdentifier {
                    operator: Octets::borrowed(self.operator.as_octets()),
                    network_element: self.network_element.as_ref().map(|id| Octets::borrowed(id.as_octets())),
                    others: Vec::new(),
                },
                cin: self.cin,
                delivery_country: self.delivery_country.as_ref().map(|code| Octets::borrowed(code.as_octets())),
                others: Vec::new(),
            },
            sequence,
            time_stamp: None,
            interception_point: self.interception_point.as_ref().map(|id| Octets::borrowed(id.as_octets())),
            micro_second_time_stamp: Some(time.into()),
            time_stamp_qualifier: Some(TimeStampQualifier::TimeOfInterception),
            extended_interception_point: None,
            network_function: None,
            others: Vec::new(),
        }
    }
}

/// `{0 4 0 2 2 5 1}`, up to the version.
const LI_PS_PREFIX: [u8; 6] = [4, 0, 2, 2, 5, 1];

impl<'a> Domain<'a> {
    /// The contents octets of the object identifier.
    fn contents(&self) -> Vec<u8> {
        match self {
            Self::LiPs { version } => {
                let mut contents = LI_PS_PREFIX.to_vec();
                put_arc(&mut contents, *version);
                contents
            }
            Self::Foreign(contents) => contents.to_vec(),
        }
    }

    fn read(element: &Element<'a>, warnings: &mut Vec<Warning>) -> Result<Self, DecodeError> {
        let contents = element.primitive().in_field("li-psDomainId")?;
        let mut warn = |kind| warnings.push(Warning { offset: element.offset(), kind });
        match contents.strip_prefix(&LI_PS_PREFIX).and_then(split_arc) {
            Some((version, [])) => return Ok(Self::LiPs { version }),
            Some((version, [0])) => {
                warn(WarningKind::DomainIdStrayZero);
                return Ok(Self::LiPs { version });
            }
            _ => warn(WarningKind::DomainIdForeign),
        }
        Ok(Self::Foreign(Octets::borrowed(contents)))
    }
}

impl<'a> PsHeader<'a> {
    /// The LIID, if it is one: keep-alives may hold anything.
    pub fn liid(&self) -> Result<Liid, IdError> {
        Liid::from_octets(&self.lawful_interception_identifier)
    }

    pub(super) fn read(element: &Element<'a>, warnings: &mut Vec<Warning>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "PSHeader")?;
        let (mut domain, mut liid, mut communication, mut sequence) = (None, None, None, None);
        let mut header = Self {
            domain: Domain::Foreign(Octets::default()),
            lawful_interception_identifier: Octets::default(),
            authorization_country: None,
            communication: CommunicationIdentifier::default(),
            sequence: 0,
            time_stamp: None,
            interception_point: None,
            micro_second_time_stamp: None,
            time_stamp_qualifier: None,
            extended_interception_point: None,
            network_function: None,
            others: Vec::new(),
        };
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => domain = Some(Domain::read(&field, warnings)?),
                Some(1) => liid = Some(octets(&field, "lawfulInterceptionIdentifier")?),
                Some(2) => header.authorization_country = Some(octets(&field, "authorizationCountryCode")?),
                Some(3) => communication = Some(CommunicationIdentifier::read(&field)?),
                Some(4) => sequence = Some(field.unsigned_u32().in_field("sequenceNumber")?),
                Some(5) => header.time_stamp = Some(GeneralizedTime(octets(&field, "timeStamp")?)),
                Some(6) => header.interception_point = Some(octets(&field, "interceptionPointID")?),
                Some(7) => header.micro_second_time_stamp = Some(MicroSecondTimeStamp::read(&field)?),
                Some(8) => header.time_stamp_qualifier = Some(TimeStampQualifier::read(&field, "timeStampQualifier")?),
                Some(9) => header.extended_interception_point = Some(octets(&field, "extendedInterceptionPointID")?),
                Some(10) => header.network_function = Some(octets(&field, "networkFunctionIdentifier")?),
                _ => header.others.push(RawElement::from_element(&field)),
            }
        }
        header.domain = fields.require(domain, "li-psDomainId")?;
        header.lawful_interception_identifier = fields.require(liid, "lawfulInterceptionIdentifier")?;
        header.communication = fields.require(communication, "communicationIdentifier")?;
        header.sequence = fields.require(sequence, "sequenceNumber")?;
        Ok(header)
    }

    /// What stands before the sequence number and what stands between it and the time stamp: the same in every PDU of a [`Context`].
    pub(super) fn static_parts(&self) -> Result<(Vec<u8>, Vec<u8>), EncodeError> {
        let (mut head, mut middle) = (Vec::new(), Vec::new());
        self.write_identity(&mut FieldWriter::new(&mut Writer::new(&mut head), &[]))?;
        self.write_interception_point(&mut FieldWriter::new(&mut Writer::new(&mut middle), &[]))?;
        Ok((head, middle))
    }

    /// Fields 0 to 3.
    fn write_identity(&self, fields: &mut FieldWriter<'_, '_, '_>) -> Result<(), EncodeError> {
        fields.octets(0, &self.domain.contents());
        fields.sized(1, &self.lawful_interception_identifier, "lawfulInterceptionIdentifier", 1, 25)?;
        fields.optional(2, self.authorization_country.as_ref(), "authorizationCountryCode", 2, 2)?;
        fields.constructed(3, |writer| self.communication.write(writer))
    }

    /// Field 6.
    fn write_interception_point(&self, fields: &mut FieldWriter<'_, '_, '_>) -> Result<(), EncodeError> {
        fields.optional(6, self.interception_point.as_ref(), "interceptionPointID", 1, 8)
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        self.write_identity(&mut fields)?;
        fields.unsigned(4, u64::from(self.sequence));
        fields.optional(5, self.time_stamp.as_ref().map(|time| &time.0), "timeStamp", 1, usize::MAX)?;
        self.write_interception_point(&mut fields)?;
        if let Some(stamp) = self.micro_second_time_stamp {
            fields.constructed(7, |writer| stamp.write(writer))?;
        }
        if let Some(qualifier) = self.time_stamp_qualifier {
            fields.enumerated(8, qualifier.number());
        }
        fields.optional(9, self.extended_interception_point.as_ref(), "extendedInterceptionPointID", 1, 65_535)?;
        fields.optional(10, self.network_function.as_ref(), "networkFunctionIdentifier", 1, 65_535)?;
        fields.finish()
    }
}

impl<'a> CommunicationIdentifier<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "communicationIdentifier")?;
        let mut network = None;
        let mut read = Self::default();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => network = Some(NetworkIdentifier::read(&field)?),
                Some(1) => read.cin = Some(Cin(field.unsigned_u32().in_field("communicationIdentityNumber")?)),
                Some(2) => read.delivery_country = Some(octets(&field, "deliveryCountryCode")?),
                _ => read.others.push(RawElement::from_element(&field)),
            }
        }
        read.network = fields.require(network, "networkIdentifier")?;
        Ok(read)
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.constructed(0, |writer| self.network.write(writer))?;
        if let Some(Cin(cin)) = self.cin {
            fields.unsigned(1, u64::from(cin));
        }
        fields.optional(2, self.delivery_country.as_ref(), "deliveryCountryCode", 2, 2)?;
        fields.finish()
    }
}

impl<'a> NetworkIdentifier<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "networkIdentifier")?;
        let mut operator = None;
        let mut read = Self::default();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => operator = Some(octets(&field, "operatorIdentifier")?),
                Some(1) => read.network_element = Some(octets(&field, "networkElementIdentifier")?),
                _ => read.others.push(RawElement::from_element(&field)),
            }
        }
        read.operator = fields.require(operator, "operatorIdentifier")?;
        Ok(read)
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.sized(0, &self.operator, "operatorIdentifier", 1, 16)?;
        fields.optional(1, self.network_element.as_ref(), "networkElementIdentifier", 1, 16)?;
        fields.finish()
    }
}

impl MicroSecondTimeStamp {
    pub(super) fn read(element: &Element<'_>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "microSecondTimeStamp")?;
        let (mut seconds, mut micro_seconds) = (None, None);
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => seconds = Some(field.unsigned().in_field("seconds")?),
                Some(1) => {
                    let value = field.unsigned_u32().in_field("microSeconds")?;
                    if value > 999_999 {
                        return Err(DecodeError {
                            offset: field.offset(),
                            field: "microSeconds",
                            kind: DecodeErrorKind::Value,
                        });
                    }
                    micro_seconds = Some(value);
                }
                // Extensible, and nothing has been added so far.
                _ => {}
            }
        }
        Ok(Self {
            seconds: fields.require(seconds, "seconds")?,
            micro_seconds: fields.require(micro_seconds, "microSeconds")?,
        })
    }

    pub(super) fn write(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        if self.micro_seconds > 999_999 {
            return Err(EncodeError::ValueOutOfRange { field: "microSeconds" });
        }
        writer.unsigned(Tag::context(0), self.seconds);
        writer.unsigned(Tag::context(1), u64::from(self.micro_seconds));
        Ok(())
    }
}
