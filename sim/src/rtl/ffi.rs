//! What `harness.cpp` offers. Structures have the same fields in the same order there.

/// The harness, opaque here.
#[repr(C)]
pub(super) struct WritRtl {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) number: u64,
    pub(super) clock: u64,
    pub(super) stamp_ns: u64,
    pub(super) port: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Egress {
    pub(super) number: u64,
    pub(super) ingress_clock: u64,
    pub(super) egress_clock: u64,
    pub(super) first_byte: u64,
    pub(super) bytes: u32,
    pub(super) port: u8,
    pub(super) damaged: u8,
    pub(super) padding: [u8; 2],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct TapEvent {
    pub(super) clock: u64,
    pub(super) stamp_ns: u64,
    pub(super) expiry_floor: u64,
    pub(super) kind: u8,
    pub(super) port: u8,
    pub(super) value: u8,
    pub(super) flag: u8,
    pub(super) ring: u8,
    pub(super) committed: u8,
    pub(super) padding: [u8; 2],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) clocks: u64,
    pub(super) now_ns: u64,
    pub(super) queued: u64,
    pub(super) dma_lines: u64,
    pub(super) dma_faults: u64,
    pub(super) interrupts: u64,
    pub(super) latency_min: [u64; 2],
    pub(super) latency_max: [u64; 2],
    pub(super) stamp_error_max: u64,
    pub(super) wire_clocks: [u64; 2],
}

/// Host memory behind a range of bus addresses.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) bus_base: u64,
    pub(super) memory: *mut u8,
    pub(super) bytes: u64,
    pub(super) readable: u64,
    pub(super) writable: u64,
}

const _: () = assert!(size_of::<Window>() == 40);
const _: () = assert!(size_of::<Arrival>() == 32 && size_of::<Egress>() == 40);
const _: () = assert!(size_of::<TapEvent>() == 32 && size_of::<Counts>() == 104);

/// Declares the functions of the harness: as fields of [`Functions`], and as what they are called in `harness.cpp` for each width of wire.
macro_rules! functions {
    ($(fn $field:ident = $wide:ident, $narrow:ident, $pcie:ident($($argument:ident: $kind:ty),* $(,)?) $(-> $answer:ty)?;)*) => {
        /// The harness around one Verilated top.
        pub(super) struct Functions {
            $(pub(super) $field: unsafe extern "C" fn($($argument: $kind),*) $(-> $answer)?,)*
        }

        #[cfg(feature = "rtl")]
        unsafe extern "C" {
            $(fn $wide($($argument: $kind),*) $(-> $answer)?;)*
        }
        #[cfg(feature = "rtl-narrow")]
        unsafe extern "C" {
            $(fn $narrow($($argument: $kind),*) $(-> $answer)?;)*
        }
        #[cfg(feature = "rtl-pcie")]
        unsafe extern "C" {
            $(fn $pcie($($argument: $kind),*) $(-> $answer)?;)*
        }

        /// Wires with beats of 512 bits.
        #[cfg(feature = "rtl")]
        pub(super) static WIDE: Functions = Functions { $($field: $wide),* };
        /// Wires with beats of 64 bits.
        #[cfg(feature = "rtl-narrow")]
        pub(super) static NARROW: Functions = Functions { $($field: $narrow),* };
        /// The card behind TLPs.
        #[cfg(feature = "rtl-pcie")]
        pub(super) static PCIE: Functions = Functions { $($field: $pcie),* };
    };
}

functions! {
    fn new = writ_rtl_new, writ_rtl_narrow_new, writ_rtl_pcie_new(build_hash: *const u8) -> *mut WritRtl;
    fn set_windows = writ_rtl_set_windows, writ_rtl_narrow_set_windows, writ_rtl_pcie_set_windows(
        rtl: *mut WritRtl,
        windows: *const Window,
        count: u64,
    );
    fn delete = writ_rtl_delete, writ_rtl_narrow_delete, writ_rtl_pcie_delete(rtl: *mut WritRtl);
    fn run = writ_rtl_run, writ_rtl_narrow_run, writ_rtl_pcie_run(rtl: *mut WritRtl, clocks: u64);
    fn read = writ_rtl_read, writ_rtl_narrow_read, writ_rtl_pcie_read(rtl: *mut WritRtl, address: u32) -> u32;
    fn write = writ_rtl_write, writ_rtl_narrow_write, writ_rtl_pcie_write(rtl: *mut WritRtl, address: u32, value: u32);
    fn push = writ_rtl_push, writ_rtl_narrow_push, writ_rtl_pcie_push(
        rtl: *mut WritRtl,
        port: u32,
        number: u64,
        earliest_clock: u64,
        bytes: *const u8,
        count: u64,
        damaged: bool,
    );
    fn counts = writ_rtl_counts, writ_rtl_narrow_counts, writ_rtl_pcie_counts(rtl: *const WritRtl, counts: *mut Counts);
    fn arrivals = writ_rtl_arrivals, writ_rtl_narrow_arrivals, writ_rtl_pcie_arrivals(
        rtl: *const WritRtl,
        arrivals: *mut *const Arrival,
    ) -> u64;
    fn egress = writ_rtl_egress, writ_rtl_narrow_egress, writ_rtl_pcie_egress(
        rtl: *const WritRtl,
        egress: *mut *const Egress,
        bytes: *mut *const u8,
        byte_count: *mut u64,
    ) -> u64;
    fn taps = writ_rtl_taps, writ_rtl_narrow_taps, writ_rtl_pcie_taps(rtl: *const WritRtl, taps: *mut *const TapEvent) -> u64;
    fn forget_arrivals = writ_rtl_forget_arrivals, writ_rtl_narrow_forget_arrivals, writ_rtl_pcie_forget_arrivals(rtl: *mut WritRtl);
    fn forget_egress = writ_rtl_forget_egress, writ_rtl_narrow_forget_egress, writ_rtl_pcie_forget_egress(rtl: *mut WritRtl);
    fn forget_taps = writ_rtl_forget_taps, writ_rtl_narrow_forget_taps, writ_rtl_pcie_forget_taps(rtl: *mut WritRtl);
    fn disturb = writ_rtl_disturb, writ_rtl_narrow_disturb, writ_rtl_pcie_disturb(
        rtl: *mut WritRtl,
        seed: u64,
        ingress_of_256: u32,
        dma_of_256: u32,
    );
    fn note_reset = writ_rtl_note_reset, writ_rtl_narrow_note_reset, writ_rtl_pcie_note_reset(rtl: *mut WritRtl);
    fn trace = writ_rtl_trace, writ_rtl_narrow_trace, writ_rtl_pcie_trace(rtl: *mut WritRtl, on: bool);
    fn set_apart = writ_rtl_set_apart, writ_rtl_narrow_set_apart, writ_rtl_pcie_set_apart(
        rtl: *mut WritRtl,
        ppm: *const i64,
        phase_fs: *const u64,
    );
    fn set_pps = writ_rtl_set_pps, writ_rtl_narrow_set_pps, writ_rtl_pcie_set_pps(rtl: *mut WritRtl, high: bool);
}

/// What is called in each clock of the hard block.
#[cfg(feature = "rtl-pcie")]
pub(super) type Bus = unsafe extern "C" fn(context: *mut std::ffi::c_void, pins: *mut crate::pcie::Pins);

#[cfg(feature = "rtl-pcie")]
unsafe extern "C" {
    pub(super) fn writ_rtl_pcie_set_bus(rtl: *mut WritRtl, bus: Bus, context: *mut std::ffi::c_void);
}
