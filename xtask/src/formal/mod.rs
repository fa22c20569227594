//! `cargo xtask formal`: properties of blocks, proved, and shown to be able to fail.
//!
//! Everything that is said about a block stands in a folder of `hdl/formal`: `NAME.toml` lists the properties with the change that each has to
//! notice, `NAME.sv` holds them in SystemVerilog, compiled into the block's own module. A property counts only if it holds, and if the
//! same property does not hold for the broken copy.

mod dry;
mod job;
mod plan;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::failure::Failure;
use crate::run::{shown, spinner};
use crate::tools::{self, Yosys, emitter};
use crate::workspace;
use job::{Outcome, Question};
use plan::{Block, Mode};

/// Options of `formal`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these blocks, plans or folders of plans [default: all]
    blocks: Vec<String>,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
    /// Runs at a time [default: one a processor]
    #[arg(long, short, value_name = "N")]
    jobs: Option<usize>,
    /// Ask no solver; only find out whether properties and broken copies still fit the text of the gateware
    #[arg(long, conflicts_with_all = ["json", "jobs"])]
    dry_run: bool,
}

#[derive(Serialize)]
struct Report {
    proofs: Vec<Proof>,
}

/// A row of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Proof {
    block: String,
    property: String,
    mode: Mode,
    status: Status,
    broken_copy_fails: bool,
    #[serde(skip)]
    notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pass,
    Fail,
    Unknown,
}

impl Proof {
    fn is_good(&self) -> bool {
        self.status == Status::Pass && self.broken_copy_fails
    }
}

/// One run of a tool: over the block itself, or over the copy that is broken for one property.
#[derive(Clone, Copy)]
struct Run<'a> {
    block: &'a Block,
    emitted: &'a str,
    properties: &'a str,
    what: What<'a>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    All(Question),
    Broken(&'a plan::Property),
    Cone(&'a plan::Cone),
    BrokenCone(&'a plan::Cone),
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = workspace::root().join("hdl/formal");
    let blocks = plan::read(&folder, &arguments.blocks)?;
    let emitted = emit(&blocks)?;
    let mut texts = Vec::new();
    for (block, emitted) in blocks.iter().zip(emitted) {
        let mut properties = String::new();
        for file in block.harness_files().iter().filter(|_| !block.property.is_empty()) {
            let path = folder.join(file);
            properties.push_str(&std::fs::read_to_string(&path).map_err(Failure::while_doing(path.display()))?);
        }
        texts.push((emitted, properties));
    }
    let mut runs = Vec::new();
    for (block, (emitted, properties)) in blocks.iter().zip(&texts) {
        let run = |what| Run { block, emitted, properties, what };
        if !block.property.is_empty() {
            runs.extend([run(What::All(Question::Prove)), run(What::All(Question::Reach))]);
        }
        runs.extend(block.property.iter().map(|property| run(What::Broken(property))));
        runs.extend(block.cone.iter().flat_map(|cone| [run(What::Cone(cone)), run(What::BrokenCone(cone))]));
    }
    if arguments.dry_run {
        return dry::run(&runs);
    }
    let tools = tools::prepare_yosys()?;
    let (outcomes, times): (Vec<_>, Vec<_>) =
        in_parallel(&runs, arguments.jobs.unwrap_or_else(processors), &tools).into_iter().unzip();
    let proofs = judge(&runs, &outcomes);
    let good = proofs.iter().all(Proof::is_good);
    if arguments.json {
        let text = serde_json::to_string(&Report { proofs }).map_err(Failure::while_doing("the report"))?;
        println!("{text}");
    } else {
        print!("{}", table(&blocks, &proofs, &seconds(&runs, &times)));
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The texts of the blocks, as `emit proofs` writes them.
fn emit(blocks: &[Block]) -> Result<Vec<String>, Failure> {
    let folder = workspace::target().join("formal/text");
    std::fs::create_dir_all(&folder).map_err(Failure::while_doing(folder.display()))?;
    let mut names: Vec<&str> = blocks.iter().flat_map(|block| &block.emit).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let mut command = emitter::command()?;
    command.arg("proofs").arg(&folder).args(&names);
    let status = command.status().map_err(Failure::while_doing(shown(&command)))?;
    if !status.success() {
        return Err(Failure::new(format!("{}: failed", shown(&command))));
    }
    let text = |block: &Block| {
        let path = folder.join(format!("{}.sv", block.emit.concat()));
        std::fs::read_to_string(&path).map_err(Failure::while_doing(path.display()))
    };
    blocks.iter().map(text).collect()
}

/// What a run gave, and how long it took.
type Timed = (Result<Outcome, Failure>, Duration);

/// Does all runs, some at a time, and returns their outcomes in their order.
fn in_parallel(runs: &[Run<'_>], jobs: usize, tools: &Yosys) -> Vec<Timed> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let bar = spinner("proofs");
    let mut outcomes: Vec<Option<Timed>> = runs.iter().map(|_| None).collect();
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, runs.len().max(1)) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(run) = runs.get(index) else { return };
                    let start = Instant::now();
                    let outcome = run.go(tools);
                    if sender.send((index, (outcome, start.elapsed()))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (done, (index, outcome)) in receiver.into_iter().enumerate() {
            bar.set_message(format!("{} of {}, last {}", done + 1, runs.len(), runs[index].name()));
            outcomes[index] = Some(outcome);
        }
    });
    bar.finish_and_clear();
    let missing = || (Err(Failure::new("the run gave no outcome")), Duration::ZERO);
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect()
}

impl Run<'_> {
    /// Name of the run's folder below the block's.
    fn name(&self) -> String {
        let own = match self.what {
            What::All(Question::Reach) => "cover".to_owned(),
            What::All(_) => "prove".to_owned(),
            What::Broken(property) => format!("broken_{}", property.name),
            What::Cone(cone) => cone.name.clone(),
            What::BrokenCone(cone) => format!("broken_{}", cone.name),
        };
        format!("{}/{own}", self.block.name)
    }

    fn folder(&self) -> PathBuf {
        workspace::target().join("formal").join(self.name())
    }

    /// What the tool is given.
    fn text(&self) -> Result<String, Failure> {
        let text = match self.what {
            What::Cone(_) => Ok(text::plain(self.emitted).to_owned()),
            What::BrokenCone(cone) => text::broken(text::plain(self.emitted), &cone.broken),
            What::All(_) => self.with_properties(),
            What::Broken(property) => self.with_properties().and_then(|text| text::broken(&text, &property.broken)),
        };
        text.map_err(|problem| Failure::new(format!("{}: {problem}", self.name())))
    }

    fn with_properties(&self) -> Result<String, String> {
        let whole = text::with_properties(self.emitted, self.properties)?;
        text::start_anyhow(&text::cut_free(&whole, &self.block.free)?, &self.block.any_start)
    }

    fn go(&self, tools: &Yosys) -> Result<Outcome, Failure> {
        let (folder, text) = (self.folder(), self.text()?);
        let properties = |question, only| job::properties(tools, &folder, self.block, &text, question, only);
        match self.what {
            What::Cone(cone) | What::BrokenCone(cone) => job::cone(tools, &folder, &text, cone),
            What::All(question) => properties(question, None),
            What::Broken(property) => properties(Question::of_broken(property.mode), Some(property.name.as_str())),
        }
    }
}

/// Turns outcomes into rows: one for each property.
fn judge(runs: &[Run<'_>], outcomes: &[Result<Outcome, Failure>]) -> Vec<Proof> {
    let mut proofs = Vec::new();
    for (run, outcome) in runs.iter().zip(outcomes) {
        let (name, mode) = match run.what {
            What::Broken(property) => (&property.name, property.mode),
            What::BrokenCone(cone) => (&cone.name, Mode::Prove),
            What::All(_) | What::Cone(_) => continue,
        };
        let of_whole = runs.iter().zip(outcomes).find(|(other, _)| match other.what {
            What::All(question) => {
                other.block.name == run.block.name && (question == Question::Reach) == (mode == Mode::Cover)
            }
            What::Cone(cone) => other.block.name == run.block.name && cone.name == *name,
            _ => false,
        });
        let mut notes = Vec::new();
        let status = match of_whole {
            Some((whole, outcome)) => status(name, whole, outcome, &mut notes),
            None => Status::Unknown,
        };
        let broken_copy_fails = match outcome {
            Ok(Outcome::Fail(_)) => true,
            Ok(_) => {
                notes.push(format!("the broken copy is not noticed: see {}", run.folder().display()));
                false
            }
            Err(failure) => {
                notes.push(failure.to_string());
                false
            }
        };
        let (block, property) = (run.block.name.clone(), name.clone());
        proofs.push(Proof { block, property, mode, status, broken_copy_fails, notes });
    }
    proofs
}

/// What the run over the whole block says about one property. The properties of a block are proved together, each
/// with the help of the others, so none is proved unless all are.
fn status(name: &str, run: &Run<'_>, outcome: &Result<Outcome, Failure>, notes: &mut Vec<String>) -> Status {
    let is_own = |label: &&String| {
        label.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("__"))
            || matches!(run.what, What::Cone(_))
    };
    let (labels, of_own, of_others) = match outcome {
        Ok(Outcome::Pass) => return Status::Pass,
        Ok(Outcome::Fail(labels)) => {
            // Covers stand alone: one that is not reached says nothing against the others.
            let others = if matches!(run.what, What::All(Question::Reach)) { Status::Pass } else { Status::Unknown };
            (labels, Status::Fail, others)
        }
        Ok(Outcome::Unknown(labels)) => (labels, Status::Unknown, Status::Unknown),
        Err(failure) => {
            notes.push(failure.to_string());
            return Status::Unknown;
        }
    };
    let own: Vec<&str> = labels.iter().filter(is_own).map(String::as_str).collect();
    let status = if own.is_empty() { of_others } else { of_own };
    if status != Status::Pass {
        let labels = if own.is_empty() { labels.iter().map(String::as_str).collect() } else { own };
        notes.push(format!("{} in {}", labels.join(", "), run.folder().display()));
    }
    status
}

/// How long the runs of each block took, all together.
fn seconds<'a>(runs: &[Run<'a>], times: &[Duration]) -> BTreeMap<&'a str, u64> {
    let mut sums: BTreeMap<&str, Duration> = BTreeMap::new();
    for (run, time) in runs.iter().zip(times) {
        *sums.entry(run.block.name.as_str()).or_default() += *time;
    }
    sums.into_iter().map(|(name, time)| (name, time.as_secs())).collect()
}

fn table(blocks: &[Block], proofs: &[Proof], seconds: &BTreeMap<&str, u64>) -> String {
    let says = |proof: &Proof| {
        let block = blocks.iter().find(|block| block.name == proof.block)?;
        let property = block.property.iter().find(|property| property.name == proof.property);
        let cone = block.cone.iter().find(|cone| cone.name == proof.property);
        property
            .map(|property| (&property.says, &property.broken.says))
            .or(cone.map(|cone| (&cone.says, &cone.broken.says)))
    };
    let mut out = String::new();
    let mut block = "";
    for proof in proofs {
        if proof.block != block {
            block = &proof.block;
            out.push_str(&format!("{block} ({} s)\n", seconds.get(block).copied().unwrap_or_default()));
        }
        let verdict = match (proof.status, proof.mode) {
            (Status::Pass, Mode::Prove) => "proved",
            (Status::Pass, Mode::Cover) => "reached",
            (Status::Fail, Mode::Prove) => "VIOLATED",
            (Status::Fail, Mode::Cover) => "NOT REACHED",
            (Status::Unknown, _) => "UNKNOWN",
        };
        let broken = if proof.broken_copy_fails { "noticed" } else { "NOT NOTICED" };
        let (says, breaks) = says(proof).map_or(("", ""), |(says, breaks)| (says.as_str(), breaks.as_str()));
        out.push_str(&format!("  {:<28} {verdict:<12} {says}\n", proof.property));
        out.push_str(&format!("  {:<28} {broken:<12} when broken: {breaks}\n", ""));
        for note in &proof.notes {
            out.push_str(&format!("      {note}\n"));
        }
    }
    let good = proofs.iter().filter(|proof| proof.is_good()).count();
    let total: u64 = seconds.values().sum();
    out.push_str(&format!(
        "{good} of {} properties hold and would notice a broken block ({total} s of runs)\n",
        proofs.len()
    ));
    out
}

#[cfg(test)]
mod tests;
