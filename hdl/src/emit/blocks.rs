//! The design in the pieces in which its size is measured.
//!
//! A block is a module that holds a register or a memory, together with the pure logic that it instantiates; logic alone has no boundary that
//! a synthesis tool would keep. What a block instantiates besides stands in its text as a black box. So the text says all that
//! the block's size depends on, equal blocks are measured once, and a block whose text is unchanged need not be measured
//! again.

use super::{Emitted, Finished};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;

/// A piece of an emitted design, with a text of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextBlock {
    /// Name of its module.
    pub name: String,
    /// How many of it the whole design has.
    pub instances: usize,
    /// Its module, and what is in it.
    pub verilog: String,
    /// BLAKE3 of that text, hexadecimal.
    pub blake3: String,
}

/// What the whole text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    name: String,
    /// The module's text.
    text: String,
    /// What it instantiates: name of the instance, name of the module.
    children: Vec<(String, String)>,
    has_state: bool,
}

impl Piece {
    pub(super) fn of(finished: &Finished, modules: &[Finished]) -> Self {
        let instances = finished.module.instances.iter();
        let children = instances.map(|instance| (instance.name.clone(), modules[instance.module].name.clone()));
        Self {
            name: finished.name.clone(),
            text: format!("\nmodule {}{}", finished.name, finished.text),
            children: children.collect(),
            has_state: !finished.module.primitives.is_empty(),
        }
    }

    /// Its ports and nothing in it.
    fn black_box(&self) -> String {
        let end = self.text.find(");\n").map_or(self.text.len(), |end| end + 3);
        format!("\n(* blackbox *){}endmodule\n", &self.text[..end].replacen('\n', " ", 1))
    }
}

impl Emitted {
    /// The design in blocks, in the order of the text; the top is the last.
    pub fn blocks(&self) -> Vec<TextBlock> {
        let pieces: BTreeMap<&str, &Piece> = self.pieces.iter().map(|piece| (piece.name.as_str(), piece)).collect();
        // Logic that holds a block somewhere below keeps its boundary, or the block would lose its own.
        let mut is_block: BTreeMap<&str, bool> = BTreeMap::new();
        for piece in &self.pieces {
            let holds_block = piece.children.iter().any(|(_, child)| is_block[child.as_str()]);
            is_block.insert(&piece.name, piece.has_state || holds_block || piece.name == self.top);
        }
        self.pieces
            .iter()
            .filter(|piece| is_block[piece.name.as_str()])
            .map(|piece| {
                let mut black_boxes = BTreeSet::new();
                let mut inner = BTreeSet::new();
                let mut open = vec![piece];
                while let Some(piece) = open.pop() {
                    for (_, child) in &piece.children {
                        if is_block[child.as_str()] {
                            black_boxes.insert(child.as_str());
                        } else if inner.insert(child.as_str()) {
                            open.push(pieces[child.as_str()]);
                        }
                    }
                }
                let mut verilog = String::new();
                black_boxes.iter().for_each(|name| verilog.push_str(&pieces[name].black_box()));
                inner.iter().for_each(|name| verilog.push_str(&pieces[name].text));
                let _ = write!(verilog, "{}", piece.text);
                TextBlock {
                    name: piece.name.clone(),
                    instances: self.instances(&piece.name),
                    blake3: blake3::hash(verilog.as_bytes()).to_hex().to_string(),
                    verilog,
                }
            })
            .collect()
    }

    /// The module of an instance and all that is in it, as a text of its own whose top it is. `path`: names of instances from the top down,
    /// separated by dots.
    pub fn instance(&self, path: &str) -> Option<TextBlock> {
        let piece = |name: &str| self.pieces.iter().find(|piece| piece.name == name);
        let mut found = piece(&self.top)?;
        for step in path.split('.') {
            let (_, module) = found.children.iter().find(|(instance, _)| instance == step)?;
            found = piece(module)?;
        }
        let mut wanted = HashSet::from([found.name.as_str()]);
        // Instances stand before what holds them.
        for piece in self.pieces.iter().rev() {
            if wanted.contains(piece.name.as_str()) {
                wanted.extend(piece.children.iter().map(|(_, module)| module.as_str()));
            }
        }
        let pieces = self.pieces.iter().filter(|piece| wanted.contains(piece.name.as_str()));
        let verilog: String = pieces.map(|piece| piece.text.as_str()).collect();
        let blake3 = blake3::hash(verilog.as_bytes()).to_hex().to_string();
        Some(TextBlock { name: found.name.clone(), instances: self.instances(&found.name), verilog, blake3 })
    }

    fn instances(&self, module: &str) -> usize {
        self.modules.iter().find(|summary| summary.name == module).map_or(0, |summary| summary.instances)
    }
}
