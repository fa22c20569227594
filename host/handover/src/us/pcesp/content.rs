//! Messages about content channels.

use super::{CallId, CccIdentifier, FlowDirection, ResourceState, Sdp, calls::unexpected, parts::message};
use crate::{
    EncodeError,
    ber::Element,
    pspdu::{DecodeError, decode::InField, sequence::FieldWriter},
    us::fields::{Alternatives, Value, Version},
};

message! {
    /// `CCOpen`: content of calls will be delivered on a channel.
    CcOpen = "CCOpen" {
        /// `ccOpenOption`: of which calls.
        choice [3 | 4] option: CcOpenOption<'a> = "ccOpenOption",
        /// `cCCId [5]`: on which channel or channels.
        required [5] ccc_id: CccIdentifier<'a> = "cCCId",
        /// `subject [6]`: media of the subject.
        optional [6] subject: Sdp<'a> = "subject",
        /// `associate [7]`: media of the other party.
        optional [7] associate: Sdp<'a> = "associate",
        /// `flowDirection [8]`.
        required [8] flow_direction: FlowDirection = "flowDirection",
    }
}

/// `ccOpenOption`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CcOpenOption<'a> {
    /// `ccOpenTime [3]`: the calls.
    Time(Vec<CallId<'a>>),
    /// `reserved0 [4]`.
    Reserved,
}

impl<'a> Alternatives<'a> for CcOpenOption<'a> {
    fn read(element: &Element<'a>, version: Version) -> Result<Self, DecodeError> {
        match element.tag().context_number() {
            Some(3) => Value::read(element, "ccOpenTime", version).map(Self::Time),
            Some(4) => element.null().in_field("reserved0").map(|()| Self::Reserved),
            _ => Err(unexpected(element, "ccOpenOption")),
        }
    }

    fn write(&self, fields: &mut FieldWriter<'_, '_, '_>, version: Version) -> Result<(), EncodeError> {
        match self {
            Self::Time(calls) => {
                let (writer, tag) = fields.before(3);
                calls.write(writer, tag, "ccOpenTime", version)?;
            }
            Self::Reserved => {
                let (writer, tag) = fields.before(4);
                writer.null(tag);
            }
        }
        Ok(())
    }
}

message! {
    /// `CCClose`: no more content on a channel.
    CcClose = "CCClose" {
        /// `cCCId [3]`.
        required [3] ccc_id: CccIdentifier<'a> = "cCCId",
        /// `flowDirection [4]`.
        required [4] flow_direction: FlowDirection = "flowDirection",
    }
}

message! {
    /// `CCChange`: what a channel delivers changes.
    CcChange = "CCChange" {
        /// `callId [3]`.
        required [3] call_id: CallId<'a> = "callId",
        /// `cCCId [4]`.
        required [4] ccc_id: CccIdentifier<'a> = "cCCId",
        /// `subject [5]`: media of the subject.
        optional [5] subject: Sdp<'a> = "subject",
        /// `associate [6]`: media of the other party.
        optional [6] associate: Sdp<'a> = "associate",
        /// `flowDirection [7]`.
        required [7] flow_direction: FlowDirection = "flowDirection",
        /// `resourceState [8]`.
        optional [8] resource_state: ResourceState = "resourceState",
    }
}
