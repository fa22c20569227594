//! Watches over the card's counters: what came in has to come out by a way that is counted, or be on the way.

use crate::control::Control;
use std::collections::BTreeMap;
use writ_abi::balance::{Account, Balance};
use writ_driver::Counters;
use writ_mediation::audit::{Event, EventKind};

/// Accounts that did not balance, as they were when that was first seen.
#[derive(Debug, Clone, Default)]
pub(in crate::control) struct BalanceWatch {
    broken: BTreeMap<Account, Balance>,
}

impl BalanceWatch {
    /// Takes a new look. The accounts that balanced until now.
    fn take(&mut self, counters: &Counters) -> Vec<Balance> {
        let balances = Account::ALL.map(|account| account.balance(|counter| counters.value(counter)));
        let mut fresh = Vec::new();
        for balance in balances.into_iter().filter(|balance| !balance.holds()) {
            self.broken.entry(balance.account).or_insert_with(|| {
                fresh.push(balance);
                balance
            });
        }
        fresh
    }

    /// What a person should look at. It stays until the card is brought up again: its figures prove nothing any more.
    pub(in crate::control) fn alarms(&self) -> impl Iterator<Item = String> + use<'_> {
        self.broken.values().map(|balance| format!("the card's counters do not add up: {balance}"))
    }
}

impl Control {
    pub(in crate::control) fn check_balance(&mut self, counters: &Counters) {
        for balance in self.balance_watch.take(counters) {
            tracing::error!("the card's counters do not add up: {balance}");
            let event = Event::new(EventKind::CardDifference)
                .text("reason", "the counters do not add up")
                .text("account", balance.account.name())
                .number("entered", balance.entered)
                .number("settled", balance.settled)
                .number("in_flight", balance.in_flight);
            self.note(&event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_abi::registers::{COUNTERS, Counter};

    fn counters(values: &[(Counter, u64)]) -> Counters {
        let mut all = [0; Counters::COUNT];
        for (position, (counter, _, _)) in COUNTERS.iter().enumerate() {
            all[position] = values.iter().find(|(each, _)| each == counter).map_or(0, |(_, value)| *value);
        }
        Counters::new(all)
    }

    #[test]
    fn what_does_not_add_up_is_told_once_and_stays_an_alarm() {
        let mut watch = BalanceWatch::default();
        let good = [(Counter::RecordsDue, 9), (Counter::Records, 7), (Counter::Drop(0), 2)];
        assert!(watch.take(&counters(&good)).is_empty() && watch.alarms().next().is_none());
        // A record went away.
        let bad = counters(&[(Counter::RecordsDue, 9), (Counter::Records, 6), (Counter::Drop(0), 2)]);
        assert_eq!(watch.take(&bad).iter().map(|balance| balance.account).collect::<Vec<_>>(), [Account::Records]);
        assert!(watch.take(&bad).is_empty());
        watch.take(&counters(&good));
        let alarms: Vec<String> = watch.alarms().collect();
        assert_eq!(alarms, ["the card's counters do not add up: records: 9 entered, 8 settled, 0 under way"]);
    }
}
