use std::path::Path;

use super::*;
use crate::lemf::{End, Interface};
use crate::traffic;
use crate::truth::{Direction, Scope, StampedFrame, utc_from_tai_ns};

const LIID: &str = "A/1";

fn xid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn order(target: &str, scope: Scope, delivery: Delivery) -> Order {
    let targets = vec![target.parse().expect("a good target")];
    Order {
        destination: "agency".to_owned(),
        liid: LIID.to_owned(),
        xid: xid(7),
        delivery,
        selector: Selector { targets, scope, prefix_bits: None, start_ns: 0, end_ns: u64::MAX },
        ended: true,
    }
}

fn pdu(kind: Kind, sequence: u32, content: Content) -> Received {
    let (interface, identity) = match kind {
        Kind::Cc => (Interface::Hi3, Identity::Liid(LIID.to_owned())),
        Kind::Iri | Kind::Hi1 | Kind::Tri => (Interface::Hi2, Identity::Liid(LIID.to_owned())),
        Kind::X2 => (Interface::X2, Identity::Xid(xid(7))),
        Kind::X3 => (Interface::X3, Identity::Xid(xid(7))),
    };
    let octets = format!("{kind:?} {sequence} {content:?}").into_bytes();
    let context = Some(1);
    Received { connection: 0, interface, offset: 0, octets, identity, context, kind, sequence, content }
}

/// A capture, an order, and exactly what a faultless system delivers for it.
struct Case {
    frames: Vec<(u64, Vec<u8>)>,
    order: Order,
    pdus: Vec<Received>,
}

impl Case {
    fn new(scope: Scope, delivery: Delivery) -> Self {
        let capture = traffic::generate(traffic::DEFAULT_SEED);
        let frames: Vec<_> = capture.frames.into_iter().map(|frame| (frame.time_ns, frame.data)).collect();
        let order = order(&format!("ipv4={}", traffic::HEADERS_V4), scope, delivery);
        let stamped: Vec<_> =
            frames.iter().map(|(stamp_ns, data)| StampedFrame { stamp_ns: *stamp_ns, from_b: false, data }).collect();
        let selection = order.selector.select(&stamped);
        let resolution_ns = if delivery == Delivery::Hi { 1_000 } else { 1 };
        let is_report = scope != Scope::Content;
        let (kind, first) = match (delivery, is_report) {
            (Delivery::Hi, true) => (Kind::Iri, 1),
            (Delivery::Hi, false) => (Kind::Cc, 0),
            (Delivery::X, true) => (Kind::X2, 0),
            (Delivery::X, false) => (Kind::X3, 0),
        };
        let mut pdus = Vec::new();
        let mut next = first;
        for expected in selection.selected {
            let utc_ns = utc_from_tai_ns(expected.stamp_ns);
            let packet = Packet {
                utc_ns: utc_ns - utc_ns % resolution_ns,
                resolution_ns,
                direction: Some(expected.direction),
                is_report,
                octets: expected.octets,
            };
            pdus.push(pdu(kind, next, Content::Packets(vec![packet])));
            next += 1;
        }
        if delivery == Delivery::Hi {
            let end = if kind == Kind::Iri { next } else { 1 };
            pdus.insert(0, pdu(Kind::Iri, 0, Content::Begin));
            pdus.push(pdu(Kind::Iri, end, Content::End));
            pdus.push(pdu(Kind::Hi1, 0, Content::Notice(true)));
            pdus.push(pdu(Kind::Hi1, 1, Content::Notice(false)));
        }
        Self { frames, order, pdus }
    }

    fn judge(&self) -> Verdict {
        let stamped: Vec<_> = self
            .frames
            .iter()
            .map(|(stamp_ns, data)| StampedFrame { stamp_ns: *stamp_ns, from_b: false, data })
            .collect();
        let inbox = Inbox { destination: "agency".to_owned(), pdus: self.pdus.clone(), problems: Vec::new() };
        judge(std::slice::from_ref(&self.order), &stamped, &[inbox])
    }

    /// Index of some packet in the middle.
    fn middle(&self) -> usize {
        self.pdus.len() / 2
    }

    fn packet(&mut self, index: usize) -> &mut Packet {
        match &mut self.pdus[index].content {
            Content::Packets(packets) => &mut packets[0],
            other => panic!("{other:?}"),
        }
    }

    fn expect_problem(&self, wanted: &str) -> Verdict {
        let verdict = self.judge();
        let problems = verdict.all_problems(std::slice::from_ref(&self.order));
        assert!(!verdict.is_good());
        assert!(problems.iter().any(|problem| problem.contains(wanted)), "`{wanted}` not in {problems:?}");
        verdict
    }
}

#[test]
fn faultless_delivery_is_good() {
    for scope in [Scope::Content, Scope::HeadersL4, Scope::HeadersL3] {
        for delivery in [Delivery::Hi, Delivery::X] {
            let case = Case::new(scope, delivery);
            let verdict = case.judge();
            assert_eq!(verdict.all_problems(std::slice::from_ref(&case.order)), [""; 0]);
            assert!(verdict.is_good());
            let task = &verdict.tasks[0];
            assert!(task.selected > 100);
            assert_eq!((task.delivered, task.lost, task.over_collected), (task.selected, 0, 0));
        }
    }
}

#[test]
fn missing_packet() {
    let mut case = Case::new(Scope::Content, Delivery::X);
    let middle = case.middle();
    case.pdus.remove(middle);
    let verdict = case.expect_problem("are missing");
    assert_eq!(verdict.tasks[0].lost, 1);
}

#[test]
fn stranger_packet_and_changed_octet() {
    let mut case = Case::new(Scope::Content, Delivery::Hi);
    let middle = case.middle();
    *case.packet(middle).octets.last_mut().expect("a packet has octets") ^= 1;
    let verdict = case.expect_problem("does not name");
    assert_eq!((verdict.tasks[0].over_collected, verdict.tasks[0].lost), (1, 1));
}

#[test]
fn octets_past_the_cut() {
    let mut case = Case::new(Scope::HeadersL4, Delivery::Hi);
    let target = case.order.selector.targets.clone();
    let full = Selector { targets: target, scope: Scope::Content, prefix_bits: None, start_ns: 0, end_ns: u64::MAX };
    let stamped: Vec<_> =
        case.frames.iter().map(|(stamp_ns, data)| StampedFrame { stamp_ns: *stamp_ns, from_b: false, data }).collect();
    let whole = full.select(&stamped).selected;
    let longer = whole.iter().position(|expected| expected.octets.len() > 200).expect("long packets exist");
    let octets = whole[longer].octets.clone();
    // Position 0 is IRI-Begin.
    let cut = case.packet(longer + 1).octets.len();
    case.packet(longer + 1).octets = octets[..cut + 1].to_vec();
    case.expect_problem("is due");
    case.packet(longer + 1).octets = octets[..cut - 1].to_vec();
    case.expect_problem("only");
}

#[test]
fn packets_outside_the_time_of_the_order() {
    let mut case = Case::new(Scope::Content, Delivery::X);
    let middle_ns = case.frames[case.frames.len() / 2].0;
    case.order.selector.end_ns = middle_ns;
    let verdict = case.expect_problem("outside the time");
    assert!(verdict.tasks[0].over_collected > 10);
    case.order.selector.end_ns = u64::MAX;
    case.order.selector.start_ns = middle_ns;
    case.expect_problem("outside the time");
}

#[test]
fn direction_time_and_kind_have_to_fit() {
    let mut case = Case::new(Scope::Content, Delivery::Hi);
    let middle = case.middle();
    let direction = case.packet(middle).direction;
    case.packet(middle).direction = Some(Direction::Both);
    case.expect_problem("direction");
    case.packet(middle).direction = direction;
    case.packet(middle).utc_ns += 1_000;
    case.expect_problem("wrong time");
    case.packet(middle).utc_ns -= 1_000;
    case.packet(middle).is_report = true;
    case.expect_problem("scope");
}

#[test]
fn duplicates_have_to_be_identical_and_on_another_connection() {
    let mut case = Case::new(Scope::Content, Delivery::X);
    let mut copy = case.pdus[5].clone();
    copy.connection = 1;
    case.pdus.push(copy.clone());
    let verdict = case.judge();
    assert!(verdict.is_good());
    assert_eq!(verdict.tasks[0].duplicates, 1);
    case.pdus.last_mut().expect("just pushed").octets.push(0);
    case.expect_problem("different octets");
    *case.pdus.last_mut().expect("just pushed") = Received { connection: 0, ..copy };
    case.expect_problem("on one connection");
}

#[test]
fn one_packet_under_two_numbers() {
    let mut case = Case::new(Scope::Content, Delivery::X);
    let mut again = case.pdus[5].clone();
    again.sequence = case.pdus.len() as u32;
    case.pdus.push(again);
    let verdict = case.expect_problem("a second time");
    assert_eq!(verdict.tasks[0].over_collected, 1);
}

#[test]
fn frame_of_the_interception() {
    let complete = Case::new(Scope::Content, Delivery::Hi);
    for (content, wanted) in [
        (Content::Begin, "0 IRI-Begin"),
        (Content::End, "0 IRI-End"),
        (Content::Notice(true), "0 HI1 notices of activation"),
        (Content::Notice(false), "0 HI1 notices of deactivation"),
    ] {
        let mut case =
            Case { frames: complete.frames.clone(), order: complete.order.clone(), pdus: complete.pdus.clone() };
        case.pdus.retain(|pdu| pdu.content != content);
        case.expect_problem(wanted);
    }
}

#[test]
fn another_agencys_pdu() {
    let mut case = Case::new(Scope::Content, Delivery::X);
    let mut stray = case.pdus[3].clone();
    stray.identity = Identity::Xid(xid(8));
    case.pdus.push(stray);
    case.expect_problem("not its own");
}

#[test]
fn unreadable_octets_are_a_problem_and_cut_ones_are_not() {
    let folder = std::env::temp_dir().join(format!("writ-check-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let file = folder.join("stream.bin");
    let mut octets = writ_handover::x2x3::keepalive(writ_handover::x2x3::Version::V0_5, 1).to_vec();
    octets.truncate(47);
    let connection = |file: &Path| Connection {
        number: 0,
        interface: Interface::X2,
        file: file.to_path_buf(),
        octets: 47,
        pdus: 0,
        answers: Vec::new(),
        end: End::Closed,
    };
    fs::write(&file, &octets).expect("a temporary file");
    assert!(Inbox::read("agency", &[connection(&file)]).expect("just written").problems.is_empty());
    octets[0] = 9;
    fs::write(&file, &octets).expect("a temporary file");
    let inbox = Inbox::read("agency", &[connection(&file)]).expect("just written");
    assert!(inbox.problems[0].contains("octet 0"), "{:?}", inbox.problems);
    fs::remove_dir_all(&folder).expect("our own folder");
}
