//! PDUs of identifying messages.

use super::{
    AccessAccepted, AccessAttempt, AccessFailed, AccessRejected, AccessSessionEnd, HeaderReport, ObjectId, SessionEnd,
    SessionEstablished, SessionFailed, SummaryReport, Surveillance,
};
use crate::{
    EncodeError,
    pspdu::{DecodeError, Limits, Octets},
    us::fields::{self, Decoded, choice, sequence},
};

/// Identifier of identifying messages, 1.2.840.113737.2.1.1.0.0. An encoder that others wrote used this value.
pub const CMII: ObjectId<'static> = ObjectId(Octets::borrowed(&[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x49, 2, 1, 1, 0, 0]));
/// Identifier of content, 1.2.840.113737.2.1.1.1.0. An encoder that others wrote used this value.
pub const CMCC: ObjectId<'static> = ObjectId(Octets::borrowed(&[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x49, 2, 1, 1, 1, 0]));

sequence! {
    /// `IasProtocol` of identifying messages. The tags are inferred.
    IasProtocol = "IasProtocol" {
        /// `protocolIdentifier [0]`: [`CMII`].
        required [0] protocol_identifier: ObjectId<'a> = "protocolIdentifier",
        /// `iasMessage [1]`.
        required [1] message: IasMessage<'a> = "iasMessage",
    }
}

sequence! {
    /// `IasProtocol` of optional messages. The tags are inferred.
    IasOptionalProtocol = "IasProtocol" {
        /// `protocolIdentifier [0]`: the value that the standard has is not known here.
        required [0] protocol_identifier: ObjectId<'a> = "protocolIdentifier",
        /// `iasMessage [1]`.
        required [1] message: IasOptionalMessage<'a> = "iasMessage",
    }
}

choice! {
    /// `IasMessage`. The tags are inferred; `access-Signaling-Message-Report [5]` stays raw.
    IasMessage {
        /// `access-Attempt [0]`.
        AccessAttempt [0] (Box<AccessAttempt<'a>>) = "access-Attempt",
        /// `access-Accepted [1]`.
        AccessAccepted [1] (Box<AccessAccepted<'a>>) = "access-Accepted",
        /// `access-Failed [2]`.
        AccessFailed [2] (Box<AccessFailed<'a>>) = "access-Failed",
        /// `access-Session-End [3]`.
        AccessSessionEnd [3] (Box<AccessSessionEnd<'a>>) = "access-Session-End",
        /// `access-Rejected [4]`.
        AccessRejected [4] (Box<AccessRejected<'a>>) = "access-Rejected",
        /// `session-Start [6]`.
        SessionStart [6] (Box<SessionEstablished<'a>>) = "session-Start",
        /// `session-Failed [7]`.
        SessionFailed [7] (Box<SessionFailed<'a>>) = "session-Failed",
        /// `session-End [8]`.
        SessionEnd [8] (Box<SessionEnd<'a>>) = "session-End",
        /// `session-Already-Established [9]`.
        SessionAlreadyEstablished [9] (Box<SessionEstablished<'a>>) = "session-Already-Established",
        /// `data-Header-Report [10]`.
        HeaderReport [10] (Box<HeaderReport<'a>>) = "data-Header-Report",
        /// `data-Summary-Report [11]`.
        SummaryReport [11] (Box<SummaryReport<'a>>) = "data-Summary-Report",
    }
}

choice! {
    /// `IasOptionalMessage`. Messages about services and VPNs stay raw.
    IasOptionalMessage {
        /// `surveillanceActivation [3]`: a surveillance begins.
        Activation [3] (Surveillance<'a>) = "surveillanceActivation",
        /// `surveillanceContinuation [4]`: a surveillance goes on.
        Continuation [4] (Surveillance<'a>) = "surveillanceContinuation",
        /// `surveillanceChange [5]`: a surveillance changes.
        Change [5] (Surveillance<'a>) = "surveillanceChange",
        /// `surveillanceDeActivation [6]`: a surveillance ends.
        Deactivation [6] (Surveillance<'a>) = "surveillanceDeActivation",
    }
}

/// Both kinds are written and read alike.
macro_rules! pdus {
    ($($name:ident)*) => { $(
        impl<'a> $name<'a> {
            /// Writes the PDU at the end of `out`. On an error `out` is as it was.
            pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                fields::encode(self, out, "IasProtocol")
            }

            /// Reads the PDU at the start of `input`, or gives `None` if more octets are needed.
            pub fn decode(input: &'a [u8], limits: &Limits) -> Result<Option<Decoded<Self>>, DecodeError> {
                fields::decode(input, limits, "IasProtocol")
            }
        }
    )* };
}

pdus! { IasProtocol IasOptionalProtocol }

impl<'a> IasProtocol<'a> {
    /// A message with the identifier that is known.
    pub const fn new(message: IasMessage<'a>) -> Self {
        Self { protocol_identifier: CMII, message, others: Vec::new() }
    }
}
