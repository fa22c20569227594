//! A card in its thread, reached by a driver here and by a player through the wire socket.

mod common;

use common::frames::udp;
use common::{EPOCH_NS, address_row, in_ring, with_fcs};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use writ_abi::command::Opcode;
use writ_abi::time::{STAMP_ERROR_NS_MAX, TimeQuality};
use writ_abi::{PortSide, Scope};
use writ_driver::{BringUp, Card, CardError, Event, Flow, LookupSettings, Parts, RingMemory, RingSizes, Wake};
use writ_sim::service::{Backend, Options, Service, ServiceError};
use writ_sim::wire::message::{Answer, Request, read_body, write_body};
use writ_sim::wire::{Client, ClientError, PlayFrame, Seen};

const TARGET: &str = "192.0.2.1";
const OTHER: &str = "198.51.100.9";
const SIZES: RingSizes = RingSizes { record_lines: [1 << 16, 1 << 12, 1 << 12, 1 << 12], commands: 64 };

/// A path of its own for each test.
fn socket_path() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("writ-wire-{}-{}.sock", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    std::env::temp_dir().join(name)
}

fn start() -> (Service, Parts, PathBuf) {
    start_with(Backend::Model)
}

fn start_with(backend: Backend) -> (Service, Parts, PathBuf) {
    let path = socket_path();
    let options = Options { memory_bytes: SIZES.memory_bytes(), wire_socket: Some(path.clone()), ..Options::default() };
    let service = Service::start(backend, &options).expect("the service starts");
    let memory = RingMemory::allocate(&service.dma(), &SIZES).expect("memory");
    let how = BringUp {
        now_ns: EPOCH_NS,
        quality: TimeQuality::Free,
        lookup: LookupSettings::default(),
        ready_timeout: Duration::from_secs(10),
    };
    let parts = Card::bring_up(service.bar(), memory, service.irqs(), &how).expect("the card comes up");
    (service, parts, path)
}

/// Plays many frames on both ports while another thread consumes the records.
fn a_long_capture(backend: Backend, total: u64) {
    let (service, Parts { card, mut commands, rings }, path) = start_with(backend);
    let mut records = rings.into_iter().next().expect("ring 0");
    commands.execute(&[address_row(TARGET, 0, 1, Scope::Content)], Duration::from_secs(10)).expect("done");
    card.arm().expect("armed");
    let consumer = std::thread::spawn(move || {
        let mut stamps = Vec::new();
        while stamps.len() < total as usize / 4 {
            assert_ne!(records.wait(Duration::from_secs(20)), Wake::Gone);
            let mut take = |event: Event<'_>| {
                let Event::Packet(packet) = event else { panic!("nothing is lost: {event:?}") };
                stamps.push((packet.port_side(), packet.header.stamp_ns.get()));
                Flow::Taken
            };
            records.poll(1000, &mut take).expect("good records");
        }
        (stamps, records)
    });
    let mut wire = Client::connect(&path).expect("connected");
    assert_eq!(wire.backend(), if backend == Backend::Model { "model" } else { "rtl" });
    let t0 = wire.card_time_ns().expect("time");
    assert!(t0 >= EPOCH_NS);
    let frame = |number: u64| {
        let source = if number % 4 == 1 { TARGET } else { OTHER };
        udp(source, OTHER, [1, 2], (number as usize * 131) % 1400)
    };
    let at_ns = |number: u64| t0 + 200_000 + number * 90;
    let frames =
        (0..total).map(|number| PlayFrame::new(PortSide::ALL[number as usize % 2], at_ns(number), frame(number)));
    let (mut arrived, mut left, mut of_target) = ([0, 0], [0, 0], Vec::new());
    let played = wire
        .play(frames, |seen| match seen {
            Seen::Arrived { number, port, stamp_ns, .. } => {
                assert_eq!(port as u64, number % 2);
                assert!(stamp_ns + STAMP_ERROR_NS_MAX >= at_ns(number), "{number}");
                arrived[port as usize] += 1;
                if number % 4 == 1 {
                    of_target.push((port, stamp_ns));
                }
            }
            Seen::Left { number, port, ingress_clock, egress_clock, bytes, .. } => {
                assert_eq!(port as u64, 1 - number % 2);
                assert_eq!(bytes, with_fcs(&frame(number)));
                assert!(egress_clock > ingress_clock);
                left[port as usize] += 1;
            }
        })
        .expect("played");
    assert_eq!((played.frames, played.late, played.lost), (total, 0, 0));
    assert_eq!((arrived, left), ([total / 2; 2], [total / 2; 2]));
    let (stamps, _records) = consumer.join().expect("the consumer ends");
    assert_eq!(stamps, of_target, "every frame of the target, with the stamps that the player was told");
    let sums = wire.statistics().expect("statistics");
    assert_eq!((sums.frames_in, sums.frames_out), ([total / 2; 2], [total / 2; 2]));
    assert_eq!(sums.latency_clocks_min, sums.latency_clocks_max);
    assert_eq!((sums.dma_faults, sums.late_frames), (0, 0));
    assert_eq!(service.statistics().frames_in, sums.frames_in);
}

#[test]
fn a_long_capture_goes_through() {
    a_long_capture(Backend::Model, 120_000);
}

#[cfg(feature = "rtl")]
#[test]
fn a_capture_goes_through_the_gateware() {
    a_long_capture(Backend::Rtl, 6000);
}

#[test]
fn line_rate_is_kept_between_frames() {
    let (_service, _parts, path) = start();
    let mut wire = Client::connect(&path).expect("connected");
    let at_ns = wire.card_time_ns().expect("time") + 100_000;
    // All due at once: 60 bytes take 84 with FCS, preamble and gap, which is 6.72 ns.
    let frames = (0..1000).map(|_| PlayFrame::new(PortSide::A, at_ns, vec![0x11; 60]));
    let mut clocks = Vec::new();
    let played = wire
        .play(frames, |seen| {
            if let Seen::Arrived { clock, .. } = seen {
                clocks.push(clock);
            }
        })
        .expect("played");
    assert_eq!(played.late, 0, "waiting for the line is not being late");
    let spent = clocks[999] - clocks[0];
    assert_eq!(spent, 999 * 84 * 33 / 1280 + 1);
    assert!(clocks.windows(2).all(|pair| pair[1] - pair[0] >= 2));
}

#[test]
fn time_stands_still_without_work_and_can_be_advanced() {
    let (service, parts, path) = start();
    let mut wire = Client::connect(&path).expect("connected");
    std::thread::sleep(Duration::from_millis(50));
    let before = service.statistics();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(service.statistics().clocks, before.clocks, "an idle card does not run");
    let now = wire.card_time_ns().expect("time");
    let start = Instant::now();
    // An hour of card time in which nothing happens.
    let until = now + 3_600_000_000_000;
    let reached = wire.advance_to(until).expect("advanced");
    assert!((until..until + 10).contains(&reached), "{}", reached - until);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(parts.card.now_ns().expect("time") >= until);
    // A frame whose time is over goes at once and is counted.
    let played = wire.play([PlayFrame::new(PortSide::B, now, vec![0; 60])], |_| {}).expect("played");
    assert_eq!((played.frames, played.late), (1, 1));
}

#[test]
fn what_is_no_protocol_is_refused_with_reason_and_without_effect() {
    let (service, _parts, path) = start();
    let hello = Request::Hello { version: writ_sim::wire::VERSION }.encode();
    let mut frame = Request::Frame { at_ns: 0, port: PortSide::A, damaged: false, bytes: vec![0; 60] }.encode();
    frame[9] = 2;
    let long = vec![3; writ_sim::card::FRAME_BYTES_MAX + 18];
    let empty_frame = Request::Frame { at_ns: 0, port: PortSide::A, damaged: false, bytes: Vec::new() }.encode();
    let cases: [(&[&[u8]], &str); 9] = [
        (&[b"\x01HELO\x01\x00"], "WRWS"),
        (&[b"\x01WRWS\x63\x00"], "version 99"),
        (&[b"\x03"], "no greeting"),
        (&[&hello, &hello], "second greeting"),
        (&[&hello, b"\x77"], "kind 0x77"),
        (&[&hello, b"\x06\x01\x02"], "until_ns"),
        (&[&hello, b"\x03\x00"], "behind the last field"),
        (&[&hello, &frame], "port has the value 2"),
        (&[&hello, &empty_frame], "frame length has the value 0"),
    ];
    let before = service.statistics();
    for (bodies, reason) in cases {
        let mut stream = connect(&path);
        for body in bodies {
            write_body(&mut stream, body).expect("written");
        }
        let said = refusal(&mut stream);
        assert!(said.contains(reason), "{said:?} should tell {reason:?}");
    }
    let mut stream = connect(&path);
    write_body(&mut stream, &hello).expect("written");
    stream.write_all(&(long.len() as u32 * 100).to_le_bytes()).expect("written");
    assert!(refusal(&mut stream).contains("message of"));
    assert_eq!(service.statistics().frames_in, before.frames_in, "no frame came of it");
    // And the next client is served.
    let mut wire = connected(&path);
    wire.play([PlayFrame::new(PortSide::A, 0, vec![0; 60])], |_| {}).expect("played");
}

/// Connects as soon as the server has finished with the last client.
fn connect(path: &std::path::Path) -> UnixStream {
    std::thread::sleep(Duration::from_millis(20));
    UnixStream::connect(path).expect("connected")
}

fn connected(path: &std::path::Path) -> Client {
    for _ in 0..100 {
        match Client::connect(path) {
            Ok(client) => return client,
            Err(ClientError::Refused(_)) => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the server never got free");
}

fn refusal(stream: &mut UnixStream) -> String {
    loop {
        let body = read_body(stream).expect("a message").expect("not the end yet");
        if let Answer::Refused { reason } = Answer::decode(&body).expect("an answer") {
            return reason;
        }
    }
}

#[test]
fn there_is_one_player_at_a_time() {
    let (service, _parts, path) = start();
    let mut first = Client::connect(&path).expect("connected");
    let second = Client::connect(&path);
    assert!(matches!(second, Err(ClientError::Refused(reason)) if reason.contains("another client")));
    let now = first.card_time_ns().expect("time");
    drop(first);
    let mut wire = connected(&path);
    let played = wire.play([PlayFrame::new(PortSide::B, now + 1000, vec![1; 60])], |_| {}).expect("played");
    assert_eq!((played.frames, played.lost), (1, 0));
    assert_eq!(service.statistics().frames_in, [0, 1]);
}

#[test]
fn a_player_that_does_not_listen_stops_the_wires_and_nothing_else() {
    let (service, parts, path) = start();
    let mut stream = connect(&path);
    write_body(&mut stream, &Request::Hello { version: writ_sim::wire::VERSION }.encode()).expect("written");
    let frame = Request::Frame { at_ns: 0, port: PortSide::A, damaged: false, bytes: vec![0; 1500] }.encode();
    stream.set_write_timeout(Some(Duration::from_millis(500))).expect("set");
    let mut sent = 0_u64;
    while write_body(&mut stream, &frame).is_ok() {
        sent += 1;
        assert!(sent < 1_000_000, "the server has to stop reading");
    }
    let stuck = service.statistics().frames_in[0];
    assert!(stuck < 20_000, "{stuck}");
    let start = Instant::now();
    parts.card.counters().expect("the host is served all the same");
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// A sweep of all rows takes long and shows nothing: the card runs on until it is over, though nothing else goes on.
fn a_batch_is_settled(backend: Backend) {
    let (_service, parts, _path) = start_with(backend);
    let Parts { card, mut commands, .. } = parts;
    let timeout = Duration::from_secs(20);
    let row = address_row(TARGET, 0, 1, Scope::Content).pending();
    for round in 0..3 {
        commands.execute(&[row], timeout).expect("done");
        if round == 1 {
            commands.execute_plain(Opcode::Abort, timeout).expect("aborted");
            continue;
        }
        commands.execute_plain(Opcode::Commit, timeout).expect("committed");
        assert!(card.status().expect("status").committed);
        commands.execute_plain(Opcode::Settle, timeout).expect("settled");
        assert!(!card.status().expect("status").committed);
    }
}

#[test]
fn a_batch_is_settled_on_a_card_without_traffic() {
    a_batch_is_settled(Backend::Model);
}

#[cfg(feature = "rtl")]
#[test]
fn a_batch_is_settled_on_the_gateware_without_traffic() {
    a_batch_is_settled(Backend::Rtl);
}

/// Four consumers, each in a thread of its own, with one interrupt for all.
#[test]
fn every_ring_has_its_own_consumer() {
    let (_service, Parts { card, mut commands, rings }, path) = start();
    let rows: Vec<_> = (0..4)
        .map(|ring| in_ring(address_row(&format!("192.0.2.{}", ring + 1), 0, ring.into(), Scope::Content), ring))
        .collect();
    commands.execute(&rows, Duration::from_secs(10)).expect("done");
    card.arm().expect("armed");
    let (total, each) = (2000_u64, 500);
    let consumers: Vec<_> = rings
        .into_iter()
        .map(|mut ring| {
            std::thread::spawn(move || {
                let mut packets = 0;
                while packets < each {
                    assert_ne!(ring.wait(Duration::from_secs(20)), Wake::Gone);
                    let mut take = |event: Event<'_>| {
                        let Event::Packet(packet) = event else { panic!("nothing is lost: {event:?}") };
                        assert!(packet.hits().all(|hit| hit.match_index.value() == u32::from(ring_of(&packet))));
                        packets += 1;
                        Flow::Taken
                    };
                    ring.poll(1000, &mut take).expect("good records");
                }
                ring.number()
            })
        })
        .collect();
    let mut wire = Client::connect(&path).expect("connected");
    let start_ns = wire.card_time_ns().expect("time") + 100_000;
    let frames = (0..total).map(|number| {
        let frame = udp(&format!("192.0.2.{}", number % 4 + 1), OTHER, [1, 2], 40);
        PlayFrame::new(PortSide::ALL[number as usize % 2], start_ns + number * 400, frame)
    });
    wire.play(frames, |_| {}).expect("played");
    let numbers: Vec<u8> = consumers.into_iter().map(|consumer| consumer.join().expect("it ends")).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
}

/// Which of the rings above the frame is for: by its source address.
fn ring_of(packet: &writ_abi::record::Packet<'_>) -> u8 {
    packet.payload[29] - 1
}

#[test]
fn a_card_that_is_gone_is_noticed() {
    let (service, Parts { card, mut commands, rings }, path) = start();
    let mut records = rings.into_iter().next().expect("ring 0");
    let mut wire = Client::connect(&path).expect("connected");
    drop(service);
    assert!(!card.is_present());
    assert!(matches!(card.arm(), Err(CardError::Gone { .. })));
    assert!(matches!(card.counters(), Err(CardError::Gone { .. })));
    let row = address_row(TARGET, 0, 1, Scope::Content);
    let refused = commands.execute(&[row], Duration::from_secs(5)).map(|_| ());
    assert_eq!(refused, Err(writ_driver::CommandError::Gone));
    while records.wait(Duration::from_secs(5)) != Wake::Gone {}
    assert!(wire.card_time_ns().is_err());
    assert!(!path.exists(), "the socket is removed");
}

#[test]
fn the_socket_path_is_treated_with_care() {
    let path = socket_path();
    let options = |path: &PathBuf| Options { wire_socket: Some(path.clone()), ..Options::default() };
    std::fs::write(&path, "precious").expect("written");
    let refused = Service::start(Backend::Model, &options(&path));
    assert!(matches!(refused, Err(ServiceError::Socket { .. })));
    assert_eq!(std::fs::read(&path).expect("still there"), b"precious");
    std::fs::remove_file(&path).expect("removed");
    // A socket that a killed process left behind.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
    let service = Service::start(Backend::Model, &options(&path)).expect("started");
    let refused = Service::start(Backend::Model, &options(&path));
    assert!(matches!(refused, Err(ServiceError::Socket { .. })), "one that is in use is left alone");
    assert!(Client::connect(&path).is_ok());
    drop(service);
    assert!("banana".parse::<Backend>().is_err());
}
