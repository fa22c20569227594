use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::received::{Content, Identity, Kind, Packet, Received};
use super::{Delivery, Inbox, Order};
use crate::truth::{Expected, Scope, Selection, StampedFrame, Unsupported, utc_from_tai_ns};

/// Problems that are listed for one order; more are only counted.
const PROBLEMS_MAX: usize = 12;

/// How one order was carried out.
#[derive(Debug, Clone, Default)]
pub struct TaskVerdict {
    /// Packets that it selects by the ground truth.
    pub selected: u64,
    /// Of these, received.
    pub delivered: u64,
    /// Of these, not received.
    pub lost: u64,
    /// Packets received that it does not select, or with more octets than it allows.
    pub over_collected: u64,
    /// PDUs that came again.
    pub duplicates: u64,
    /// Octets of the PDUs that came again.
    pub duplicate_octets: u64,
    /// Numbers that were skipped: what the receiver can tell to be lost.
    pub missing_numbers: u64,
    /// Ingress stamp of the first packet that it selects, TAI ns.
    pub first_selected_ns: Option<u64>,
    /// Target packets that are hidden deeper than the card looks.
    pub unsupported: Vec<Unsupported>,
    /// The packets received, each once, in the order of their numbers.
    pub packets: Vec<Packet>,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
    /// Problems beyond those listed.
    pub problems_more: u64,
}

impl TaskVerdict {
    /// Whether everything is as it has to be.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.lost == 0 && self.over_collected == 0
    }

    fn problem(&mut self, text: String) {
        if self.problems.len() < PROBLEMS_MAX { self.problems.push(text) } else { self.problems_more += 1 }
    }
}

/// The verdict over all orders.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// One for each order, in their order.
    pub tasks: Vec<TaskVerdict>,
    /// What is wrong beyond single orders.
    pub problems: Vec<String>,
}

impl Verdict {
    /// Whether everything is as it has to be.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.tasks.iter().all(TaskVerdict::is_good)
    }

    /// All problems, each with the order that it belongs to.
    pub fn all_problems(&self, orders: &[Order]) -> Vec<String> {
        let mut all = self.problems.clone();
        for (order, task) in orders.iter().zip(&self.tasks) {
            let name = format!("{}/{}", order.destination, order.liid);
            all.extend(task.problems.iter().map(|problem| format!("{name}: {problem}")));
            if task.problems_more > 0 {
                all.push(format!("{name}: and {} more like these", task.problems_more));
            }
            if task.lost > 0 {
                all.push(format!("{name}: {} of {} selected packets are missing", task.lost, task.selected));
            }
        }
        all
    }
}

/// Judges what the receivers got.
pub fn judge(orders: &[Order], frames: &[StampedFrame<'_>], inboxes: &[Inbox]) -> Verdict {
    let mut verdict = Verdict::default();
    for inbox in inboxes {
        verdict.problems.extend(inbox.problems.iter().cloned());
        strangers(orders, inbox, &mut verdict.problems);
    }
    for order in orders {
        let selection = order.selector.select(frames);
        let received: Vec<&Received> = inboxes
            .iter()
            .filter(|inbox| inbox.destination == order.destination)
            .flat_map(|inbox| &inbox.pdus)
            .filter(|pdu| belongs(order, pdu))
            .collect();
        verdict.tasks.push(Trial { order, task: TaskVerdict::default() }.hold(&selection, &received));
    }
    verdict
}

fn belongs(order: &Order, pdu: &Received) -> bool {
    match &pdu.identity {
        Identity::Liid(liid) => order.delivery == Delivery::Hi && *liid == order.liid,
        Identity::Xid(xid) => order.delivery == Delivery::X && *xid == order.xid,
    }
}

/// PDUs at a receiver that no order of its own explains: another agency's, or nobody's.
fn strangers(orders: &[Order], inbox: &Inbox, problems: &mut Vec<String>) {
    let mut counts: BTreeMap<&Identity, u64> = BTreeMap::new();
    for pdu in &inbox.pdus {
        if !orders.iter().any(|order| order.destination == inbox.destination && belongs(order, pdu)) {
            *counts.entry(&pdu.identity).or_default() += 1;
        }
    }
    for (identity, count) in counts {
        problems.push(format!("{} received {count} PDUs of {identity:?}, which is not its own", inbox.destination));
    }
}

struct Trial<'a> {
    order: &'a Order,
    task: TaskVerdict,
}

type Numbered<'a> = BTreeMap<(Option<u64>, Kind), BTreeMap<u32, &'a Received>>;

impl Trial<'_> {
    fn hold(mut self, selection: &Selection, received: &[&Received]) -> TaskVerdict {
        self.task.selected = selection.selected.len() as u64;
        self.task.first_selected_ns = selection.selected.iter().map(|expected| expected.stamp_ns).min();
        self.task.unsupported = selection.unsupported.clone();
        let numbered = self.number(received);
        self.check_numbers(&numbered);
        self.check_order_on_connections(received);
        if self.order.delivery == Delivery::Hi {
            self.check_frame_of_interception(&numbered);
        }
        self.match_packets(selection, &numbered);
        self.task.lost = self.task.selected - self.task.delivered;
        self.task
    }

    /// Removes duplicates by (CIN, kind, number); they have to be the same octets.
    fn number<'a>(&mut self, received: &[&'a Received]) -> Numbered<'a> {
        let mut numbered = Numbered::new();
        for &pdu in received {
            match numbered.entry((pdu.context, pdu.kind)).or_default().entry(pdu.sequence) {
                Entry::Vacant(entry) => {
                    entry.insert(pdu);
                }
                Entry::Occupied(entry) => {
                    self.task.duplicates += 1;
                    self.task.duplicate_octets += pdu.octets.len() as u64;
                    if entry.get().octets != pdu.octets {
                        self.task.problem(format!("{:?} {} came twice with different octets", pdu.kind, pdu.sequence));
                    }
                    if entry.get().connection == pdu.connection {
                        self.task.problem(format!("{:?} {} came twice on one connection", pdu.kind, pdu.sequence));
                    }
                }
            }
        }
        numbered
    }

    /// Numbers have to be 0, 1, 2 and so on.
    fn check_numbers(&mut self, numbered: &Numbered<'_>) {
        let contexts: Vec<Option<u64>> = numbered
            .keys()
            .filter(|(_, kind)| !matches!(kind, Kind::Hi1 | Kind::Tri))
            .map(|(context, _)| *context)
            .collect();
        if contexts.windows(2).any(|pair| pair[0] != pair[1]) {
            self.task.problem("more than one CIN or correlation id".to_owned());
        }
        for ((_, kind), pdus) in numbered {
            let mut next = 0_u32;
            for &sequence in pdus.keys() {
                if sequence != next {
                    self.task.missing_numbers += u64::from(sequence - next);
                    self.task.problem(format!("{kind:?} numbers {next} to {} are missing", sequence - 1));
                }
                next = sequence.wrapping_add(1);
            }
        }
    }

    /// On one connection numbers rise: a number lower than one before it is a PDU in the wrong place.
    fn check_order_on_connections(&mut self, received: &[&Received]) {
        let mut last: BTreeMap<(usize, Option<u64>, Kind), u32> = BTreeMap::new();
        for pdu in received {
            if let Some(before) = last.insert((pdu.connection, pdu.context, pdu.kind), pdu.sequence)
                && before >= pdu.sequence
            {
                self.task.problem(format!("{:?} {} came after {before} on one connection", pdu.kind, pdu.sequence));
            }
        }
    }

    /// HI1 notices and first and last IRI.
    fn check_frame_of_interception(&mut self, numbered: &Numbered<'_>) {
        let all: Vec<&&Received> = numbered.values().flat_map(BTreeMap::values).collect();
        let count = |wanted: &Content| all.iter().filter(|pdu| pdu.content == *wanted).count();
        let wanted_end = usize::from(self.order.ended);
        let counts = [
            ("HI1 notices of activation", count(&Content::Notice(true)), 1),
            ("HI1 notices of deactivation", count(&Content::Notice(false)), wanted_end),
            ("IRI-Begin", count(&Content::Begin), 1),
            ("IRI-End", count(&Content::End), wanted_end),
        ];
        for (name, found, wanted) in counts {
            if found != wanted {
                self.task.problem(format!("{found} {name} instead of {wanted}"));
            }
        }
        for ((_, kind), pdus) in numbered.iter().filter(|((_, kind), _)| *kind == Kind::Iri) {
            let first = pdus.values().next().map(|pdu| &pdu.content);
            let last = pdus.values().next_back().map(|pdu| &pdu.content);
            if first != Some(&Content::Begin) {
                self.task.problem(format!("the first {kind:?} is not IRI-Begin"));
            }
            if self.order.ended && last != Some(&Content::End) {
                self.task.problem(format!("the last {kind:?} is not IRI-End"));
            }
        }
        for pdu in all {
            if let Content::Other(what) = &pdu.content {
                self.task.problem(format!("{:?} {}: {what}", pdu.kind, pdu.sequence));
            }
        }
    }

    fn match_packets(&mut self, selection: &Selection, numbered: &Numbered<'_>) {
        let headers_only = self.order.selector.scope != Scope::Content;
        let mut open: BTreeMap<u64, Vec<&Expected>> = BTreeMap::new();
        for expected in &selection.selected {
            open.entry(utc_from_tai_ns(expected.stamp_ns)).or_default().push(expected);
        }
        for ((_, kind), pdus) in numbered {
            for (sequence, pdu) in pdus {
                let Content::Packets(packets) = &pdu.content else { continue };
                for packet in packets {
                    if packet.is_report != headers_only {
                        self.task.problem(format!("{kind:?} {sequence}: the interface does not fit the order's scope"));
                    }
                    if let Err(text) = take(&mut open, packet, selection) {
                        self.task.over_collected += 1;
                        self.task.problem(format!("{kind:?} {sequence}: {text}"));
                    } else {
                        self.task.delivered += 1;
                    }
                    self.task.packets.push(packet.clone());
                }
            }
        }
    }
}

/// Crosses out the expected packet that `packet` is, or says why it should not be there.
fn take(open: &mut BTreeMap<u64, Vec<&Expected>>, packet: &Packet, selection: &Selection) -> Result<(), String> {
    let times = packet.utc_ns..packet.utc_ns + packet.resolution_ns;
    for candidates in open.range_mut(times.clone()).map(|(_, candidates)| candidates) {
        let found = candidates
            .iter()
            .position(|expected| expected.octets == packet.octets && packet.direction == Some(expected.direction));
        if let Some(found) = found {
            candidates.swap_remove(found);
            return Ok(());
        }
    }
    let at_time = |expected: &&Expected| times.contains(&utc_from_tai_ns(expected.stamp_ns));
    let same = |expected: &&Expected| expected.packet.starts_with(&packet.octets);
    if selection.outside.iter().filter(at_time).any(|expected| same(&expected)) {
        return Err("a packet from outside the time of the order".to_owned());
    }
    if let Some(expected) = selection.selected.iter().filter(at_time).find(same) {
        return Err(match packet.octets.len().cmp(&expected.octets.len()) {
            std::cmp::Ordering::Greater => {
                format!("{} octets, cut at {} is due", packet.octets.len(), expected.octets.len())
            }
            std::cmp::Ordering::Less => {
                format!("only {} of {} octets", packet.octets.len(), expected.octets.len())
            }
            std::cmp::Ordering::Equal if packet.direction != Some(expected.direction) => {
                format!("direction {:?} instead of {:?}", packet.direction, expected.direction)
            }
            std::cmp::Ordering::Equal => "the same packet a second time under another number".to_owned(),
        });
    }
    if selection.selected.iter().any(|expected| same(&expected)) {
        return Err("a packet of the target with a wrong time".to_owned());
    }
    Err("a packet that the order does not name".to_owned())
}
