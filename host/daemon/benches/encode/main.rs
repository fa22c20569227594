//! The way of a packet through the ring thread alone: record checked and read in place, shared out, encoded into the arena. `cargo xtask bench handover` starts
//! it, under Valgrind too, which counts instructions and allocations and is not disturbed by what else the machine does.
//!
//! Takes an interface (hi3, x3, hi2, x2), bytes of the frames without check sequence, and a number of packets. Prints the processor time of the packets
//! in ns, without that of making the records.
#![forbid(unsafe_code)]

#[path = "../../../driver/benches/record_ring/card.rs"]
mod card;
#[path = "../../src/card/hits.rs"]
#[allow(unused_imports, dead_code, reason = "its unit tests are read here and not run")]
mod hits;

use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use writ_abi::MatchIndex;
use writ_abi::command::{Command, Completion, Status};
use writ_driver::{Event, Flow};
use writ_handover::ids::{
    Cin, CountryCode, Liid, NetworkElementId, NetworkFunctionId, OperatorId, PointOfInterceptionId, Xid,
};
use writ_mediation::{
    arena::{Arena, ArenaConfig, ArenaIdentity, BLOCK_BYTES},
    datapath::{Encoder, EncoderConfig, OpenTask, Phase, TaskHit},
    leap::LeapTable,
    task::{AccessType, Delivery, OrderKind, Responsible, Scope, TargetIdentifier, TaskSpec},
    units::{DestinationIndex, HostNs, Interface, Sensitive, SessionKey, TaiNs, TaskIndex},
};
use writ_tables::{Change, FanOut, Geometry, Key, Tables, Task};
use zerocopy::FromZeros;

use card::{Rig, STAMP_NS};

/// 4 MiB, as `writd` has them.
const RING_LINES: u32 = 1 << 16;
const ARENA_BLOCKS: usize = 32;
const RECORDS_PER_POLL: u32 = 1024;
const DAY_NS: u64 = 86_400_000_000_000;

fn main() -> ExitCode {
    match run() {
        Ok(spent_ns) => {
            println!("{spent_ns}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

fn run() -> Result<u64, String> {
    // Cargo says `--bench` to every benchmark.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [interface, bytes, packets] = &words[..] else {
        return Err("an interface, bytes and a number of packets are wanted".to_owned());
    };
    let interface = Interface::ALL.into_iter().find(|known| known.name() == interface);
    let interface = interface.ok_or("an interface is hi2, hi3, x2 or x3")?;
    let (fan_out, match_index) = fan_out(interface)?;
    let mut records = card::Encoder::new(bytes.parse().map_err(text)?, match_index)?;
    let (mut rig, mut encoder) = (Rig::new(RING_LINES)?, encoder(interface)?);
    let (packets, mut hits) = (packets.parse::<u64>().map_err(text)?, Vec::with_capacity(64));
    let (mut done, mut spent_ns) = (0, 0);
    while done < packets {
        let filled = rig.fill(&mut records)?;
        let begun = processor_ns();
        let taken = drain(&mut rig, &mut encoder, &fan_out, &mut hits)?;
        spent_ns += processor_ns() - begun;
        if taken != filled {
            return Err(format!("{taken} packets were accepted of {filled}"));
        }
        done += taken;
    }
    // As if it were exactly as many as were asked for.
    Ok(spent_ns * packets / done)
}

type Blocks = Vec<u8>;

/// Empties the ring. Says how many packets became a PDU. Valgrind knows it by its name.
#[inline(never)]
fn drain(
    rig: &mut Rig,
    encoder: &mut Encoder<Blocks>,
    fan_out: &FanOut,
    hits: &mut Vec<TaskHit>,
) -> Result<u64, String> {
    let (mut accepted, ring) = (0, rig.ring.number());
    loop {
        let progress = rig.ring.poll(RECORDS_PER_POLL, |event| {
            let Event::Packet(packet) = event else { return Flow::Taken };
            hits::share_out(&packet, fan_out, hits);
            match encoder.packet(HostNs(0), &hits::packet(ring, &packet), hits) {
                Ok(encoded) => {
                    accepted += u64::from(encoded.accepted);
                    Flow::Taken
                }
                Err(_) => Flow::Later,
            }
        });
        let progress = progress.map_err(text)?;
        // A receiver without end: what is full is free again.
        while let Some(block) = encoder.pop_sealed() {
            encoder.recycle(block.free());
        }
        if progress.records == 0 && !progress.stopped {
            return Ok(accepted);
        }
    }
}

fn scope(interface: Interface) -> (Scope, writ_tables::Scope) {
    match interface {
        Interface::Hi2 | Interface::X2 => (Scope::HeadersL4, writ_tables::Scope::HeadersL4),
        Interface::Hi3 | Interface::X3 => (Scope::Content, writ_tables::Scope::Content),
    }
}

/// One task in the tables, and the number by which the card names it.
fn fan_out(interface: Interface) -> Result<(FanOut, MatchIndex), String> {
    let target = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let task = Task {
        index: writ_tables::TaskIndex(0),
        targets: vec![format!("ipv4={target}").parse().map_err(text)?],
        scope: scope(interface).1,
        start_ns: STAMP_NS - DAY_NS,
        end_ns: STAMP_NS + DAY_NS,
    };
    let mut tables = Tables::new(Geometry::ABI);
    let plan = tables.plan(&[Change::Add(task)]).map_err(text)?;
    tables.begin(plan).map_err(text)?;
    let agree = |command: &Command| {
        let mut completion = Completion::new_zeroed();
        (completion.tag, completion.opcode, completion.status) = (command.tag, command.opcode, Status::Done as u8);
        completion.stamp_ns = (STAMP_NS - DAY_NS).into();
        completion
    };
    let done = tables.execute(|commands| Ok::<_, std::convert::Infallible>(commands.iter().map(agree).collect()));
    done.map_err(text)?;
    let (_, match_index) = tables.find(&Key::address(target)).ok_or("the target is not in the tables")?;
    Ok((tables.fan_out(), match_index))
}

fn encoder(interface: Interface) -> Result<Encoder<Blocks>, String> {
    let blocks = (0..ARENA_BLOCKS).map(|_| vec![0; BLOCK_BYTES]).collect();
    let identity = ArenaIdentity { boot: [1; 16], arena: [2; 16] };
    let (arena, _) = Arena::open(blocks, &ArenaConfig::default(), &identity).map_err(text)?;
    let config = EncoderConfig {
        network_element: Some(NetworkElementId::parse("NE-1").map_err(text)?),
        network_function: Some(NetworkFunctionId::parse("NE-1").map_err(text)?),
        point_of_interception: Some(PointOfInterceptionId::parse("POI-1").map_err(text)?),
        ..EncoderConfig::new(CountryCode::parse("US").map_err(text)?, OperatorId::parse("CARRIER").map_err(text)?)
    };
    let mut encoder = Encoder::new(arena, config, LeapTable::built_in());
    let destination = DestinationIndex(0);
    for interface in Interface::ALL {
        encoder.register_session(SessionKey { destination, interface }, ARENA_BLOCKS);
    }
    let spec = task(interface, destination)?;
    let open = OpenTask { cin: Cin(1), correlation_id: 0, phase: Phase::New };
    encoder.open_task(TaskIndex(0), &spec, &open).map_err(text)?;
    encoder.announce_task(TaskIndex(0), spec.start, HostNs(0)).map_err(text)?;
    Ok(encoder)
}

fn task(interface: Interface, destination: DestinationIndex) -> Result<TaskSpec, String> {
    let word = |word: &str| Sensitive::new(word);
    let address = Ipv4Addr::new(192, 0, 2, 7);
    Ok(TaskSpec {
        xid: Xid([0x40; 16]),
        liid: Liid::parse("BENCH-1").map_err(text)?,
        kind: OrderKind::Title3,
        authority_reference: word("case"),
        officer: word("officer"),
        signer: word("signer"),
        circuit: word("circuit"),
        username: word("user"),
        access_type: AccessType::Fttx,
        targets: vec![TargetIdentifier {
            text: word("ipv4=192.0.2.7"),
            address: Some(IpAddr::V4(address)),
            prefix_bits: None,
            x1_fragments: vec![writ_handover::x2x3::target::ipv4_address(address)],
            selects_frames: false,
        }],
        scope: scope(interface).0,
        delivery: match interface {
            Interface::Hi2 => Delivery::Hi2Only,
            Interface::Hi3 => Delivery::Hi2AndHi3,
            Interface::X2 => Delivery::X2Only,
            Interface::X3 => Delivery::X3Only,
        },
        destinations: vec![destination],
        start: TaiNs(STAMP_NS - DAY_NS),
        end: TaiNs(STAMP_NS + DAY_NS),
        responsible: Responsible { uid: 1, name: word("someone") },
    })
}

/// What the processor has spent on this thread. Read as text, because the call that gives the same number does not work under Valgrind; and without an
/// allocation, because these are counted.
fn processor_ns() -> u64 {
    let mut text = [0; 64];
    let read = File::open("/proc/thread-self/schedstat").and_then(|mut file| file.read(&mut text)).unwrap_or_default();
    let digits = text[..read].iter().take_while(|octet| octet.is_ascii_digit());
    digits.fold(0, |number, octet| number * 10 + u64::from(octet - b'0'))
}
