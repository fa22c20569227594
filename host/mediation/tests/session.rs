//! One session at a time: timers, confirmations, withholding, bad peers.

mod common;
use common::{
    T0, address,
    delivered::{self, Kind, Pdu},
    encoder_config, hit,
    memory::{Block, Memory},
    task, udp_frame,
};
use proptest::prelude::*;
use std::net::IpAddr;
use writ_handover::{
    ids::{Cin, CountryCode, Liid, OperatorId},
    pspdu::{self, Payload, PsPdu, Tri},
    time::UnixTime,
    x2x3,
};
use writ_mediation::{
    arena::{Arena, ArenaConfig, ArenaIdentity, BLOCK_BYTES},
    datapath::{Encoder, HitSide, OpenTask, OpenedContext, Phase},
    leap::LeapTable,
    session::{
        Action, Confirmation, Fault, HandoverIdentity, KeepAlive, Notice, Party, Retry, Session, SessionConfig,
        WallClock,
    },
    task::{Delivery, Scope},
    units::{DestinationIndex, HostNs, Interface, SessionKey, TaskIndex},
};

const MS: u64 = 1_000_000;
const S: u64 = 1000 * MS;

fn key(interface: Interface) -> SessionKey {
    SessionKey { destination: DestinationIndex(1), interface }
}

fn config(interface: Interface) -> SessionConfig {
    let identity = HandoverIdentity {
        liid: Liid::parse("writ").expect("good"),
        country: CountryCode::parse("US").expect("good"),
        operator: OperatorId::parse("CARRIER").expect("good"),
        network_element: None,
    };
    SessionConfig::new(
        key(interface),
        Some(identity),
        WallClock { host: HostNs(0), utc: UnixTime::from_ns(1_700_000_000 * S) },
    )
}

type TestSession = Session<Block>;

fn at(ns: u64) -> HostNs {
    HostNs(ns)
}

/// A session that is connected at `now`.
fn connected(config: SessionConfig, now: u64) -> TestSession {
    let mut session = TestSession::new(config, None).expect("good settings");
    assert_eq!(session.poll(at(now)), Action::Connect);
    session.connected(at(now));
    session
}

/// Writes everything that is there to be written.
fn written(session: &mut TestSession, now: u64) -> Vec<u8> {
    let mut all = Vec::new();
    while session.poll(at(now)) == Action::Write {
        let bytes = session.transmit().to_vec();
        session.transmitted(bytes.len(), at(now));
        all.extend(bytes);
    }
    all
}

fn parse(handover: bool, mut stream: &[u8]) -> Vec<Pdu> {
    let mut all = Vec::new();
    while let Some((pdu, used)) = delivered::parse(handover, stream) {
        all.push(pdu);
        stream = &stream[used..];
    }
    assert!(stream.is_empty(), "whole PDUs only");
    all
}

fn hi(tri: Tri<'_>, sequence: u32) -> Vec<u8> {
    let context = pspdu::Context {
        versions: pspdu::Versions::default(),
        liid: Liid::parse("lemf").expect("good"),
        authorization_country: CountryCode::parse("US").expect("good"),
        operator: OperatorId::parse("LEA").expect("good"),
        network_element: None,
        cin: None,
        delivery_country: None,
        interception_point: None,
    };
    PsPdu { header: context.header(sequence, UnixTime::EPOCH), payload: Payload::Tri(tri) }.to_vec().expect("good")
}

/// An encoder with tasks 1 and 2 on X3 of destination 1.
fn encoder(memory: &Memory, cap: usize) -> (Encoder<Block>, [OpenedContext; 2]) {
    let identity = ArenaIdentity { boot: [1; 16], arena: [2; 16] };
    let (arena, _) = Arena::open(memory.take(), &ArenaConfig::default(), &identity).expect("good memory");
    let mut encoder = Encoder::new(arena, encoder_config(), LeapTable::built_in());
    for interface in Interface::ALL {
        encoder.register_session(key(interface), cap);
    }
    let contexts = [1, 2].map(|n| {
        let spec = task(n, address("192.0.2.1"), Scope::Content, Delivery::X3Only, &[1]);
        let open = OpenTask { cin: Cin(n), correlation_id: 0, phase: Phase::New };
        encoder.open_task(TaskIndex(n), &spec, &open).expect("room").contexts[0]
    });
    (encoder, contexts)
}

/// Packets `range` for both tasks, in one block.
fn feed(encoder: &mut Encoder<Block>, session: &mut TestSession, range: std::ops::Range<u32>) {
    let (a, b): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
    for n in range {
        let frame = udp_frame(a, b, (1, 2), &n.to_be_bytes());
        let hits = [hit(1, HitSide::Source), hit(2, HitSide::Source)];
        encoder.packet(at(1), &frame.packet(n, T0), &hits).expect("room");
    }
    encoder.flush_all();
    while let Some(block) = encoder.pop_sealed() {
        session.push(block).expect("its own");
    }
}

fn sequences(pdus: &[Pdu], task: u32) -> Vec<u32> {
    let name = format!("{task:08x}{}", "40".repeat(12));
    pdus.iter().filter(|pdu| pdu.kind == Kind::X3 && pdu.name == name).map(|pdu| pdu.sequence).collect()
}

fn ack(session: &mut TestSession, pdus: &[Pdu], now: u64) {
    for pdu in pdus.iter().filter(|pdu| pdu.kind == Kind::KeepAlive) {
        session.received(&x2x3::keepalive_ack(x2x3::Version::default(), pdu.sequence), at(now));
    }
}

/// With a rate the stream has gaps, keep-alives go on, and nothing is lost.
#[test]
fn a_rate_holds_pdus_back_and_no_keep_alive() {
    let memory = Memory::new(8);
    let (mut encoder, _) = encoder(&memory, 6);
    let rate = 100_000;
    let mut config = config(Interface::X3);
    config.rate_bytes_per_s = std::num::NonZeroU64::new(rate);
    config.confirmation = Confirmation::Written { resend_bytes: 0 };
    config.keep_alive = KeepAlive { after_ns: 300 * MS, answer_ns: 1000 * S };
    let mut session = connected(config, 0);
    feed(&mut encoder, &mut session, 0..2000);
    let (mut now, mut octets, mut keep_alives, mut pdus) = (0, 0, 0, Vec::new());
    while pdus.len() < 4000 {
        let sent = parse(false, &written(&mut session, now));
        keep_alives += sent.iter().filter(|pdu| pdu.kind == Kind::KeepAlive).count() as u64;
        octets += sent.iter().filter(|pdu| pdu.kind == Kind::X3).map(|pdu| pdu.raw.len() as u64).sum::<u64>();
        // A tenth of a second at once, and the run of at most 64 KiB that was begun in time.
        assert!(octets <= rate * now / S + rate / 10 + 64 * 1024, "{octets} octets after {} ms", now / MS);
        pdus.extend(sent.into_iter().filter(|pdu| pdu.kind == Kind::X3));
        let Action::Wait(Some(next)) = session.poll(at(now)) else { panic!("something is left") };
        assert!(next.0 > now, "no busy waiting");
        now = next.0;
    }
    assert!(now > octets * S / rate - 64 * 1024 * S / rate - S, "{octets} octets took {} ms only", now / MS);
    assert!(keep_alives >= now / (300 * MS) - 1, "{keep_alives} keep-alives in {} ms", now / MS);
    assert_eq!(sequences(&pdus, 1), (0..2000).collect::<Vec<_>>());
}

#[test]
fn keep_alives_say_the_version_that_the_destination_wants() {
    let mut config_x = config(Interface::X3);
    config_x.formats.x_version = x2x3::Version::V0_6;
    let after_ns = config_x.keep_alive.after_ns;
    let octets = written(&mut connected(config_x, 0), after_ns);
    assert_eq!(octets[..2], [0, 6]);
    let mut config_hi = config(Interface::Hi3);
    config_hi.formats.versions.li_ps = 43;
    let after_ns = config_hi.keep_alive.after_ns;
    let octets = written(&mut connected(config_hi, 0), after_ns);
    let read = pspdu::decode(&octets, &pspdu::Limits::default()).expect("good").expect("whole");
    assert_eq!(read.pdu.header.domain, pspdu::Domain::LiPs { version: 43 });
}

#[test]
fn on_hi_silence_brings_a_keep_alive_and_no_answer_closes() {
    let mut session = connected(config(Interface::Hi3), 0);
    let KeepAlive { after_ns, answer_ns } = KeepAlive::HANDOVER;
    assert_eq!(session.poll(at(1)), Action::Wait(Some(at(after_ns))));
    assert_eq!(session.poll(at(after_ns - 1)), Action::Wait(Some(at(after_ns))));
    let sent = parse(true, &written(&mut session, after_ns));
    assert_eq!((sent.len(), sent[0].kind, sent[0].sequence, sent[0].name.as_str()), (1, Kind::KeepAlive, 0, "writ"));
    assert_eq!(sent[0].time_us, (1_700_000_000 + 60) * 1_000_000, "stamped in UTC");
    session.received(&hi(Tri::KeepAliveResponse, 0), at(after_ns + 5));
    let second = parse(true, &written(&mut session, 2 * after_ns));
    assert_eq!((second[0].kind, second[0].sequence), (Kind::KeepAlive, 1));
    assert!(matches!(session.poll(at(2 * after_ns + answer_ns - 1)), Action::Wait(Some(_))));
    let Action::Close(fault) = session.poll(at(2 * after_ns + answer_ns)) else { panic!("nobody answered") };
    assert_eq!((fault.clone(), fault.party()), (Fault::Unanswered { after_ns: answer_ns }, Party::Network));
    session.disconnected(at(3 * after_ns));
    assert_eq!(session.poll(at(3 * after_ns)), Action::Connect, "at once");
}

#[test]
fn on_x_keep_alives_come_whatever_else_is_sent() {
    let memory = Memory::new(8);
    let (mut encoder, _) = encoder(&memory, 4);
    let mut quiet = config(Interface::X3);
    quiet.confirmation = Confirmation::Written { resend_bytes: 0 };
    let mut session = connected(quiet, 0);
    let mut keep_alives = 0;
    for second in 0..200 {
        feed(&mut encoder, &mut session, second..second + 1);
        let pdus = parse(false, &written(&mut session, u64::from(second) * S));
        keep_alives += pdus.iter().filter(|pdu| pdu.kind == Kind::KeepAlive).count();
        ack(&mut session, &pdus, u64::from(second) * S);
    }
    assert_eq!(keep_alives, 3, "every 60 s");
}

#[test]
fn a_peers_keep_alives_are_answered_and_a_flood_of_them_closes() {
    let mut session = connected(config(Interface::Hi3), 0);
    session.received(&[hi(Tri::KeepAlive, 41), hi(Tri::KeepAlive, 42)].concat(), at(1));
    let answers = parse(true, &written(&mut session, 1));
    assert_eq!(
        answers.iter().map(|pdu| (pdu.kind, pdu.sequence)).collect::<Vec<_>>(),
        [(Kind::Answer, 41), (Kind::Answer, 42)]
    );
    for n in 0..1000 {
        session.received(&hi(Tri::KeepAlive, n), at(2));
    }
    let Action::Close(fault) = session.poll(at(2)) else { panic!("it never read an answer") };
    assert_eq!((fault.clone(), fault.party()), (Fault::Flood, Party::Peer));
}

#[test]
fn octets_that_are_no_pdu_close_the_connection_and_name_the_peer() {
    for interface in [Interface::Hi3, Interface::X3] {
        let mut session = connected(config(interface), 0);
        session.received(b"HTTP/1.1 400 Bad Request\r\n\r\nwho are you? this is no place for you, go away", at(1));
        let Action::Close(fault) = session.poll(at(1)) else { panic!("that is no PDU") };
        assert!(matches!(fault, Fault::Malformed(_)) && fault.party() == Party::Peer, "{fault}");
    }
    // A PDU that never ends.
    let mut session = connected(config(Interface::Hi3), 0);
    session.received(&[0x30, 0x80], at(1));
    for _ in 0..100 {
        session.received(&[0xa1; 1024], at(1));
    }
    assert!(matches!(session.poll(at(1)), Action::Close(Fault::Malformed(_))));
}

#[test]
fn an_answer_to_nothing_confirms_nothing() {
    let memory = Memory::new(8);
    let (mut encoder, _) = encoder(&memory, 4);
    let mut session = connected(config(Interface::X3), 0);
    feed(&mut encoder, &mut session, 0..5);
    written(&mut session, 1);
    session.received(&x2x3::keepalive_ack(x2x3::Version::default(), 7), at(2));
    let report = session.take_report().expect("notices");
    assert_eq!((report.delivered.len(), report.notices.last()), (0, Some(&Notice::UnknownAnswer(7))));
    let pdus = parse(false, &written(&mut session, 2 * S));
    assert_eq!(pdus.len(), 1, "the barrier, a second after the data");
    ack(&mut session, &pdus, 2 * S);
    let delivered = session.take_report().expect("counts").delivered;
    assert_eq!(delivered.iter().map(|(_, counts)| counts.packets).collect::<Vec<_>>(), [5, 5]);
    assert_eq!(session.status().buffered_bytes, 0);
    assert!(session.pop_free().is_some());
}

#[test]
fn a_peer_whose_answers_fit_nothing_is_left_and_its_noise_is_told_seldom() {
    let KeepAlive { after_ns, answer_ns } = KeepAlive::X;
    let mut session = connected(config(Interface::X3), 0);
    written(&mut session, after_ns);
    for n in 0..1000 {
        session.received(&x2x3::keepalive_ack(x2x3::Version::default(), 1000 + n), at(after_ns + answer_ns - 1));
    }
    assert_eq!(session.poll(at(after_ns + answer_ns)), Action::Close(Fault::Unanswered { after_ns: answer_ns }));
    let notices = session.take_report().expect("notices").notices;
    let told = notices.iter().filter(|notice| matches!(notice, Notice::UnknownAnswer(_))).count();
    assert_eq!(told, 10, "1, 2, 4, ... of 1000");
}

#[test]
fn a_slow_peer_is_waited_for_and_a_dead_one_is_not() {
    let memory = Memory::new(8);
    let (mut encoder, _) = encoder(&memory, 4);
    let mut session = connected(config(Interface::X3), 0);
    feed(&mut encoder, &mut session, 0..100);
    let answer_ns = KeepAlive::X.answer_ns;
    let mut now = 0;
    for _ in 0..50 {
        // One octet shortly before time is up.
        now += answer_ns - 1;
        assert_eq!(session.poll(at(now)), Action::Write);
        session.transmitted(1, at(now));
    }
    assert_eq!(session.poll(at(now + answer_ns)), Action::Close(Fault::Stalled { after_ns: answer_ns }));
}

/// When each of the first attempts to connect is made, if none succeeds.
fn attempts(seed: u64) -> Vec<u64> {
    let settings = SessionConfig { seed, retry: Retry { first_ns: S, longest_ns: 30 * S }, ..config(Interface::X3) };
    let mut session = TestSession::new(settings, None).expect("good");
    let (mut now, mut made) = (0, Vec::new());
    while made.len() < 12 {
        match session.poll(at(now)) {
            Action::Connect => {
                made.push(now);
                session.connect_failed(at(now));
            }
            Action::Wait(Some(until)) => now = until.0,
            other => panic!("{other:?}"),
        }
    }
    made
}

#[test]
fn attempts_to_connect_back_off_the_same_way_for_the_same_seed() {
    let made = attempts(7);
    assert_eq!(made, attempts(7));
    assert_ne!(made, attempts(8));
    let waits: Vec<u64> = made.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits[0], 0, "once more at once");
    for (wait, nominal) in waits[1..].iter().zip([1, 2, 4, 8, 16, 30, 30, 30, 30, 30]) {
        assert!((nominal * S * 3 / 4..=nominal * S * 5 / 4).contains(wait), "{waits:?}");
    }
}

/// The PDU that is under way is finished; nothing else of the numbering goes out; others are not disturbed.
#[test]
fn withholding_stops_one_task_at_once_and_no_other() {
    let memory = Memory::new(8);
    let (mut encoder, [first, second]) = encoder(&memory, 4);
    let mut session = connected(config(Interface::X3), 0);
    feed(&mut encoder, &mut session, 0..10);
    assert_eq!(session.poll(at(1)), Action::Write);
    let all = parse(false, session.transmit());
    // Task 1's third PDU (number 2) is begun: PDUs alternate between the tasks.
    let begun: usize = all[..4].iter().map(|pdu| pdu.raw.len()).sum::<usize>() + 7;
    let mut stream = session.transmit()[..begun].to_vec();
    session.transmitted(begun, at(1));
    session.withhold(first.context);
    stream.extend(written(&mut session, 1));
    let sent = parse(false, &stream);
    assert_eq!((sequences(&sent, 1), sequences(&sent, 2)), (vec![0, 1, 2], (0..10).collect::<Vec<_>>()));
    let mut kept = Vec::new();
    while let Some(withheld) = session.pop_withheld() {
        assert_eq!(withheld.context, first.context);
        kept.push(withheld);
    }
    assert_eq!(kept.iter().map(|withheld| withheld.sequence).collect::<Vec<_>>(), (3..10).collect::<Vec<_>>());
    // Until the keeper has stored them, nothing behind the first of them is let go of.
    let barrier = parse(false, &written(&mut session, 2 * S));
    ack(&mut session, &barrier, 2 * S);
    assert!(session.pop_free().is_none());
    let delivered = session.take_report().expect("counts");
    assert!(delivered.delivered.iter().all(|(_, counts)| counts.pdus <= 4), "{delivered:?}");
    for withheld in &kept {
        session.withheld_stored(withheld);
    }
    assert!(session.pop_free().is_some(), "all is with the peer or with the keeper");
    let rest = session.take_report().expect("counts");
    let total = |context, reports: [&[(_, writ_mediation::session::Counts)]; 2]| {
        reports
            .iter()
            .flat_map(|report| report.iter())
            .filter(|(of, _)| *of == context)
            .map(|(_, counts)| counts.pdus)
            .sum::<u64>()
    };
    let counts = |context| total(context, [&delivered.delivered, &rest.delivered]);
    assert_eq!((counts(first.context), counts(second.context)), (3, 10));
    assert_eq!(total(first.context, [&delivered.withheld, &rest.withheld]), 7);
    // Released by decision: the same octets under the same numbers.
    session.resume(first.context);
    for withheld in &kept {
        encoder.release(withheld, at(3 * S)).expect("room");
    }
    feed(&mut encoder, &mut session, 10..11);
    let released = parse(false, &written(&mut session, 3 * S));
    assert_eq!(sequences(&released, 1), [3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(released[0].raw, all[6].raw);
}

#[test]
fn what_is_withheld_while_the_peer_is_away_comes_out_and_what_was_under_way_is_not_sent_again() {
    let memory = Memory::new(8);
    let (mut encoder, [first, _]) = encoder(&memory, 4);
    let mut session = connected(config(Interface::X3), 0);
    feed(&mut encoder, &mut session, 0..4);
    let sent = parse(false, &written(&mut session, 1));
    assert_eq!(sequences(&sent, 1), [0, 1, 2, 3]);
    session.disconnected(at(2));
    session.connect_failed(at(2));
    session.withhold(first.context);
    assert!(matches!(session.poll(at(3)), Action::Wait(_) | Action::Connect));
    session.connect_failed(at(3));
    assert!(matches!(session.poll(at(4)), Action::Wait(_)));
    let out = session.pop_withheld().expect("the first one stands in front");
    assert_eq!(out.sequence, 0);
    session.withheld_stored(&out);
    let until = match session.poll(at(5)) {
        Action::Wait(Some(until)) => until,
        other => panic!("{other:?}"),
    };
    assert_eq!(session.poll(until), Action::Connect);
    session.connected(until);
    let again = parse(false, &written(&mut session, until.0));
    assert_eq!((sequences(&again, 1), sequences(&again, 2)), (vec![], vec![0, 1, 2, 3]));
}

#[test]
fn a_trickle_of_pdus_does_not_hold_a_block_each() {
    let memory = Memory::new(1 + 6);
    let (mut encoder, _) = encoder(&memory, 4);
    let mut session = connected(config(Interface::X3), 0);
    for n in 0..500 {
        feed(&mut encoder, &mut session, n..n + 1);
        while let Some(free) = session.pop_free() {
            encoder.recycle(free);
        }
    }
    assert!(encoder.usage().blocks_free >= 4, "{:?}", encoder.usage());
    let sent = parse(false, &written(&mut session, 1));
    assert_eq!(sequences(&sent, 1), (0..500).collect::<Vec<_>>());
}

/// However fast the transport takes octets, no more than the window goes out unconfirmed.
#[test]
fn no_more_than_the_window_is_under_way() {
    let memory = Memory::new(12);
    let (mut encoder, _) = encoder(&memory, 10);
    let settings = SessionConfig {
        window_bytes: 100_000,
        confirmation: Confirmation::Barrier { every_bytes: 50_000, every_ns: S },
        ..config(Interface::X3)
    };
    let mut session = connected(settings, 0);
    feed(&mut encoder, &mut session, 0..4000);
    let first = written(&mut session, 1);
    assert!((100_000..100_000 + 64 * 1024 + 200).contains(&first.len()), "{} bytes", first.len());
    ack(&mut session, &parse(false, &first), 2);
    assert!(written(&mut session, 3).len() > 50_000, "the answers open the window again");
}

#[test]
fn a_block_of_another_session_is_given_back() {
    let memory = Memory::new(8);
    let (mut encoder, _) = encoder(&memory, 4);
    let mut right = connected(config(Interface::X3), 0);
    feed(&mut encoder, &mut right, 0..1);
    let frame = udp_frame([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), (1, 2), b"x");
    encoder.packet(at(1), &frame.packet(9, T0), &[hit(1, HitSide::Source)]).expect("room");
    encoder.flush_all();
    let block = encoder.pop_sealed().expect("a block");
    let mut wrong = connected(config(Interface::Hi3), 0);
    let block = wrong.push(block).expect_err("it is X3's");
    right.push(block).expect("its own");
}

#[test]
fn settings_that_do_not_fit_are_named() {
    let no_journal = TestSession::new(config(Interface::X2), None).expect_err("X2 is journalled");
    assert_eq!(no_journal.setting, "journal");
    let refused = |change: &dyn Fn(&mut SessionConfig)| {
        let mut settings = config(Interface::Hi3);
        change(&mut settings);
        TestSession::new(settings, None).expect_err("it does not fit").setting
    };
    assert_eq!(refused(&|settings| settings.identity = None), "identity");
    assert_eq!(refused(&|settings| settings.keep_alive.answer_ns = 0), "keep_alive");
    assert_eq!(refused(&|settings| settings.retry.longest_ns = 1), "retry");
    assert_eq!(refused(&|settings| settings.window_bytes = 1), "window_bytes");
    assert_eq!(refused(&|settings| settings.peer_pdu_bytes_max = 1), "peer_pdu_bytes_max");
}

proptest! {
    /// Whatever a peer sends, in whatever pieces: no panic, and memory stays bounded.
    #[test]
    fn peers_can_send_anything(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20), x: bool, good: u8) {
        let interface = if x { Interface::X3 } else { Interface::Hi3 };
        let mut session = connected(config(interface), 0);
        for (n, piece) in pieces.iter().enumerate() {
            if n % 3 == usize::from(good % 3) {
                let octets = if x { x2x3::keepalive(x2x3::Version::default(), n as u32).to_vec() } else { hi(Tri::KeepAlive, n as u32) };
                session.received(&octets, at(n as u64));
            }
            session.received(piece, at(n as u64));
            if let Action::Close(_) = session.poll(at(n as u64)) {
                session.disconnected(at(n as u64));
                if session.poll(at(n as u64)) == Action::Connect {
                    session.connected(at(n as u64));
                }
            }
        }
    }

    /// However the transport takes octets, the stream is the same.
    #[test]
    fn the_stream_does_not_depend_on_how_it_is_taken(pieces in prop::collection::vec(1..5000_usize, 1..60)) {
        let memory = Memory::new(8);
        let (mut encoder, _) = encoder(&memory, 4);
        let mut session = connected(config(Interface::X3), 0);
        feed(&mut encoder, &mut session, 0..200);
        let mut stream = Vec::new();
        for piece in pieces.iter().cycle() {
            if session.poll(at(1)) != Action::Write {
                break;
            }
            let bytes = session.transmit();
            let taken = bytes.len().min(*piece);
            stream.extend_from_slice(&bytes[..taken]);
            session.transmitted(taken, at(1));
        }
        let pdus = parse(false, &stream);
        prop_assert_eq!(sequences(&pdus, 1), (0..200).collect::<Vec<_>>());
        prop_assert_eq!(sequences(&pdus, 2), (0..200).collect::<Vec<_>>());
    }
}

/// What is kept to be sent again must not fill the share: nothing would ever free it.
#[test]
fn a_share_smaller_than_what_is_to_be_kept_still_moves() {
    for confirmation in [
        Confirmation::Written { resend_bytes: 4 << 20 },
        Confirmation::Barrier { every_bytes: 8 << 20, every_ns: 9 * S },
    ] {
        let memory = Memory::new(8);
        let (mut encoder, _) = encoder(&memory, 6);
        let mut session = connected(SessionConfig { confirmation, ..config(Interface::X3) }, 0);
        session.set_share(6 * BLOCK_BYTES as u64);
        for round in 0..100 {
            feed(&mut encoder, &mut session, round * 400..(round + 1) * 400);
            let stream = written(&mut session, 1 + u64::from(round));
            for pdu in parse(false, &stream).iter().filter(|pdu| pdu.kind == Kind::KeepAlive) {
                session
                    .received(&x2x3::keepalive_ack(x2x3::Version::default(), pdu.sequence), at(1 + u64::from(round)));
            }
            while let Some(free) = session.pop_free() {
                encoder.recycle(free);
            }
        }
        let mut lost = 0;
        encoder.take_deltas(|delta| lost += delta.losses.total());
        assert_eq!(lost, 0, "{confirmation:?}");
    }
}
