//! Random frames that get deep into the rules more often than chance would.

use crate::bench::Random;

/// A frame under construction: bytes, and the places where headers end.
#[derive(Default)]
struct Frame {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// An outer IPv6 header gets an extension header of that many units of 8 bytes, so that what follows comes to lie around the window's end.
    padding: usize,
}

impl Frame {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
    }

    fn random(&mut self, random: &mut Random, count: usize) {
        let bytes = random.bytes(count);
        self.push(&bytes);
    }
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.below(from.len() as u64) as usize]
}

const TPIDS: [[u8; 2]; 3] = [[0x81, 0], [0x88, 0xa8], [0x91, 0]];
const PROTOCOLS: [u8; 13] = [6, 6, 17, 17, 132, 1, 58, 50, 59, 0, 43, 44, 60];

fn tags(random: &mut Random, frame: &mut Frame, counts: &[usize]) {
    for _ in 0..pick(random, counts) {
        frame.push(&pick(random, &TPIDS));
        frame.random(random, 2);
    }
}

/// IPv4 or IPv6 behind an ethertype.
fn by_ethertype(random: &mut Random, frame: &mut Frame, depth: usize) {
    let v6 = random.one_in(2);
    frame.push(if random.one_in(30) {
        &[0x08, 0x06]
    } else if v6 {
        &[0x86, 0xdd]
    } else {
        &[0x08, 0x00]
    });
    ip(random, frame, v6, depth);
}

fn ethernet(random: &mut Random, frame: &mut Frame, depth: usize) {
    frame.random(random, 12);
    tags(random, frame, &[0, 0, 0, 1, 1, 2, 3]);
    by_ethertype(random, frame, depth);
}

fn link(random: &mut Random, frame: &mut Frame) {
    frame.random(random, 12);
    tags(random, frame, &[0, 0, 0, 1, 1, 2, 2, 3, 3, 4]);
    match random.below(10) {
        0 | 1 => {
            frame.push(&[0x88, 0x64]);
            let v6 = random.one_in(2);
            frame.push(if random.one_in(12) { &[0x11, 9] } else { &[0x11, 0] });
            frame.random(random, 4);
            frame.push(if random.one_in(10) {
                &[0xc0, 0x21]
            } else if v6 {
                &[0, 0x57]
            } else {
                &[0, 0x21]
            });
            ip(random, frame, v6, 0);
        }
        2..=4 => {
            frame.push(if random.one_in(2) { &[0x88, 0x47] } else { &[0x88, 0x48] });
            let labels = pick(random, &[1, 1, 2, 3, 4, 5]);
            for label in 1..=labels {
                let mut entry = random.bytes(4);
                entry[2] = entry[2] & 0xfe | u8::from(label == labels);
                frame.push(&entry);
            }
            if random.one_in(2) {
                let v6 = random.one_in(2);
                ip(random, frame, v6, 0);
            } else {
                frame.push(&[if random.one_in(10) { 0x10 } else { 0 }, 1, 2, 3]);
                ethernet(random, frame, 0);
            }
        }
        _ => by_ethertype(random, frame, 0),
    }
}

/// A protocol number, at depth 0 often one of a tunnel.
fn protocol(random: &mut Random, depth: usize) -> u8 {
    if random.one_in(if depth == 0 { 2 } else { 8 }) {
        pick(random, &[4, 41, 47, 47, 17, 17, 17, 17])
    } else {
        pick(random, &PROTOCOLS)
    }
}

/// A length that is mostly large enough.
fn generous(random: &mut Random) -> [u8; 2] {
    match random.below(12) {
        0 => [0, random.below(200) as u8],
        1 => [1, random.below(20) as u8],
        2 => [0xff, 0xff],
        3 => [1 << random.below(8), random.below(60) as u8],
        _ => [5, 0],
    }
}

fn ip(random: &mut Random, frame: &mut Frame, v6: bool, depth: usize) {
    let mut next = protocol(random, depth);
    let length = generous(random);
    if !v6 {
        let words = if random.one_in(4) { 5 + random.below(11) as u8 } else { 5 };
        let mut header = random.bytes(usize::from(words) * 4);
        header[0] = 0x40 | words;
        header[2..4].copy_from_slice(&length);
        header[6..10].copy_from_slice(&[0x40, 0, 64, next]);
        if random.one_in(30) {
            header[6 + random.below(2) as usize] |= 1;
        }
        frame.push(&header[..20]);
        frame.push(&header[20..]);
    } else {
        let mut header = random.bytes(40);
        header[0] = 0x60;
        header[4..7].copy_from_slice(&[length[0], length[1], next]);
        frame.push(&header);
        if random.one_in(4) || depth == 0 && frame.padding > 0 {
            next = pick(random, &[0, 43, 44, 60]);
            let at = frame.bytes.len() - 34;
            frame.bytes[at] = next;
        }
        while [0, 43, 44, 60].contains(&next) && frame.bytes.len() < 190 {
            let before = next;
            next = if random.one_in(3) { 60 } else { protocol(random, depth) };
            let mut units = if random.one_in(4) { random.below(4) as usize } else { 0 };
            if depth == 0 && frame.padding > 0 && before != 44 {
                units = core::mem::take(&mut frame.padding) - 1;
            }
            let mut header = random.bytes(8 * (units + 1));
            header[0] = next;
            header[1] = if random.one_in(25) { random.next() as u8 } else { units as u8 };
            if before == 44 {
                header.truncate(8);
                header[2..4].copy_from_slice(if random.one_in(6) { &[0, 8] } else { &[0, 1] });
            }
            frame.push(&header);
        }
    }
    transport(random, frame, next, depth);
}

fn transport(random: &mut Random, frame: &mut Frame, protocol: u8, depth: usize) {
    match protocol {
        4 if depth == 0 => ip(random, frame, false, 1),
        41 if depth == 0 => ip(random, frame, true, 1),
        47 if depth == 0 => gre(random, frame),
        17 => {
            let port = pick(random, &[2152, 2152, 2152, 4789, 6081, 1701, 53, 2123]);
            let mut header = random.bytes(8);
            header[2..4].copy_from_slice(&u16::to_be_bytes(port));
            if port == 1701 && random.one_in(2) {
                header.swap(0, 2);
                header.swap(1, 3);
            }
            frame.push(&header);
            if depth == 0 {
                match port {
                    2152 => gtpu(random, frame),
                    4789 | 6081 => overlay(random, frame, port),
                    1701 => l2tp(random, frame),
                    _ => {}
                }
            }
        }
        _ => {
            let mut header = random.bytes(20);
            header[12] = pick(random, &[0x50, 0x50, 0x60, 0xf0, 0x40, 0x00]);
            frame.push(&header[..8]);
            frame.push(&header[8..12]);
            frame.push(&header[12..]);
        }
    }
}

fn gre(random: &mut Random, frame: &mut Frame) {
    let flags = match random.below(8) {
        0 => random.next() as u8,
        _ => pick(random, &[0, 0x20, 0x30, 0xa0, 0xb0, 0x80, 0x10]),
    };
    frame.push(&[flags, if random.one_in(20) { 1 } else { 0 }]);
    payload_by_ethertype(random, frame, |random, frame| {
        frame.random(random, (flags & 0xb0).count_ones() as usize * 4);
    });
}

/// Two bytes of ethertype, what stands between, then the payload.
fn payload_by_ethertype(random: &mut Random, frame: &mut Frame, between: impl Fn(&mut Random, &mut Frame)) {
    let kind = random.below(10);
    frame.push(match kind {
        0 => &[0x88, 0x0b],
        1..=3 => &[0x65, 0x58],
        4..=6 => &[0x08, 0x00],
        _ => &[0x86, 0xdd],
    });
    between(random, frame);
    match kind {
        1..=3 => ethernet(random, frame, 1),
        _ => ip(random, frame, kind > 6, 1),
    }
}

/// VXLAN and GENEVE.
fn overlay(random: &mut Random, frame: &mut Frame, port: u16) {
    let vxlan = port == 4789;
    let options = if vxlan || random.one_in(2) { 0 } else { random.below(12) as u8 };
    let first = match random.below(20) {
        0 => random.next() as u8,
        _ if vxlan => 8,
        _ => options,
    };
    frame.push(&[first, 0]);
    if vxlan {
        frame.random(random, 6);
        ethernet(random, frame, 1);
    } else {
        payload_by_ethertype(random, frame, |random, frame| {
            frame.random(random, 4);
            frame.random(random, usize::from(options) * 4);
        });
    }
}

fn gtpu(random: &mut Random, frame: &mut Frame) {
    let flags =
        if random.one_in(25) { random.next() as u8 } else { 0x30 | pick(random, &[0, 0, 2, 1, 3, 4, 4, 4, 6, 7]) };
    frame.push(&[flags, if random.one_in(20) { 1 } else { 255 }]);
    frame.random(random, 6);
    if flags & 7 != 0 {
        let mut left = if flags & 4 == 0 { 0 } else { pick(random, &[0, 1, 1, 2, 2, 3]) };
        let kind = |left: usize| if left == 0 { 0 } else { 0x85 };
        let mut optional = random.bytes(4);
        if flags & 4 != 0 {
            optional[3] = kind(left);
        }
        frame.push(&optional);
        while left > 0 {
            left -= 1;
            let words = if random.one_in(4) { 1 + random.below(5) as usize } else { 1 };
            let mut header = random.bytes(words * 4);
            header[0] = if random.one_in(20) { pick(random, &[0, 0, 64, 255]) } else { words as u8 };
            header[words * 4 - 1] = kind(left);
            frame.push(&header);
        }
    }
    let v6 = random.one_in(2);
    ip(random, frame, v6, 1);
}

fn l2tp(random: &mut Random, frame: &mut Frame) {
    let flags = match random.below(25) {
        0 => random.next() as u8,
        _ => pick(random, &[0x00, 0x40, 0x48, 0x08, 0x02, 0x42, 0x4a, 0x0a, 0x41]),
    };
    frame.push(&[flags, if random.one_in(20) { 3 } else { 2 }]);
    frame.random(random, if flags & 0x40 != 0 { 6 } else { 4 });
    if flags & 8 != 0 {
        frame.random(random, 4);
    }
    if flags & 2 != 0 {
        let padding = pick(random, &[0, 0, 2, 4, 8, 3]);
        let upper = u8::from(random.one_in(12));
        frame.push(&[upper, padding]);
        frame.random(random, usize::from(padding));
    }
    if random.one_in(2) {
        frame.push(&[0xff, 3]);
    }
    let v6 = random.one_in(2);
    frame.push(if random.one_in(12) {
        &[0x80, 0x21]
    } else if v6 {
        &[0, 0x57]
    } else {
        &[0, 0x21]
    });
    ip(random, frame, v6, 1);
}

/// What the parser gets to see of a random frame.
pub(super) fn window(random: &mut Random) -> Vec<u8> {
    if random.one_in(200) {
        let length = random.below(193) as usize;
        return random.bytes(length);
    }
    let padding = if random.one_in(2) { random.below(16) as usize } else { 0 };
    let mut frame = Frame { padding, ..Frame::default() };
    link(random, &mut frame);
    let headers = frame.bytes.len();
    frame.bytes.extend(random.bytes(192));
    if random.one_in(4) {
        // Any byte of the headers may be anything, or have one bit wrong.
        let at = 12 + random.below(headers as u64 - 12) as usize;
        frame.bytes[at] = if random.one_in(2) { random.next() as u8 } else { frame.bytes[at] ^ 1 << random.below(8) };
    }
    let length = match random.below(8) {
        0 => random.below(193) as usize,
        // Around the end of a header.
        1 | 2 => pick(random, &frame.ends) + 1 - random.below(3) as usize,
        _ => 192,
    };
    frame.bytes.truncate(length.min(192));
    frame.bytes
}
