//! Messages about calls.

use super::{
    AlertingSignal, AudibleSignal, CallId, ConferenceParties, PartyId, RedirectedFromInfo, Sdp, Signal,
    TerminalDisplayInfo, TransitCarrierId, parts::message,
};
use crate::{
    EncodeError,
    ber::Element,
    pspdu::{DecodeError, decode::DecodeErrorKind, sequence::FieldWriter},
    us::fields::{Alternatives, Value, Version, VisibleString},
};

message! {
    /// `Answer`: a call was answered.
    Answer = "Answer" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
        /// `answering [4]`: the party that answered.
        optional [4] answering: PartyId<'a> = "answering",
    }
}

message! {
    /// `Origination`: the subject starts a call.
    Origination = "Origination" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
        /// `calling [4]`.
        required [4] calling: PartyId<'a> = "calling",
        /// `called [5]`.
        optional [5] called: PartyId<'a> = "called",
        /// `input`: the number, as it was dialed or translated.
        choice [6 | 7] input: Input<'a> = "input"
            then [8] "reserved0",
        /// `transitCarrierId [9]`.
        optional [9] transit_carrier_id: TransitCarrierId<'a> = "transitCarrierId",
    }
}

/// The number that a call goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<'a> {
    /// `userinput [6]`: as the subject gave it.
    User(VisibleString<'a, 1, 32>),
    /// `translationinput [7]`: as the network translated it.
    Translation(VisibleString<'a, 1, 32>),
}

impl<'a> Alternatives<'a> for Input<'a> {
    fn read(element: &Element<'a>, version: Version) -> Result<Self, DecodeError> {
        match element.tag().context_number() {
            Some(6) => Value::read(element, "userinput", version).map(Self::User),
            Some(7) => Value::read(element, "translationinput", version).map(Self::Translation),
            _ => Err(unexpected(element, "input")),
        }
    }

    fn write(&self, fields: &mut FieldWriter<'_, '_, '_>, version: Version) -> Result<(), EncodeError> {
        let (number, value, field) = match self {
            Self::User(value) => (6, value, "userinput"),
            Self::Translation(value) => (7, value, "translationinput"),
        };
        let (writer, tag) = fields.before(number);
        value.write(writer, tag, field, version)
    }
}

/// An alternative that a CHOICE without a tag of its own does not have.
pub(super) fn unexpected(element: &Element<'_>, field: &'static str) -> DecodeError {
    DecodeError { offset: element.offset(), field, kind: DecodeErrorKind::Tag(element.tag()) }
}

message! {
    /// `Redirection`: a call was redirected.
    Redirection = "Redirection" {
        /// `old [3]`: the call that was redirected.
        required [3] old: CallId<'a> = "old",
        /// `redirectedto [4]`.
        required [4] redirected_to: PartyId<'a> = "redirectedto",
        /// `transitCarrierId [5]`.
        optional [5] transit_carrier_id: TransitCarrierId<'a> = "transitCarrierId"
            then [6] "reserved0"
            then [7] "reserved1",
        /// `new [8]`: the call that came of it.
        optional [8] new: CallId<'a> = "new",
        /// `redirectedfrom [9]`.
        optional [9] redirected_from: PartyId<'a> = "redirectedfrom",
    }
}

message! {
    /// `Release`: a call ended.
    Release = "Release" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
    }
}

message! {
    /// `TerminationAttempt`: a call comes to the subject.
    TerminationAttempt = "TerminationAttempt" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
        /// `calling [4]`.
        optional [4] calling: PartyId<'a> = "calling",
        /// `called [5]`.
        optional [5] called: PartyId<'a> = "called"
            then [6] "reserved0",
        /// `redirectedFromInfo [7]`.
        optional [7] redirected_from: RedirectedFromInfo<'a> = "redirectedFromInfo",
    }
}

message! {
    /// `NetworkSignal`: the network signals to the subject. One signal at least is demanded when it is written.
    NetworkSignal = "NetworkSignal" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
        /// `alertingSignal [4]`.
        optional [4] alerting: AlertingSignal = "alertingSignal",
        /// `subjectAudibleSignal [5]`.
        optional [5] audible: AudibleSignal = "subjectAudibleSignal",
        /// `terminalDisplayInfo [6]`.
        optional [6] display: TerminalDisplayInfo<'a> = "terminalDisplayInfo",
        /// `other [7]`: a signal that the other fields have no room for.
        optional [7] other: VisibleString<'a, 1, 128> = "other",
        /// `signaledToPartyId [8]`: to whom; version 4 demands it, version 3 does not have it.
        since4 [8] signaled_to: PartyId<'a> = "signaledToPartyId",
    }
}

message! {
    /// `SubjectSignal`: the subject dials or signals. One signal at least is demanded when it is written.
    SubjectSignal = "SubjectSignal" {
        /// `callId [3]`.
        optional [3] call_id: CallId<'a> = "callId",
        /// `signal [4]`.
        required [4] signal: Signal<'a> = "signal",
        /// `signaledFromPartyId [5]`: from whom; version 4 demands it, version 3 does not have it.
        since4 [5] signaled_from: PartyId<'a> = "signaledFromPartyId",
    }
}

message! {
    /// `ServiceInstance`: a service acts on the subject's calls.
    ServiceInstance = "ServiceInstance" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
        /// `relatedCallId [4]`.
        optional [4] related_call_id: CallId<'a> = "relatedCallId",
        /// `serviceName [5]`.
        required [5] service_name: VisibleString<'a, 1, 128> = "serviceName",
        /// `firstCallCalling [6]`.
        optional [6] first_call_calling: PartyId<'a> = "firstCallCalling",
        /// `secondCallCalling [7]`.
        optional [7] second_call_calling: PartyId<'a> = "secondCallCalling",
        /// `called [8]`.
        optional [8] called: PartyId<'a> = "called",
        /// `calling [9]`.
        optional [9] calling: PartyId<'a> = "calling",
    }
}

message! {
    /// `DialedDigitExtraction` (version 4): digits that the subject dials after the call is up.
    DialedDigitExtraction = "DialedDigitExtraction" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
        /// `digits [4]`: of `0` to `9`, `#`, `*` and `A` to `D`, which is demanded when it is written.
        required [4] digits: VisibleString<'a, 1, 32> = "digits",
    }
}

message! {
    /// `ConferencePartyChange` (version 4): who takes part in a conference changes.
    ConferencePartyChange = "ConferencePartyChange" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
        /// `communicating [4]`: who takes part.
        optional [4] communicating: Vec<ConferenceParties<'a>> = "communicating",
        /// `removed [5]`: who takes part no longer, or is on hold.
        optional [5] removed: Vec<ConferenceParties<'a>> = "removed",
        /// `joined [6]`: who is new.
        optional [6] joined: Vec<ConferenceParties<'a>> = "joined",
    }
}

message! {
    /// `MediaReport`: media of a call are described.
    MediaReport = "MediaReport" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
        /// `subject [4]`: media of the subject.
        optional [4] subject: Sdp<'a> = "subject",
        /// `associate [5]`: media of the other party.
        optional [5] associate: Sdp<'a> = "associate",
    }
}

impl NetworkSignal<'_> {
    /// What the comments of the module demand and its types do not say.
    pub(super) fn check(&self) -> Result<(), EncodeError> {
        let has_signal =
            self.alerting.is_some() || self.audible.is_some() || self.display.is_some() || self.other.is_some();
        let field = "alertingSignal, subjectAudibleSignal, terminalDisplayInfo or other";
        if has_signal { Ok(()) } else { Err(EncodeError::Missing { field }) }
    }
}

impl SubjectSignal<'_> {
    /// What the comments of the module demand and its types do not say.
    pub(super) fn check(&self) -> Result<(), EncodeError> {
        let Signal { switchhook_flash, dialed_digits, feature_key, other_signaling, others } = &self.signal;
        let signals = [switchhook_flash, dialed_digits, feature_key, other_signaling];
        let field = "switchhookFlash, dialedDigits, featureKey or otherSignalingInformation";
        // An extension may hold a signal that we do not know.
        let has_signal = signals.iter().any(|signal| signal.is_some()) || !others.is_empty();
        if has_signal { Ok(()) } else { Err(EncodeError::Missing { field }) }
    }
}

impl DialedDigitExtraction<'_> {
    /// What the comments of the module demand and its types do not say.
    pub(super) fn check(&self) -> Result<(), EncodeError> {
        let are_digits = self.digits.0.iter().all(|octet| matches!(octet, b'0'..=b'9' | b'#' | b'*' | b'A'..=b'D'));
        if are_digits { Ok(()) } else { Err(EncodeError::ValueOutOfRange { field: "digits" }) }
    }
}
