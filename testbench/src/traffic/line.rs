//! When a MAC hands over the frames of a loaded 100GbE port, in clocks of the data path.
//!
//! The line is never idle for longer than the smallest gap, and its rate is kept exactly: a byte takes 33 of 1280 parts of a clock of
//! 322.265625 MHz, and no part is ever rounded away. A frame is handed over in one piece, one beat a clock, so that its last beat comes
//! as soon as its last byte has come off the line. That is later than a MAC may begin, but denser than a MAC can do for long: what comes in one piece
//! is what a FIFO behind it has to stand.
//!
//! From time to time the MAC stands still, as it does for alignment markers, and then hands over without a gap what has gathered. It does
//! so far more often, and for longer, than a real one, so that short runs meet it many times.

/// Parts of a clock.
const CLOCK_PARTS: u128 = 1280;
/// Parts that a byte of the line takes: 8 bits at 100 Gb/s are 0.08 ns, a clock is 512/165 ns.
const BYTE_PARTS: u128 = 33;
/// Preamble and start of frame.
const PREAMBLE_BYTES: u128 = 8;
/// The smallest gap between two frames.
const GAP_BYTES: u128 = 12;
/// Bytes of a beat.
const BEAT_BYTES: usize = 64;
/// Every so many clocks the MAC stands still. Alignment markers come every 67,584.
pub const STILL_EVERY_CLOCKS: u64 = 1024;
/// For so many clocks. Alignment markers take less than five.
pub const STILL_CLOCKS: u64 = 8;

/// Bytes of the line that a frame takes apart from itself.
pub const OVERHEAD_BYTES: u64 = (PREAMBLE_BYTES + GAP_BYTES) as u64;

/// One port's frames, back to back on the line.
#[derive(Debug, Clone)]
pub struct Line {
    first_clock: u64,
    /// Start of the next frame's preamble, in parts of a clock since `first_clock`.
    next_parts: u128,
    /// First clock, since `first_clock`, in which a beat of the next frame can come.
    free_clock: u64,
}

impl Line {
    /// A line whose first preamble begins at `first_clock`, `offset_bytes` later.
    pub fn new(first_clock: u64, offset_bytes: u64) -> Self {
        Self { first_clock, next_parts: u128::from(offset_bytes) * BYTE_PARTS, free_clock: 0 }
    }

    /// Puts the next frame on the line and says in which clock its first beat comes. `wire_bytes`: with FCS, at least 1.
    pub fn place(&mut self, wire_bytes: usize) -> u64 {
        let beats = beats(wire_bytes);
        let complete = self.next_parts + (PREAMBLE_BYTES + wire_bytes as u128) * BYTE_PARTS;
        self.next_parts = complete + GAP_BYTES * BYTE_PARTS;
        // Simulations are shorter than 2^64 clocks.
        let last = complete.div_ceil(CLOCK_PARTS) as u64;
        let start = awake((last + 1).saturating_sub(beats).max(self.free_clock));
        self.free_clock = start + beats;
        self.first_clock + start
    }

    /// Clocks, since the first, up to which the line is taken; rounded down.
    pub fn clocks(&self) -> u64 {
        (self.next_parts / CLOCK_PARTS) as u64
    }
}

/// Beats of a frame. `wire_bytes`: with FCS.
pub fn beats(wire_bytes: usize) -> u64 {
    wire_bytes.div_ceil(BEAT_BYTES) as u64
}

/// Frames a clock of one loaded port, if all have this size.
pub fn frames_per_clock(wire_bytes: usize) -> f64 {
    CLOCK_PARTS as f64 / (BYTE_PARTS as f64 * (wire_bytes as u64 + OVERHEAD_BYTES) as f64)
}

/// The first clock from `clock` on in which the MAC does not stand still.
fn awake(clock: u64) -> u64 {
    let into = clock % STILL_EVERY_CLOCKS;
    if into < STILL_CLOCKS { clock + STILL_CLOCKS - into } else { clock }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(wire_bytes: usize, count: usize) -> Vec<u64> {
        let mut line = Line::new(0, 0);
        (0..count).map(|_| line.place(wire_bytes)).collect()
    }

    #[test]
    fn the_rate_is_the_line_s_to_the_last_part() {
        // 40 frames of 64 bytes take 40 * 84 * 33 / 1280 = 86.625 clocks; 1280 * 40 of them a whole number.
        let mut line = Line::new(0, 0);
        for _ in 0..51_200 {
            line.place(64);
        }
        assert_eq!(line.clocks(), 110_880);
        let all = starts(64, 51_200);
        assert!(all[51_199].abs_diff(110_880) <= STILL_CLOCKS + 3, "{}", all[51_199]);
        let rate = 322.265_625 * frames_per_clock(64);
        assert!((rate - 148.809_5).abs() < 1e-3, "{rate} Mpps");
        let rate = 322.265_625 * frames_per_clock(65) * 2.0;
        assert!((rate - 294.1).abs() < 0.1, "{rate} M beats/s");
    }

    #[test]
    fn a_beat_never_comes_before_its_bytes_and_never_meets_another() {
        for wire_bytes in [22, 63, 64, 65, 69, 128, 129, 1522, 9604] {
            let mut end = 0;
            for (number, start) in (0_u128..).zip(starts(wire_bytes, 3000)) {
                assert!(start >= end, "{wire_bytes}");
                end = start + beats(wire_bytes);
                let period = (wire_bytes as u128 + 20) * BYTE_PARTS;
                let complete = number * period + (8 + wire_bytes as u128) * BYTE_PARTS;
                assert!(u128::from(end - 1) * CLOCK_PARTS >= complete, "{wire_bytes}: frame {number}");
                let behind = u128::from(end - 1) * CLOCK_PARTS - complete;
                assert!(behind < u128::from(STILL_CLOCKS + 250) * CLOCK_PARTS, "{wire_bytes}: frame {number} is late");
            }
        }
    }

    #[test]
    fn behind_a_standstill_frames_come_without_a_gap() {
        let all = starts(64, 1000);
        assert!(all.iter().all(|start| start % STILL_EVERY_CLOCKS >= STILL_CLOCKS));
        let burst = all.windows(4).filter(|four| four[3] - four[0] == 3).count();
        assert!(burst >= 2, "{burst} times four frames in four clocks");
        assert!(!starts(9604, 3).is_empty());
    }
}
