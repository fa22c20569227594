//! What is to be proved: the `*.toml` in the folders below `hdl/formal`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// A block and what is said about it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    /// Name of the file; with several texts also what tells this one from the others.
    #[serde(skip)]
    pub(super) name: String,
    /// Name of the file.
    #[serde(skip)]
    pub(super) plan: String,
    /// Its folder, below that of all.
    #[serde(skip)]
    pub(super) group: PathBuf,
    /// Names under which `emit proofs` knows blocks for which all of this is proved. After reading: one.
    pub(super) emit: Vec<String>,
    /// Clocks of the induction.
    #[serde(default)]
    pub(super) depth: u32,
    /// Clocks within which every cover has to be reached, and a broken copy has to be caught.
    #[serde(default)]
    pub(super) cover_depth: u32,
    /// SMT solver.
    #[serde(default)]
    pub(super) solver: Solver,
    /// How many moments of its own each clock of the block rises at.
    #[serde(default)]
    pub(super) clocks: Clocks,
    /// What becomes of memories.
    #[serde(default)]
    pub(super) memories: Memories,
    /// Registers of the block itself that may hold anything to begin with.
    #[serde(default)]
    pub(super) any_start: Vec<String>,
    /// Files with properties, in their order, without their ending. If there is none: the one of the same name.
    #[serde(default)]
    pub(super) harness: Vec<String>,
    /// Modules whose outputs are taken for any value at any clock. A module is called by the end of its name, without a number.
    #[serde(default)]
    pub(super) free: Vec<String>,
    /// Properties in SystemVerilog.
    #[serde(default)]
    pub(super) property: Vec<Property>,
    /// What outputs may depend on.
    #[serde(default)]
    pub(super) cone: Vec<Cone>,
}

/// Who answers the questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Solver {
    /// Bit vectors and arrays by rewriting and SAT; the quickest for nearly everything here.
    #[default]
    Boolector,
    Z3,
    /// Property-directed reachability finds the induction's help by itself, in small blocks. Covers and broken copies are Boolector's.
    Pdr,
}

impl Solver {
    /// Engine of SymbiYosys, for a proof or for anything else.
    pub(super) fn engine(self, is_proof: bool) -> &'static str {
        match (self, is_proof) {
            (Self::Pdr, true) => "abc pdr",
            (Self::Pdr, false) | (Self::Boolector, _) => "smtbmc boolector",
            (Self::Z3, _) => "smtbmc z3",
        }
    }
}

/// What becomes of memories. They may hold anything to begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Memories {
    /// Arrays of the solver.
    #[default]
    Arrays,
    /// Registers: for small ones.
    Registers,
    /// Every read gives anything: for proofs that do not ask what was written.
    Free,
}

/// What the clocks of a block have to do with each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Clocks {
    /// There is one.
    #[default]
    One,
    /// Nothing: each rises whenever it likes.
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Never violated, however long the block runs.
    Prove,
    /// Can happen.
    Cover,
}

/// Something that always holds, or can happen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Property {
    /// Its statements are labelled with this, or with this, two underscores and a word of their own.
    pub(super) name: String,
    pub(super) mode: Mode,
    /// What it says, in a sentence.
    pub(super) says: String,
    pub(super) broken: Broken,
}

/// A change to the emitted text that the property has to notice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Broken {
    /// What the change does.
    pub(super) says: String,
    /// Text that occurs once in the block's own module, or in `module` of it.
    pub(super) find: String,
    pub(super) replace: String,
    /// Which module, called as in `free`.
    pub(super) module: Option<String>,
}

/// Everything that can reach the `outputs` lies in the `instances` or comes in through the `inputs`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cone {
    pub(super) name: String,
    pub(super) says: String,
    /// Patterns of outputs of the top.
    pub(super) outputs: Vec<String>,
    /// Patterns of instances in the top.
    pub(super) instances: Vec<String>,
    /// Patterns of inputs of the top.
    pub(super) inputs: Vec<String>,
    pub(super) broken: Broken,
}

/// All blocks, or those that are called for.
pub(super) fn read(folder: &Path, wanted: &[String]) -> Result<Vec<Block>, Failure> {
    let mut blocks = Vec::new();
    read_below(folder, Path::new(""), &mut blocks)?;
    blocks.sort_by(|one, other| (&one.group, &one.name).cmp(&(&other.group, &other.name)));
    if let Some(unknown) = wanted.iter().find(|name| !blocks.iter().any(|block| is_called(block, name))) {
        let known: Vec<&str> = blocks.iter().map(|block| block.name.as_str()).collect();
        return Err(Failure::new(format!("no block called `{unknown}`; there are {}", known.join(", "))));
    }
    blocks.retain(|block| wanted.is_empty() || wanted.iter().any(|name| is_called(block, name)));
    Ok(blocks)
}

fn read_below(folder: &Path, group: &Path, blocks: &mut Vec<Block>) -> Result<(), Failure> {
    for path in entries(&folder.join(group))? {
        if path.is_dir() {
            read_below(folder, &group.join(stem(&path)), blocks)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).map_err(Failure::while_doing(path.display()))?;
            let mut block: Block = toml::from_str(&text).map_err(Failure::while_doing(path.display()))?;
            (block.plan, block.group) = (stem(&path), group.to_owned());
            check(&block).map_err(Failure::while_doing(path.display()))?;
            blocks.extend(each_text(&block));
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(Failure::while_doing(folder.display()))?;
    entries.map(|entry| Ok(entry.map_err(Failure::while_doing(folder.display()))?.path())).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned()
}

/// One block for each of the texts, called by the last step of the text's name that is not the same in all.
fn each_text(block: &Block) -> impl Iterator<Item = Block> + '_ {
    let steps: Vec<Vec<&str>> = block.emit.iter().map(|emit| emit.rsplit('.').collect()).collect();
    let differs = |step: &usize| steps.iter().any(|each| each.get(*step) != steps[0].get(*step));
    let own = (0..steps[0].len()).find(differs);
    block.emit.iter().enumerate().map(move |(index, emit)| {
        let step = own.and_then(|own| steps[index].get(own));
        let name = step.map_or_else(|| block.plan.clone(), |step| format!("{}.{step}", block.plan));
        Block { name, emit: vec![emit.clone()], ..block.clone() }
    })
}

impl Block {
    /// The files with its properties, below the folder of all.
    pub(super) fn harness_files(&self) -> Vec<PathBuf> {
        let names = if self.harness.is_empty() { std::slice::from_ref(&self.plan) } else { &self.harness };
        names.iter().map(|name| self.group.join(format!("{name}.sv"))).collect()
    }
}

fn is_called(block: &Block, name: &str) -> bool {
    block.name == name || block.plan == name || block.group.iter().any(|step| step == name)
}

fn check(block: &Block) -> Result<(), String> {
    if block.emit.is_empty() {
        return Err("`emit` names no text".to_owned());
    }
    let mut names: Vec<&str> = block.property.iter().map(|property| property.name.as_str()).collect();
    names.extend(block.cone.iter().map(|cone| cone.name.as_str()));
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("`{}` stands there twice", twice[0]));
    }
    if !block.property.is_empty() {
        if block.depth == 0 || block.cover_depth == 0 {
            return Err("`depth` and `cover_depth` are wanted".to_owned());
        }
        for mode in [Mode::Prove, Mode::Cover] {
            if !block.property.iter().any(|property| property.mode == mode) {
                return Err(format!("no property of mode {mode:?}: a proof about a block that can do nothing is easy"));
            }
        }
    }
    if names.is_empty() { Err("nothing is said about the block".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROPERTY: &str =
        "[[property]]\nname = 'NAME'\nmode = 'MODE'\nsays = 's'\nbroken = { says = 'b', find = 'f', replace = 'r' }\n";

    fn block(properties: &[(&str, &str)]) -> Result<Block, String> {
        let mut text = "emit = ['fifo']\ndepth = 2\ncover_depth = 3\n".to_owned();
        for (name, mode) in properties {
            text.push_str(&PROPERTY.replace("NAME", name).replace("MODE", mode));
        }
        let block: Block = toml::from_str(&text).map_err(|error| error.to_string())?;
        check(&block).map(|()| block)
    }

    #[test]
    fn a_plan_is_read() {
        let block = block(&[("order", "prove"), ("full", "cover")]).expect("a good plan");
        assert_eq!((block.depth, block.cover_depth, block.property.len()), (2, 3, 2));
        assert_eq!(block.property[1].mode, Mode::Cover);
        assert_eq!((block.solver.engine(true), block.clocks), ("smtbmc boolector", Clocks::One));
        assert_eq!((Solver::Pdr.engine(true), Solver::Pdr.engine(false)), ("abc pdr", "smtbmc boolector"));
    }

    #[test]
    fn a_plan_may_be_for_several_texts() {
        let mut block = block(&[("order", "prove"), ("full", "cover")]).expect("a good plan");
        (block.plan, block.group) = ("queue".to_owned(), PathBuf::from("side/capture"));
        let names = |block: &Block| each_text(block).map(|block| block.name).collect::<Vec<_>>();
        assert_eq!(names(&block), ["queue"]);
        block.emit.push("card.capture.jobs".to_owned());
        assert_eq!(names(&block), ["queue.fifo", "queue.jobs"]);
        assert!(each_text(&block).all(|each| is_called(&each, "queue") && each.emit.len() == 1));
        assert!(
            each_text(&block)
                .all(|each| is_called(&each, "capture") && is_called(&each, "side") && !is_called(&each, "jobs"))
        );
        block.emit = vec!["card.macs.compare_0".to_owned(), "card.vlans.compare_0".to_owned()];
        assert_eq!(names(&block), ["queue.macs", "queue.vlans"], "the step in which they differ");
    }

    #[test]
    fn properties_may_be_shared() {
        let mut block = block(&[("order", "prove"), ("full", "cover")]).expect("a good plan");
        (block.plan, block.group) = ("queue".to_owned(), PathBuf::from("side/capture"));
        assert_eq!(block.harness_files(), [Path::new("side/capture/queue.sv")]);
        block.harness = vec!["words".to_owned(), "order".to_owned()];
        assert_eq!(block.harness_files(), [Path::new("side/capture/words.sv"), Path::new("side/capture/order.sv")]);
    }

    #[test]
    fn bad_plans_are_refused() {
        let refused = |properties: &[(&str, &str)]| block(properties).expect_err("a bad plan");
        assert!(refused(&[]).contains("nothing is said"));
        assert!(refused(&[("order", "prove")]).contains("Cover"));
        assert!(refused(&[("full", "cover")]).contains("Prove"));
        assert!(refused(&[("same", "prove"), ("same", "cover")]).contains("twice"));
        assert!(refused(&[("order", "assume")]).contains("assume"));
        let unknown: Result<Block, _> = toml::from_str("emit = ['fifo']\ndeth = 2\n");
        assert!(unknown.expect_err("a misspelt key").to_string().contains("deth"));
    }
}
