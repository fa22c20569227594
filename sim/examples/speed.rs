//! How many clocks a second the simulated cards run, by traffic: `cargo run -p writ-sim --features rtl --example speed`.

use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use writ_abi::command::{Command, Row};
use writ_abi::time::{NOT_AFTER_NEVER, TimeQuality};
use writ_abi::{MatchIndex, PortSide, Scope, Table, crc, hash, key};
use writ_driver::memory::{CardMemory, HostMemory};
use writ_driver::{Bar, BringUp, Card, Flow, Irq, Irqs, LookupSettings, Parts, RingMemory, RingSizes, Wake};
use writ_sim::card::{IngressFrame, SimCard};
use writ_sim::model::ModelCard;
use writ_sim::wire::IMIX;

/// Name, mix (bytes without FCS, and their share), and one of how many frames matches (0: none).
type Case = (&'static str, &'static [(u16, u64)], u64);
/// Clocks a case runs.
const CLOCKS: u64 = 400_000;

#[derive(Clone)]
struct Shared(Arc<Mutex<Box<dyn SimCard>>>);

impl Shared {
    fn card(&self) -> MutexGuard<'_, Box<dyn SimCard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bar for Shared {
    fn read32(&self, offset: u32) -> u32 {
        self.card().run(64);
        self.card().read32(offset)
    }

    fn write32(&self, offset: u32, value: u32) {
        self.card().write32(offset, value);
    }
}

impl Irq for Shared {
    fn wait(&mut self, _timeout: Duration) -> Wake {
        self.card().run(256);
        Wake::TimedOut
    }
}

fn main() {
    let cases: [Case; 6] = [
        ("idle wires", &[], 0),
        ("IMIX at line rate on both ports, nothing matches", &IMIX, 0),
        ("IMIX at line rate on both ports, 1 of 10 matches", &IMIX, 10),
        ("IMIX at line rate on both ports, all match", &IMIX, 1),
        ("64-byte frames at line rate on both ports, nothing matches", &[(60, 1)], 0),
        ("1518-byte frames at line rate on both ports, 1 of 10 matches", &[(1514, 1)], 10),
    ];
    let model = |memory: CardMemory| -> Box<dyn SimCard> { Box::new(ModelCard::new(memory)) };
    for (name, mix, of) in cases {
        report("model", name, model, mix, of);
    }
    #[cfg(feature = "rtl")]
    for (name, mix, of) in cases {
        report("rtl", name, |memory| Box::new(writ_sim::rtl::RtlCard::new(memory)), mix, of);
    }
}

fn report(card: &str, name: &str, make: impl Fn(CardMemory) -> Box<dyn SimCard>, mix: &[(u16, u64)], of: u64) {
    let sizes = RingSizes { record_lines: [1 << 16, 256, 256, 256], commands: 64 };
    let memory = HostMemory::new(sizes.memory_bytes()).expect("memory");
    let shared = Shared(Arc::new(Mutex::new(make(memory.card()))));
    let rings = RingMemory::allocate(&memory, &sizes).expect("ring memory");
    let irqs = Irqs::each(|| Box::new(shared.clone()));
    let how = BringUp {
        now_ns: 1 << 60,
        quality: TimeQuality::Free,
        lookup: LookupSettings::default(),
        ready_timeout: Duration::from_secs(60),
    };
    let Parts { card: driver, mut commands, mut rings } =
        Card::bring_up(Arc::new(shared.clone()), rings, irqs, &how).expect("the card comes up");
    commands.execute(&[row()], Duration::from_secs(60)).expect("done");
    driver.arm().expect("armed");

    let mut line = [shared.card().clocks() * 1280; 2];
    let (mut number, mut taken) = (0_u64, 0_u64);
    let (mut arrivals, mut egress) = (Vec::new(), Vec::new());
    let mut running = Duration::ZERO;
    let end = shared.card().clocks() + CLOCKS;
    while shared.card().clocks() < end {
        let now = shared.card().clocks();
        for port in PortSide::ALL {
            while !mix.is_empty() && line[port as usize] < (now + 2048) * 1280 {
                let bytes = frame(mix, number, of);
                let earliest_clock = line[port as usize].div_ceil(1280);
                line[port as usize] += (bytes.len() as u64 + 20) * 33;
                shared.card().push(IngressFrame { number, port, earliest_clock, bytes, damaged: false });
                number += 1;
            }
        }
        let start = Instant::now();
        shared.card().run(1024);
        running += start.elapsed();
        taken += u64::from(rings[0].poll(u32::MAX, |_| Flow::Taken).expect("good records").records);
        shared.card().take_arrivals(&mut arrivals);
        shared.card().take_egress(&mut egress);
        arrivals.clear();
        egress.clear();
    }
    let rate = CLOCKS as f64 / running.as_secs_f64() / 1e3;
    println!("{card:5} {rate:9.0} k clocks/s  {number:7} frames {taken:7} records  {name}");
}

fn row() -> Command {
    let key = key::address_key([192, 0, 2, 1].into());
    let mut content = Row {
        key: [0; key::KEY_BYTES_MAX],
        match_index: MatchIndex::new(1).expect("in range"),
        scope: Scope::Content,
        not_after: NOT_AFTER_NEVER,
        ring: 0,
    };
    content.key[..key.len()].copy_from_slice(&key);
    Command::write_row(0, Table::Address, 0, hash::rows(&key, Table::Address.rows_per_way())[0], &content)
}

fn frame(mix: &[(u16, u64)], number: u64, of: u64) -> Vec<u8> {
    let total: u64 = mix.iter().map(|(_, share)| share).sum();
    let mut place = number * 5 % total;
    let mut length = 60_u16;
    for (bytes, share) in mix {
        if place < *share {
            length = *bytes;
            break;
        }
        place -= share;
    }
    let mut frame = vec![0x5a; length.into()];
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14] = 0x45;
    frame[16..18].copy_from_slice(&(length - 14).to_be_bytes());
    frame[20..22].fill(0);
    frame[23] = 17;
    let target = of > 0 && number.is_multiple_of(of);
    frame[26..30].copy_from_slice(&[192, 0, 2, if target { 1 } else { 9 }]);
    frame.extend(crc::ethernet_fcs(&frame).to_le_bytes());
    frame
}
