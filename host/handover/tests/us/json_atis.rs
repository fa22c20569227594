//! ATIS-1000013 PDUs as JSON with the names of its modules.

#![allow(unreachable_pub, reason = "a module of test binaries")]

use crate::json::{Json, sequences};
use serde_json::{Value, json};
use writ_handover::us::unverified_atis1000013::*;

/// Alternatives of a CHOICE and their names, those that are no NULL with the value.
macro_rules! choices {
    ($($type:ident { $($arm:ident $(($value:ident))? = $name:literal),* $(,)? })*) => { $(
        impl Json for $type<'_> {
            fn json(&self) -> Option<Value> {
                Some(match self {
                    $(Self::$arm $(($value))? => {
                        let _value = Value::Null;
                        $(let _value = $value.json();)?
                        json!({ $name: _value })
                    })*
                    Self::Other(raw) => panic!("alternative {:?}", raw.tag()),
                })
            }
        }
    )* };
}

/// Messages have three fields in common.
macro_rules! messages {
    ($($type:ident { $($field:ident = $name:literal),* })*) => {
        $(sequences! { $type {
            case_id = "caseId", iap_system_id = "iAPSystemId", timestamp = "timestamp" $(, $field = $name)*
        } })*
    };
}

choices! {
    AnyValue {
        Visible(value) = "stringVS", Utf8(value) = "stringUTF8", Integer(value) = "integer", Octets(value) = "octets",
        Numeric(value) = "numeric",
    }
    ContentIdentifier { Correlation(value) = "correlationID", Call(value) = "callID" }
    IpAddress { V4(value) = "ipV4", V6(value) = "ipV6" }
    AllocationMethod {
        Static = "static", Dynamic = "dynamic", Unknown = "unknown", NotApplicable = "notApplicable",
    }
    AccessType {
        DialUp = "dialUp", Dsl = "dsl", Lan = "lan", Cable = "cable", WiFi = "wiFi", WiMax = "wiMax",
        Named(value) = "other",
    }
    DeliveryIdentifier { Address(value) = "ccAddress" }
    DeliveryFormat { ScteDatagram = "scteDatagram", Asn1(value) = "atis-678-ASN1", IasDatagram = "iasDatagram" }
    IasMessage {
        AccessAttempt(value) = "access-Attempt", AccessAccepted(value) = "access-Accepted",
        AccessFailed(value) = "access-Failed", AccessSessionEnd(value) = "access-Session-End",
        AccessRejected(value) = "access-Rejected", SessionStart(value) = "session-Start",
        SessionFailed(value) = "session-Failed", SessionEnd(value) = "session-End",
        SessionAlreadyEstablished(value) = "session-Already-Established",
        HeaderReport(value) = "data-Header-Report", SummaryReport(value) = "data-Summary-Report",
    }
    IasOptionalMessage {
        Activation(value) = "surveillanceActivation", Continuation(value) = "surveillanceContinuation",
        Change(value) = "surveillanceChange", Deactivation(value) = "surveillanceDeActivation",
    }
}

sequences! {
    CallIdentity { main = "main", leg = "leg" }
    Location { location_type = "locationType", location = "location" }
    IpAssignment {
        address = "address", allocation = "allocationMethod", flow_label = "iPv6FlowLabel", prefix_length = "prefixLen"
    }
    HeaderSet {
        stream_id = "streamID", source = "sourceIPaddress", destination = "destinationIPaddress",
        source_port = "sourcePortNumber", destination_port = "destinationPortNumber"
    }
    StreamSet {
        stream_id = "streamID", source = "sourceIPaddress", destination = "destinationIPaddress",
        packet_count = "packetCount", source_port = "sourcePortNumber", destination_port = "destinationPortNumber"
    }
    AccessMethod {
        access_type = "accessType", equipment_id = "accessEquipmentID", part_of_multiple_login = "partOfMultipleLogin"
    }
    DeliveryInformation {
        content_identifier = "contentIdentifier", delivery_identifier = "deliveryIdentifier",
        format = "ccDeliveryFormat"
    }
    CcAddress { address = "leaIPAddress", port = "leaPortNumber" }
    IasCcApdu { header = "ccDeliveryHeader", payload = "payload" }
    CcDeliveryHeader {
        correlation = "correlationInfo", time_stamp = "timeStamp", direction = "packetDirection",
        sequence_number = "sequenceNumber"
    }
    CorrelationInfo { case_id = "caseId", iap_system_id = "iapId", content_identifier = "contentIdentifier" }
    IasProtocol { protocol_identifier = "protocolIdentifier", message = "iasMessage" }
    IasOptionalProtocol { protocol_identifier = "protocolIdentifier", message = "iasMessage" }
}

messages! {
    AccessAttempt {
        subscriber_identity = "subscriberIdentity", access_method = "accessMethod",
        network_access_node = "networkAccessNodeIdentity"
    }
    AccessAccepted {
        subscriber_identity = "subscriberIdentity", access_method = "accessMethod",
        network_access_node = "networkAccessNodeIdentity", ip_address = "iPAddress",
        access_session_id = "accessSessionID", characteristics = "accessSessionCharacteristics", location = "location"
    }
    AccessFailed { subscriber_identity = "subscriberIdentity", ip_address = "iPAddress", reason = "reasonForTermination" }
    AccessRejected { subscriber_identity = "subscriberIdentity", ip_address = "iPAddress", reason = "reasonForTermination" }
    AccessSessionEnd {
        subscriber_identity = "subscriberIdentity", ip_address = "iPAddress", access_session_id = "accessSessionID",
        reason = "reasonForTermination"
    }
    SessionEstablished {
        subscriber_identity = "subscriberIdentity", access_session_id = "accessSessionID",
        packet_data_session_id = "packetDataSessionID", ip_address = "iPAddress",
        characteristics = "accessSessionCharacteristics", location = "location",
        delivery_information = "deliveryInformation"
    }
    SessionFailed {
        subscriber_identity = "subscriberIdentity", access_session_id = "accessSessionID",
        reason = "reasonForTermination"
    }
    SessionEnd {
        subscriber_identity = "subscriberIdentity", access_session_id = "accessSessionID",
        packet_data_session_id = "packetDataSessionID", ip_address = "iPAddress", reason = "reasonForTermination"
    }
    HeaderReport { content_identifier = "contentIdentifier", header_set = "headerSet" }
    SummaryReport { content_identifier = "contentIdentifier", stream_set = "streamSet" }
    Surveillance { status = "surveillanceStatus" }
}

impl Json for NumericString<'_> {
    fn json(&self) -> Option<Value> {
        Some(self.0.as_text().expect("text").into())
    }
}

/// Arcs, of which the first two share a number.
impl Json for ObjectId<'_> {
    fn json(&self) -> Option<Value> {
        let mut arcs = Vec::new();
        let mut arc = 0_u64;
        for octet in self.0.iter() {
            arc = arc << 7 | u64::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                if arcs.is_empty() {
                    let first = (arc / 40).min(2);
                    arcs.push(first);
                    arc -= 40 * first;
                }
                arcs.push(arc);
                arc = 0;
            }
        }
        Some(arcs.into())
    }
}

impl Json for PacketDirection {
    fn json(&self) -> Option<Value> {
        Some(match self {
            Self::FromSubject => "fromSubject".into(),
            Self::ToSubject => "toSubject".into(),
            Self::Other(number) => panic!("direction {number}"),
        })
    }
}
