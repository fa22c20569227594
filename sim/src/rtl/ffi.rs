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
}

const _: () = assert!(size_of::<Arrival>() == 32 && size_of::<Egress>() == 40);
const _: () = assert!(size_of::<TapEvent>() == 32 && size_of::<Counts>() == 80);

unsafe extern "C" {
    pub(super) fn writ_rtl_new(bus_base: u64, memory: *mut u8, bytes: u64, build_hash: *const u8) -> *mut WritRtl;
    pub(super) fn writ_rtl_delete(rtl: *mut WritRtl);
    pub(super) fn writ_rtl_run(rtl: *mut WritRtl, clocks: u64);
    pub(super) fn writ_rtl_read(rtl: *mut WritRtl, address: u32) -> u32;
    pub(super) fn writ_rtl_write(rtl: *mut WritRtl, address: u32, value: u32);
    pub(super) fn writ_rtl_push(
        rtl: *mut WritRtl,
        port: u32,
        number: u64,
        earliest_clock: u64,
        bytes: *const u8,
        count: u64,
        damaged: bool,
    );
    pub(super) fn writ_rtl_counts(rtl: *const WritRtl, counts: *mut Counts);
    pub(super) fn writ_rtl_arrivals(rtl: *const WritRtl, arrivals: *mut *const Arrival) -> u64;
    pub(super) fn writ_rtl_egress(
        rtl: *const WritRtl,
        egress: *mut *const Egress,
        bytes: *mut *const u8,
        byte_count: *mut u64,
    ) -> u64;
    pub(super) fn writ_rtl_taps(rtl: *const WritRtl, taps: *mut *const TapEvent) -> u64;
    pub(super) fn writ_rtl_forget_arrivals(rtl: *mut WritRtl);
    pub(super) fn writ_rtl_forget_egress(rtl: *mut WritRtl);
    pub(super) fn writ_rtl_forget_taps(rtl: *mut WritRtl);
    pub(super) fn writ_rtl_disturb(rtl: *mut WritRtl, seed: u64, ingress_of_256: u32, dma_of_256: u32);
    pub(super) fn writ_rtl_note_reset(rtl: *mut WritRtl);
    pub(super) fn writ_rtl_trace(rtl: *mut WritRtl, on: bool);
}
