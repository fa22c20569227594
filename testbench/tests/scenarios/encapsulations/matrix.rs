//! One target in every encapsulation: 18 frames, 11 of its IPv4 address and 7 of its IPv6 address.

use writ_testbench::truth::Scope;

use super::{Case, Part, content, cut, from, headers, over_hi, unseen, whole};

/// Frames of the IPv4 address, which stands behind 14 octets of Ethernet; 1 VLAN tag; 2 tags, 2 labels, a PPPoE session; GTP-U; GRE; VXLAN.
const V4: &[Part] =
    &[from("1 9-11", 14), from("2", 18), from("3-5", 22), from("15", 50), from("16", 38), from("17", 64)];
/// Frames of the IPv6 address: in a PPPoE session, plain and fragmented, 6in4.
const V6: &[Part] = &[from("6", 22), from("7-8 12-14", 14), from("18", 34)];

/// The crafted matrix.
pub(super) const MATRIX: Case = Case {
    capture: "ours__encap_matrix",
    orders: &[
        over_hi(content("ipv4=10.1.18.217", "ip.addr == 10.1.18.217", V4)),
        content("ipv6=2001:db8:1::99", "ipv6.addr == 2001:db8:1::99", V6),
        content("ipv4=10.1.18.0/24", "ip.addr == 10.1.18.0/24", V4),
        content("ipv6=2001:db8:1::/48", "ipv6.addr == 2001:db8:1::/48", V6),
        over_hi(content("ipv6=2001:db8:1::/56", "ipv6.addr == 2001:db8:1::/56", V6)),
        // The tunnel's end has its frames from the outer header on.
        content("ipv4=192.0.2.1", "ip.addr == 192.0.2.1", &[from("15-18", 14)]),
        headers(
            content(
                "ipv4=203.0.113.5",
                "ip.addr == 203.0.113.5",
                &[
                    cut("1 9", 14, 28),
                    cut("10-11", 14, 20),
                    cut("2", 18, 28),
                    cut("3-5", 22, 28),
                    cut("15", 50, 28),
                    cut("16", 38, 28),
                    cut("17", 64, 28),
                ],
            ),
            Scope::HeadersL4,
        ),
        over_hi(headers(
            content(
                "ipv6=2001:db8:ffff::5",
                "ipv6.addr == 2001:db8:ffff::5",
                // Behind the 40 octets: two extension headers of 8 in frame 8, a fragment header in frames 12 to 14.
                &[cut("6", 22, 40), cut("7", 14, 40), cut("8", 14, 56), cut("12-14", 14, 48), cut("18", 34, 40)],
            ),
            Scope::HeadersL3,
        )),
        unseen(
            content(
                "endpoint=10.1.18.217:1111/udp",
                "ip.addr == 10.1.18.217 and udp.port == 1111",
                &[from("1 9", 14), from("2", 18), from("3-5", 22), from("15", 50), from("16", 38), from("17", 64)],
            ),
            "10-11",
            "fragment without ports",
        ),
        unseen(
            over_hi(content(
                "flow=[2001:db8:1::99]:1111-[2001:db8:ffff::5]:53/udp",
                "ipv6.addr == 2001:db8:1::99 and ipv6.addr == 2001:db8:ffff::5 and udp.port == 1111 and udp.port == 53",
                &[from("6", 22), from("7-8 12", 14), from("18", 34)],
            )),
            "13-14",
            "fragment without ports",
        ),
        over_hi(content(
            "tunnel=gtpu:0x1234@192.0.2.2",
            "gtp.teid == 0x1234 and ip.dst == 192.0.2.2",
            &[from("15", 50)],
        )),
        content("tunnel=gre@192.0.2.2", "gre and ip.dst == 192.0.2.2", &[from("16", 38)]),
        content("tunnel=vxlan:5@192.0.2.2", "vxlan.vni == 5 and ip.dst == 192.0.2.2", &[from("17", 64)]),
        content("tunnel=ipip@192.0.2.2", "ip.proto == 41 and ip.dst == 192.0.2.2", &[from("18", 34)]),
        content("tunnel=mpls:200", "mpls.label == 200 and mpls.bottom == 1", &[whole("4")]),
        content(
            "tunnel=pppoe:7@02:00:00:00:00:02",
            "pppoe.session_id == 7 and eth.dst == 02:00:00:00:00:02",
            &[whole("5-6")],
        ),
        content("mac=02:00:00:00:00:01", "eth.addr#1 == 02:00:00:00:00:01", &[whole("1-18")]),
        // The target's side is port A.
        content("vlan=a:601", "vlan.id == 601", &[whole("2")]),
        content("vlan=b:10.20", "ieee8021ad.id == 10 and vlan.id == 20", &[whole("3")]),
        // Not the tunnel's other end, not the upper label, not the outer tag alone, not the other port.
        content("tunnel=gtpu:0x1234@192.0.2.1", "gtp.teid == 0x1234 and ip.dst == 192.0.2.1", &[]),
        content("tunnel=mpls:100", "mpls.label == 100 and not mpls.label == 200", &[]),
        content("vlan=b:10", "ieee8021ad.id == 10 and not vlan", &[]),
        content("vlan=b:601", "vlan.id == 601 and ip.src == 203.0.113.5", &[]),
    ],
};
