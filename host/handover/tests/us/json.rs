//! PCESP PDUs as JSON with the names of the ASN.1 module: what other decoders are compared by.

#![allow(unreachable_pub, reason = "a module of test binaries")]

use serde_json::{Map, Value, json};
use writ_handover::{
    pspdu::{GeneralizedTime, RawElement},
    us::{Integer, OctetString, Utf8String, VisibleString, pcesp::*},
};

/// `None`: not there.
pub trait Json {
    fn json(&self) -> Option<Value>;
}

impl<T: Json> Json for Option<T> {
    fn json(&self) -> Option<Value> {
        self.as_ref().and_then(Json::json)
    }
}

impl<T: Json> Json for Vec<T> {
    fn json(&self) -> Option<Value> {
        Some(self.iter().map(|member| member.json().expect("a member is there")).collect())
    }
}

impl<const MIN: usize, const MAX: usize> Json for VisibleString<'_, MIN, MAX> {
    fn json(&self) -> Option<Value> {
        Some(self.as_text().expect("text").into())
    }
}

impl Json for Utf8String<'_> {
    fn json(&self) -> Option<Value> {
        Some(self.0.as_text().expect("text").into())
    }
}

impl<const MIN: usize, const MAX: usize> Json for OctetString<'_, MIN, MAX> {
    fn json(&self) -> Option<Value> {
        Some(self.0.iter().map(|octet| format!("{octet:02x}")).collect::<String>().into())
    }
}

impl Json for () {
    fn json(&self) -> Option<Value> {
        Some(Value::Null)
    }
}

impl<T: Json> Json for Box<T> {
    fn json(&self) -> Option<Value> {
        T::json(self)
    }
}

impl Json for GeneralizedTime<'_> {
    fn json(&self) -> Option<Value> {
        Some(self.0.as_text().expect("text").into())
    }
}

impl<const MIN: u64, const MAX: u64> Json for Integer<MIN, MAX> {
    fn json(&self) -> Option<Value> {
        Some(self.0.into())
    }
}

/// Tags of PartyId that are reserved, by the number in their name.
const PARTY_RESERVED: [u32; 10] = [0, 1, 2, 3, 4, 5, 8, 9, 11, 13];

pub fn insert_others(map: &mut Map<String, Value>, others: &[RawElement<'_>]) {
    for other in others {
        let number = other.tag().context_number().expect("a context tag");
        let reserved = PARTY_RESERVED.iter().position(|&tag| tag == number && other.octets().ends_with(&[0]));
        let name = reserved.map_or_else(|| format!("unknown{number}"), |index| format!("reserved{index}"));
        map.insert(name, Value::Null);
    }
}

/// Fields and their names in the module, all of them; after `+`: those that say nothing and have to be there.
macro_rules! sequences {
    ($($type:ident { $($field:ident = $name:literal),* } $(+ $null:literal)*)*) => { $(
        impl $crate::json::Json for $type<'_> {
            fn json(&self) -> Option<serde_json::Value> {
                use $crate::json::{Json, insert_others};
                use serde_json::{Map, Value};
                let Self { $($field,)* others } = self;
                let mut map = Map::new();
                $(if let Some(value) = Json::json($field) {
                    map.insert($name.to_owned(), value);
                })*
                $(map.insert($null.to_owned(), Value::Null);)*
                insert_others(&mut map, others);
                Some(Value::Object(map))
            }
        }
    )* };
}

pub(crate) use sequences;

/// The same with the fields that every message has.
macro_rules! messages {
    ($($type:ident $arm:literal { $($field:ident = $name:literal),* } $(+ $null:literal)*)*) => {
        $(sequences! { $type {
            case_id = "caseId", accessing_element_id = "accessingElementId", event_time = "eventTime"
            $(, $field = $name)*
        } $(+ $null)* })*

        impl Json for Message<'_> {
            fn json(&self) -> Option<Value> {
                match self {
                    $(Self::$type(message) => Some(json!({ $arm: message.json() })),)*
                    Self::Other(raw) => {
                        assert!(raw.octets().ends_with(&[0]), "an alternative that is reserved");
                        let name = match raw.tag().context_number() {
                            Some(4) => "reserved0",
                            Some(6) => "reserved1",
                            Some(9) => "reserved2",
                            Some(11) => "reserved",
                            Some(13) => "reserved3",
                            Some(14) => "reserved4",
                            Some(15) => "reserved5",
                            other => panic!("alternative {other:?}"),
                        };
                        Some(json!({ name: null }))
                    }
                }
            }
        }
    };
}

sequences! {
    CallId { sequence_number = "sequencenumber", system_identity = "systemidentity" }
    PartyId {
        directory_number = "dn", user_provided = "userProvided", ip_address = "ipAddress", trunk_id = "trunkId",
        generic_address = "genericAddress", generic_digits = "genericDigits", generic_name = "genericName",
        port = "port", context = "context"
    }
    RedirectedFromInfo {
        last_redirecting = "lastRedirecting", original_called = "originalCalled", redirections = "numRedirections"
    }
    TerminalDisplayInfo {
        general_display = "generalDisplay", called_number = "calledNumber", calling_number = "callingNumber",
        calling_name = "callingName", original_called_number = "originalCalledNumber",
        last_redirecting_number = "lastRedirectingNumber", redirecting_name = "redirectingName",
        redirecting_reason = "redirectingReason", message_waiting = "messageWaitingNotif"
    }
    Signal {
        switchhook_flash = "switchhookFlash", dialed_digits = "dialedDigits", feature_key = "featureKey",
        other_signaling = "otherSignalingInformation"
    }
    ConferenceParties { parties = "partyId", ccc_id = "cCCId" }
    CccPair { transmit = "sepXmitCCC", receive = "sepRecvCCC" }
}

messages! {
    Answer "answer" { call_id = "callId", answering = "answering" }
    CcClose "ccclose" { ccc_id = "cCCId", flow_direction = "flowDirection" }
    CcOpen "ccopen" {
        option = "ccOpenOption", ccc_id = "cCCId", subject = "subject", associate = "associate",
        flow_direction = "flowDirection"
    }
    CcChange "ccchange" {
        call_id = "callId", ccc_id = "cCCId", subject = "subject", associate = "associate",
        flow_direction = "flowDirection", resource_state = "resourceState"
    }
    Origination "origination" {
        call_id = "callId", calling = "calling", called = "called", input = "input",
        transit_carrier_id = "transitCarrierId"
    } + "reserved0"
    Redirection "redirection" {
        old = "old", redirected_to = "redirectedto", transit_carrier_id = "transitCarrierId", new = "new",
        redirected_from = "redirectedfrom"
    } + "reserved0" + "reserved1"
    Release "release" { call_id = "callId" }
    TerminationAttempt "terminationattempt" {
        call_id = "callId", calling = "calling", called = "called", redirected_from = "redirectedFromInfo"
    } + "reserved0"
    NetworkSignal "networksignal" {
        call_id = "callId", alerting = "alertingSignal", audible = "subjectAudibleSignal",
        display = "terminalDisplayInfo", other = "other", signaled_to = "signaledToPartyId"
    }
    SubjectSignal "subjectsignal" { call_id = "callId", signal = "signal", signaled_from = "signaledFromPartyId" }
    MediaReport "mediareport" { call_id = "callId", subject = "subject", associate = "associate" }
    ServiceInstance "serviceinstance" {
        call_id = "callId", related_call_id = "relatedCallId", service_name = "serviceName",
        first_call_calling = "firstCallCalling", second_call_calling = "secondCallCalling", called = "called",
        calling = "calling"
    }
    DialedDigitExtraction "dialeddigitextraction" { call_id = "callId", digits = "digits" }
    ConferencePartyChange "confpartychange" {
        call_id = "callId", communicating = "communicating", removed = "removed", joined = "joined"
    }
}

impl Json for Input<'_> {
    fn json(&self) -> Option<Value> {
        Some(match self {
            Self::User(text) => json!({ "userinput": text.json() }),
            Self::Translation(text) => json!({ "translationinput": text.json() }),
        })
    }
}

impl Json for CcOpenOption<'_> {
    fn json(&self) -> Option<Value> {
        Some(match self {
            Self::Time(calls) => json!({ "ccOpenTime": calls.json() }),
            Self::Reserved => json!({ "reserved0": null }),
        })
    }
}

impl Json for CccIdentifier<'_> {
    fn json(&self) -> Option<Value> {
        Some(match self {
            Self::Combined(id) => json!({ "combCCC": id.json() }),
            Self::Separate(pair) => json!({ "sepCCCpair": pair.json() }),
            Self::Other(raw) => panic!("alternative {:?}", raw.tag()),
        })
    }
}

/// Names of values of an enumeration.
macro_rules! enumerations {
    ($($type:ident { $($variant:ident = $name:literal),* $(,)? })*) => { $(
        impl Json for $type {
            fn json(&self) -> Option<Value> {
                Some(match self {
                    $(Self::$variant => $name.into(),)*
                    Self::Other(number) => panic!("{} {number}", stringify!($type)),
                })
            }
        }
    )* };
}

enumerations! {
    FlowDirection {
        Downstream = "downstream", Upstream = "upstream", DownstreamAndUpstream = "downstream-and-upstream",
    }
    ResourceState { Reserved = "reserved", Committed = "committed" }
    AlertingSignal {
        NotUsed = "notUsed", Pattern0 = "alertingPattern0", Pattern1 = "alertingPattern1",
        Pattern2 = "alertingPattern2", Pattern3 = "alertingPattern3", Pattern4 = "alertingPattern4",
        CallWaiting1 = "callWaitingPattern1", CallWaiting2 = "callWaitingPattern2",
        CallWaiting3 = "callWaitingPattern3", CallWaiting4 = "callWaitingPattern4", BargeIn = "bargeInTone",
        Pattern5 = "alertingPattern5", Pattern6 = "alertingPattern6", Pattern7 = "alertingPattern7",
        Pattern8 = "alertingPattern8", Pattern9 = "alertingPattern9",
    }
    AudibleSignal {
        NotUsed = "notUsed", DialTone = "dialTone", RecallDialTone = "recallDialTone", Ringback = "ringbackTone",
        Reorder = "reorderTone", Busy = "busyTone", Confirmation = "confirmationTone",
        ExpensiveRoute = "expensiveRouteTone", MessageWaiting = "messageWaitingTone",
        ReceiverOffHook = "receiverOffHookTone", SpecialInformation = "specialInfoTone", Denial = "denialTone",
        Intercept = "interceptTone", Answer = "answerTone", TonesOff = "tonesOff", Pip = "pipTone",
        AbbreviatedIntercept = "abbreviatedIntercept", AbbreviatedCongestion = "abbreviatedCongestion",
        Warning = "warningTone", DialToneBurst = "dialToneBurst", NumberUnobtainable = "numberUnObtainableTone",
        AuthenticationFailure = "authenticationFailureTone",
    }
}

/// A whole PDU. Version 3 has two names: `version_3` is the one of the module that the PDU is compared by.
pub fn pdu(pdu: &CdcPdu<'_>, version_3: &str) -> Value {
    let CdcPdu { version, message, others } = pdu;
    assert!(others.is_empty(), "fields of CdcPdu");
    let version = match version {
        ProtocolVersion::V3 => version_3,
        ProtocolVersion::V4 => "v4",
        ProtocolVersion::Other(number) => panic!("version {number}"),
    };
    json!({ "protocolVersion": version, "message": message.json() })
}
