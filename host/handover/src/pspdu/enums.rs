//! The enumerations. Every one keeps numbers that have no meaning to us.

/// Defines ENUMERATED types.
macro_rules! enumerated {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A number without a meaning to us.
            Other(i64),
        }

        impl $name {
            /// For its number on the wire.
            pub const fn from_number(number: i64) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            /// The number on the wire.
            pub const fn number(self) -> i64 {
                match self {
                    $(Self::$variant => $number,)*
                    Self::Other(other) => other,
                }
            }

            /// Reads the value of a field.
            pub(super) fn read(
                element: &$crate::ber::Element<'_>,
                field: &'static str,
            ) -> Result<Self, $crate::pspdu::DecodeError> {
                use $crate::pspdu::decode::InField;
                element.signed().in_field(field).map(Self::from_number)
            }
        }
    )* };
}
pub(crate) use enumerated;

enumerated! {
    /// Which way the payload went, as PS-PDUs number it. X2/X3 number it differently: [`crate::direction`].
    PayloadDirection {
        /// Sent by the target.
        FromTarget = 0,
        /// Sent to the target.
        ToTarget = 1,
        /// Not known.
        Indeterminate = 2,
        /// Both: the target is at both ends, for one.
        Combined = 3,
        /// Direction has no meaning for this payload.
        NotApplicable = 4,
    }
    /// Whose time a time stamp is.
    TimeStampQualifier {
        /// Not known.
        Unknown = 0,
        /// When the network element saw it.
        TimeOfInterception = 1,
        /// When the mediation function had it.
        TimeOfMediation = 2,
        /// When it was aggregated.
        TimeOfAggregation = 3,
    }
    /// Place of an IRI in its communication.
    IriType {
        /// First of a communication.
        Begin = 1,
        /// Last of a communication.
        End = 2,
        /// In between.
        Continue = 3,
        /// Outside of a communication.
        Report = 4,
    }
    /// What happened (TS 102 232-3).
    AccessEventType {
        /// The target asks for access.
        AccessAttempt = 0,
        /// Access is granted, the session begins.
        AccessAccept = 1,
        /// Access is refused.
        AccessReject = 2,
        /// The attempt failed otherwise.
        AccessFailed = 3,
        /// Old: use of the access starts.
        SessionStart = 4,
        /// Old: use of the access stops.
        SessionEnd = 5,
        /// Report in the middle of a session.
        InterimUpdate = 6,
        /// Interception starts while a session is active.
        StartOfInterceptionWithSessionActive = 7,
        /// The session ends.
        AccessEnd = 8,
        /// Interception ends while a session is active.
        EndOfInterceptionWithSessionActive = 9,
        /// Not known.
        Unknown = 10,
        /// Interception starts and there is no session.
        StartOfInterceptionWithoutNetworkSession = 11,
        /// Interception ends and there is no session.
        EndOfInterceptionWithoutNetworkSession = 12,
        /// The mediation function let the session expire.
        SessionExpired = 13,
    }
    /// How the target reaches the network (TS 102 232-3).
    InternetAccessType {
        /// Not known.
        Undefined = 0,
        /// Dial-up.
        DialUp = 1,
        /// DSL.
        Xdsl = 2,
        /// Cable modem.
        CableModem = 3,
        /// LAN.
        Lan = 4,
        /// Wireless LAN.
        WirelessLan = 5,
        /// Fibre.
        Fttx = 6,
        /// WiMAX or HIPERMAN.
        WimaxHiperman = 7,
        /// Satellite.
        Satellite = 8,
        /// Other wireless.
        WirelessOther = 9,
    }
    /// Versions of IP in use (TS 102 232-3).
    IpVersion {
        /// IPv4.
        V4 = 1,
        /// IPv6.
        V6 = 2,
        /// Both.
        V4AndV6 = 3,
    }
    /// Kind of an IP address.
    IpType {
        /// IPv4.
        V4 = 0,
        /// IPv6.
        V6 = 1,
    }
    /// How an address came to be assigned.
    IpAssignment {
        /// Static.
        Static = 1,
        /// Dynamic.
        Dynamic = 2,
        /// Not known.
        NotKnown = 3,
    }
    /// Why a session ended (TS 102 232-3).
    EndReason {
        /// Not known.
        Undefined = 0,
        /// The target logged off.
        RegularLogoff = 1,
        /// The connection was lost.
        ConnectionLoss = 2,
        /// The connection timed out.
        ConnectionTimeout = 3,
        /// The lease expired.
        LeaseExpired = 4,
    }
    /// Who authenticates the target (TS 102 232-3).
    AuthenticationType {
        /// Not known.
        Unknown = 0,
        /// Static address, no authentication.
        Static = 1,
        /// RADIUS.
        Radius = 2,
        /// DHCP.
        Dhcp = 3,
        /// Diameter.
        Diameter = 4,
    }
    /// Why a packet summary was made (TS 102 232-3).
    PacketReportTrigger {
        /// A flow started.
        FlowStart = 1,
        /// A flow ended.
        FlowEnd = 2,
        /// A flow timed out.
        FlowTimeout = 3,
        /// The timer of a flow expired.
        FlowTimerExpiration = 4,
        /// A flow reached a number of packets.
        FlowPacketCount = 5,
        /// A flow reached a number of octets.
        FlowByteCount = 6,
        /// The timer of a session expired.
        SessionTimerExpiration = 7,
        /// A session reached a number of packets.
        SessionPacketCount = 8,
        /// A session reached a number of octets.
        SessionByteCount = 9,
        /// Reporting ends.
        ReportEnd = 10,
    }
    /// What an integrity check holds.
    CheckType {
        /// A hash over PDUs.
        Hash = 1,
        /// A signature over hashes.
        Signature = 2,
    }
    /// What an integrity check covers.
    DataType {
        /// IRI.
        Iri = 1,
        /// Content.
        Cc = 2,
        /// ILHI.
        Ilhi = 3,
    }
    /// Hash function of an integrity check.
    HashAlgorithm {
        /// SHA-1: legacy.
        Sha1 = 1,
        /// SHA-256.
        Sha256 = 2,
        /// SHA-384.
        Sha384 = 3,
        /// SHA-512.
        Sha512 = 4,
    }
    /// Signature algorithm of an integrity check.
    SignatureAlgorithm {
        /// DSA: legacy.
        Dsa = 1,
        /// ECDSA.
        Ecdsa = 2,
        /// EdDSA.
        Eddsa = 3,
    }
    /// How grave a message of the operator is.
    MessagePriority {
        /// It has an impact on the quality of the intercepted data.
        Error = 1,
        /// It has none.
        Informational = 2,
    }
    /// How a container is encrypted.
    EncryptionType {
        /// Not at all.
        None = 1,
        /// As agreed nationally.
        National = 2,
        /// AES-192-CBC.
        Aes192Cbc = 3,
        /// AES-256-CBC.
        Aes256Cbc = 4,
        /// Blowfish-192-CBC.
        Blowfish192Cbc = 5,
        /// Blowfish-256-CBC.
        Blowfish256Cbc = 6,
        /// Triple-DES-CBC.
        TripleDesCbc = 7,
    }
    /// Which part of TS 102 232 defines an encrypted payload.
    EncryptedPayloadType {
        /// Not told.
        Unknown = 1,
        /// Messaging.
        Part2 = 2,
        /// IP access.
        Part3 = 3,
        /// Layer 2.
        Part4 = 4,
        /// IP multimedia.
        Part5 = 5,
        /// PSTN and ISDN.
        Part6 = 6,
        /// Mobile.
        Part7 = 7,
        /// Generic.
        Part1 = 8,
    }
    /// What an IPMM CC frame starts with (TS 102 232-5).
    FrameType {
        /// IP.
        Ip = 0,
        /// UDP.
        Udp = 1,
        /// RTP.
        Rtp = 2,
        /// Audio.
        Audio = 3,
        /// TCP.
        Tcp = 4,
        /// RTP made up by the operator.
        ArtificialRtp = 5,
        /// UDPTL.
        Udptl = 6,
        /// MSRP.
        Msrp = 7,
    }
    /// Media protocol of IPMM CC (TS 102 232-5).
    MediaProtocol {
        /// RTP.
        Rtp = 0,
        /// MSRP.
        Msrp = 1,
        /// UDPTL.
        Udptl = 2,
    }
    /// Whether a local time is summer time (TS 101 671).
    SeasonIndication {
        /// Not told.
        NotProvided = 0,
        /// Winter time.
        Winter = 1,
        /// Summer time.
        Summer = 2,
    }
}
