//! What can be wrong with a target.

use core::fmt;

/// Why a well-formed target cannot be an order's target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetFault {
    /// The unspecified or the broadcast address: hosts share it.
    SharedAddress,
    /// A multicast group: no single host.
    Multicast,
    /// An IPv4 address in IPv6 notation: on the wire its packets are IPv4, the key would never match.
    MappedIpv4,
    /// Port 0 is no endpoint.
    PortZero,
    /// The prefix is too short to be one subscriber's, or as long as an address.
    PrefixLength {
        /// Shortest allowed.
        minimum: u8,
        /// Longest allowed.
        maximum: u8,
    },
    /// Bits behind the prefix are set.
    HostBits,
    /// The ends of a flow are of two IP versions.
    TwoVersions,
    /// PPPoE and MPLS do not run over an IP address.
    NotOverIp,
    /// The identifier has more bits than its kind.
    Identifier {
        /// Bits that it may have.
        bits: u32,
    },
    /// The number is reserved for the network itself.
    Reserved,
    /// A VLAN id outside 1 to 4094.
    VlanId,
}

impl fmt::Display for TargetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharedAddress => "the unspecified and the broadcast address belong to no single host",
            Self::Multicast => "a multicast address belongs to no single host",
            Self::MappedIpv4 => "an IPv4 address in IPv6 notation never stands in an IPv6 packet; write it as IPv4",
            Self::PortZero => "port 0 is no endpoint",
            Self::PrefixLength { minimum, maximum } => {
                return write!(f, "a prefix has {minimum} to {maximum} bits; for one host leave the length out");
            }
            Self::HostBits => "bits behind the prefix are set; write the prefix's first address",
            Self::TwoVersions => "the two ends of a flow have addresses of two IP versions",
            Self::NotOverIp => "PPPoE sessions and MPLS labels are not named by an IP address",
            Self::Identifier { bits } => return write!(f, "the identifier has at most {bits} bits"),
            Self::Reserved => "the number is reserved; no subscriber has it",
            Self::VlanId => "a VLAN id is a number from 1 to 4094",
        })
    }
}

impl core::error::Error for TargetFault {}

/// Why text is no target. The text itself is not repeated, because it may name a person under interception; `at` says where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseTargetError {
    /// Byte of the text where the faulty part begins.
    pub at: usize,
    /// What is wrong there.
    pub kind: ParseTargetErrorKind,
}

/// What is wrong with a part of a target's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseTargetErrorKind {
    /// No `=`.
    NoKind,
    /// What stands before the `=` is none of the kinds.
    UnknownKind,
    /// Nothing behind the `=`.
    NoValue,
    /// A range or a pattern.
    NoRange,
    /// No prefix length behind the `/`.
    PrefixLength,
    /// No IPv4 address.
    Ipv4,
    /// No IPv6 address.
    Ipv6,
    /// Neither an IPv4 nor an IPv6 address.
    Address,
    /// An endpoint or flow without `/` and protocol.
    NoProtocol,
    /// A protocol other than tcp, udp, sctp (or 6, 17, 132).
    UnknownProtocol,
    /// An endpoint without `:` and port.
    NoPort,
    /// The port is no number from 1 to 65535.
    Port,
    /// An IPv6 endpoint whose address does not stand in brackets.
    NoBrackets,
    /// `[` without `]`.
    OpenBracket,
    /// A flow without `-` between its ends.
    NoPeer,
    /// No known kind of tunnel.
    TunnelKind,
    /// A tunnel without the `@` and where it goes.
    NoTunnelEnd,
    /// No number, in decimal or with 0x, where an identifier should stand.
    Identifier,
    /// No MAC address of six bytes with colons.
    Mac,
    /// A VLAN without its port `a` or `b` and a colon.
    VlanPort,
    /// Well formed, but not what an order can name.
    Fault(TargetFault),
}

impl fmt::Display for ParseTargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ParseTargetErrorKind as Kind;
        write!(f, "target, at byte {}: ", self.at)?;
        f.write_str(match self.kind {
            Kind::NoKind => "KIND=VALUE expected, there is no `=`",
            Kind::UnknownKind => "the kind is none of ipv4, ipv6, endpoint, flow, tunnel, mac, vlan",
            Kind::NoValue => "nothing stands behind the `=`",
            Kind::NoRange => "ranges and patterns are not taken; a prefix is written ADDR/BITS",
            Kind::PrefixLength => "a number of bits expected behind the `/`",
            Kind::Ipv4 => "not an IPv4 address",
            Kind::Ipv6 => "not an IPv6 address",
            Kind::Address => "not an IP address",
            Kind::NoProtocol => "ADDR:PORT/PROTO expected, there is no `/`",
            Kind::UnknownProtocol => "the protocol is none of tcp, udp, sctp",
            Kind::NoPort => "ADDR:PORT/PROTO expected, there is no port",
            Kind::Port => "the port is no number from 1 to 65535",
            Kind::NoBrackets => "an IPv6 address before a port stands in brackets: [ADDR]:PORT/PROTO",
            Kind::OpenBracket => "`[` without `]`",
            Kind::NoPeer => "ADDR:PORT-ADDR:PORT/PROTO expected, there is no `-`",
            Kind::TunnelKind => "the tunnel is none of gtpu, vxlan, geneve, gre, l2tp, ipip, pppoe, mpls",
            Kind::NoTunnelEnd => "`@` and where the tunnel goes expected",
            Kind::Identifier => "a number expected, in decimal or with 0x (l2tp: TUNNEL/SESSION)",
            Kind::Mac => "a MAC address expected, six bytes in hexadecimal with colons between them",
            Kind::VlanPort => "PORT:ID or PORT:ID.ID expected, the port is a or b",
            Kind::Fault(fault) => return fault.fmt(f),
        })
    }
}

impl core::error::Error for ParseTargetError {}
