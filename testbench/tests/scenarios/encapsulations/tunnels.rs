//! Tunnels over IP: by their identifiers, by what is in them, by their ends.

use writ_testbench::truth::Scope;

use super::{Case, content, cut, from, headers, over_hi, unseen, whole};

/// Towards the handset, GTP-U headers only: of a fragmented packet the first fragment.
const GTP_DOWNLINK: &str = "2 6 8-10 12 14 16 18 20 22 24 26 30 32 34 36 38 42 44 46 48 50 52 56-57 59 61 63 66 68 70 73 75 77 80-81 83 86 88 90 \
    92-93 95 108";
/// From the handset, likewise.
const GTP_UPLINK: &str = "1 3-4 7 28-29 40-41 54-55 65 72 79 85 91 96-107";
/// The other fragments of both: the card keeps nothing of a first fragment, so they match by their own addresses only.
const GTP_LATER: &str =
    "5 11 13 15 17 19 21 23 25 27 31 33 35 37 39 43 45 47 49 51 53 58 60 62 64 67 69 71 74 76 78 82 84 87 89 94";
const WITHOUT_HEADER: &str = "fragment without the tunnel's header";

/// A download through GTP-U whose packets are fragmented outside.
pub(super) const GTP_U: Case = Case {
    capture: "zeek__tunnels_gtp_gtp1_gn_normal_incl_fragmentation",
    orders: &[
        unseen(
            over_hi(content(
                "tunnel=gtpu:0x8c61be36@63.94.149.181",
                "gtp.teid == 0x8c61be36 and ip.dst == 63.94.149.181",
                &[from(GTP_UPLINK, 50)],
            )),
            "5",
            WITHOUT_HEADER,
        ),
        unseen(
            content("ipv4=10.131.47.185", "ip.addr == 10.131.47.185", &[from(GTP_DOWNLINK, 50), from(GTP_UPLINK, 50)]),
            GTP_LATER,
            WITHOUT_HEADER,
        ),
        unseen(
            content(
                "endpoint=79.101.110.141:80/tcp",
                "ip.addr == 79.101.110.141 and tcp.port == 80",
                &[from(GTP_DOWNLINK, 50), from(GTP_UPLINK, 50)],
            ),
            GTP_LATER,
            WITHOUT_HEADER,
        ),
        // The tunnel's end has every fragment, from its own header on.
        content("ipv4=63.94.149.181", "ip.addr == 63.94.149.181", &[from("1-108", 14)]),
        content(
            "mac=88:e0:f3:c8:bf:f0",
            "eth.addr#1 == 88:e0:f3:c8:bf:f0",
            &[whole("1 3-5 7 28-29 40-41 54-55 65 72 79 85 91 96-107")],
        ),
        content("tunnel=gtpu:0xb2b7@63.94.149.181", "gtp.teid == 0xb2b7 and ip.dst == 63.94.149.181", &[]),
    ],
};

/// A GTP-U extension header, fragmented too.
pub(super) const GTP_U_EXTENSION_HEADER: Case = Case {
    capture: "zeek__tunnels_gtp_gtp_ext_header",
    orders: &[
        unseen(
            content(
                "tunnel=gtpu:0x100657@10.155.148.157",
                "gtp.teid == 0x100657 and ip.dst == 10.155.148.157",
                &[from("1", 58)],
            ),
            "2",
            WITHOUT_HEADER,
        ),
        unseen(
            over_hi(content("ipv4=10.155.182.202", "ip.addr == 10.155.182.202", &[from("1", 58)])),
            "2",
            WITHOUT_HEADER,
        ),
        over_hi(content("ipv4=10.155.148.149", "ip.addr == 10.155.148.149", &[from("1-2", 14)])),
        content("mac=12:00:01:02:31:00", "eth.addr#1 == 12:00:01:02:31:00", &[whole("1-2")]),
    ],
};

/// Two hosts on one overlay network, ARP first.
pub(super) const VXLAN: Case = Case {
    capture: "zeek__tunnels_vxlan",
    orders: &[
        // ARP is no IP packet: what is delivered of it is the tunnel's own.
        content(
            "tunnel=vxlan:123@192.168.56.11",
            "vxlan.vni == 123 and ip.dst == 192.168.56.11",
            &[from("2", 14), from("4 6 8 10", 64)],
        ),
        over_hi(content(
            "tunnel=vxlan:123@192.168.56.12",
            "vxlan.vni == 123 and ip.dst == 192.168.56.12",
            &[from("1", 14), from("3 5 7 9", 64)],
        )),
        over_hi(content("ipv4=10.0.0.1", "ip.addr == 10.0.0.1", &[from("3-10", 64)])),
        content("ipv4=192.168.56.12", "ip.addr == 192.168.56.12", &[from("1-10", 14)]),
        content("mac=08:00:27:f2:1d:8c", "eth.addr#1 == 08:00:27:f2:1d:8c", &[whole("1-10")]),
        // Stations of the overlay network are not on this link.
        content("mac=ba:09:2b:6e:f8:be", "eth.addr#1 == ba:09:2b:6e:f8:be", &[]),
        content("tunnel=vxlan:124@192.168.56.11", "vxlan.vni == 124", &[]),
    ],
};

/// With 8 octets of options.
const GENEVE_LONG: &str = "1 4 6 9 11-12 14 16 18 20-21 23 25 28 31 33-34 36 38";
/// Without.
const GENEVE_SHORT: &str = "2-3 5 7-8 10 13 15 17 19 22 24 26-27 29-30 32 35 37 39";

/// SSH and ping.
pub(super) const GENEVE: Case = Case {
    capture: "tcpdump__geneve",
    orders: &[
        content("tunnel=geneve:11@20.0.0.1", "geneve.vni == 11 and ip.dst == 20.0.0.1", &[from(GENEVE_SHORT, 64)]),
        over_hi(content(
            "tunnel=geneve:10@20.0.0.2",
            "geneve.vni == 10 and ip.dst == 20.0.0.2",
            &[from(GENEVE_LONG, 72)],
        )),
        over_hi(content("ipv4=30.0.0.1", "ip.addr == 30.0.0.1", &[from(GENEVE_LONG, 72), from(GENEVE_SHORT, 64)])),
        content("ipv4=20.0.0.1", "ip.addr == 20.0.0.1", &[from("1-39", 14)]),
        content(
            "endpoint=30.0.0.1:22/tcp",
            "ip.addr == 30.0.0.1 and tcp.port == 22",
            &[
                from("4 6 9 11-12 14 16 18 20-21 23 28 31 33-34 36", 72),
                from("3 5 7-8 10 13 15 17 19 22 24 27 29-30 32 35 37", 64),
            ],
        ),
        headers(
            content("ipv4=30.0.0.2", "ip.addr == 30.0.0.2", &[cut(GENEVE_LONG, 72, 20), cut(GENEVE_SHORT, 64, 20)]),
            Scope::HeadersL3,
        ),
        content("mac=00:1b:21:3c:ab:64", "eth.addr#1 == 00:1b:21:3c:ab:64", &[whole("1-39")]),
    ],
};

/// Ping with network identifier 0.
pub(super) const GENEVE_OF_ICMP: Case = Case {
    capture: "zeek__tunnels_geneve",
    orders: &[
        content("tunnel=geneve:0@20.0.0.1", "geneve.vni == 0 and ip.dst == 20.0.0.1", &[from("2 4 6", 64)]),
        over_hi(content("ipv4=30.0.0.2", "ip.addr == 30.0.0.2", &[from("1 3 5", 72), from("2 4 6", 64)])),
        content("mac=00:1b:21:3c:ac:30", "eth.addr#1 == 00:1b:21:3c:ac:30", &[whole("1-6")]),
    ],
};

/// Ping, NTP, SSH and DNS through GRE without a key.
pub(super) const GRE: Case = Case {
    capture: "zeek__tunnels_gre-sample",
    orders: &[
        content(
            "tunnel=gre@172.27.1.66",
            "gre and ip.dst == 172.27.1.66",
            &[from("2 4 6 8 10 12 14 17 19 21 23-24 27-28 31 34 36 38 40", 38)],
        ),
        over_hi(content(
            "tunnel=gre@66.59.109.137",
            "gre and ip.dst == 66.59.109.137",
            &[from("1 3 5 7 9 11 13 15-16 18 20 22 25-26 29-30 32-33 35 37 39", 38)],
        )),
        over_hi(content("ipv4=172.28.2.3", "ip.addr == 172.28.2.3", &[from("1-8 11-36", 38)])),
        content("ipv4=172.27.1.66", "ip.addr == 172.27.1.66", &[from("1-40", 14)]),
        // Not what an ICMP error quotes.
        content(
            "endpoint=172.28.2.3:53/udp",
            "ip.addr == 172.28.2.3 and udp.port == 53 and not icmp",
            &[from("33 35", 38)],
        ),
        content(
            "endpoint=66.59.111.190:123/udp",
            "ip.addr == 66.59.111.190 and udp.port == 123",
            &[from("9-10 37-40", 38)],
        ),
        headers(
            content(
                "flow=66.59.111.190:40264-172.28.2.3:22/tcp",
                "ip.addr == 66.59.111.190 and ip.addr == 172.28.2.3 and tcp.port == 40264 and tcp.port == 22",
                // 20 octets of IPv4; 40 of TCP at first, then 32.
                &[cut("11-12", 38, 60), cut("13-32", 38, 52)],
            ),
            Scope::HeadersL4,
        ),
        content("mac=00:c0:ca:14:b0:52", "eth.addr#1 == 00:c0:ca:14:b0:52", &[whole("1-40")]),
        content("tunnel=gre:0@172.27.1.66", "gre.key == 0", &[]),
    ],
};

/// One datagram.
pub(super) const SIX_IN_FOUR: Case = Case {
    capture: "zeek__tunnels_6in4",
    orders: &[
        content("tunnel=ipip@5.6.7.8", "ip.proto == 41 and ip.dst == 5.6.7.8", &[from("1", 34)]),
        over_hi(content("ipv6=dead::beef", "ipv6.addr == dead::beef", &[from("1", 34)])),
        content("ipv4=1.2.3.4", "ip.addr == 1.2.3.4", &[from("1", 14)]),
    ],
};

/// Past what the card looks into: labels over UDP. Its ends are found, and what it carries is listed as unseen.
pub(super) const MPLS_OVER_UDP: Case = Case {
    capture: "tcpdump__mpls-over-udp",
    orders: &[
        content("ipv4=10.100.12.170", "ip.addr == 10.100.12.170", &[from("1-2", 14)]),
        content("mac=52:9a:00:c8:4f:88", "eth.addr#1 == 52:9a:00:c8:4f:88", &[whole("1-2")]),
        content("tunnel=mpls:46", "mpls.label == 46 and not udp", &[]),
        unseen(content("ipv4=10.1.0.10", "ip.addr == 10.1.0.10 and not udp", &[]), "1-2", "ipv4/mpls/ipv4"),
    ],
};
