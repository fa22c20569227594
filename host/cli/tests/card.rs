//! `writ card list`, `bind`, `unbind` on a made-up machine; `writ card selftest` on the simulated card, a process of its own.

#[path = "../../../sim/tests/common/program.rs"]
mod program;
#[path = "../src/card/tree.rs"]
mod tree;

use program::sim_binary;
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tree::{CARD, Tree};
use writ_driver::bus::vfio_user::{VfioUserCard, VfioUserError};
use writ_driver::memory::{HostMemory, PageSize};

fn writ(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_writ")).args(arguments).output().expect("writ runs")
}

fn writ_on(tree: &Tree, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_writ"));
    command.arg("card").args(arguments).arg("--sysfs").arg(tree.sys()).arg("--dev").arg(tree.dev());
    command.output().expect("writ runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn refused(output: &Output, parts: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");
}

#[test]
fn cards_are_listed_with_what_they_need() {
    let tree = Tree::new();
    tree.add_function("0000:3a:00.0", "0x060400", Some("pcieport"), 7);
    tree.write(&format!("{}/net/ens7/flags", Tree::device(CARD)), "0x1003\n");
    let output = writ_on(&tree, &["list"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    let row: Vec<&str> = shown.lines().nth(1).expect("a card").split_whitespace().collect();
    let wanted = format!("{CARD} Writ, ABI 2 xdma 7 0000:3a:00.0 ens7 writ card bind {CARD}");
    assert_eq!(row.join(" "), wanted, "{shown}");
    assert_eq!(shown.lines().count(), 2, "bridges are no cards");
    let answer = json(&writ_on(&tree, &["list", "--json"]))["answer"].clone();
    let card = &answer["cards"][0];
    assert_eq!((&answer["is"], &card["iommu_group"], &card["ready"]), (&"card_list".into(), &7.into(), &false.into()));

    tree.set_driver(CARD, Some("vfio-pci"));
    assert_eq!(json(&writ_on(&tree, &["list", "--json"]))["answer"]["cards"][0]["ready"], true);
    let needs = |name: &str, number: &str, word: &str| {
        tree.write(&format!("{}/{name}", Tree::device(CARD)), number);
        let shown = text(&writ_on(&tree, &["list"]).stdout);
        assert!(shown.contains(word), "{shown}");
    };
    needs("revision", "0x09", "same release");
    needs("subsystem_device", "0x0007", "load Writ's gateware");
    tree.write(&format!("{}/device", Tree::device(CARD)), "0x0001");
    let none = writ_on(&tree, &["list"]);
    assert_eq!((none.status.code(), text(&none.stdout).lines().count()), (Some(0), 1));
    assert!(text(&none.stderr).contains("no card in this machine"));
}

#[test]
fn a_dry_run_prints_each_write_and_does_none() {
    let tree = Tree::new();
    let output = writ_on(&tree, &["bind", CARD, "--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("nothing was changed"));
    let shown = text(&output.stdout);
    let at = |number: usize| shown.lines().nth(number).unwrap_or_default().to_owned();
    assert!(at(1).starts_with("vfio-pci ") && at(1).ends_with("0000:3b:00.0/driver_override"), "{shown}");
    assert!(at(2).starts_with(CARD) && at(2).ends_with("drivers/xdma/unbind"), "{shown}");
    assert!(at(3).starts_with(CARD) && at(3).ends_with("drivers/vfio-pci/bind"), "{shown}");
    assert_eq!(tree.read(&format!("{}/driver_override", Tree::device(CARD))), "(null)\n");
    assert_eq!(tree.read("sys/bus/pci/drivers/xdma/unbind"), "");
    let answer = json(&writ_on(&tree, &["bind", CARD, "--dry-run", "--json"]))["answer"].clone();
    assert_eq!((&answer["applied"], &answer["driver_before"]), (&false.into(), &"xdma".into()));
    assert_eq!(answer["writes"].as_array().map(Vec::len), Some(3));

    tree.set_driver(CARD, Some("vfio-pci"));
    let output = writ_on(&tree, &["unbind", CARD, "--dry-run"]);
    assert!(text(&output.stdout).contains("drivers_probe"), "{output:?}");
    let output = writ_on(&tree, &["bind", CARD]);
    assert_eq!(output.status.code(), Some(0), "already so");
    assert!(text(&output.stderr).contains("nothing to do"));
}

#[test]
fn what_must_not_be_taken_is_refused() {
    let tree = Tree::new();
    refused(&writ_on(&tree, &["bind", "0000:99:00.0"]), &["no PCI function at 0000:99:00.0"]);
    tree.add_function("0000:03:00.0", "0x010802", Some("nvme"), 3);
    refused(&writ_on(&tree, &["bind", "0000:03:00.0", "--force"]), &["is no Writ card", "8086:8086"]);
    refused(&writ_on(&tree, &["unbind", "0000:03:00.0"]), &["is no Writ card"]);
    tree.write(&format!("{}/net/ens7/flags", Tree::device(CARD)), "0x1003\n");
    refused(&writ_on(&tree, &["bind", CARD, "--dry-run"]), &["ip link set ens7 down", "--force"]);
    assert_eq!(writ_on(&tree, &["bind", CARD, "--dry-run", "--force"]).status.code(), Some(0));
    tree.add_function("0000:3b:00.1", "0x010802", Some("nvme"), 7);
    let output = writ_on(&tree, &["bind", CARD, "--force", "--json"]);
    refused(&output, &["0000:3b:00.1 (nvme)"]);
    assert_eq!(json(&output)["refused"]["code"], "conflict");
    assert_eq!(writ_on(&tree, &["bind", "3b"]).status.code(), Some(2));
}

/// Files that are no kernel: all is written, nothing follows.
#[test]
fn a_kernel_that_does_not_follow_is_half_way() {
    let tree = Tree::new();
    let output = writ_on(&tree, &["bind", CARD]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains("all is written, but xdma has 0000:3b:00.0"), "{said}");
    assert_eq!(tree.read("sys/bus/pci/drivers/vfio-pci/bind"), format!("{CARD}\n"));
    tree.remove("sys/bus/pci/drivers/vfio-pci/bind");
    let said = text(&writ_on(&tree, &["bind", CARD]).stderr);
    assert!(said.contains("2 writes before it are done"), "{said}");
}

/// `writ-sim serve`; killed when it is dropped.
struct Sim {
    child: Child,
    folder: PathBuf,
}

impl Sim {
    fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("writ-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temporary folder");
        let mut command = Command::new(sim_binary(env!("CARGO_BIN_EXE_writ")));
        command.arg("serve").arg("--card").arg("model").arg("--socket").arg(folder.join("card.sock"));
        let mut child =
            command.arg("--wire").arg(folder.join("wire.sock")).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut said = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut said).expect("it speaks");
        assert_eq!(said.trim(), "writ-sim: ready");
        Self { child, folder }
    }

    fn socket(&self) -> String {
        self.folder.join("card.sock").to_str().expect("plain").to_owned()
    }

    /// Has the card, as writ-cardd would. Whoever had it may be just leaving.
    fn hold(&self) -> VfioUserCard {
        let (path, start) = (self.folder.join("card.sock"), Instant::now());
        loop {
            let memory = HostMemory::shared(4096, PageSize::Small).expect("memory");
            match VfioUserCard::open(&path, memory) {
                Err(VfioUserError::InUse) if start.elapsed() < Duration::from_secs(20) => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                opened => return opened.expect("the card is free"),
            }
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_good_card_passes_and_one_in_use_is_left_alone() {
    let sim = Sim::start("selftest");
    let socket = sim.socket();
    let output = writ(&["card", "selftest", "--vfio-user", &socket]);
    let (shown, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{shown}{said}");
    assert!(
        shown.contains("as they should be") && shown.contains("abi") && said.contains("was reset"),
        "{shown}{said}"
    );

    let held = sim.hold();
    let output = writ(&["card", "selftest", "--vfio-user", &socket, "--json"]);
    refused(&output, &["in use by another process", "stop writ-cardd first"]);
    assert_eq!(json(&output)["refused"]["code"], "conflict");
    assert_eq!(held.bar().read32(0), u32::from_le_bytes(*b"WRIT"), "whoever has it has noticed nothing");
    drop(held);

    drop(sim.hold());
    let start = Instant::now();
    let output = loop {
        let output = writ(&["card", "selftest", "--vfio-user", &socket, "--json"]);
        if output.status.code() != Some(1) || start.elapsed() > Duration::from_secs(20) {
            break output;
        }
    };
    let answer = json(&output)["answer"].clone();
    assert_eq!((&answer["is"], &answer["passed"]), (&"card_selftest".into(), &true.into()), "{answer}");
    assert_eq!((&answer["findings"], &answer["error"]), (&serde_json::json!([]), &serde_json::Value::Null));
}

#[test]
fn cards_that_cannot_be_tested_say_why() {
    let nobody = writ(&["card", "selftest", "--vfio-user", "/nonexistent/card.sock"]);
    assert_eq!(nobody.status.code(), Some(3));
    assert!(text(&nobody.stderr).contains("is its process running?"));
    let tree = Tree::new();
    let unbound = writ_on(&tree, &["selftest", "--device", CARD]);
    assert_eq!(unbound.status.code(), Some(3));
    let said = text(&unbound.stderr);
    assert!(said.contains("driver xdma has 0000:3b:00.0") && said.contains("`writ card bind 0000:3b:00.0`"), "{said}");
    // The daemon's socket is no card.
    let (both, none) = (["--device", CARD, "--vfio-user", "s"], ["--socket", "s"]);
    for options in [&[][..], &both, &none] {
        let output = writ(&[&["card", "selftest"], options].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("--vfio-user"), "{}", text(&output.stderr));
    }
}
