//! Counts of a task over the lives of the process. The ledger counts from the start of this process; what was counted before is written down
//! with the task, and put right from the numberings that survived.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use writ_control::report::{Count, InterfaceCounts, Pdus};
use writ_mediation::{
    accounting::{Account, LossCause},
    session::Counts,
    units::SessionKey,
};

/// Counts of one interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tally {
    selected: Count,
    delivered: Pdus,
    buffered: Pdus,
    withheld: Pdus,
    dropped: BTreeMap<String, u64>,
    unattributed_packets: u64,
    outside_term_packets: u64,
    truncated_packets: u64,
    /// Sequence numbers used up, by PDUs and by losses.
    numbers: u64,
    /// Of them, by losses.
    #[serde(default)]
    lost: u64,
    /// PDUs without packets among them.
    events: u64,
    /// PDUs that are with the keeper and were still found here at the start, as far as that follows from the sums.
    #[serde(skip)]
    kept_twice: Pdus,
}

/// What the numberings of a session say about a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Sequence numbers used up.
    pub(crate) numbers: u64,
    /// Of them, by losses.
    pub(crate) lost: u64,
    /// Of them, by events.
    pub(crate) events: u64,
}

/// What of a task outlived the process that wrote its counts down, on one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// What is there to be delivered.
    pub(crate) carried: Counts,
    /// What the keeper has.
    pub(crate) withheld: Counts,
    /// What the numberings say, if they survived.
    pub(crate) used: Option<Used>,
    /// Journal or arena were damaged: something that is not there need not have been delivered.
    pub(crate) is_damaged: bool,
}

/// Counts of a task, by session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Tallies(Vec<(SessionKey, Tally)>);

const fn pdus(counts: Counts) -> Pdus {
    Pdus { pdus: counts.pdus, packets: counts.packets, bytes: counts.bytes }
}

fn add(to: &mut Pdus, more: Counts) {
    to.pdus += more.pdus;
    to.packets += more.packets;
    to.bytes += more.bytes;
}

impl Tally {
    /// These counts and those of this process.
    fn with(&self, account: &Account) -> Self {
        let mut sum = self.clone();
        sum.selected.packets += account.selected_packets;
        sum.selected.bytes += account.selected_bytes;
        add(&mut sum.delivered, account.delivered);
        add(&mut sum.withheld, account.withheld);
        sum.buffered = pdus(account.expected_buffered());
        for (cause, packets) in account.losses.iter() {
            *sum.dropped.entry(cause.name().to_owned()).or_default() += packets;
        }
        sum.unattributed_packets += account.unattributed_packets;
        sum.outside_term_packets += account.faults.outside_window;
        sum.truncated_packets += account.faults.truncated;
        sum.numbers += account.encoded.pdus + account.losses.total();
        sum.lost += account.losses.total();
        sum.events += account.encoded.pdus - account.encoded.packets.min(account.encoded.pdus);
        sum
    }

    /// Puts counts right that an earlier process wrote down some time before it died.
    ///
    /// Numbers that were used after the last writing are events, or packets that were selected; those that were lost are known by their number alone,
    /// and what of the others is not carried was delivered. If the numberings did not survive, what was buffered and is gone was lost; so it was if something was damaged,
    /// because then nobody can say that it was delivered.
    ///
    /// `withheld` is what the keeper has. Some of that may still be in arena or journal, and so in `carried`: nobody knows before it comes up
    /// ([`Tally::kept_before`]), but as nothing can have been delivered less than never, the sums give a lower bound.
    fn resumed(&self, Kept { carried, withheld, used, is_damaged }: Kept) -> Self {
        let mut base = self.clone();
        let before = base.withheld;
        base.withheld = pdus(withheld);
        base.kept_twice = Pdus::default();
        match used {
            Some(used) => {
                let numbers = used.numbers.saturating_sub(base.numbers);
                let lost = used.lost.saturating_sub(base.lost);
                let pdus = numbers.saturating_sub(lost);
                let packets = pdus.saturating_sub(used.events.saturating_sub(base.events));
                (base.numbers, base.events) = (base.numbers + numbers, base.events + pdus - packets);
                base.lost = used.lost;
                base.lose(lost, LossCause::Unrecorded);
                base.selected.packets += packets + lost;
                let split = |accepted: u64, carried: u64, kept: u64| {
                    let twice = (carried + kept).saturating_sub(accepted);
                    (accepted + twice - carried - kept, kept - twice.min(kept), twice)
                };
                let accepted = |delivered: u64, buffered: u64, withheld: u64| delivered + buffered + withheld;
                let accepted_pdus = accepted(base.delivered.pdus, base.buffered.pdus, before.pdus) + pdus;
                let accepted_packets =
                    accepted(base.delivered.packets, base.buffered.packets, before.packets) + packets;
                (base.delivered.pdus, base.withheld.pdus, base.kept_twice.pdus) =
                    split(accepted_pdus, carried.pdus, withheld.pdus);
                (base.delivered.packets, base.withheld.packets, base.kept_twice.packets) =
                    split(accepted_packets, carried.packets, withheld.packets);
                base.delivered.bytes += base.buffered.bytes.saturating_sub(carried.bytes);
                if is_damaged && base.delivered.packets >= self.delivered.packets {
                    base.lose(base.delivered.packets - self.delivered.packets, LossCause::Restart);
                    base.delivered = self.delivered;
                }
            }
            None => {
                base.lose(base.buffered.packets.saturating_sub(carried.packets), LossCause::Restart);
                (base.numbers, base.lost, base.events) = (0, 0, 0);
            }
        }
        base.buffered = pdus(carried);
        base
    }

    fn lose(&mut self, packets: u64, cause: LossCause) {
        if packets > 0 {
            *self.dropped.entry(cause.name().to_owned()).or_default() += packets;
        }
    }

    /// PDUs came up here that the keeper had before: the ledger counts them as withheld now, so they are not counted a second time.
    fn kept_before(&mut self, counts: Counts) {
        let take = |known: &mut u64, mut fresh: u64, withheld: &mut u64, delivered: &mut u64| {
            let expected = fresh.min(*known);
            *known -= expected;
            fresh -= expected;
            *withheld = withheld.saturating_sub(fresh);
            *delivered += fresh;
        };
        let Self { kept_twice, withheld, delivered, .. } = self;
        take(&mut kept_twice.pdus, counts.pdus, &mut withheld.pdus, &mut delivered.pdus);
        take(&mut kept_twice.packets, counts.packets, &mut withheld.packets, &mut delivered.packets);
    }

    fn view(&self, session: SessionKey) -> InterfaceCounts {
        InterfaceCounts {
            interface: session.interface.name().to_owned(),
            selected: self.selected,
            delivered: self.delivered,
            buffered: self.buffered,
            withheld: self.withheld,
            dropped: self.dropped.clone(),
            unattributed_packets: self.unattributed_packets,
            outside_term_packets: self.outside_term_packets,
            truncated_packets: self.truncated_packets,
        }
    }
}

impl Tallies {
    /// Nothing counted yet on these sessions.
    pub(crate) fn new(sessions: impl IntoIterator<Item = SessionKey>) -> Self {
        let mut keys: Vec<SessionKey> = sessions.into_iter().collect();
        keys.sort();
        keys.dedup();
        Self(keys.into_iter().map(|key| (key, Tally::default())).collect())
    }

    /// As written down with the task.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// To be written down with the task.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("names and numbers always serialise")
    }

    /// These counts and those of this process.
    pub(crate) fn with<'a>(&self, accounts: impl Iterator<Item = (SessionKey, &'a Account)>) -> Self {
        let mut sum = self.clone();
        for (key, account) in accounts {
            let tally = sum.entry(key);
            *tally = tally.with(account);
        }
        sum
    }

    /// See [`Tally::resumed`]. `what` gives for a session what of it was kept.
    pub(crate) fn resumed(&self, what: impl Fn(SessionKey) -> Kept) -> Self {
        Self(self.0.iter().map(|(key, tally)| (*key, tally.resumed(what(*key)))).collect())
    }

    /// See [`Tally::kept_before`].
    pub(crate) fn kept_before(&mut self, session: SessionKey, counts: Counts) {
        self.entry(session).kept_before(counts);
    }

    /// For operators, in the order of the interfaces.
    pub(crate) fn view(&self) -> Vec<InterfaceCounts> {
        self.0.iter().map(|(key, tally)| tally.view(*key)).collect()
    }

    /// Packets selected on all sessions.
    pub(crate) fn selected_packets(&self) -> u64 {
        self.0.iter().map(|(_, tally)| tally.selected.packets).sum()
    }

    /// Packets delivered on all sessions.
    pub(crate) fn delivered_packets(&self) -> u64 {
        self.0.iter().map(|(_, tally)| tally.delivered.packets).sum()
    }

    /// Packets lost on all sessions.
    pub(crate) fn dropped_packets(&self) -> u64 {
        self.0.iter().flat_map(|(_, tally)| tally.dropped.values()).sum()
    }

    /// Packets withheld on all sessions.
    pub(crate) fn withheld_packets(&self) -> u64 {
        self.0.iter().map(|(_, tally)| tally.withheld.packets).sum()
    }

    fn entry(&mut self, key: SessionKey) -> &mut Tally {
        let at = match self.0.iter().position(|(known, _)| *known == key) {
            Some(at) => at,
            None => {
                self.0.push((key, Tally::default()));
                self.0.len() - 1
            }
        };
        &mut self.0[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_mediation::units::{DestinationIndex, Interface};

    const HI3: SessionKey = SessionKey { destination: DestinationIndex(0), interface: Interface::Hi3 };

    const NONE: Counts = Counts { pdus: 0, packets: 0, bytes: 0 };

    fn counts(packets: u64) -> Counts {
        Counts { pdus: packets, packets, bytes: 100 * packets }
    }

    fn kept(carried: Counts, withheld: Counts, used: Option<Used>) -> Kept {
        Kept { carried, withheld, used, is_damaged: false }
    }

    fn balanced(tallies: &Tallies) -> bool {
        tallies.0.iter().all(|(_, tally)| {
            let dropped: u64 = tally.dropped.values().sum();
            tally.selected.packets
                == tally.delivered.packets + tally.buffered.packets + tally.withheld.packets + dropped
        })
    }

    #[test]
    fn counts_are_right_after_a_death_between_two_writings() {
        // Written down with 10 selected, 4 of them delivered.
        let account = Account {
            selected_packets: 10,
            selected_bytes: 900,
            encoded: counts(10),
            delivered: counts(4),
            ..Account::default()
        };
        let written = Tallies::new([HI3]).with([(HI3, &account)].into_iter());
        assert!(balanced(&written));
        let read = Tallies::parse(&written.text()).expect("just written");
        assert_eq!(read, written);
        // Until the death 5 more were selected and 3 more delivered: 15 numbers used, 8 carried.
        let base = read.resumed(|_| kept(counts(8), NONE, Some(Used { numbers: 15, lost: 0, events: 0 })));
        assert!(balanced(&base), "{base:?}");
        assert_eq!((base.selected_packets(), base.delivered_packets()), (15, 7));
        // The new process delivers the 8.
        let account = Account { carried: counts(8), delivered: counts(8), ..Account::default() };
        let after = base.with([(HI3, &account)].into_iter());
        assert!(balanced(&after), "{after:?}");
        assert_eq!((after.selected_packets(), after.delivered_packets()), (15, 15));
    }

    #[test]
    fn what_was_lost_between_two_writings_was_not_delivered() {
        let mut account =
            Account { selected_packets: 10, encoded: counts(8), delivered: counts(8), ..Account::default() };
        account.losses.add(LossCause::DestinationFull, 2);
        let written = Tallies::new([HI3]).with([(HI3, &account)].into_iter());
        assert!(balanced(&written));
        // Until the death 3 more were accepted, which are there, and 30 were lost.
        let used = Some(Used { numbers: 43, lost: 32, events: 0 });
        let base = written.resumed(|_| kept(counts(3), NONE, used));
        assert!(balanced(&base), "{base:?}");
        assert_eq!((base.selected_packets(), base.delivered_packets(), base.dropped_packets()), (43, 8, 32));
        assert_eq!(base.0[0].1.dropped["unrecorded"], 30);
        assert_eq!(base.resumed(|_| kept(counts(3), NONE, used)), base, "a second death");
        // One that was counted and not numbered.
        let used = Some(Used { numbers: 43, lost: 33, events: 0 });
        let base = base.resumed(|_| kept(counts(3), NONE, used));
        assert!(balanced(&base), "{base:?}");
        assert_eq!(base.dropped_packets(), 33);
    }

    #[test]
    fn what_the_keeper_has_is_counted_once() {
        // 100 accepted; 10 delivered; 60 with the keeper, of which 40 are still in the arena as well; 30 more are there.
        let account = Account { selected_packets: 100, encoded: counts(100), ..Account::default() };
        let written = Tallies::new([HI3]).with([(HI3, &account)].into_iter());
        let used = Some(Used { numbers: 100, lost: 0, events: 0 });
        let mut base = written.resumed(|_| kept(counts(70), counts(60), used));
        assert!(balanced(&base), "{base:?}");
        // They come up in two parts, then the 30 are withheld too.
        for part in [15, 25] {
            base.kept_before(HI3, counts(part));
        }
        let account = Account { carried: counts(70), withheld: counts(70), ..Account::default() };
        let after = base.with([(HI3, &account)].into_iter());
        assert!(balanced(&after), "{after:?}");
        assert_eq!((after.delivered_packets(), after.withheld_packets()), (10, 90));
    }

    #[test]
    fn events_are_no_packets() {
        // Written down before anything was counted; then a beginning, its notice and 3 packets, of which nothing was confirmed.
        let carried = Counts { pdus: 5, packets: 3, bytes: 500 };
        let base = Tallies::new([HI3]).resumed(|_| kept(carried, NONE, Some(Used { numbers: 5, lost: 0, events: 2 })));
        assert!(balanced(&base), "{base:?}");
        assert_eq!((base.selected_packets(), base.delivered_packets()), (3, 0));
        // A second death before the next writing changes nothing.
        assert_eq!(base.resumed(|_| kept(carried, NONE, Some(Used { numbers: 5, lost: 0, events: 2 }))), base);
    }

    #[test]
    fn what_did_not_survive_is_counted_as_lost() {
        let account = Account { selected_packets: 10, encoded: counts(10), delivered: counts(4), ..Account::default() };
        let written = Tallies::new([HI3]).with([(HI3, &account)].into_iter());
        let base = written.resumed(|_| kept(counts(0), NONE, None));
        assert!(balanced(&base), "{base:?}");
        assert_eq!((base.delivered_packets(), base.dropped_packets()), (4, 6));
    }
    #[test]
    fn what_is_gone_with_damage_was_not_delivered() {
        // 10 accepted, 4 of them delivered as far as was written down; 3 are there, and a part of the journal does not open.
        let account = Account { selected_packets: 10, encoded: counts(10), delivered: counts(4), ..Account::default() };
        let written = Tallies::new([HI3]).with([(HI3, &account)].into_iter());
        let used = Some(Used { numbers: 12, lost: 0, events: 0 });
        let base = written.resumed(|_| Kept { is_damaged: true, ..kept(counts(3), NONE, used) });
        assert!(balanced(&base), "{base:?}");
        assert_eq!((base.selected_packets(), base.delivered_packets(), base.dropped_packets()), (12, 4, 5));
    }
}
