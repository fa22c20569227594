//! VLAN tags, PPPoE sessions and MPLS labels: targets that name frames, and addresses behind them.

use writ_testbench::truth::Scope;

use super::{Case, content, cut, from, headers, over_hi, whole};

/// Two tags with 0x8100 over BACnet, SAP and ARP.
pub(super) const Q_IN_Q: Case = Case {
    capture: "zeek__q-in-q",
    orders: &[
        content("vlan=a:13.10", "vlan.id == 13 and vlan.id == 10", &[whole("1-5")]),
        content("mac=08:00:7f:0b:03:77", "eth.addr#1 == 08:00:7f:0b:03:77", &[whole("4")]),
        over_hi(content("ipv4=172.19.51.37", "ip.addr == 172.19.51.37", &[from("1-2", 22)])),
        headers(
            content(
                "endpoint=172.19.51.63:47808/udp",
                "ip.addr == 172.19.51.63 and udp.port == 47808",
                &[cut("1-2", 22, 28)],
            ),
            Scope::HeadersL4,
        ),
        // The outer tag alone, and the tags in the other order, are other VLANs.
        content("vlan=a:13", "vlan.id == 13 and not vlan.id == 10", &[]),
        content("vlan=a:10.13", "vlan.id == 10 and not vlan.id == 13", &[]),
    ],
};

/// One tag with 0x88a8 over DHCP and ARP.
pub(super) const PROVIDER_TAG: Case = Case {
    capture: "tcpdump__QinQpacket",
    orders: &[
        content("vlan=a:200", "ieee8021ad.id == 200", &[whole("1-249")]),
        content("mac=00:08:5d:23:0c:3f", "eth.addr#1 == 00:08:5d:23:0c:3f", &[whole("1-249")]),
        content("vlan=b:200", "ieee8021ad.id == 200 and not eth.src == 00:08:5d:23:0c:3f", &[]),
    ],
};

/// A session from its discovery to its keep-alives.
pub(super) const PPPOE: Case = Case {
    capture: "zeek__pppoe",
    orders: &[
        content(
            "tunnel=pppoe:17@ca:01:0e:88:00:06",
            "pppoes and pppoe.session_id == 17 and eth.dst == ca:01:0e:88:00:06",
            &[whole("5 8 10-11 15-18 21 28 34 36 38 41-42 45-46 49-50 53-54 56 58 60 62 64")],
        ),
        content(
            "tunnel=pppoe:0x11@cc:05:0e:88:00:00",
            "pppoes and pppoe.session_id == 17 and eth.dst == cc:05:0e:88:00:00",
            &[whole("6-7 9 12-14 19-20 22-27 29-33 35 37 39-40 43-44 47-48 51-52 55 57 59 61 63 65")],
        ),
        content("mac=cc:05:0e:88:00:00", "eth.addr#1 == cc:05:0e:88:00:00", &[whole("1-65")]),
        over_hi(content("ipv6=fe80::ce05:eff:fe88:0", "ipv6.addr == fe80::ce05:eff:fe88:0", &[from("34-39", 22)])),
        content(
            "endpoint=[fe80::ce05:eff:fe88:0]:546/udp",
            "ipv6.addr == fe80::ce05:eff:fe88:0 and udp.port == 546",
            &[from("36-39", 22)],
        ),
        content("tunnel=pppoe:18@ca:01:0e:88:00:06", "pppoes and pppoe.session_id == 18", &[]),
    ],
};

/// From the subscriber, who sits on port A.
const UPSTREAM: &str = "1 3-4 8-12 14 17-18 21-24 26 28-29 31-32 36-38 40 42-43 46 49-51 53 56-59 67-72 74 79-80";
/// To the subscriber.
const DOWNSTREAM: &str = "2 5-7 13 15-16 19-20 25 27 30 33-35 39 41 44-45 47-48 52 54-55 60-66 73 75-78 81-86";

/// A TLS connection in a session under two tags.
pub(super) const PPPOE_OVER_Q_IN_Q: Case = Case {
    capture: "zeek__pppoe-over-qinq",
    orders: &[
        content(
            "tunnel=pppoe:3847@bc:d1:77:17:75:0d",
            "pppoe.session_id == 3847 and eth.dst == bc:d1:77:17:75:0d",
            &[whole(DOWNSTREAM)],
        ),
        content("mac=bc:d1:77:17:75:0d", "eth.addr#1 == bc:d1:77:17:75:0d", &[whole(DOWNSTREAM)]),
        content("vlan=a:3704.2474", "vlan.id == 3704 and vlan.id == 2474 and ip.src == 1.1.1.1", &[whole(UPSTREAM)]),
        content("vlan=b:3704.2474", "vlan.id == 3704 and vlan.id == 2474 and ip.src == 2.2.2.2", &[whole(DOWNSTREAM)]),
        over_hi(content("ipv4=1.1.1.1", "ip.addr == 1.1.1.1", &[from("1-86", 30)])),
        content(
            "flow=1.1.1.1:20394-2.2.2.2:443/tcp",
            "ip.addr == 1.1.1.1 and ip.addr == 2.2.2.2 and tcp.port == 20394 and tcp.port == 443",
            &[from("1-86", 30)],
        ),
        over_hi(headers(content("ipv4=2.2.2.2", "ip.addr == 2.2.2.2", &[cut("1-86", 30, 20)]), Scope::HeadersL3)),
    ],
};

/// One frame without a label, one with one label, one with two; a station that talks to itself.
pub(super) const MPLS_IN_VLAN: Case = Case {
    capture: "zeek__mpls-in-vlan",
    orders: &[
        content("tunnel=mpls:16106", "mpls.label == 16106 and mpls.bottom == 1", &[whole("2")]),
        content("tunnel=mpls:99", "mpls.label == 99", &[whole("3")]),
        content("vlan=a:3199", "vlan.id == 3199", &[whole("1")]),
        content("vlan=a:3399", "vlan.id == 3399", &[whole("3")]),
        content("mac=00:08:e3:41:41:41", "eth.addr#1 == 00:08:e3:41:41:41", &[whole("1-3")]),
        over_hi(content("ipv4=65.65.65.65", "ip.addr == 65.65.65.65", &[from("1", 18), from("2", 22), from("3", 26)])),
        // Not the label at the bottom.
        content("tunnel=mpls:254", "mpls.label == 254 and not mpls.label == 99", &[]),
    ],
};
