//! One suite for every card: what the ABI asks for, through the driver, on the golden model, on the golden model in another process, and on the
//! Verilated gateware.

#[path = "../common/mod.rs"]
mod common;

mod adopt;
mod batches;
mod clocks;
mod commands;
mod damage;
mod records;
mod rings;
mod rules;
mod tables;
mod wire;

use common::{Bench, Got, MakeCard};
use writ_abi::command::Command;
use writ_abi::record::DropCause;

pub(crate) const TARGET: &str = "192.0.2.1";
pub(crate) const OTHER: &str = "198.51.100.9";
pub(crate) const TARGET6: &str = "2001:db8::1";
pub(crate) const OTHER6: &str = "2001:db8::9";

macro_rules! suite {
    ($name:ident, $make:expr, [$($module:ident::$test:ident),* $(,)?]) => {
        mod $name {
            $(#[test]
            fn $test() {
                super::$module::$test($make);
            })*
        }
    };
}

/// What can be checked on any card that a driver reaches.
macro_rules! suite_for {
    ($name:ident, $make:expr) => {
        suite!(
            $name,
            $make,
            [
                commands::registers_keep_to_the_abi,
                commands::rows_are_written_read_and_cleared,
                commands::bad_commands_are_refused_and_change_nothing,
                commands::only_an_armed_card_copies,
                commands::the_lowest_way_counts,
                commands::nothing_is_copied_without_time,
                records::every_lookup_hits_and_says_so,
                records::scopes_cut,
                records::damaged_frames_are_not_copied,
                records::oversize_frames_make_a_gap,
                records::a_full_ring_makes_gaps_and_counts_by_match,
                records::records_wrap_around_the_ring,
                records::a_disabled_ring_keeps_its_records_until_the_fifo_is_full,
                rings::an_index_waits_no_longer_than_allowed,
                wire::reset_empties_everything,
                wire::all_frame_lengths_pass_and_are_copied,
                wire::counters_add_up,
                wire::a_reset_at_any_moment_leaves_nothing_behind,
                tables::every_table_hits_in_its_lookups,
                tables::directions_are_told_apart,
                tables::every_kind_of_tunnel_hits_and_shows_its_inside,
                tables::link_tunnels_and_vlans_hit,
                tables::the_prefix_length_is_a_register,
                tables::cuts_are_of_the_layer_that_matched,
                tables::rows_of_every_table_are_kept,
                rules::rules_match_by_their_bits,
                rules::packets_without_ports_have_ports_0,
                rules::rules_look_at_the_innermost_packet,
                rules::the_lowest_rule_of_a_bank_counts,
                rules::rules_expire,
                rules::rules_are_written_read_and_cleared,
                rules::a_rule_needs_its_value_right_before,
                batches::a_batch_is_visible_at_once_or_not_at_all,
                batches::an_aborted_batch_never_was,
                batches::commands_keep_to_the_state_of_the_batch,
                rings::a_frame_makes_one_record_in_each_ring_that_its_hits_name,
                rings::a_ring_that_is_full_does_not_hold_up_the_others,
                rings::records_for_a_ring_that_is_not_used_are_counted,
                damage::a_damaged_row_matches_nothing_and_is_reported,
                damage::damage_stays_in_its_place,
                damage::a_batch_does_not_revive_damaged_rows,
                adopt::rings_go_on_behind_the_last_record,
                adopt::a_record_that_was_not_taken_comes_again,
                adopt::commands_that_were_left_are_taken,
                adopt::an_open_batch_is_ended,
                adopt::a_card_that_is_not_as_it_was_left_is_refused,
                clocks::a_step_while_armed_stops_copying_until_the_card_is_disarmed,
            ]
        );
    };
}

/// What takes a card whose every clock is under control, or that tells more than a driver is told.
macro_rules! exact_suite_for {
    ($name:ident, $make:expr) => {
        suite!(
            $name,
            $make,
            [
                commands::comes_up,
                commands::rows_expire_by_the_stamp_and_stay_expired,
                commands::completions_say_where_commands_take_effect,
                commands::the_clock_advances_as_set,
                wire::the_wire_does_not_know_the_tap,
                wire::accounts_balance_at_every_moment,
                rules::a_rule_that_changes_in_place_is_never_absent,
                batches::no_frame_sees_half_a_batch,
                clocks::a_slew_moves_the_time_and_never_back,
                clocks::pulses_are_counted_and_timed,
                clocks::the_cards_own_frames_come_out_at_the_far_end,
            ]
        );
    };
}

suite_for!(model, |memory| Box::new(writ_sim::model::ModelCard::new(memory.card())));
exact_suite_for!(model_clock_by_clock, |memory| Box::new(writ_sim::model::ModelCard::new(memory.card())));
suite_for!(vfio_user, |memory| Box::new(crate::common::remote::RemoteCard::new(memory)));
#[cfg(feature = "rtl")]
suite_for!(rtl, |memory| Box::new(writ_sim::rtl::RtlCard::new(memory.card())));
#[cfg(feature = "rtl")]
exact_suite_for!(rtl_clock_by_clock, |memory| Box::new(writ_sim::rtl::RtlCard::new(memory.card())));
#[cfg(feature = "rtl-pcie")]
suite_for!(tlp, crate::common::tlp::quiet);

pub(crate) fn armed(make: MakeCard, rows: &[Command]) -> Bench {
    let mut bench = Bench::new(make);
    bench.commands(rows);
    bench.parts.card.arm().expect("armed");
    bench
}

pub(crate) fn packet_bytes(got: &Got) -> &[u8] {
    match got {
        Got::Packet { bytes, .. } => bytes,
        Got::Gap { .. } => panic!("a gap: {got:?}"),
    }
}

/// Hits of a record as (match index, scope, lookup).
pub(crate) fn hits(got: &Got) -> Vec<(u32, u32, u32)> {
    let Got::Packet { hits, .. } = got else { panic!("a gap") };
    hits.iter().map(|hit| (hit.match_index.value(), hit.scope as u32, hit.lookup as u32)).collect()
}

/// Every number from 0 on comes exactly once and in order, as a packet or in a gap for a full record FIFO.
pub(crate) fn check_numbers(got: &[Got], numbers: u32, dropped: u64) {
    let (mut next, mut missing) = (0, 0);
    for got in got {
        match got {
            Got::Packet { sequence, .. } => {
                assert_eq!(*sequence, next);
                next += 1;
            }
            Got::Gap { causes, first, last, .. } => {
                assert_eq!((*causes, *first), (1 << DropCause::RecordFifo as u8, next));
                missing += u64::from(last - first) + 1;
                next = last + 1;
            }
        }
    }
    assert_eq!((next, missing), (numbers, dropped));
}
