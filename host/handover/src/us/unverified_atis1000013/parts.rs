//! What messages and content are made of.

use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
    pspdu::{
        DecodeError, Octets,
        sequence::{check_size, octets},
    },
    us::fields::{Integer, OctetString, Utf8String, Value, Version, VisibleString, choice, sequence},
};
use core::net::IpAddr;

/// `CaseIdentity`: names the surveillance.
pub type CaseId<'a> = VisibleString<'a, 1, 25>;
/// `IAPSystemIdentity`: names the point of interception. The longest length is ours.
pub type IapSystemId<'a> = VisibleString<'a, 1, 64>;
/// `CorrelationIdentifier`: ties content and identifying messages together. The lengths are ours.
pub type CorrelationId<'a> = OctetString<'a, 1, 64>;
/// `PortNumber`: text; that it is a decimal number is inferred.
pub type PortNumber<'a> = Utf8String<'a>;

choice! {
    /// `Value`: a value of the carrier's choice.
    AnyValue {
        /// `stringVS [0]`.
        Visible [0] (VisibleString<'a, 0, { usize::MAX }>) = "stringVS",
        /// `stringUTF8 [1]`.
        Utf8 [1] (Utf8String<'a>) = "stringUTF8",
        /// `integer [2]`.
        Integer [2] (Integer<0, { i64::MAX as u64 }>) = "integer",
        /// `octets [3]`.
        Octets [3] (OctetString<'a, 0, { usize::MAX }>) = "octets",
        /// `numeric [4]`.
        Numeric [4] (NumericString<'a>) = "numeric",
    }
}

/// NumericString: digits and spaces. Checked when written, not when read. `Debug` shows its length only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NumericString<'a>(pub Octets<'a>);

impl<'a> Value<'a> for NumericString<'a> {
    fn read(element: &Element<'a>, field: &'static str, _: Version) -> Result<Self, DecodeError> {
        octets(element, field).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag, field: &'static str, _: Version) -> Result<(), EncodeError> {
        if !self.0.iter().all(|octet| matches!(octet, b'0'..=b'9' | b' ')) {
            return Err(EncodeError::ValueOutOfRange { field });
        }
        writer.primitive(tag, &self.0);
        Ok(())
    }
}

/// OBJECT IDENTIFIER as its contents octets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectId<'a>(pub Octets<'a>);

impl<'a> Value<'a> for ObjectId<'a> {
    fn read(element: &Element<'a>, field: &'static str, _: Version) -> Result<Self, DecodeError> {
        octets(element, field).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag, field: &'static str, _: Version) -> Result<(), EncodeError> {
        check_size(&self.0, field, 1, usize::MAX)?;
        writer.primitive(tag, &self.0);
        Ok(())
    }
}

choice! {
    /// `ContentIdentifier`.
    ContentIdentifier {
        /// `correlationID [0]`.
        Correlation [0] (CorrelationId<'a>) = "correlationID",
        /// `callID [1]`.
        Call [1] (CallIdentity<'a>) = "callID",
    }
}

sequence! {
    /// `CallIdentity`.
    CallIdentity = "CallIdentity" {
        /// `main [0]`.
        required [0] main: Utf8String<'a> = "main",
        /// `leg [1]`.
        optional [1] leg: Utf8String<'a> = "leg",
    }
}

sequence! {
    /// `Location`. Not allowed in what a pen register or a trap and trace device reports.
    Location = "Location" {
        /// `locationType [0]`.
        required [0] location_type: Utf8String<'a> = "locationType",
        /// `location [1]`.
        required [1] location: Utf8String<'a> = "location",
    }
}

choice! {
    /// `IpAddress`.
    IpAddress {
        /// `ipV4 [1]`: that these are the four octets of the address is inferred.
        V4 [1] (OctetString<'a, 4, 16>) = "ipV4",
        /// `ipV6 [2]`: that these are the 16 octets of the address is inferred.
        V6 [2] (OctetString<'a, 4, 16>) = "ipV6",
    }
}

impl From<IpAddr> for IpAddress<'static> {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address.octets().to_vec().into()),
            IpAddr::V6(address) => Self::V6(address.octets().to_vec().into()),
        }
    }
}

choice! {
    /// `allocationMethod`: how the address was given out.
    AllocationMethod {
        /// `static [0]`.
        Static [0] = "static",
        /// `dynamic [1]`.
        Dynamic [1] = "dynamic",
        /// `unknown [2]`.
        Unknown [2] = "unknown",
        /// `notApplicable [3]`.
        NotApplicable [3] = "notApplicable",
    }
}

sequence! {
    /// `IPAddress`: an address and how it was given out.
    IpAssignment = "IPAddress" {
        /// `address [0]`.
        required [0] address: IpAddress<'a> = "address",
        /// `allocationMethod [1]`.
        required [1] allocation: AllocationMethod<'a> = "allocationMethod",
        /// `iPv6FlowLabel [2]`.
        optional [2] flow_label: Utf8String<'a> = "iPv6FlowLabel",
        /// `prefixLen [3]`.
        optional [3] prefix_length: Integer<0, 128> = "prefixLen",
    }
}

sequence! {
    /// `HeaderSet`: what the headers of a packet say. The tags are inferred.
    HeaderSet = "HeaderSet" {
        /// `streamID [0]`: which flow.
        required [0] stream_id: AnyValue<'a> = "streamID",
        /// `sourceIPaddress [1]`.
        required [1] source: IpAssignment<'a> = "sourceIPaddress",
        /// `destinationIPaddress [2]`.
        required [2] destination: IpAssignment<'a> = "destinationIPaddress",
        /// `sourcePortNumber [3]`: only where the order allows ports.
        optional [3] source_port: PortNumber<'a> = "sourcePortNumber",
        /// `destinationPortNumber [4]`: only where the order allows ports.
        optional [4] destination_port: PortNumber<'a> = "destinationPortNumber",
    }
}

sequence! {
    /// `StreamSet`: what the headers of a flow's packets say. The tags are inferred.
    StreamSet = "StreamSet" {
        /// `streamID [0]`: which flow.
        required [0] stream_id: AnyValue<'a> = "streamID",
        /// `sourceIPaddress [1]`.
        required [1] source: IpAssignment<'a> = "sourceIPaddress",
        /// `destinationIPaddress [2]`.
        required [2] destination: IpAssignment<'a> = "destinationIPaddress",
        /// `packetCount [3]`.
        required [3] packet_count: Integer<0, { i64::MAX as u64 }> = "packetCount",
        /// `sourcePortNumber [4]`: only where the order allows ports.
        optional [4] source_port: PortNumber<'a> = "sourcePortNumber",
        /// `destinationPortNumber [5]`: only where the order allows ports.
        optional [5] destination_port: PortNumber<'a> = "destinationPortNumber",
    }
}

sequence! {
    /// `AccessMethod`. The tags are inferred.
    AccessMethod = "AccessMethod" {
        /// `accessType [0]`.
        required [0] access_type: AccessType<'a> = "accessType",
        /// `accessEquipmentID [1]`.
        optional [1] equipment_id: Utf8String<'a> = "accessEquipmentID",
        /// `partOfMultipleLogin [2]`.
        optional [2] part_of_multiple_login: () = "partOfMultipleLogin",
    }
}

choice! {
    /// `accessType`. The tags are inferred.
    AccessType {
        /// `dialUp [0]`.
        DialUp [0] = "dialUp",
        /// `dsl [1]`.
        Dsl [1] = "dsl",
        /// `lan [2]`.
        Lan [2] = "lan",
        /// `cable [3]`.
        Cable [3] = "cable",
        /// `wiFi [4]`.
        WiFi [4] = "wiFi",
        /// `wiMax [5]`.
        WiMax [5] = "wiMax",
        /// `other [6]`.
        Named [6] (Utf8String<'a>) = "other",
    }
}

sequence! {
    /// `LEA-CmC-Delivery`: where and how content is delivered.
    DeliveryInformation = "LEA-CmC-Delivery" {
        /// `contentIdentifier [0]`.
        required [0] content_identifier: ContentIdentifier<'a> = "contentIdentifier",
        /// `deliveryIdentifier [1]`.
        required [1] delivery_identifier: DeliveryIdentifier<'a> = "deliveryIdentifier",
        /// `ccDeliveryFormat [2]`.
        required [2] format: DeliveryFormat<'a> = "ccDeliveryFormat",
    }
}

choice! {
    /// `DeliveryIdentifier`: to where. The tags are inferred; `cccId` stays raw.
    DeliveryIdentifier {
        /// `ccAddress [1]`.
        Address [1] (CcAddress<'a>) = "ccAddress",
    }
}

sequence! {
    /// `CCAddress`.
    CcAddress = "CCAddress" {
        /// `leaIPAddress [0]`.
        required [0] address: IpAddress<'a> = "leaIPAddress",
        /// `leaPortNumber [1]`.
        required [1] port: PortNumber<'a> = "leaPortNumber",
    }
}

choice! {
    /// `IAS-CCDeliveryFormat`. The tags are inferred.
    DeliveryFormat {
        /// `scteDatagram [0]`: as [`crate::us::ccc`] has it.
        ScteDatagram [0] = "scteDatagram",
        /// `atis-678-ASN1 [1]`: PDUs of the module that is named.
        Asn1 [1] (ObjectId<'a>) = "atis-678-ASN1",
        /// `iasDatagram [2]`.
        IasDatagram [2] = "iasDatagram",
    }
}
