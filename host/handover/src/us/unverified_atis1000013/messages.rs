//! Identifying messages.

use super::{
    AccessMethod, AnyValue, ContentIdentifier, DeliveryInformation, HeaderSet, IpAssignment, Location, StreamSet,
};
use crate::us::fields::{Utf8String, sequence};

/// Defines a message: a SEQUENCE that starts with the three fields that all messages have.
macro_rules! message {
    ($(#[$doc:meta])* $name:ident = $type_name:literal { $($fields:tt)* }) => {
        sequence! {
            $(#[$doc])*
            $name = $type_name {
                /// `caseId [0]`.
                required [0] case_id: $crate::us::unverified_atis1000013::CaseId<'a> = "caseId",
                /// `iAPSystemId [1]`.
                required [1] iap_system_id: $crate::us::unverified_atis1000013::IapSystemId<'a> = "iAPSystemId",
                /// `timestamp [2]`.
                required [2] timestamp: $crate::pspdu::GeneralizedTime<'a> = "timestamp",
                $($fields)*
            }
        }
    };
}

message! {
    /// `Access-Attempt`: the subscriber asks for access.
    AccessAttempt = "Access-Attempt" {
        /// `subscriberIdentity [3]`.
        required [3] subscriber_identity: AnyValue<'a> = "subscriberIdentity",
        /// `accessMethod [4]`.
        optional [4] access_method: AccessMethod<'a> = "accessMethod",
        /// `networkAccessNodeIdentity [5]`.
        optional [5] network_access_node: AnyValue<'a> = "networkAccessNodeIdentity",
    }
}

message! {
    /// `Access-Accepted`: access is granted. The tags are inferred.
    AccessAccepted = "Access-Accepted" {
        /// `subscriberIdentity [3]`.
        required [3] subscriber_identity: AnyValue<'a> = "subscriberIdentity",
        /// `accessMethod [4]`.
        optional [4] access_method: AccessMethod<'a> = "accessMethod",
        /// `networkAccessNodeIdentity [5]`.
        optional [5] network_access_node: AnyValue<'a> = "networkAccessNodeIdentity",
        /// `iPAddress [6]`.
        optional [6] ip_address: IpAssignment<'a> = "iPAddress",
        /// `accessSessionID [7]`.
        required [7] access_session_id: AnyValue<'a> = "accessSessionID",
        /// `accessSessionCharacteristics [8]`.
        optional [8] characteristics: AnyValue<'a> = "accessSessionCharacteristics",
        /// `location [9]`.
        optional [9] location: Location<'a> = "location",
    }
}

message! {
    /// `Access-Failed`: the attempt failed.
    AccessFailed = "Access-Failed" {
        /// `subscriberIdentity [3]`.
        required [3] subscriber_identity: AnyValue<'a> = "subscriberIdentity",
        /// `iPAddress [4]`.
        optional [4] ip_address: IpAssignment<'a> = "iPAddress",
        /// `reasonForTermination [5]`.
        optional [5] reason: AnyValue<'a> = "reasonForTermination",
    }
}

message! {
    /// `Access-Rejected`: access is refused.
    AccessRejected = "Access-Rejected" {
        /// `subscriberIdentity [3]`.
        required [3] subscriber_identity: AnyValue<'a> = "subscriberIdentity",
        /// `iPAddress [4]`.
        optional [4] ip_address: IpAssignment<'a> = "iPAddress",
        /// `reasonForTermination [5]`.
        optional [5] reason: AnyValue<'a> = "reasonForTermination",
    }
}

message! {
    /// `Access-Session-End`: access ends.
    AccessSessionEnd = "Access-Session-End" {
        /// `subscriberIdentity [3]`.
        required [3] subscriber_identity: AnyValue<'a> = "subscriberIdentity",
        /// `iPAddress [4]`.
        optional [4] ip_address: IpAssignment<'a> = "iPAddress",
        /// `accessSessionID [5]`.
        required [5] access_session_id: AnyValue<'a> = "accessSessionID",
        /// `reasonForTermination [6]`.
        optional [6] reason: AnyValue<'a> = "reasonForTermination",
    }
}

message! {
    /// `Packet-Data-Session-Start` and, with the same fields, `Packet-Data-Session-Already-Established`: the subscriber uses an address.
    SessionEstablished = "Packet-Data-Session-Start" {
        /// `subscriberIdentity [3]`.
        required [3] subscriber_identity: AnyValue<'a> = "subscriberIdentity",
        /// `accessSessionID [4]`.
        optional [4] access_session_id: AnyValue<'a> = "accessSessionID",
        /// `packetDataSessionID [5]`.
        required [5] packet_data_session_id: AnyValue<'a> = "packetDataSessionID",
        /// `iPAddress [6]`.
        required [6] ip_address: IpAssignment<'a> = "iPAddress",
        /// `accessSessionCharacteristics [7]`.
        optional [7] characteristics: AnyValue<'a> = "accessSessionCharacteristics",
        /// `location [8]`.
        optional [8] location: Location<'a> = "location",
        /// `deliveryInformation [9]`.
        optional [9] delivery_information: DeliveryInformation<'a> = "deliveryInformation",
    }
}

message! {
    /// `Packet-Data-Session-Failed`: there is no session.
    SessionFailed = "Packet-Data-Session-Failed" {
        /// `subscriberIdentity [3]`.
        required [3] subscriber_identity: AnyValue<'a> = "subscriberIdentity",
        /// `accessSessionID [4]`.
        optional [4] access_session_id: AnyValue<'a> = "accessSessionID",
        /// `reasonForTermination [5]`.
        optional [5] reason: AnyValue<'a> = "reasonForTermination",
    }
}

message! {
    /// `Packet-Data-Session-End`: the session ends.
    SessionEnd = "Packet-Data-Session-End" {
        /// `subscriberIdentity [3]`.
        required [3] subscriber_identity: AnyValue<'a> = "subscriberIdentity",
        /// `accessSessionID [4]`.
        optional [4] access_session_id: AnyValue<'a> = "accessSessionID",
        /// `packetDataSessionID [5]`.
        required [5] packet_data_session_id: AnyValue<'a> = "packetDataSessionID",
        /// `iPAddress [6]`.
        required [6] ip_address: IpAssignment<'a> = "iPAddress",
        /// `reasonForTermination [7]`.
        optional [7] reason: AnyValue<'a> = "reasonForTermination",
    }
}

message! {
    /// `Packet-Data-Header-Report`: the headers of one packet.
    HeaderReport = "Packet-Data-Header-Report" {
        /// `contentIdentifier [3]`.
        required [3] content_identifier: ContentIdentifier<'a> = "contentIdentifier",
        /// `headerSet [4]`.
        required [4] header_set: HeaderSet<'a> = "headerSet",
    }
}

message! {
    /// `Packet-Data-Summary-Report`: the headers of a flow. The tags are inferred.
    SummaryReport = "Packet-Data-Summary-Report" {
        /// `contentIdentifier [3]`.
        required [3] content_identifier: ContentIdentifier<'a> = "contentIdentifier",
        /// `streamSet [4]`.
        required [4] stream_set: StreamSet<'a> = "streamSet",
    }
}

message! {
    /// `SurveillanceActivation`, `-Continuation`, `-Change` and `-DeActivation`, which have the same fields.
    Surveillance = "Surveillance" {
        /// `surveillanceStatus [3]`.
        required [3] status: Utf8String<'a> = "surveillanceStatus",
    }
}
