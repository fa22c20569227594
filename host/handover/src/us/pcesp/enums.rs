//! The enumerations. Every one keeps numbers that have no meaning to us.

use crate::{pspdu::enums::enumerated, us::fields::enumerated_values};

enumerated! {
    /// Which way content flows, seen from the subject's network.
    FlowDirection {
        /// To the subject.
        Downstream = 1,
        /// From the subject.
        Upstream = 2,
        /// Both.
        DownstreamAndUpstream = 3,
    }
    /// State of the resources that content flows over.
    ResourceState {
        /// Set aside.
        Reserved = 1,
        /// In use.
        Committed = 2,
    }
    /// Ringing at the subject.
    AlertingSignal {
        /// Reserved.
        NotUsed = 0,
        /// Normal ringing.
        Pattern0 = 1,
        /// Distinctive ringing: from within the group.
        Pattern1 = 2,
        /// Distinctive ringing: special or priority.
        Pattern2 = 3,
        /// Distinctive ringing: electronic key telephone.
        Pattern3 = 4,
        /// Ring splash, reminder.
        Pattern4 = 5,
        /// Call waiting: normal.
        CallWaiting1 = 6,
        /// Call waiting: incoming additional call.
        CallWaiting2 = 7,
        /// Call waiting: priority.
        CallWaiting3 = 8,
        /// Call waiting: distinctive.
        CallWaiting4 = 9,
        /// Somebody breaks in, an operator for one.
        BargeIn = 10,
        /// Distinctive ringing of the solution's own.
        Pattern5 = 11,
        /// Distinctive ringing of the solution's own.
        Pattern6 = 12,
        /// Distinctive ringing of the solution's own.
        Pattern7 = 13,
        /// Distinctive ringing of the solution's own.
        Pattern8 = 14,
        /// Distinctive ringing of the solution's own.
        Pattern9 = 15,
    }
    /// Tones at the subject.
    AudibleSignal {
        /// Reserved.
        NotUsed = 0,
        /// Dial tone.
        DialTone = 1,
        /// Stutter dial tone.
        RecallDialTone = 2,
        /// The called party's telephone rings.
        Ringback = 3,
        /// Congestion.
        Reorder = 4,
        /// Busy.
        Busy = 5,
        /// The request was received and is processed.
        Confirmation = 6,
        /// The route out is expensive.
        ExpensiveRoute = 7,
        /// A message waits.
        MessageWaiting = 8,
        /// The receiver is off the hook.
        ReceiverOffHook = 9,
        /// An announcement follows.
        SpecialInformation = 10,
        /// The feature is refused.
        Denial = 11,
        /// Intercept, mobile reorder.
        Intercept = 12,
        /// Wireless service: answer.
        Answer = 13,
        /// Wireless service: tones off.
        TonesOff = 14,
        /// Wireless service: pip.
        Pip = 15,
        /// Wireless service: short intercept.
        AbbreviatedIntercept = 16,
        /// Wireless service: short congestion.
        AbbreviatedCongestion = 17,
        /// Wireless service: warning.
        Warning = 18,
        /// Wireless service: burst of dial tone.
        DialToneBurst = 19,
        /// Wireless service: number not obtainable.
        NumberUnobtainable = 20,
        /// Wireless service: authentication failed.
        AuthenticationFailure = 21,
    }
}

enumerated_values! { FlowDirection ResourceState AlertingSignal AudibleSignal }
