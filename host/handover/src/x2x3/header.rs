//! The fixed header and its numbers.

use crate::ids::Xid;

/// Octets of the header without attributes.
pub const HEADER_OCTETS: usize = 40;

/// Version of the PDU format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Another major number is another format.
    pub major: u8,
    /// Minor numbers add attributes and formats only.
    pub minor: u8,
}

impl Version {
    /// 0.5, written by TS 103 221-2 V1.6.1 to V1.9.1. What peers are known to accept.
    pub const V0_5: Self = Self { major: 0, minor: 5 };
    /// 0.6, written by TS 103 221-2 V1.10.1.
    pub const V0_6: Self = Self { major: 0, minor: 6 };
}

impl Default for Version {
    fn default() -> Self {
        Self::V0_5
    }
}

/// What a PDU is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PduType {
    /// Intercept-related information.
    X2,
    /// Content.
    X3,
    /// Sent every TIME_P1 by either end.
    Keepalive,
    /// Answers a keep-alive, with its sequence number.
    KeepaliveAck,
    /// A number without a meaning to us.
    Other(u16),
}

impl PduType {
    /// For its number on the wire.
    pub const fn from_number(number: u16) -> Self {
        match number {
            1 => Self::X2,
            2 => Self::X3,
            3 => Self::Keepalive,
            4 => Self::KeepaliveAck,
            other => Self::Other(other),
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::X2 => 1,
            Self::X3 => 2,
            Self::Keepalive => 3,
            Self::KeepaliveAck => 4,
            Self::Other(other) => other,
        }
    }
}

/// Defines an enumeration of wire numbers, the unknown ones kept.
macro_rules! wire_numbers {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A number without a meaning to us.
            Other(u16),
        }

        impl $name {
            /// For its number on the wire.
            pub const fn from_number(number: u16) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            /// The number on the wire.
            pub const fn number(self) -> u16 {
                match self {
                    $(Self::$variant => $number,)*
                    Self::Other(other) => other,
                }
            }
        }
    };
}

wire_numbers! {
    /// What the payload is (table 5.4.1-1).
    PayloadFormat {
        /// No payload: keep-alives.
        Keepalive = 0,
        /// Defined by TS 102 232-1.
        Ts102232 = 1,
        /// XIRIPayload of TS 33.128.
        Ts33128 = 2,
        /// Defined by TS 33.108.
        Ts33108 = 3,
        /// Agreed between the two ends.
        Proprietary = 4,
        /// An IPv4 packet, or its first octets.
        Ipv4 = 5,
        /// An IPv6 packet, or its first octets.
        Ipv6 = 6,
        /// An Ethernet frame. X3 only.
        Ethernet = 7,
        /// An RTP packet. X3 only.
        Rtp = 8,
        /// A SIP message. X2 only.
        Sip = 9,
        /// A DHCP message. X2 only.
        Dhcp = 10,
        /// A RADIUS packet. X2 only.
        Radius = 11,
        /// A GTP-U message. X3 only.
        GtpU = 12,
        /// An MSRP message. X3 only.
        Msrp = 13,
        /// EpsIRIContent of TS 33.108. X2 only.
        EpsIri = 14,
        /// A MIME message.
        Mime = 15,
        /// 3GPP unstructured data. X3 only.
        Unstructured = 16,
        /// `Payload` of a PS-PDU of TS 102 232-1.
        PsPduPayload = 17,
    }
}

wire_numbers! {
    /// Which way the payload went, as X2/X3 number it. PS-PDUs number it differently: [`crate::direction`].
    PayloadDirection {
        /// Keep-alives.
        Reserved = 0,
        /// Not known.
        Unknown = 1,
        /// Towards the target.
        ToTarget = 2,
        /// From the target.
        FromTarget = 3,
        /// More than one direction: both ends of the packet are the target, for one.
        Multiple = 4,
        /// Direction has no meaning for this payload.
        NotApplicable = 5,
    }
}

/// A header as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Version of the format.
    pub version: Version,
    /// What the PDU is.
    pub pdu_type: PduType,
    /// Octets of header and attributes.
    pub header_length: u32,
    /// Octets of the payload.
    pub payload_length: u32,
    /// What the payload is.
    pub payload_format: PayloadFormat,
    /// Which way it went.
    pub payload_direction: PayloadDirection,
    /// The task (or the product id that stands for it).
    pub xid: Xid,
    /// Groups PDUs of one communication; 0 where nothing is correlated.
    pub correlation_id: u64,
}
