//! `cargo xtask synth`: how large the card is, and how deep its logic.
//!
//! `hdl/synth` holds the last report that somebody looked at. A block that has grown by more than five percent since, a block that is not in it, and
//! a figure that is over the budget by more than the report admits fail the command; `--update` makes the new sizes the report. A test of `writ-hdl`
//! fails when the report is not of the text that the gateware has now.
//!
//! Yosys maps every block by itself (`emit blocks` says what a block is), equal blocks once. The sum over all instances is the card's
//! size. Depth is measured over the boundaries of blocks. Blocks whose text is as it was are not mapped again.
//!
//! # Limits
//! No place and route: nothing here says that the card meets its clock. Yosys packs nothing, so two small LUTs in one site count as
//! two, and it does not optimise across blocks: vendors' tools should come out smaller.

mod cells;
mod levels;
mod netlist;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::failure::Failure;
use crate::run::{shown, spinner};
use crate::tools::{self, Yosys, emitter};
use crate::workspace;
use netlist::{Cost, Netlist};
use report::{BlockSize, Report, Size};

/// Options of `synth`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to map to
    #[arg(value_enum)]
    target: Target,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
    /// Make the outcome the committed report
    #[arg(long)]
    update: bool,
    /// Show the longest path into each block that has at least this many LUT levels
    #[arg(long, value_name = "LEVELS")]
    paths: Option<u32>,
    /// Blocks at a time [default: one a processor]
    #[arg(long, short, value_name = "N")]
    jobs: Option<usize>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Target {
    /// AMD UltraScale+
    Xcup,
}

/// A block as `emit blocks` lists it.
struct Block {
    name: String,
    instances: u64,
    blake3: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Target::Xcup = arguments.target;
    let tools = tools::prepare_yosys()?;
    let folder = workspace::target().join("synth/xcup");
    fs::create_dir_all(folder.join("text")).map_err(Failure::while_doing(folder.display()))?;
    let blocks = blocks(&folder.join("text"))?;
    map_all(&blocks, &folder, arguments.jobs.unwrap_or_else(processors), &tools)?;
    let mut netlists = Vec::new();
    for block in &blocks {
        let path = mapped(&folder, block);
        let text = fs::read(&path).map_err(Failure::while_doing(path.display()))?;
        let is_block = |name: &str| blocks.iter().any(|block| block.name == name);
        netlists.push(Netlist::parse(&text, &block.name, &is_block).map_err(Failure::while_doing(path.display()))?);
    }
    let top = blocks.last().ok_or_else(|| Failure::new("the card has no blocks"))?;
    let longest = levels::longest(&netlists, &top.name).map_err(Failure::new)?;
    let depth = |name: &str| longest.get(name).map_or(0, |longest| longest.levels);
    let report = report_of(&blocks, &netlists, &depth);
    for (name, longest) in
        longest.iter().filter(|(_, longest)| arguments.paths.is_some_and(|least| longest.levels >= least))
    {
        eprintln!("{name}: {} levels", longest.levels);
        longest.path.iter().for_each(|(levels, signal)| eprintln!("  {levels:>3}  {signal}"));
    }
    finish(&report, arguments)
}

fn report_of(blocks: &[Block], netlists: &[Netlist], depth: &dyn Fn(&str) -> u32) -> Report {
    let size = |cost: Cost, lut_levels| Size {
        lut: cost.luts,
        ff: cost.flip_flops,
        ramb36: cost.block_ram_halves as f64 / 2.0,
        uram: cost.ultra_rams,
        lut_levels,
    };
    let mut total = Cost::default();
    let mut sizes = Vec::new();
    for (block, netlist) in blocks.iter().zip(netlists) {
        let (name, instances, cost) = (block.name.clone(), block.instances, netlist.cost());
        total.add(cost, instances);
        sizes.push(BlockSize { size: size(cost, depth(&name)), name, instances, blake3: block.blake3.clone() });
    }
    let deepest = sizes.iter().map(|block| block.size.lut_levels).max().unwrap_or_default();
    Report::new("xcup", tool(), size(total, deepest), sizes)
}

/// Prints the report, compares it and, if asked to, commits it.
fn finish(report: &Report, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = workspace::root().join("hdl/synth/xcup.json");
    let committed: Option<Report> = match fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).map_err(Failure::while_doing(path.display()))?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::while_doing(path.display())(error)),
    };
    if arguments.json {
        println!("{}", serde_json::to_string(report).map_err(Failure::while_doing("the report"))?);
    } else {
        print!("{}", report.table());
        println!("{}: these are counts and depths of mapped logic, not a clock that was met", report.note);
    }
    let findings = report.findings(committed.as_ref());
    for finding in &findings {
        eprintln!("changed: {finding}");
    }
    if arguments.update {
        let text = serde_json::to_string_pretty(report).map_err(Failure::while_doing("the report"))? + "\n";
        fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(Failure::while_doing(path.display()))?;
        for (path, text) in [(&path, text), (&path.with_extension("md"), report.page())] {
            fs::write(path, text).map_err(Failure::while_doing(path.display()))?;
            eprintln!("written: {}", path.display());
        }
    } else if !findings.is_empty() {
        eprintln!("more than the committed report allows; `--update` commits the new sizes: {}", path.display());
    }
    let over = report.over_budget(committed.as_ref());
    for (text, admitted) in &over {
        eprintln!("over budget{}: {text}", if *admitted { ", as the committed report admits" } else { "" });
    }
    let good = arguments.update || (findings.is_empty() && over.iter().all(|(_, admitted)| *admitted));
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Lets the emitter write the blocks' texts.
fn blocks(folder: &Path) -> Result<Vec<Block>, Failure> {
    let mut command = emitter::command()?;
    command.arg("blocks").arg(folder);
    let output = command.output().map_err(Failure::while_doing(shown(&command)))?;
    if !output.status.success() {
        return Err(Failure::new(format!("{}: failed", shown(&command))));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let block = |line: &str| {
        let mut words = line.split('\t').map(str::to_owned);
        let (name, instances, blake3) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
        Some(Block { name, instances, blake3 })
    };
    let blocks: Option<Vec<Block>> = text.lines().map(block).collect();
    blocks.filter(|blocks| !blocks.is_empty()).ok_or_else(|| Failure::new(format!("{}: {text}", shown(&command))))
}

/// Where a block's mapped netlist is, under the name of all that it depends on.
fn mapped(folder: &Path, block: &Block) -> PathBuf {
    let tool: String = tool().chars().filter(char::is_ascii_alphanumeric).collect();
    folder.join("mapped").join(&tool).join(format!("{}.json", block.blake3))
}

/// Maps the blocks that are not mapped yet, some at a time.
fn map_all(blocks: &[Block], folder: &Path, jobs: usize, tools: &Yosys) -> Result<(), Failure> {
    let missing: Vec<&Block> = blocks.iter().filter(|block| !mapped(folder, block).exists()).collect();
    let next = AtomicUsize::new(0);
    let bar = spinner("synthesis");
    let failures: Vec<Failure> = thread::scope(|scope| {
        let work = || -> Result<(), Failure> {
            while let Some(block) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                bar.set_message(format!("{} of {} blocks left, {}", missing.len(), blocks.len(), block.name));
                map(block, folder, tools)?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..jobs.clamp(1, missing.len().max(1))).map(|_| scope.spawn(work)).collect();
        let outcomes = workers.into_iter().map(|worker| worker.join());
        outcomes.filter_map(|outcome| outcome.unwrap_or_else(|_| Err(Failure::new("a worker died"))).err()).collect()
    });
    bar.finish_and_clear();
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// How a block is mapped. `-flatten` dissolves the pure logic; black boxes stay. Pads and clock buffers are the card's, not a block's.
const RECIPE: &str = "synth_xilinx -family xcup -flatten -uram -noiopad -noclkbuf";

/// Who measures, and how.
fn tool() -> String {
    format!("{}, {RECIPE}", tools::SYNTHESIS)
}

/// Runs one pass after the other, as the program `yosys` would.
const DRIVER: &str = "import sys\nfrom pyosys import libyosys\ndesign = libyosys.Design()\n\
                      for line in open(sys.argv[1]):\n    libyosys.run_pass(line.strip(), design)\n";

fn map(block: &Block, folder: &Path, tools: &Yosys) -> Result<(), Failure> {
    let target = mapped(folder, block);
    let beside = target.with_extension("new");
    fs::create_dir_all(target.parent().unwrap_or(folder)).map_err(Failure::while_doing(target.display()))?;
    let script = folder.join("text").join(format!("{}.ys", block.name));
    let name = &block.name;
    let text = format!(
        "read_verilog -sv -DSYNTHESIS {name}.sv\n\
         {RECIPE} -top {name}\n\
         attrmap -remove src -remove hdlname -remove keep\n\
         select {name}\n\
         write_json -selected {}\n",
        beside.display()
    );
    fs::write(&script, text).map_err(Failure::while_doing(script.display()))?;
    let log_path = folder.join("text").join(format!("{name}.log"));
    let log = fs::File::create(&log_path).map_err(Failure::while_doing(log_path.display()))?;
    let mut command = tools.command("python");
    command.args(["-c", DRIVER]).arg(&script).current_dir(folder.join("text")).stdin(Stdio::null());
    command.stdout(log.try_clone().map_err(Failure::while_doing(log_path.display()))?).stderr(log);
    let status = command.status().map_err(Failure::while_doing(&block.name))?;
    if !status.success() || !beside.exists() {
        return Err(Failure::new(format!("{}: Yosys failed, see {}", block.name, log_path.display())));
    }
    fs::rename(&beside, &target).map_err(Failure::while_doing(target.display()))
}
