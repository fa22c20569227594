//! Targets of every kind on captures of every encapsulation, held against lists of frames that tshark made.
//!
//! Which frames an order has to bring stands in the tables beside this file, each list with the display filter that made it and the octet at which
//! the delivered packet begins in those frames, taken from tshark's dissection. Neither comes from our own look at frames, so that a mistake which
//! the card and our ground truth share shows here. tshark reassembles nothing for this, as the card does not:
//!
//! ```text
//! tshark -o ip.defragment:FALSE -o ipv6.defragment:FALSE -r CAPTURE -Y FILTER -T fields -e frame.number
//! ```
//!
//! [`tshark`] runs that again where tshark is installed.

mod links;
mod matrix;
mod refusals;
mod tshark;
mod tunnels;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::thread;

use writ_testbench::capture::{Capture, read_file};
use writ_testbench::check::{Content, Delivery, Identity, Packet, TaskVerdict};
use writ_testbench::play::{Plan, Planned};
use writ_testbench::rig::Backend;
use writ_testbench::run::{Finished, RunPlan, Unwatched, run, warrants_for};
use writ_testbench::truth::{Scope, utc_from_tai_ns};

use crate::captures::captures;
use crate::{Folder, binaries};

/// A capture, and what targets on it have to bring.
struct Case {
    capture: &'static str,
    orders: &'static [Wanted],
}

/// What an order has to bring.
struct Wanted {
    /// What it names, as command lines write it.
    target: &'static str,
    /// tshark's display filter for its frames.
    filter: &'static str,
    parts: &'static [Part],
    delivery: Delivery,
    scope: Scope,
    /// Frames of the target that the card does not find, as the report lists them, and why.
    unseen: (&'static str, &'static str),
}

/// Frames, numbered from 1 in the order of the file, like `1-3 7`; the octet at which the delivered packet begins, 0 for the whole frame; and how
/// many octets are delivered, if that is not all of it.
struct Part(&'static str, usize, Option<usize>);

/// Everything from an octet of these frames on.
const fn from(frames: &'static str, at: usize) -> Part {
    Part(frames, at, None)
}

/// So many octets.
const fn cut(frames: &'static str, at: usize, octets: usize) -> Part {
    Part(frames, at, Some(octets))
}

/// These frames as a whole.
const fn whole(frames: &'static str) -> Part {
    Part(frames, 0, None)
}

/// An order for content over X3.
const fn content(target: &'static str, filter: &'static str, parts: &'static [Part]) -> Wanted {
    Wanted { target, filter, parts, delivery: Delivery::X, scope: Scope::Content, unseen: ("", "") }
}

/// The same over HI3.
const fn over_hi(wanted: Wanted) -> Wanted {
    Wanted { delivery: Delivery::Hi, ..wanted }
}

/// The same for headers only.
const fn headers(wanted: Wanted, scope: Scope) -> Wanted {
    Wanted { scope, ..wanted }
}

/// The same, with frames that are not found.
const fn unseen(wanted: Wanted, frames: &'static str, why: &'static str) -> Wanted {
    Wanted { unseen: (frames, why), ..wanted }
}

impl Wanted {
    /// All its frames.
    fn frames(&self) -> Vec<usize> {
        let mut frames: Vec<usize> = self.parts.iter().flat_map(|part| numbers(part.0)).collect();
        frames.sort_unstable();
        frames
    }
}

/// `1-3 7` as numbers.
fn numbers(text: &str) -> Vec<usize> {
    let number = |text: &str| text.parse::<usize>().expect("a number of the tables");
    let range = |word: &str| {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        number(first)..=number(last)
    };
    text.split_whitespace().flat_map(range).collect()
}

/// Plays the capture with all orders at once, and looks at what each brought.
fn check(case: &Case) {
    let Some(folder_of_captures) = captures() else { return };
    let capture =
        read_file(&folder_of_captures.join(format!("{}.pcap", case.capture))).unwrap_or_else(|error| panic!("{error}"));
    let folder = Folder::new(&format!("encapsulations-{}", case.capture));
    let targets: Vec<_> = case
        .orders
        .iter()
        .map(|wanted| (wanted.target.parse().expect("a good target"), wanted.scope, wanted.delivery))
        .collect();
    let plan = RunPlan {
        folder: folder.0.clone(),
        binaries: binaries(),
        backend: Backend::Model,
        first_utc_ns: capture.frames.iter().map(|frame| frame.time_ns).min().expect("it has frames"),
        plan: Plan::new(&capture, 2_000),
        warrants: warrants_for(&targets),
    };
    let finished = run(&plan, &mut Unwatched).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(finished.all_problems(), [""; 0], "{}", case.capture);
    let played = Played::new(&capture, &plan.plan.frames, &finished);
    for (number, wanted) in case.orders.iter().enumerate() {
        let task = &finished.verdict.tasks[number];
        assert_eq!(played.delivered(wanted, task), wanted.frames(), "{}: {}", case.capture, wanted.target);
        assert_eq!(played.unseen(task), unseen_of(wanted), "{}: {}", case.capture, wanted.target);
        check_format(wanted, &finished, number);
    }
}

fn unseen_of(wanted: &Wanted) -> BTreeMap<usize, &str> {
    let (frames, why) = wanted.unseen;
    numbers(frames).into_iter().map(|number| (number, why)).collect()
}

/// The frames of a run under the numbers that they have in the file.
struct Played<'a> {
    /// By number less 1: ns of UTC, octets as played.
    frames: Vec<(u64, &'a [u8])>,
    /// Number of each frame in the order of playing.
    numbers: Vec<usize>,
}

impl<'a> Played<'a> {
    fn new(capture: &Capture, planned: &'a [Planned], finished: &Finished) -> Self {
        assert_eq!(planned.len(), capture.frames.len(), "every frame is played");
        // Frames are played in the order of their times, which need not be that of the file.
        let mut numbers: Vec<usize> = (1..=capture.frames.len()).collect();
        numbers.sort_by_key(|number| capture.frames[number - 1].time_ns);
        let mut frames = vec![(0, &[][..]); planned.len()];
        for ((number, stamp_ns), planned) in numbers.iter().zip(&finished.stamps).zip(planned) {
            frames[number - 1] = (utc_from_tai_ns(*stamp_ns), &planned.data);
        }
        Self { frames, numbers }
    }

    /// Numbers of the frames that were delivered, each as its part says. What was delivered otherwise is no frame at all.
    fn delivered(&self, wanted: &Wanted, task: &TaskVerdict) -> Vec<usize> {
        let due: BTreeMap<usize, &Part> = wanted
            .parts
            .iter()
            .flat_map(|part| numbers(part.0).into_iter().map(move |number| (number, part)))
            .collect();
        let mut delivered = BTreeSet::new();
        for packet in &task.packets {
            delivered.insert(self.number(packet, &due, &delivered));
        }
        delivered.into_iter().collect()
    }

    /// The frame of a packet: within a microsecond, which is all that HI3 tells apart, a frame may come twice.
    fn number(&self, packet: &Packet, due: &BTreeMap<usize, &Part>, before: &BTreeSet<usize>) -> usize {
        let times = packet.utc_ns..packet.utc_ns + packet.resolution_ns;
        let at_time =
            |(number, (utc_ns, _)): &(usize, &(u64, &[u8]))| times.contains(utc_ns) && !before.contains(number);
        let frames = || (1..).zip(&self.frames).filter(at_time);
        let as_due = |number: &usize, frame: &[u8]| due.get(number).is_some_and(|part| part.of(frame) == packet.octets);
        let found = frames().find(|(number, (_, frame))| as_due(number, frame));
        found.map(|(number, _)| number).unwrap_or_else(|| {
            let at_time: Vec<usize> = frames().map(|(number, _)| number).collect();
            panic!("{} octets of frame {at_time:?} are not what is due: {:02x?}", packet.octets.len(), packet.octets)
        })
    }

    fn unseen<'b>(&self, task: &'b TaskVerdict) -> BTreeMap<usize, &'b str> {
        task.unsupported.iter().map(|hidden| (self.numbers[hidden.frame], hidden.layers.as_str())).collect()
    }
}

impl Part {
    /// What is delivered of a frame: nothing but the IP packet, whose length stands in its header, as far as the frame holds it.
    fn of<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let Self(_, at, octets) = *self;
        let field = |offset: usize| usize::from(u16::from_be_bytes([frame[at + offset], frame[at + offset + 1]]));
        let length = match (at, frame[at] >> 4) {
            (0, _) => frame.len(),
            (_, 4) => field(2),
            (_, 6) => field(4) + 40,
            _ => panic!("no IP header at {at}"),
        };
        &frame[at..frame.len().min(at + octets.unwrap_or(length))]
    }
}

/// Over X2 and X3 a PDU says what it carries: 5 and 6 are IPv4 and IPv6, 7 is an Ethernet frame.
fn check_format(wanted: &Wanted, finished: &Finished, number: usize) {
    const FORMAT_AT: usize = 12;
    let order = &finished.orders[number];
    let pdus = finished.inboxes.iter().flat_map(|inbox| &inbox.pdus);
    for pdu in pdus.filter(|pdu| pdu.identity == Identity::Xid(order.xid)) {
        let Content::Packets(packets) = &pdu.content else { continue };
        let format = u16::from_be_bytes([pdu.octets[FORMAT_AT], pdu.octets[FORMAT_AT + 1]]);
        let is_frame = wanted.parts.iter().any(|part| part.1 == 0);
        let due = match packets[0].octets[0] >> 4 {
            _ if is_frame => 7,
            4 => 5,
            _ => 6,
        };
        assert_eq!(format, due, "{}", wanted.target);
    }
}

/// Plays captures side by side: a run waits more than it works.
fn check_all(cases: &[&'static Case]) {
    thread::scope(|scope| {
        let runs: Vec<_> = cases.iter().map(|case| scope.spawn(|| check(case))).collect();
        for run in runs {
            if let Err(panic) = run.join() {
                resume_unwind(panic);
            }
        }
    });
}

#[test]
fn matrix() {
    check(&matrix::MATRIX);
}

#[test]
fn vlan_tags_and_pppoe() {
    check_all(&[&links::Q_IN_Q, &links::PROVIDER_TAG, &links::PPPOE, &links::PPPOE_OVER_Q_IN_Q]);
}

#[test]
fn mpls_and_gtp_u() {
    check_all(&[&links::MPLS_IN_VLAN, &tunnels::MPLS_OVER_UDP, &tunnels::GTP_U, &tunnels::GTP_U_EXTENSION_HEADER]);
}

#[test]
fn vxlan_geneve_gre_and_6in4() {
    check_all(&[&tunnels::VXLAN, &tunnels::GENEVE, &tunnels::GENEVE_OF_ICMP, &tunnels::GRE, &tunnels::SIX_IN_FOUR]);
}

/// All of them.
const CASES: [&Case; 14] = [
    &matrix::MATRIX,
    &links::Q_IN_Q,
    &links::PROVIDER_TAG,
    &links::PPPOE,
    &links::PPPOE_OVER_Q_IN_Q,
    &links::MPLS_IN_VLAN,
    &tunnels::MPLS_OVER_UDP,
    &tunnels::GTP_U,
    &tunnels::GTP_U_EXTENSION_HEADER,
    &tunnels::VXLAN,
    &tunnels::GENEVE,
    &tunnels::GENEVE_OF_ICMP,
    &tunnels::GRE,
    &tunnels::SIX_IN_FOUR,
];
