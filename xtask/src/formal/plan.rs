//! What is to be proved: the files `hdl/formal/*.toml`.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// A block and what is said about it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    /// Name of the files; with several texts also the last step of the text's name.
    #[serde(skip)]
    pub(super) name: String,
    /// Name of the files.
    #[serde(skip)]
    pub(super) plan: String,
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
    /// Modules whose outputs are taken for any value at any clock. A module is called by the end of its name, without a number.
    #[serde(default)]
    pub(super) free: Vec<String>,
    /// Properties in SystemVerilog, in the file of the same name.
    #[serde(default)]
    pub(super) property: Vec<Property>,
    /// What outputs may depend on.
    #[serde(default)]
    pub(super) cone: Vec<Cone>,
}

/// Who answers the questions.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Solver {
    /// Bit vectors and arrays by rewriting and SAT; the quickest for nearly everything here.
    #[default]
    Boolector,
    Z3,
}

impl Solver {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Boolector => "boolector",
            Self::Z3 => "z3",
        }
    }
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
    for entry in fs::read_dir(folder).map_err(Failure::while_doing(folder.display()))? {
        let path = entry.map_err(Failure::while_doing(folder.display()))?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(Failure::while_doing(path.display()))?;
        let mut block: Block = toml::from_str(&text).map_err(Failure::while_doing(path.display()))?;
        block.plan = name;
        check(&block).map_err(Failure::while_doing(path.display()))?;
        blocks.extend(each_text(&block));
    }
    blocks.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(unknown) = wanted.iter().find(|name| !blocks.iter().any(|block| is_called(block, name))) {
        let known: Vec<&str> = blocks.iter().map(|block| block.name.as_str()).collect();
        return Err(Failure::new(format!("no block called `{unknown}`; there are {}", known.join(", "))));
    }
    blocks.retain(|block| wanted.is_empty() || wanted.iter().any(|name| is_called(block, name)));
    Ok(blocks)
}

/// One block for each of the texts.
fn each_text(block: &Block) -> impl Iterator<Item = Block> + '_ {
    block.emit.iter().map(|emit| {
        let last = emit.rsplit('.').next().unwrap_or(emit);
        let name = if block.emit.len() == 1 { block.plan.clone() } else { format!("{}.{last}", block.plan) };
        Block { name, emit: vec![emit.clone()], ..block.clone() }
    })
}

fn is_called(block: &Block, name: &str) -> bool {
    block.name == name || block.plan == name
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
        assert_eq!(block.solver.name(), "boolector");
    }

    #[test]
    fn a_plan_may_be_for_several_texts() {
        let mut block = block(&[("order", "prove"), ("full", "cover")]).expect("a good plan");
        block.plan = "queue".to_owned();
        block.emit.push("card.capture.jobs".to_owned());
        let names: Vec<String> = each_text(&block).map(|block| block.name).collect();
        assert_eq!(names, ["queue.fifo", "queue.jobs"]);
        assert!(each_text(&block).all(|each| is_called(&each, "queue") && each.emit.len() == 1));
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
