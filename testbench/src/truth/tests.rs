use super::*;
use crate::capture::Frame;
use crate::traffic;

fn select(text: &str, scope: Scope, frames: &[Frame]) -> Selection {
    let stamped: Vec<_> =
        frames.iter().map(|frame| StampedFrame { stamp_ns: frame.time_ns, from_b: false, data: &frame.data }).collect();
    let targets = vec![text.parse().expect("a good target")];
    Selector { targets, scope, prefix_bits: None, start_ns: 0, end_ns: u64::MAX }.select(&stamped)
}

#[test]
fn targets_are_read_and_printed_alike() {
    for text in [
        "ipv4=192.0.2.1",
        "ipv6=2001:db8::1",
        "ipv4=192.0.2.0/24",
        "ipv6=2001:db8::/56",
        "endpoint=192.0.2.7:4000/udp",
        "endpoint=[2001:db8::1]:80/tcp",
        "flow=192.0.2.7:4000-198.51.100.1:80/tcp",
        "tunnel=gtpu:17@192.0.2.1",
        "tunnel=gre@192.0.2.1",
        "tunnel=l2tp:12/34@192.0.2.1",
        "tunnel=pppoe:5@00:53:00:00:00:0a",
        "tunnel=mpls:16001",
        "mac=00:53:00:00:00:0a",
        "vlan=b:7",
        "vlan=a:7.9",
    ] {
        assert_eq!(text.parse::<Target>().expect("a good target").to_string(), text);
    }
    for text in [
        "ipv4=2001:db8::1",
        "ipv4=1.2.3.4/33",
        "ipv4",
        "imsi=1",
        "endpoint=192.0.2.7/udp",
        "endpoint=192.0.2.7:80/gre",
        "vlan=c:1",
    ] {
        let error = text.parse::<Target>().expect_err("a bad target");
        assert!(error.contains('`'), "{error}");
    }
    assert!(!format!("{:?}", "ipv4=192.0.2.1".parse::<Target>()).contains("192"));
}

#[test]
fn default_capture_selects_what_it_was_made_for() {
    let frames = traffic::generate(traffic::DEFAULT_SEED).frames;
    let v4 = select(&format!("ipv4={}", traffic::CONTENT_V4), Scope::Content, &frames);
    assert!(v4.selected.len() > 150, "{}", v4.selected.len());
    let layers: Vec<&str> = v4.unsupported.iter().map(|hidden| hidden.layers.as_str()).collect();
    assert_eq!(layers, ["ipv4/ipv4/ipv4"]);
    for expected in &v4.selected {
        let total = usize::from(u16::from_be_bytes([expected.octets[2], expected.octets[3]]));
        assert_eq!(expected.octets.len(), total, "padding is not part of the packet");
        let source = expected.octets[12..16] == traffic::CONTENT_V4.octets();
        assert_eq!(expected.direction == Direction::FromTarget, source);
    }
    let rtp = format!("endpoint={}:{}/udp", traffic::PHONE_V4, traffic::PHONE_RTP_PORT);
    assert_eq!(select(&rtp, Scope::Content, &frames).selected.len(), 300);
    assert!(select(&format!("ipv6={}", traffic::CONTENT_V6), Scope::Content, &frames).selected.len() > 150);
}

#[test]
fn header_scopes_cut_where_the_headers_end() {
    let frames = traffic::generate(traffic::DEFAULT_SEED).frames;
    let target = format!("ipv4={}", traffic::HEADERS_V4);
    let l4 = select(&target, Scope::HeadersL4, &frames).selected;
    let l3 = select(&target, Scope::HeadersL3, &frames).selected;
    assert_eq!(l3.len(), l4.len());
    for (l3, l4) in l3.iter().zip(&l4) {
        assert_eq!(l3.octets.len(), 20);
        let expected = match l4.octets[9] {
            6 => 20 + usize::from(l4.octets[32] >> 4) * 4,
            17 => 28,
            132 => 32,
            other => panic!("protocol {other} in the session of this subscriber"),
        };
        assert_eq!(l4.octets.len(), expected);
    }
}

#[test]
fn ends_are_rounded_down_and_exclusive() {
    let frame = |stamp_ns| StampedFrame { stamp_ns, from_b: false, data: &FRAME };
    let end_ns = 5 * EXPIRY_TICK_NS + 777;
    let selector = Selector {
        targets: vec!["ipv4=192.0.2.1".parse().expect("a good target")],
        scope: Scope::Content,
        prefix_bits: None,
        start_ns: 100,
        end_ns,
    };
    let effective = 5 * EXPIRY_TICK_NS;
    let selection = selector.select(&[frame(99), frame(100), frame(effective - 1), frame(effective), frame(end_ns)]);
    assert_eq!(selection.selected.iter().map(|expected| expected.frame).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(selection.outside.iter().map(|expected| expected.frame).collect::<Vec<_>>(), [0, 3, 4]);
}

/// UDP from 192.0.2.1:1000 to 192.0.2.2:2000 with 4 bytes of payload and 14 bytes of padding.
const FRAME: [u8; 60] = {
    let mut frame = [0x5a; 60];
    let head = [
        2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
        3, 0xe8, 7, 0xd0, 0, 12, 0, 0, 1, 2, 3, 4,
    ];
    let mut at = 0;
    while at < head.len() {
        frame[at] = head[at];
        at += 1;
    }
    frame
};

#[test]
fn malformed_headers_are_nothing_and_never_a_panic() {
    assert!(look(&FRAME).outer.is_some());
    for (at, value) in [(14, 0x55), (14, 0x44), (16, 1), (17, 19)] {
        let mut frame = FRAME;
        if at == 17 {
            frame[16] = 0;
        }
        frame[at] = value;
        let outer = look(&frame).outer;
        assert_eq!(outer.is_none(), at != 16, "byte {at} = {value:#x}: {outer:?}");
    }
    let mut random = traffic::Random::new(7);
    let frames = traffic::generate(traffic::DEFAULT_SEED).frames;
    for frame in &frames {
        let mut data = frame.data.clone();
        data.truncate(random.range(0, data.len() as u64 + 1) as usize);
        for _ in 0..3 {
            let at = random.range(0, data.len() as u64) as usize;
            if let Some(byte) = data.get_mut(at) {
                *byte = random.next_u64() as u8;
            }
        }
        let seen = look(&data);
        for packet in seen.outer.iter().chain(&seen.inner) {
            packet.delivered(&data, Scope::HeadersL4);
            packet.packet(&data);
        }
        deep::packets(&data);
    }
}

#[test]
fn fragments_of_an_endpoint_are_listed() {
    let frames = traffic::generate(traffic::DEFAULT_SEED).frames;
    let selection = select(&format!("endpoint={}:50050/udp", traffic::CONTENT_V4), Scope::Content, &frames);
    assert_eq!(selection.selected.len(), 2);
    assert_eq!(selection.unsupported.len(), 6);
    assert!(selection.unsupported.iter().all(|hidden| hidden.layers == "fragment without ports"));
}

/// A fragment of 192.0.2.1's datagram 7 to 192.0.2.2, protocol 4.
fn fragment_of_a_tunnel(flags_and_offset: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2; 12];
    frame.extend([0x08, 0x00, 0x45, 0]);
    frame.extend((20 + payload.len() as u16).to_be_bytes());
    frame.extend([0, 7]);
    frame.extend(flags_and_offset.to_be_bytes());
    frame.extend([64, 4, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    frame.extend(payload);
    frame
}

#[test]
fn fragments_behind_a_tunnel_s_header_are_listed() {
    let mut inner = vec![0x45, 0, 0, 100, 0, 9, 0, 0, 64, 17, 0, 0, 198, 51, 100, 10, 203, 0, 113, 5];
    inner.extend([0; 28]);
    let datas =
        [fragment_of_a_tunnel(0x2000, &inner), fragment_of_a_tunnel(6, &[0; 52]), fragment_of_a_tunnel(0, &[0; 52])];
    let frames: Vec<_> =
        (0..).zip(&datas).map(|(stamp_ns, data)| StampedFrame { stamp_ns, from_b: false, data }).collect();
    let select = |target: &str| {
        let targets = vec![target.parse().expect("a good target")];
        Selector { targets, scope: Scope::Content, prefix_bits: None, start_ns: 0, end_ns: 1 << 30 }.select(&frames)
    };
    for inside in ["ipv4=198.51.100.10", "tunnel=ipip@192.0.2.2"] {
        let selection = select(inside);
        let listed = Unsupported { frame: 1, layers: "fragment without the tunnel's header".to_owned() };
        assert_eq!((selection.selected[0].frame, &selection.unsupported[..]), (0, &[listed][..]), "{inside}");
        assert_eq!(selection.selected[0].octets.len(), 48, "what the fragment holds of the packet");
    }
    let around = select("ipv4=192.0.2.1");
    assert_eq!((around.selected.len(), around.unsupported.len()), (3, 0), "addresses are in every fragment");
}

#[test]
fn leap_seconds() {
    assert_eq!(tai_from_utc_ns(1_700_000_000_000_000_007), 1_700_000_037_000_000_007);
    assert_eq!(utc_from_tai_ns(1_700_000_037_000_000_007), 1_700_000_000_000_000_007);
    // Around the end of 2016, when the distance went from 36 s to 37 s.
    assert_eq!(tai_from_utc_ns(1_483_228_799_000_000_000), 1_483_228_835_000_000_000);
    assert_eq!(tai_from_utc_ns(1_483_228_800_000_000_000), 1_483_228_837_000_000_000);
    for utc_s in [1_000_000_000_u64, 1_400_000_000, 1_767_600_000] {
        assert_eq!(utc_from_tai_ns(tai_from_utc_ns(utc_s * 1_000_000_000)), utc_s * 1_000_000_000);
    }
}
