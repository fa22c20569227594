//! What mediation needs to see of a record: where its IP headers stand, whose packet each hit selects, and of which packet it is.

use writ_abi::{
    self as abi, Lookup, MatchIndex,
    record::{self, layer_flags},
};
use writ_mediation::{
    datapath::{HitLayer, HitSide, IpHeader, Packet, TaskHit},
    units::{RecordNumber, TaiNs, TaskIndex},
};
use writ_tables::{FanOut, Share};

/// A record of a ring, for the encoder.
pub(super) fn packet<'a>(ring: u8, packet: &record::Packet<'a>) -> Packet<'a> {
    let header = packet.header;
    let ports = |flag: u8| header.layer_flags & flag != 0;
    Packet {
        record: RecordNumber { ring, sequence: header.record_sequence.get() },
        stamp: TaiNs(header.stamp_ns.get()),
        outer: ip_header(&header.outer, ports(layer_flags::OUTER_PORTS)),
        inner: ip_header(&header.inner, ports(layer_flags::INNER_PORTS)),
        captured: packet.payload,
        original_bytes: header.original_bytes.get().into(),
    }
}

fn ip_header(layer: &record::Layer, has_ports: bool) -> Option<IpHeader> {
    layer.exists().then(|| IpHeader {
        l3_offset: layer.l3_offset.into(),
        l3_end: layer.l3_end.into(),
        l4_end: layer.l4_end.into(),
        protocol: layer.protocol,
        has_ports,
    })
}

/// Who gets the packet, and through which of its targets. Gives back a match index that was never given out, if there is one.
#[inline]
pub(super) fn share_out(packet: &record::Packet<'_>, fan_out: &FanOut, hits: &mut Vec<TaskHit>) -> Option<MatchIndex> {
    hits.clear();
    let mut foreign = None;
    for hit in packet.hits() {
        let before = hits.len();
        let covering = fan_out.covering(hit.match_index, packet.header.stamp_ns.get());
        hits.extend(covering.map(|share| task_hit(packet, hit.lookup, share)));
        if hits.len() == before && fan_out.shares(hit.match_index).is_none() {
            foreign = Some(hit.match_index);
        }
    }
    foreign
}

/// One task's part in a hit. The contract says of which header a hit is; what was found in front of the outer one is of the frame.
fn task_hit(packet: &record::Packet<'_>, lookup: Lookup, share: &Share) -> TaskHit {
    let inner = packet.layer_of(lookup).is_some_and(|layer| core::ptr::eq(layer, &packet.header.inner));
    TaskHit {
        task: TaskIndex(share.task.0),
        side: match lookup.side() {
            abi::HitSide::Source => HitSide::Source,
            abi::HitSide::Destination => HitSide::Destination,
            abi::HitSide::Either => HitSide::Either,
        },
        target: share.target,
        layer: if inner { HitLayer::Inner } else { HitLayer::Outer },
        frame: lookup.layer() == abi::HitLayer::Link,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_abi::record::{Hit, Layer, PacketHeader, RawHit, flags};
    use writ_tables::{MatchIndex, Scope};
    use zerocopy::FromZeros;

    const OUTER: Layer = Layer { l3_offset: 14, l3_end: 34, l4_end: 42, protocol: 17 };
    const INNER: Layer = Layer { l3_offset: 50, l3_end: 90, l4_end: 110, protocol: 6 };

    fn header_of(outer: Layer, inner: Layer, flags: u8) -> PacketHeader {
        let mut header = PacketHeader::new_zeroed();
        (header.outer, header.inner, header.flags) = (outer, inner, flags);
        header.layer_flags = layer_flags::OUTER_PORTS;
        header.record_sequence = 77.into();
        header.stamp_ns = 1234.into();
        header.original_bytes = 150.into();
        header
    }

    fn hit_of(header: &PacketHeader, lookup: Lookup) -> TaskHit {
        let packet = record::Packet { header, second: None, payload: &[0; 120] };
        let share =
            Share { task: writ_tables::TaskIndex(5), scope: Scope::Content, start_ns: 0, end_ns: u64::MAX, target: 9 };
        task_hit(&packet, lookup, &share)
    }

    /// Every lookup of the card, in a plain packet, a tunnel, one of the carrier's own tunnels, and a frame without IP.
    #[test]
    fn every_lookup_is_of_its_packet() {
        let none = Layer::default();
        for lookup in Lookup::ALL {
            let name = format!("{lookup:?}");
            let link = ["LinkTunnel", "MacSource", "MacDestination", "Vlan"].contains(&name.as_str());
            let outer = name.starts_with("Outer");
            for (header, own, tunnel) in [
                (header_of(OUTER, none, 0), false, false),
                (header_of(OUTER, INNER, 0), false, true),
                (header_of(OUTER, INNER, flags::OWN_TUNNEL), true, true),
                (header_of(none, none, 0), false, false),
                // The carrier's own, but without a packet in it.
                (header_of(OUTER, none, flags::OWN_TUNNEL), true, false),
            ] {
                let hit = hit_of(&header, lookup);
                assert_eq!((hit.task, hit.target, hit.frame), (TaskIndex(5), 9, link), "{name}");
                if !link {
                    let inner = tunnel && (own || !outer);
                    let wanted = if inner { HitLayer::Inner } else { HitLayer::Outer };
                    assert_eq!(hit.layer, wanted, "{name}, own {own}, tunnel {tunnel}");
                }
                let side = match name.as_str() {
                    "LinkTunnel" | "IpTunnel" | "Vlan" => HitSide::Either,
                    "FiveTuple" => HitSide::Source,
                    "FiveTupleReversed" => HitSide::Destination,
                    name if name.contains("Source") => HitSide::Source,
                    _ => HitSide::Destination,
                };
                assert_eq!(hit.side, side, "{name}");
            }
        }
    }

    #[test]
    fn headers_are_where_the_card_says() {
        let header = header_of(OUTER, Layer::default(), 0);
        let record = record::Packet { header: &header, second: None, payload: &[7; 120] };
        let seen = packet(3, &record);
        assert_eq!(seen.record, RecordNumber { ring: 3, sequence: 77 });
        assert_eq!((seen.stamp, seen.original_bytes, seen.captured), (TaiNs(1234), 150, &[7; 120][..]));
        let outer = IpHeader { l3_offset: 14, l3_end: 34, l4_end: 42, protocol: 17, has_ports: true };
        assert_eq!((seen.outer, seen.inner), (Some(outer), None));
        let header = header_of(OUTER, INNER, 0);
        let inner = packet(0, &record::Packet { header: &header, ..record }).inner;
        assert_eq!(
            inner,
            Some(IpHeader { l3_offset: 50, l3_end: 90, l4_end: 110, protocol: 6, has_ports: false }),
            "each layer has its own ports"
        );
    }

    /// The cut of the card and the cut of the host follow from the same layer.
    #[test]
    fn host_and_card_agree_on_the_layer() {
        for own in [0, flags::OWN_TUNNEL] {
            let header = header_of(OUTER, INNER, own);
            let record = record::Packet { header: &header, second: None, payload: &[0; 150] };
            for lookup in Lookup::ALL {
                let hit = Hit { match_index: MatchIndex::new(1).expect("in range"), scope: Scope::HeadersL4, lookup };
                let cut = record.cut(&RawHit::new(hit).parse().expect("just made"));
                let layer = if hit_of(&header, lookup).layer == HitLayer::Inner { INNER } else { OUTER };
                assert_eq!(cut, usize::from(layer.l4_end), "{lookup:?}");
            }
        }
    }
}
