//! One case: rings filled and emptied, round by round.

use std::fmt;
use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};
use writ_abi::MatchIndex;
use writ_driver::{Event, Flow, PayloadCheck};

use crate::card::{Encoder, Rig};

/// Records of one poll, as many as `writd` takes.
const RECORDS_PER_POLL: u32 = 1024;
/// A block of the arena that records are encoded into.
const BLOCK_BYTES: usize = 256 << 10;

/// What is measured together.
pub(crate) struct Case {
    pub(crate) frame_bytes: u32,
    pub(crate) ring_lines: u32,
    pub(crate) rounds: u32,
}

/// Medians of a ring's consumer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rates {
    pub(crate) records_per_s: f64,
    /// Headers and padding included.
    pub(crate) bytes_per_s: f64,
}

/// What was found.
pub(crate) struct Found {
    /// With the payload's CRC checked or not.
    pub(crate) consumer: [(bool, Rates); 2],
    /// Bytes of the destination, and the rate: into a block that is used again and again, and into as many bytes as there are.
    pub(crate) memcpy: [(usize, f64); 2],
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, ring of {} MiB", self.frame_bytes, self.ring_lines >> 14)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (payload_crc, rates) in self.consumer {
            let with = if payload_crc { "with" } else { "without" };
            write!(
                f,
                "{:.1} M records/s, {:.2} GB/s {with} CRC; ",
                rates.records_per_s / 1e6,
                rates.bytes_per_s / 1e9
            )?;
        }
        write!(
            f,
            "memcpy {:.2} GB/s into a block, {:.2} GB/s into a ring",
            self.memcpy[0].1 / 1e9,
            self.memcpy[1].1 / 1e9
        )
    }
}

impl Case {
    pub(crate) fn measure(&self) -> Result<Found, String> {
        Ok(Found {
            consumer: [(true, self.consumer(PayloadCheck::Crc)?), (false, self.consumer(PayloadCheck::Off)?)],
            memcpy: [(BLOCK_BYTES, self.memcpy(BLOCK_BYTES)?), (self.ring_bytes(), self.memcpy(self.ring_bytes())?)],
        })
    }

    fn ring_bytes(&self) -> usize {
        self.ring_lines as usize * 64
    }

    fn consumer(&self, check: PayloadCheck) -> Result<Rates, String> {
        let (mut rig, mut encoder) = (Rig::new(self.ring_lines)?, encoder(self.frame_bytes)?);
        rig.ring.set_payload_check(check);
        let mut rounds = Vec::new();
        // The first round finds cold code and is not counted.
        for round in 0..=self.rounds {
            let filled = rig.fill(&mut encoder)?;
            let start = processor_s();
            let (records, lines) = drain(&mut rig)?;
            let took_s = processor_s() - start;
            if records != filled {
                return Err(format!("{self}: {records} records came out of {filled}"));
            }
            if round > 0 {
                rounds
                    .push(Rates { records_per_s: records as f64 / took_s, bytes_per_s: lines as f64 * 64.0 / took_s });
            }
        }
        rounds.sort_by(|one, other| one.records_per_s.total_cmp(&other.records_per_s));
        Ok(rounds[rounds.len() / 2])
    }

    fn memcpy(&self, into_bytes: usize) -> Result<f64, String> {
        let mut encoder = encoder(self.frame_bytes)?;
        let (mut ring, mut into) = (vec![0; self.ring_bytes()], vec![1_u8; into_bytes]);
        let mut rounds = Vec::new();
        for _ in 0..=self.rounds {
            encoder.fill(self.ring_lines, 0, |line, bytes| {
                ring[line as usize * 64..][..bytes.len()].copy_from_slice(bytes);
            });
            let start = processor_s();
            for chunk in ring.chunks(into_bytes) {
                into[..chunk.len()].copy_from_slice(chunk);
                black_box(&mut into);
            }
            rounds.push(ring.len() as f64 / (processor_s() - start));
        }
        rounds.sort_by(f64::total_cmp);
        Ok(rounds[rounds.len() / 2])
    }
}

/// Records of a frame that any row selected.
fn encoder(frame_bytes: u32) -> Result<Encoder, String> {
    Encoder::new(frame_bytes, MatchIndex::new(3).ok_or("no match index 3")?)
}

/// Empties the ring. Returns the records and the lines that were in it.
fn drain(rig: &mut Rig) -> Result<(u64, u64), String> {
    let (mut records, mut lines, mut bytes) = (0, 0, 0);
    loop {
        let progress = rig.ring.poll(RECORDS_PER_POLL, |event| {
            match event {
                Event::Packet(packet) => bytes += packet.payload.len(),
                Event::Gap(_) | Event::Lost { .. } => bytes = usize::MAX / 2,
            }
            Flow::Taken
        });
        let progress = progress.map_err(|error| error.to_string())?;
        if progress.lines == 0 {
            black_box(bytes);
            return if rig.ring.statistics().lost == 0 {
                Ok((records, lines))
            } else {
                Err("records were lost".into())
            };
        }
        (records, lines) = (records + u64::from(progress.records), lines + u64::from(progress.lines));
    }
}

/// What the processor has spent on this thread, on a machine that does other things too.
fn processor_s() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}
