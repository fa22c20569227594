//! The card's clock: nanoseconds of TAI since the PTP epoch (1970-01-01 TAI), and the coarse ticks of row expiry.

/// Nominal core clock: 322.265625 MHz, the user clock of a 100G MAC. One clock is 512/165 ns.
pub const CORE_CLOCK_HZ: f64 = 322_265_625.0;
/// Whole nanoseconds that the clock advances each core clock at reset.
pub const INCREMENT_NS: u32 = 3;
/// Fraction of a nanosecond, in 2^-32 ns, that the clock advances each core clock at reset: 17/165 ns, rounded.
pub const INCREMENT_FRACTION: u32 = ((17_u64 << 32) / 165) as u32;

/// How far a stamp is off the card's time at the frame's first beat, at most: half a clock of the wire and rounding, and in the rare case of
/// a metastable sample one clock of the wire more.
pub const STAMP_ERROR_NS_MAX: u64 = 6;

/// A row's `not_after` counts ticks of 2^20 ns (1.048576 ms).
pub const NOT_AFTER_SHIFT: u32 = 20;
/// Bits of `not_after`: with the shift they cover every stamp of 64 bits, so that no tick ever wraps.
pub const NOT_AFTER_BITS: u32 = 44;
/// A row with this `not_after` never expires by itself.
pub const NOT_AFTER_NEVER: u64 = (1 << NOT_AFTER_BITS) - 1;

/// The tick at which a row for an order that ends at `end_ns` has to be expired: rounded down, because an order must not
/// outlive its end. A row matches a frame stamped `s` if and only if `s >> 20 < not_after`, so nothing stamped
/// in `[not_after << 20, end_ns)` is selected: up to one tick less than ordered, never more.
pub const fn not_after_from_ns(end_ns: u64) -> u64 {
    end_ns >> NOT_AFTER_SHIFT
}

/// How far the stamps can be trusted. Stands in every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TimeQuality {
    /// The clock was never set since reset, or the host tried to set it while the card was armed: nothing is copied.
    Unset = 0,
    /// Set by the host and running freely.
    Free = 1,
    /// Steered to a reference.
    Locked = 2,
}

impl TimeQuality {
    /// The quality for its number on the bus, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Unset),
            1 => Some(Self::Free),
            2 => Some(Self::Locked),
            _ => None,
        }
    }
}
