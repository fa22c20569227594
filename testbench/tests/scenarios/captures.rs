//! Real captures that stand beside the workspace, with targets that occur in them.

use std::path::PathBuf;

use writ_testbench::binaries::workspace_root;
use writ_testbench::capture::read_file;
use writ_testbench::check::Delivery;
use writ_testbench::play::Plan;
use writ_testbench::rig::Backend;
use writ_testbench::run::{Finished, RunPlan, Unwatched, run, warrants_for};
use writ_testbench::truth::Scope;

use crate::{Folder, binaries};

/// The folder of captures; `None` if it is not there, which on CI is a failure.
pub(crate) fn captures() -> Option<PathBuf> {
    let folder = workspace_root().join("../shared/captures");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing", folder.display());
    eprintln!("skipped: {} is not there", folder.display());
    None
}

fn run_capture(name: &str, targets: &[(&str, Scope, Delivery)]) -> Option<Finished> {
    let path = captures()?.join(name);
    let folder = Folder::new(name);
    let capture = read_file(&path).unwrap_or_else(|error| panic!("{error}"));
    let targets: Vec<_> = targets
        .iter()
        .map(|(target, scope, delivery)| (target.parse().expect("a good target"), *scope, *delivery))
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
    assert_eq!(finished.all_problems(), [""; 0]);
    Some(finished)
}

#[test]
fn encapsulations() {
    let targets = [
        ("ipv4=10.1.18.217", Scope::Content, Delivery::Hi),
        ("ipv6=2001:db8:1::99", Scope::Content, Delivery::X),
        ("ipv4=203.0.113.5", Scope::HeadersL4, Delivery::X),
    ];
    let Some(finished) = run_capture("ours__encap_matrix.pcap", &targets) else { return };
    let counts: Vec<_> = finished.verdict.tasks.iter().map(|task| (task.selected, task.unsupported.len())).collect();
    assert_eq!(counts, [(11, 0), (7, 0), (11, 0)]);
}

#[test]
fn http_behind_a_vlan_tag() {
    let targets = [("endpoint=192.150.187.43:80/tcp", Scope::Content, Delivery::Hi)];
    let Some(finished) = run_capture("zeek__http-vlan-0.pcap", &targets) else { return };
    assert_eq!(finished.verdict.tasks[0].selected, 14);
}

#[test]
fn dns_in_ipv6_fragments() {
    let targets = [
        ("ipv6=2607:f740:b::f93", Scope::Content, Delivery::X),
        ("ipv6=2001:470:1f11:81f:d138:5f55:6d4:1fe2", Scope::HeadersL4, Delivery::Hi),
    ];
    let Some(finished) = run_capture("zeek__ipv6-fragmented-dns.pcap", &targets) else { return };
    assert_eq!(finished.verdict.tasks.iter().map(|task| task.selected).collect::<Vec<_>>(), [8, 8]);
}

#[test]
fn sip_calls() {
    let targets = [
        ("endpoint=192.168.1.2:5060/udp", Scope::Content, Delivery::Hi),
        ("ipv4=212.242.33.35", Scope::HeadersL3, Delivery::X),
    ];
    let Some(finished) = run_capture("zeek__sip_wireshark.pcap", &targets) else { return };
    assert!(finished.verdict.tasks.iter().all(|task| task.selected > 20));
}
