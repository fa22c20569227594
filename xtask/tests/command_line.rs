//! The command line from outside: what is refused, with which status, naming what.

use std::process::{Command, Output};

fn xtask(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(words).output().expect("it was just built")
}

fn refused(words: &[&str], status: i32, wanted: &[&str]) {
    let output = xtask(words);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{words:?}: {said}");
    assert!(output.stdout.is_empty(), "{words:?}: stdout is for data");
    for text in wanted {
        assert!(said.contains(text), "{words:?}: `{text}` not in: {said}");
    }
}

#[test]
fn demo_refuses_bad_options() {
    refused(
        &["demo", "--target", "imsi=262011234567890"],
        2,
        &["imsi", "ipv4, ipv6, endpoint, flow, tunnel, mac and vlan"],
    );
    refused(&["demo", "--target", "tunnel=wireguard:1@192.0.2.1"], 2, &["tunnel"]);
    refused(&["demo", "--target", "ipv4=192.0.2.1,scope=all"], 2, &["scope `all`"]);
    refused(&["demo", "--target", "mac=02:00:00:00:00:01"], 2, &["--target", "write mac=02:00:00:00:00:01,deliver=x"]);
    refused(&["demo", "--target", "vlan=a:13,scope=headers_l4,deliver=x"], 2, &["--target", "as content"]);
    let twice = ["demo", "--target", "ipv4=192.0.2.1", "--target", "ipv4=192.0.2.1", "--capture", "/nowhere"];
    refused(&twice, 1, &["--target ipv4=192.0.2.1", "given twice"]);
    refused(&["demo", "--capture", "some.pcap"], 2, &["--target"]);
    refused(&["demo", "--max-gap-ns", "0"], 2, &["--max-gap-ns"]);
    refused(&["demo", "--card", "fpga"], 2, &["fpga", "rtl, model"]);
}

#[test]
fn demo_names_the_capture_that_it_cannot_read() {
    let target = ["--target", "ipv4=192.0.2.1"];
    let demo = |path: &str, wanted: &[&str]| {
        let words = [&["demo", "--capture", path], &target[..]].concat();
        refused(&words, 1, wanted);
    };
    demo("/nowhere/at/all.pcap", &["/nowhere/at/all.pcap", "No such file or directory"]);
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    demo(manifest, &[manifest, "neither a pcap nor a pcapng file"]);
}

#[test]
fn demo_does_not_clear_a_folder_that_is_not_its_own() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    refused(&["demo", "--card", "model", "--out", folder], 1, &[folder, "name another folder"]);
}

#[test]
fn bench_dma_refuses_sizes_that_do_not_exist() {
    refused(&["bench", "dma", "--ring", "3"], 2, &["--ring", "a power of two"]);
    refused(&["bench", "dma", "--size", "60,9601"], 2, &["--size", "9600"]);
    refused(&["bench", "dma", "--rounds", "0"], 2, &["--rounds"]);
    refused(&["bench", "dma", "--only", "card"], 2, &["--only", "host, bus, latency"]);
    refused(&["oracles", "valgrind", "--dir", "x"], 2, &["--dir"]);
}
