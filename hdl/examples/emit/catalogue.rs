//! Blocks that are proved in a size of their own. Every other block is proved as the card has it, under its place in the card.

use super::views;
use rust_hdl::core::prelude::*;
use writ_hdl::axis::{AsyncFifo, WirePath};
use writ_hdl::emit;
use writ_hdl::lookup::MatchTable;
use writ_hdl::prim::{Fifo, RamStyle};
use writ_hdl::top::{TOP_NAME, Top};

/// Makes the text of a block, whose top module gets the given name.
type Text = fn(&str) -> Result<String, String>;

/// Name of a block, and its text.
const SIZED: &[(&str, Text)] = &[
    ("async_fifo", |name| text(name, AsyncFifo::<Bits<8>, 2, 3>::default())),
    ("fifo", |name| text(name, Fifo::<Bits<64>, 3, 4>::default())),
    ("match_table", |name| text(name, MatchTable::<24, 32, 1, 1>::new(RamStyle::Block))),
    ("wire_path", |name| text(name, WirePath::<64>::default())),
];

/// The text of each of `wanted`: `card`, `card.PLACE.IN.IT`, or a name of this file.
pub(crate) fn proofs(wanted: &[&str]) -> Result<Vec<String>, String> {
    let mut card = None;
    let mut texts = Vec::new();
    for name in wanted {
        if let Some((name, text)) = SIZED.iter().find(|(each, _)| each == name) {
            texts.push(text(name)?);
            continue;
        }
        let (first, path) = name.split_once('.').unwrap_or((name, ""));
        if first != "card" {
            return Err(format!("no block called `{name}`"));
        }
        if card.is_none() {
            let top = Box::new(Top::<512, 1>::connected());
            let emitted = emit::emit(&*top, TOP_NAME).map_err(|error| error.to_string())?;
            card = Some((top, emitted));
        }
        let Some((top, emitted)) = &card else { return Err("no card".to_owned()) };
        let verilog = if path.is_empty() {
            emitted.verilog.clone()
        } else {
            emitted.instance(path).ok_or_else(|| format!("the card has no `{path}`"))?.verilog
        };
        texts.push(with_views(&verilog, &**top, path));
    }
    Ok(texts)
}

fn text(name: &str, mut block: impl Block) -> Result<String, String> {
    block.connect_all();
    let emitted = emit::emit(&block, name).map_err(|error| error.to_string())?;
    Ok(with_views(&emitted.verilog, &block, ""))
}

fn with_views(verilog: &str, block: &dyn Block, path: &str) -> String {
    format!("{verilog}\n// Views.\n{}", views::of(block, path, verilog))
}
