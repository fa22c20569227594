//! What the card's parser makes of a frame: the normative text that gateware and golden model both follow.
//!
//! # Window
//! The parser sees `W` bytes: 192 if the frame has more than 192 bytes with its FCS, otherwise the frame without its FCS
//! (0 if it is shorter than that). A header counts as present only if its last byte lies inside `W`.
//!
//! # Layers
//! 1. Ethernet, 14 bytes. Shorter: [`ParseClass::Truncated`].
//! 2. At most [`crate::limits::VLAN_TAGS_MAX`] tags of 4 bytes, TPID 0x8100 or 0x88a8 in any order. A further TPID behind the
//!    last one: [`ParseClass::VlanDepth`]. A tag that is not wholly inside `W`: `Truncated`.
//! 3. Ethertype 0x0800: IPv4; 0x86dd: IPv6; anything else, lengths below 0x0600 too: [`ParseClass::NonIp`].
//! 4. IPv4: the first 20 bytes present (else `Truncated`); version 4, header length of at least 20 bytes, total length not
//!    below the header length (else [`ParseClass::MalformedIp`]); the whole header with its options present (else `Truncated`).
//!    `ip_end = l3_offset + total length`. Fragment offset not zero: [`ParseClass::Fragment`].
//! 5. IPv6: 40 bytes present (else `Truncated`), version 6 (else `MalformedIp`). `ip_end = l3_offset + 40 + payload
//!    length`. Then extension headers hop-by-hop (0), routing (43), fragment (44), destination options (60), in any order, at most
//!    [`crate::limits::IPV6_EXTENSION_HEADERS_MAX`]. Hop-by-hop, routing, destination: `8 * (second byte + 1)` bytes; fragment: 8.
//!    One more of these kinds behind the last: [`ParseClass::ExtensionDepth`]. One that is not wholly inside `W` or that ends
//!    behind `ip_end`: [`ParseClass::L4Truncated`]. Fragment header with an offset that is not zero: the walk ends behind
//!    it, [`ParseClass::Fragment`].
//! 6. Transport, only for what no rule above has ended. TCP (6): 20 bytes or more by its data offset, an offset below 5 makes
//!    it `L4Truncated`; UDP (17): 8; SCTP (132): 12. The header has to be present and to end not behind `ip_end`: then
//!    [`ParseClass::Ports`], otherwise `L4Truncated`. ICMP (1, only behind IPv4) and ICMPv6 (58, only behind IPv6): 8 bytes under the same
//!    condition: [`ParseClass::NoPorts`], or `L4Truncated`. Every other protocol: `NoPorts`.
//!
//! # Results
//! - `l3_offset`: first byte of the IP header; 0 in a class without addresses.
//! - `l3_end`: end of the IPv4 header, or of the last IPv6 header or extension header that was wholly parsed.
//! - `l4_offset`: equal to `l3_end` in class `Ports`, and in class `NoPorts` when an ICMP header was recognised; else 0.
//! - `l4_end`: end of that transport header; equal to `l3_end` where `l4_offset` is 0.
//! - `protocol`: IPv4's protocol field, or the next-header value behind the last extension header that was wholly parsed. 0 in
//!   a class without addresses.
//! - Address keys exist in every class from [`ParseClass::Ports`] on ([`ParseClass::has_addresses`]), endpoint keys in
//!   class `Ports` only.

/// Outcome of parsing, counted for every frame that was looked up. What is not understood is a class of its own, never a
/// silent miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ParseClass {
    /// No IP behind the Ethernet header and tags.
    NonIp = 0,
    /// The frame ends inside a header up to and including the fixed IP header.
    Truncated = 1,
    /// More VLAN tags than the parser steps over.
    VlanDepth = 2,
    /// Wrong version, or lengths that contradict each other.
    MalformedIp = 3,
    /// IP with a transport header that carries ports.
    Ports = 4,
    /// IP with ICMP or with a protocol whose header the parser does not know.
    NoPorts = 5,
    /// A fragment that is not the first: addresses, no ports.
    Fragment = 6,
    /// More IPv6 extension headers than the parser steps over.
    ExtensionDepth = 7,
    /// The transport header, or an extension header before it, is not wholly there.
    L4Truncated = 8,
}

impl ParseClass {
    /// All classes, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::NonIp,
        Self::Truncated,
        Self::VlanDepth,
        Self::MalformedIp,
        Self::Ports,
        Self::NoPorts,
        Self::Fragment,
        Self::ExtensionDepth,
        Self::L4Truncated,
    ];

    /// The class for its number on the bus, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if (bits as usize) < Self::ALL.len() { Some(Self::ALL[bits as usize]) } else { None }
    }

    /// Whether frames of the class are looked up by address.
    pub const fn has_addresses(self) -> bool {
        self as u8 >= Self::Ports as u8
    }
}
