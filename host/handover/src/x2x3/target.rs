//! Target identifiers as attributes 17 and 18 carry them: the XML element of X1 (TS 103 221-1 TargetIdentifier) without
//! namespace prefix.

use core::net::{Ipv4Addr, Ipv6Addr};

/// `<ipv4Address>192.0.2.1</ipv4Address>`
pub fn ipv4_address(address: Ipv4Addr) -> String {
    format!("<ipv4Address>{address}</ipv4Address>")
}

/// `<ipv6Address>2001:0db8:0000:0000:0000:0000:0000:0001</ipv6Address>`: the schema wants all eight groups, four lower-case digits each.
pub fn ipv6_address(address: Ipv6Addr) -> String {
    format!("<ipv6Address>{}</ipv6Address>", full_ipv6(address))
}

fn full_ipv6(address: Ipv6Addr) -> String {
    address.segments().map(|group| format!("{group:04x}")).join(":")
}

/// `<ipv4Cidr><IPv4CIDR>192.0.2.0/24</IPv4CIDR></ipv4Cidr>`
pub fn ipv4_cidr(network: Ipv4Addr, bits: u8) -> String {
    format!("<ipv4Cidr><IPv4CIDR>{network}/{bits}</IPv4CIDR></ipv4Cidr>")
}

/// `<ipv6Cidr>2001:0db8:0000:0000:0000:0000:0000:0000/56</ipv6Cidr>`: other than with IPv4 there is no element in between.
pub fn ipv6_cidr(network: Ipv6Addr, bits: u8) -> String {
    format!("<ipv6Cidr>{}/{bits}</ipv6Cidr>", full_ipv6(network))
}

/// `<gtpuTunnelId>6699</gtpuTunnelId>`: the TEID in decimal.
pub fn gtpu_tunnel_id(tunnel_endpoint_id: u32) -> String {
    format!("<gtpuTunnelId>{tunnel_endpoint_id}</gtpuTunnelId>")
}

/// `<tcpPort>443</tcpPort>`. The schema does not take port 1.
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
