//! Target identifiers as attributes 17 and 18 carry them: the XML element of X1 (TS 103 221-1 TargetIdentifier) without
//! namespace prefix.

use core::net::{Ipv4Addr, Ipv6Addr};

/// `<ipv4Address>192.0.2.1</ipv4Address>`
pub fn ipv4_address(address: Ipv4Addr) -> String {
    format!("<ipv4Address>{address}</ipv4Address>")
}

/// `<ipv6Address>2001:0db8:0000:0000:0000:0000:0000:0001</ipv6Address>`: the schema wants all eight groups, four lower-case digits each.
pub fn ipv6_address(address: Ipv6Addr) -> String {
    let groups: Vec<String> = address.segments().iter().map(|group| format!("{group:04x}")).collect();
    format!("<ipv6Address>{}</ipv6Address>", groups.join(":"))
}

/// `<tcpPort>443</tcpPort>`
pub fn tcp_port(port: u16) -> String {
    format!("<tcpPort>{port}</tcpPort>")
}

/// `<udpPort>5060</udpPort>`
pub fn udp_port(port: u16) -> String {
    format!("<udpPort>{port}</udpPort>")
}

/// `<macAddress>02:00:5e:00:53:01</macAddress>`
pub fn mac_address(octets: [u8; 6]) -> String {
    let groups: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("<macAddress>{}</macAddress>", groups.join(":"))
}
