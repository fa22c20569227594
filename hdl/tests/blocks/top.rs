//! The emitted card as text: its ports, and what its wire path can depend on.

use writ_abi::limits::RECORD_RINGS;
use writ_hdl::emit::Direction;
use writ_hdl::emit::{Emitted, Port};
use writ_hdl::top::{NARROW_TOP_NAME, TOP_NAME, emit_narrow_top, emit_top};

#[test]
fn the_card_is_emitted_the_same_every_time() {
    let first = emit_top().expect("the card can be emitted");
    assert_eq!(first, emit_top().expect("the card can be emitted"));
    assert_eq!(first.top, TOP_NAME);
    let port = |name: &str| first.ports.iter().find(|port| port.name == name).expect("a port of the card");
    for (name, direction, width) in [
        ("rx_a_data", Direction::Input, 512),
        ("tx_b_bytes", Direction::Output, 7),
        ("mmio_read_data", Direction::Output, 32),
        ("dma_write_address", Direction::Output, 64),
        ("build_hash", Direction::Input, 256),
        ("tap_lookup_committed", Direction::Output, 1),
        ("tap_outcome_ring", Direction::Output, 2),
        ("tap_gap_ring", Direction::Output, 2),
    ] {
        assert_eq!((port(name).direction, port(name).width), (direction, width), "{name}");
    }
    let clocks = first.ports.iter().filter(|port| port.is_clock).map(|port| port.name.as_str());
    assert!(clocks.eq(["clk_wire_a", "clk_wire_b", "clk_core"]));
    // One record FIFO and one ring writer for each ring.
    let records = first.modules.iter().filter(|module| module.name.starts_with("writ_top_records"));
    assert!(records.map(|module| module.instances).eq([RECORD_RINGS; 2]));
}

#[test]
fn the_narrow_card_differs_in_its_wires_alone() {
    let (wide, narrow) = (emit_top().expect("emitted"), emit_narrow_top().expect("emitted"));
    assert_eq!(narrow.top, NARROW_TOP_NAME);
    let ports = |emitted: &Emitted| -> Vec<Port> {
        let is_wire =
            |name: &str| ["rx_", "tx_"].iter().any(|start| name.starts_with(start)) && name.ends_with("_data");
        emitted.ports.iter().filter(|port| !is_wire(&port.name)).cloned().collect()
    };
    assert_eq!(ports(&wide), ports(&narrow));
    let width =
        |emitted: &Emitted, name: &str| emitted.ports.iter().find(|port| port.name == name).map(|port| port.width);
    for name in ["rx_a_data", "rx_b_data", "tx_a_data", "tx_b_data"] {
        assert_eq!((width(&wide, name), width(&narrow, name)), (Some(512), Some(64)), "{name}");
    }
    // The core is the same text.
    let core = |emitted: &Emitted| {
        let text = emitted.verilog.replace(NARROW_TOP_NAME, TOP_NAME);
        module(&text, "writ_top_core").to_owned()
    };
    assert!(core(&wide) == core(&narrow));
}

/// Sizes are measured by another tool, and not at every test; but whoever changes a block has to measure it, or it could grow unnoticed.
#[test]
fn the_committed_sizes_are_of_this_text() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/synth/xcup.json");
    let text = std::fs::read_to_string(path).expect("the committed report");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let measured: Vec<(&str, u64, &str)> = report["blocks"]
        .as_array()
        .expect("blocks")
        .iter()
        .map(|block| {
            let text = |name: &str| block[name].as_str().expect("text");
            (text("name"), block["instances"].as_u64().expect("a number"), text("blake3"))
        })
        .collect();
    let emitted = emit_top().expect("the card can be emitted");
    let blocks = emitted.blocks();
    let present = || blocks.iter().map(|block| (&*block.name, block.instances as u64, &*block.blake3));
    let changed: Vec<&str> = present().filter(|block| !measured.contains(block)).map(|(name, ..)| name).collect();
    let gone: Vec<&str> =
        measured.iter().map(|(name, ..)| *name).filter(|name| present().all(|(n, ..)| n != *name)).collect();
    assert!(
        changed.is_empty() && gone.is_empty(),
        "hdl/synth/xcup.json is not of these blocks: changed {changed:?}, gone {gone:?}. `cargo xtask synth xcup --update` measures them again"
    );
}

/// Text of a module, from its name to its end.
fn module<'a>(verilog: &'a str, name: &str) -> &'a str {
    let start = verilog.find(&format!("module {name} (")).expect("the module exists");
    let end = verilog[start..].find("endmodule").expect("the module ends");
    &verilog[start..start + end]
}

/// What the text assigns to a signal, if it does so in one `assign`.
fn driver<'a>(text: &'a str, signal: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.trim().strip_prefix(&format!("assign {signal} = "))?.strip_suffix(';'))
}

/// Names in an expression.
fn names(expression: &str) -> Vec<&str> {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(|c| !name(c)).filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
    words.collect()
}

/// The wire depends on nothing but receivers and its own registers: the block has no other input, and the top connects each
/// input of the block to a receiver, through plain assignments, and each transmitter to the block.
#[test]
fn the_wire_depends_on_receivers_alone() {
    let emitted = emit_top().expect("the card can be emitted");
    let wire = module(&emitted.verilog, "writ_top_wire_path");
    let header = &wire[..wire.find(");").expect("a port list")];
    let inputs: Vec<&str> =
        header.lines().filter(|line| line.contains("input ")).map(|line| line.trim().trim_end_matches(',')).collect();
    let inputs: Vec<&str> = inputs.iter().map(|line| line.rsplit(' ').next().expect("a name")).collect();
    assert_eq!(inputs, ["clock", "reset", "rx", "rx_data"]);
    let leaf = emitted.modules.iter().find(|module| module.name == "writ_top_wire_path").expect("listed");
    assert_eq!((leaf.instances, leaf.memory_bits), (2, 0));

    let top = module(&emitted.verilog, TOP_NAME);
    for (instance, rx, tx, side) in [("wire_path_0", "rx_a", "tx_b", "a"), ("wire_path_1", "rx_b", "tx_a", "b")] {
        let start = top.find(&format!("writ_top_wire_path {instance} (")).expect("the instance exists");
        let connections = &top[start..start + top[start..].find(");").expect("the instance ends")];
        let connected = |port: &str| {
            let from = connections.find(&format!(".{port}(")).expect("a connected port") + port.len() + 2;
            &connections[from..from + connections[from..].find(')').expect("closed")]
        };
        assert_eq!(connected("reset"), format!("wire_reset_{side}"));
        assert_eq!(connected("clock"), format!("clk_wire_{side}"));
        assert_eq!(connected("rx_data"), format!("{rx}_data"));
        let mut cone = vec![connected("rx")];
        let mut leaves = vec![];
        while let Some(signal) = cone.pop() {
            match driver(top, signal) {
                Some(expression) => cone.extend(names(expression)),
                None => leaves.push(signal.to_owned()),
            }
        }
        leaves.sort();
        let expected = ["bytes", "error", "last", "valid"].map(|field| format!("{rx}_{field}"));
        assert_eq!(leaves, expected);
        for field in ["valid", "last", "error", "bytes", "data"] {
            let mut cone = vec![format!("{tx}_{field}")];
            while let Some(expression) = driver(top, cone.last().expect("not empty")) {
                let found = names(expression);
                assert_eq!(found.len(), 1, "{tx}_{field} is more than a name: {expression}");
                cone.push(found[0].to_owned());
            }
            let end = cone.last().expect("not empty");
            assert!(connections.contains(&format!("({end})")), "{tx}_{field} comes from {end}");
        }
    }
}
