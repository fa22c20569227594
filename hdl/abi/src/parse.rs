//! What the card's parser makes of a frame: the normative text that gateware and golden model both follow.
//!
//! # Window
//! The parser sees `W` bytes: the frame without its FCS, at most 192 of them (0 if it is shorter than an FCS). A header is *present* if its
//! last byte lies inside `W`. Where a rule says *missing: X*, a header that is not present gives [`ParseClass::WindowExceeded`] if `W` is 192,
//! and class X if not.
//!
//! `p` is the place that the walk has reached. The first rule that names a class ends the walk.
//!
//! # Link
//! 1. Ethernet, 14 bytes (missing: [`ParseClass::Truncated`]). `p = 14`.
//! 2. At most [`limits::VLAN_TAGS_MAX`] tags of 4 bytes while the ethertype before `p` is one of [`TPIDS`] (missing: `Truncated`). A further
//!    such ethertype behind the last tag: [`ParseClass::VlanDepth`].
//! 3. Ethertype 0x0800: rule 6 for IPv4; 0x86dd: rule 6 for IPv6; 0x8864: rule 4; 0x8847 and 0x8848: rule 5; anything else, lengths below
//!    0x0600 too: [`ParseClass::NonIp`].
//! 4. PPPoE session: 6 bytes and the 2 bytes of the PPP protocol (missing: `Truncated`). First byte not 0x11 or second not 0:
//!    [`ParseClass::LinkPayload`]. Otherwise the frame is in that session. Protocol 0x0021: IPv4; 0x0057: IPv6; else `LinkPayload`.
//! 5. MPLS: labels of 4 bytes (missing: `Truncated`) up to the one with the bottom-of-stack bit; no such bit in [`limits::MPLS_LABELS_MAX`]
//!    labels: [`ParseClass::MplsDepth`]. Then one byte (missing: `Truncated`) whose upper half says what follows. 4: IPv4; 6: IPv6; 0: a
//!    pseudowire, which is a control word of 4 bytes and an Ethernet header of 14 (missing: `Truncated`), then at most
//!    [`limits::INNER_VLAN_TAGS_MAX`] tags (missing: `Truncated`), then ethertype 0x0800 or 0x86dd, else `LinkPayload`. Any other value:
//!    `LinkPayload`.
//!
//! # Outer IP
//! 6. IPv4: the first 20 bytes present (missing: `Truncated`); version 4, header length of at least 20 bytes, total length not below
//!    the header length (else [`ParseClass::MalformedIp`]); the whole header with its options present (missing: `Truncated`).
//!    `ip_end = p + total length`. IPv6: 40 bytes present (missing: `Truncated`), version 6 (else `MalformedIp`).
//!    `ip_end = p + 40 + payload length`. From here on the frame has an outer IP header. `p` goes behind it.
//! 7. IPv4: fragment offset not zero: [`ParseClass::Fragment`]. IPv6: extension headers hop-by-hop (0), routing (43), fragment (44),
//!    destination options (60), in any order, at most [`limits::IPV6_EXTENSION_HEADERS_MAX`]. Hop-by-hop, routing, destination:
//!    `8 * (second byte + 1)` bytes; fragment: 8. One more of these kinds behind the last: [`ParseClass::ExtensionDepth`]. One
//!    that is not present (missing: [`ParseClass::L4Truncated`]) or that ends behind `ip_end` (`L4Truncated`): ends the walk before it. To find
//!    its length two bytes have to be present. Fragment header with an offset that is not zero: the walk ends behind it, `Fragment`.
//! 8. Transport. TCP (6): 20 bytes or more by its data offset; byte 12, which holds that, is asked for first (missing: `L4Truncated`), then
//!    an offset below 5 is `L4Truncated`; UDP (17): 8; SCTP (132): 12. The header has to be present (missing:
//!    `L4Truncated`) and to end not behind `ip_end` (else `L4Truncated`; presence is asked first). Then the layer has ports; TCP and SCTP end
//!    in [`ParseClass::Ports`], UDP in rule 9 with a destination port of a tunnel (L2TP: destination or source port), else in `Ports`.
//!    ICMP (1, only behind IPv4) and ICMPv6 (58, only behind IPv6): 8 bytes under the same conditions: [`ParseClass::NoPorts`]. Protocol 4
//!    goes to rule 11 for IPv4, 41 for IPv6, both as [`TunnelKind::IpInIp`]; 47: rule 10. Every other protocol: `NoPorts`.
//!
//! # Tunnels
//! From here on `W` ends at the outer header's `ip_end`, if that is not behind it; then a header that is missing is missing from the packet, and gives class
//! X whatever follows in the frame. So padding and trailers are never taken for an inner packet. All bytes of a tunnel header have to be present (missing:
//! [`ParseClass::TunnelHeader`]).
//! 9. By the first port list that has the port, in this order:
//!    - [`limits::GTPU_PORTS`], destination: GTP-U, 8 bytes. Version not 1 or protocol type not 1: `TunnelHeader`. Message type not 255:
//!      [`ParseClass::TunnelPayload`]. A tunnel of kind [`TunnelKind::GtpU`] with the TEID. Any of the flags E, S, PN: 4 more bytes. Flag E: their
//!      last byte is the type of an extension header; while it is not 0, one more header of `4 * (first byte)` bytes, the last of which is the
//!      next type; length 0, or a type that is not 0 behind the last of [`limits::GTPU_EXTENSION_HEADERS_MAX`]: `TunnelHeader`. Then one byte (missing:
//!      `TunnelPayload`) whose upper half says IPv4 (4) or IPv6 (6), else `TunnelPayload`.
//!    - [`limits::VXLAN_PORTS`], destination: VXLAN, 8 bytes, flag I (0x08) set, else `TunnelHeader`. Kind [`TunnelKind::Vxlan`] with the VNI. Rule 12.
//!    - [`limits::GENEVE_PORTS`], destination: GENEVE, 8 bytes, version 0 (else `TunnelHeader`) and `4 * option length`. Kind [`TunnelKind::Geneve`] with
//!      the VNI (it exists when the whole header with its options is present). Protocol 0x6558: rule 12; 0x0800: IPv4; 0x86dd: IPv6; else `TunnelPayload`.
//!    - [`limits::L2TP_PORTS`], destination or source: L2TPv2. The first 2 bytes: version not 2: `TunnelHeader`; flag T: `TunnelPayload`. Then,
//!      in this order, 2 bytes with flag L, 4 bytes of tunnel and session id, 4 bytes with flag S, with flag O 2 bytes and as many bytes as
//!      they say, where an odd number is `TunnelHeader` (asked before their presence). Kind [`TunnelKind::L2tp`] with `tunnel id << 16 | session id` (it exists when all this is
//!      present). Then PPP: 2 bytes 0xff03 or nothing, then 2 bytes (missing: `TunnelPayload`, both times): 0x0021: IPv4; 0x0057: IPv6; else
//!      `TunnelPayload`.
//! 10. GRE, 4 bytes: version not 0 or the routing flag (0x4000): `TunnelHeader`. Then 4 bytes each with flag C, K, S. Kind [`TunnelKind::GreKey`] with the
//!     key, or [`TunnelKind::Gre`] with 0 if there is no flag K (it exists when all this is present). Protocol 0x0800: IPv4; 0x86dd: IPv6;
//!     0x6558: rule 12; else `TunnelPayload`.
//! 12. Inner Ethernet, 14 bytes (missing: `TunnelPayload`), then at most [`limits::INNER_VLAN_TAGS_MAX`] tags (missing: `TunnelPayload`), then
//!     ethertype 0x0800: IPv4; 0x86dd: IPv6; else `TunnelPayload`.
//!
//! # Inner IP
//! 11. As rule 6, with [`ParseClass::InnerIp`] in place of `Truncated` and `MalformedIp`. From here on the frame has an inner IP header. Then rules 7
//!     and 8 with the inner header's own `ip_end`, but protocols 4, 41 and 47, and UDP with a port of rule 9, end in
//!     [`ParseClass::TunnelDepth`] (UDP has its ports).
//!
//! # Results
//! - For the outer and for the inner IP header, all 0 if there is none: `l3_offset`, its first byte; `l3_end`, the end of the IPv4 header, or of
//!   the last IPv6 header or extension header that was wholly parsed; `l4_end`, the end of the transport header that rule 8 found good
//!   (TCP, UDP, SCTP, ICMP), else `l3_end`; `protocol`, IPv4's protocol field, or the next-header value behind the last extension header that was
//!   wholly parsed; whether it has ports; whether it is a fragment that is not the first.
//! - `vlan_tags`, `mpls_labels`: how many were wholly parsed (of the link, not of an inner Ethernet). Whether there was a PPPoE session, a
//!   pseudowire (its Ethernet header present).
//! - `tunnel`: the [`TunnelKind`] of the IP tunnel, if one exists by rules 8 to 10. Whether rule 12's Ethernet header was present.
//!
//! # Keys
//! *Innermost* is the inner IP header, or the outer one if there is no inner.
//! - MAC addresses: whenever the Ethernet header is present. VLAN: with at least one tag.
//! - Link tunnel: in a PPPoE session kind [`TunnelKind::Pppoe`] with session id and destination MAC address; with MPLS, once the label with
//!   the bottom-of-stack bit was found, kind [`TunnelKind::Mpls`] with that label and no address.
//! - IP tunnel: kind and identifier as above, and the outer destination address.
//! - Addresses, and the same under the mask of the prefix length (IPv6 only): outer and inner.
//! - Endpoints and 5-tuple: the innermost header's, if it has ports. The 5-tuple as it stands in the packet, and the other way round.
//! - Rules: the 5-tuple of the innermost header, with ports 0 if it has none.

#[cfg(doc)]
use crate::limits;

/// Ethertypes of a VLAN tag: 802.1Q, 802.1ad, and what stacked tags were before 802.1ad.
pub const TPIDS: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// Outcome of parsing, counted for every frame that was looked up. What is not understood is a class of its own, never a
/// silent miss. The class says where the walk ended; which headers it had found by then stands in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ParseClass {
    /// No IP behind the Ethernet header and tags.
    NonIp = 0,
    /// The frame ends inside a header up to and including the outer fixed IP header.
    Truncated = 1,
    /// More VLAN tags than the parser steps over.
    VlanDepth = 2,
    /// The outer IP header has a wrong version, or lengths that contradict each other.
    MalformedIp = 3,
    /// The innermost IP header has a transport header that carries ports.
    Ports = 4,
    /// The innermost IP header has ICMP or a protocol whose header the parser does not know.
    NoPorts = 5,
    /// The innermost IP header is of a fragment that is not the first: addresses, no ports.
    Fragment = 6,
    /// More IPv6 extension headers than the parser steps over.
    ExtensionDepth = 7,
    /// The transport header, or an extension header before it, is not wholly there.
    L4Truncated = 8,
    /// A header runs past the window, though the frame goes on.
    WindowExceeded = 9,
    /// More MPLS labels than the parser steps over.
    MplsDepth = 10,
    /// PPPoE, MPLS or a pseudowire with something else than IP inside.
    LinkPayload = 11,
    /// A tunnel with something else than IP inside, or a control message of it.
    TunnelPayload = 12,
    /// A tunnel header that is cut off, contradictory, or of a version or form that the parser does not know.
    TunnelHeader = 13,
    /// The inner IP packet is a tunnel itself.
    TunnelDepth = 14,
    /// The inner IP header is cut off, has a wrong version, or lengths that contradict each other.
    InnerIp = 15,
}

impl ParseClass {
    /// All classes, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::NonIp,
        Self::Truncated,
        Self::VlanDepth,
        Self::MalformedIp,
        Self::Ports,
        Self::NoPorts,
        Self::Fragment,
        Self::ExtensionDepth,
        Self::L4Truncated,
        Self::WindowExceeded,
        Self::MplsDepth,
        Self::LinkPayload,
        Self::TunnelPayload,
        Self::TunnelHeader,
        Self::TunnelDepth,
        Self::InnerIp,
    ];

    /// The class for its number on the bus, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if (bits as usize) < Self::ALL.len() { Some(Self::ALL[bits as usize]) } else { None }
    }
}

/// What kind of tunnel an identifier belongs to. 0 on the bus: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TunnelKind {
    /// GTP-U, TEID of 32 bits [TS 29.281 §5].
    GtpU = 1,
    /// VXLAN, VNI of 24 bits [RFC 7348 §5].
    Vxlan = 2,
    /// GENEVE, VNI of 24 bits [RFC 8926 §3].
    Geneve = 3,
    /// GRE with a key of 32 bits [RFC 2890 §2].
    GreKey = 4,
    /// GRE without a key; the identifier is 0 [RFC 2784 §2].
    Gre = 5,
    /// L2TPv2 data, `tunnel id << 16 | session id` [RFC 2661 §3.1].
    L2tp = 6,
    /// IPv4 or IPv6 directly in IPv4 or IPv6; the identifier is 0 [RFC 2003, RFC 2473, RFC 4213].
    IpInIp = 7,
    /// PPPoE session, session id of 16 bits [RFC 2516 §4].
    Pppoe = 8,
    /// MPLS, label of 20 bits at the bottom of the stack [RFC 3032 §2.1].
    Mpls = 9,
}

impl TunnelKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::GtpU,
        Self::Vxlan,
        Self::Geneve,
        Self::GreKey,
        Self::Gre,
        Self::L2tp,
        Self::IpInIp,
        Self::Pppoe,
        Self::Mpls,
    ];

    /// The kind for its number on the bus, or `None` for 0 and for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits >= 1 && (bits as usize) <= Self::ALL.len() { Some(Self::ALL[bits as usize - 1]) } else { None }
    }

    /// Bits that an identifier of this kind has.
    pub const fn identifier_bits(self) -> u32 {
        match self {
            Self::GtpU | Self::GreKey | Self::L2tp => 32,
            Self::Vxlan | Self::Geneve => 24,
            Self::Gre | Self::IpInIp => 0,
            Self::Pppoe => 16,
            Self::Mpls => 20,
        }
    }
}
