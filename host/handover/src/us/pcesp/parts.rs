//! What the messages are made of.

use crate::us::{
    ccc::CccId,
    fields::{Integer, Utf8String, VisibleString, choice, sequence},
};

/// Names the surveillance: what the agency and the carrier agreed on.
pub type CaseId<'a> = VisibleString<'a, 1, 25>;
/// Names the element that intercepts; configured.
pub type AccessingElementId<'a> = VisibleString<'a, 1, 15>;
/// Names the long-distance carrier.
pub type TransitCarrierId<'a> = VisibleString<'a, 3, 7>;
/// A session description (RFC 4566).
pub type Sdp<'a> = Utf8String<'a>;

/// Defines a message: a SEQUENCE that starts with the three fields that all messages have.
macro_rules! message {
    ($(#[$doc:meta])* $name:ident = $type_name:literal { $($fields:tt)* }) => {
        $crate::us::fields::sequence! {
            $(#[$doc])*
            $name = $type_name {
                /// `caseId [0]`.
                required [0] case_id: $crate::us::pcesp::CaseId<'a> = "caseId",
                /// `accessingElementId [1]`.
                required [1] accessing_element_id: $crate::us::pcesp::AccessingElementId<'a> = "accessingElementId",
                /// `eventTime [2]`.
                required [2] event_time: $crate::pspdu::GeneralizedTime<'a> = "eventTime",
                $($fields)*
            }
        }
    };
}
pub(super) use message;

sequence! {
    /// Names a call.
    CallId = "CallId" {
        /// `sequencenumber [0]`: time stamp and event counter of the billing correlation identifier as decimal numbers, a comma in between.
        required [0] sequence_number: VisibleString<'a, 1, 25> = "sequencenumber",
        /// `systemidentity [1]`: the element identifier of the billing correlation identifier.
        required [1] system_identity: VisibleString<'a, 1, 15> = "systemidentity",
    }
}

sequence! {
    /// A party. The ten tags that are reserved stay in `others` if a peer sends them.
    #[derive(Default)]
    PartyId = "PartyId" {
        /// `dn [6]`: directory number.
        optional [6] directory_number: VisibleString<'a, 1, 15> = "dn",
        /// `userProvided [7]`: number that the user gave.
        optional [7] user_provided: VisibleString<'a, 1, 15> = "userProvided",
        /// `ipAddress [10]`.
        optional [10] ip_address: VisibleString<'a, 1, 32> = "ipAddress",
        /// `trunkId [12]`.
        optional [12] trunk_id: VisibleString<'a, 1, 32> = "trunkId",
        /// `genericAddress [14]`.
        optional [14] generic_address: VisibleString<'a, 1, 32> = "genericAddress",
        /// `genericDigits [15]`.
        optional [15] generic_digits: VisibleString<'a, 1, 32> = "genericDigits",
        /// `genericName [16]`.
        optional [16] generic_name: VisibleString<'a, 1, 48> = "genericName",
        /// `port [17]`.
        optional [17] port: VisibleString<'a, 1, 32> = "port",
        /// `context [18]`.
        optional [18] context: VisibleString<'a, 1, 32> = "context",
    }
}

sequence! {
    /// How a call was redirected before.
    #[derive(Default)]
    RedirectedFromInfo = "RedirectedFromInfo" {
        /// `lastRedirecting [0]`.
        optional [0] last_redirecting: PartyId<'a> = "lastRedirecting",
        /// `originalCalled [1]`.
        optional [1] original_called: PartyId<'a> = "originalCalled",
        /// `numRedirections [2]`.
        optional [2] redirections: Integer<1, 100> = "numRedirections",
    }
}

sequence! {
    /// What the subject's terminal shows.
    #[derive(Default)]
    TerminalDisplayInfo = "TerminalDisplayInfo" {
        /// `generalDisplay [0]`: what the other fields have no room for.
        optional [0] general_display: VisibleString<'a, 1, 80> = "generalDisplay",
        /// `calledNumber [1]`.
        optional [1] called_number: VisibleString<'a, 1, 40> = "calledNumber",
        /// `callingNumber [2]`.
        optional [2] calling_number: VisibleString<'a, 1, 40> = "callingNumber",
        /// `callingName [3]`.
        optional [3] calling_name: VisibleString<'a, 1, 40> = "callingName",
        /// `originalCalledNumber [4]`.
        optional [4] original_called_number: VisibleString<'a, 1, 40> = "originalCalledNumber",
        /// `lastRedirectingNumber [5]`.
        optional [5] last_redirecting_number: VisibleString<'a, 1, 40> = "lastRedirectingNumber",
        /// `redirectingName [6]`.
        optional [6] redirecting_name: VisibleString<'a, 1, 40> = "redirectingName",
        /// `redirectingReason [7]`.
        optional [7] redirecting_reason: VisibleString<'a, 1, 40> = "redirectingReason",
        /// `messageWaitingNotif [8]`.
        optional [8] message_waiting: VisibleString<'a, 1, 40> = "messageWaitingNotif",
    }
}

sequence! {
    /// What the subject dialed or signaled.
    #[derive(Default)]
    Signal = "signal" {
        /// `switchhookFlash [0]`.
        optional [0] switchhook_flash: VisibleString<'a, 1, 128> = "switchhookFlash",
        /// `dialedDigits [1]`.
        optional [1] dialed_digits: VisibleString<'a, 1, 128> = "dialedDigits",
        /// `featureKey [2]`.
        optional [2] feature_key: VisibleString<'a, 1, 128> = "featureKey",
        /// `otherSignalingInformation [3]`.
        optional [3] other_signaling: VisibleString<'a, 1, 128> = "otherSignalingInformation",
    }
}

sequence! {
    /// Parties of a conference, and where their content is delivered.
    #[derive(Default)]
    ConferenceParties = "ConferencePartyChange" {
        /// `partyId [0]`.
        optional [0] parties: Vec<PartyId<'a>> = "partyId",
        /// `cCCId [1]`.
        optional [1] ccc_id: CccIdentifier<'a> = "cCCId",
    }
}

choice! {
    /// `CCCId`: which content channel or channels.
    CccIdentifier {
        /// `combCCC [0]`: one channel for both directions.
        Combined [0] (VisibleString<'a, 1, 20>) = "combCCC",
        /// `sepCCCpair [1]`: a channel for each direction.
        Separate [1] (CccPair<'a>) = "sepCCCpair",
    }
}

sequence! {
    /// `sepCCCpair`.
    CccPair = "sepCCCpair" {
        /// `sepXmitCCC [0]`: what the subject sends.
        required [0] transmit: VisibleString<'a, 1, 20> = "sepXmitCCC",
        /// `sepRecvCCC [1]`: what the subject receives.
        required [1] receive: VisibleString<'a, 1, 20> = "sepRecvCCC",
    }
}

impl CccIdentifier<'static> {
    /// One channel for both directions, written as eight hexadecimal digits.
    pub fn combined(id: CccId) -> Self {
        Self::Combined(id.text().into())
    }

    /// One channel for what the subject sends and one for what it receives.
    pub fn separate(transmit: CccId, receive: CccId) -> Self {
        let (transmit, receive) = (transmit.text().into(), receive.text().into());
        Self::Separate(CccPair { transmit, receive, others: Vec::new() })
    }
}
