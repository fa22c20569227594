//! Targets that name frames are for content over X3 only: frames need not hold an IP packet, and HI3 and header reports carry nothing else.

use writ_testbench::run::{LEMF, MEDIATION};

use crate::{Folder, Scenario};

const FRAMES: [&str; 4] =
    ["mac=02:00:00:00:00:01", "vlan=a:13.10", "tunnel=pppoe:17@02:00:00:00:00:02", "tunnel=mpls:16106"];
const PACKETS: [&str; 2] = ["tunnel=gtpu:4660@192.0.2.2", "tunnel=gre@192.0.2.2"];
/// What captures hold and no order may name, with the reason: whole groups of hosts, and a tag that is no VLAN.
const NOBODY: [(&str, &str); 4] = [
    ("tunnel=gtpu:0xb2b7@239.114.155.111", "multicast"),
    ("endpoint=0.0.0.0:68/udp", "unspecified"),
    ("mac=01:00:5e:02:7f:fe", "single"),
    ("vlan=a:0", "1 to 4094"),
];

#[test]
fn frames_are_for_content_over_x3() {
    let folder = Folder::new("frames-refused");
    let mut scenario = Scenario::set_up(&folder, |plan| plan.lemf(LEMF).mediation_function(MEDIATION));
    scenario.start();
    let activate = |number: usize, kind: &str, target: &str, scope: &str, deliver: &str| {
        let destination = if deliver == "hi" { LEMF } else { MEDIATION };
        let liid = format!("L{number}");
        let order = ["--authority", "A", "--officer", "B", "--signer", "C", "--circuit", "D", "--username", "E"];
        let task = ["--access-type", "fttx", "--liid", &liid, "--destination", destination, "--target", target];
        let extent = ["--scope", scope, "--deliver", deliver, "--end", "+1d"];
        let words = [&["task", "activate", "--kind", kind][..], &order, &task, &extent].concat();
        scenario.rig.writ(&words)
    };
    let refused =
        [("title3", "content", "hi"), ("pen-register", "headers_l4", "hi"), ("pen-register", "headers_l3", "x")];
    for target in FRAMES {
        for (kind, scope, deliver) in refused {
            let error = activate(0, kind, target, scope, deliver).expect_err(target);
            assert_eq!(error.exit, Some(1), "{error}");
            assert!(error.said.contains("whole frames") && error.said.contains("x3"), "{target} {scope}: {error}");
            let (_, value) = target.split_once('=').expect("KIND=VALUE");
            assert!(!error.said.contains(value), "a refusal does not repeat who is meant: {error}");
        }
    }
    for (target, reason) in NOBODY {
        let error = activate(0, "title3", target, "content", "x").expect_err(target);
        assert!(error.exit == Some(1) && error.said.contains(reason), "{target}: {error}");
    }
    let status = scenario.rig.status().unwrap_or_else(|error| panic!("{error}"));
    assert!(status.tasks.is_empty(), "{} tasks came of refused orders", status.tasks.len());
    for (number, target) in (1..).zip(FRAMES) {
        activate(number, "title3", target, "content", "x").unwrap_or_else(|error| panic!("{error}"));
    }
    // A tunnel over IP names packets.
    for (number, target) in (10..).zip(PACKETS) {
        for (number, (kind, scope, deliver)) in (number..).step_by(10).zip(refused) {
            activate(number, kind, target, scope, deliver).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    scenario.rig.stop().unwrap_or_else(|error| panic!("{error}"));
}
