//! Content: a PDU for each packet.

use super::{CaseId, ContentIdentifier, IapSystemId};
use crate::{
    EncodeError,
    pspdu::{DecodeError, GeneralizedTime, Limits, enums::enumerated},
    us::fields::{self, Decoded, Integer, OctetString, enumerated_values, sequence},
};

const IAS_CC_APDU: &str = "IAS-CC-APDU";

sequence! {
    /// `IAS-CC-APDU`: one packet.
    IasCcApdu = "IAS-CC-APDU" {
        /// `ccDeliveryHeader [0]`.
        optional [0] header: CcDeliveryHeader<'a> = "ccDeliveryHeader",
        /// `payload [1]`: the packet, from its IP header on.
        required [1] payload: OctetString<'a, 0, { usize::MAX }> = "payload",
    }
}

sequence! {
    /// `CCDeliveryHeader`.
    CcDeliveryHeader = "CCDeliveryHeader" {
        /// `correlationInfo [0]`.
        required [0] correlation: CorrelationInfo<'a> = "correlationInfo",
        /// `timeStamp [1]`.
        optional [1] time_stamp: GeneralizedTime<'a> = "timeStamp",
        /// `packetDirection [2]`.
        optional [2] direction: PacketDirection = "packetDirection",
        /// `sequenceNumber [3]`.
        optional [3] sequence_number: Integer<0, { i64::MAX as u64 }> = "sequenceNumber",
    }
}

sequence! {
    /// `correlationInfo`.
    CorrelationInfo = "correlationInfo" {
        /// `caseId [0]`.
        optional [0] case_id: CaseId<'a> = "caseId",
        /// `iapId [1]`.
        optional [1] iap_system_id: IapSystemId<'a> = "iapId",
        /// `contentIdentifier [2]`.
        required [2] content_identifier: ContentIdentifier<'a> = "contentIdentifier",
    }
}

enumerated! {
    /// Which way the packet went.
    PacketDirection {
        /// Sent by the subject.
        FromSubject = 0,
        /// Sent to the subject.
        ToSubject = 1,
    }
}

enumerated_values! { PacketDirection }

impl<'a> IasCcApdu<'a> {
    /// Writes the PDU at the end of `out`. On an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        fields::encode(self, out, IAS_CC_APDU)
    }

    /// Reads the PDU at the start of `input`, or gives `None` if more octets are needed.
    pub fn decode(input: &'a [u8], limits: &Limits) -> Result<Option<Decoded<Self>>, DecodeError> {
        fields::decode(input, limits, IAS_CC_APDU)
    }
}
