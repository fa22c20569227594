// Runs the Verilated card many clocks a call: feeds both receive ports from frames in memory, collects what leaves, executes DMA on the
// host memory that the Rust side maps. One instance, one thread at a time. Everything that crosses to Rust is plain C and
// does not throw.
//
// Clock c: the inputs of the clock are applied, then its rising edge is evaluated. Outputs seen before that edge, that is,
// after the edge of clock c - 1, are those of clock c; all outputs come out of registers. The card's three clocks rise together unless
// they were set apart; then each has a period of its own, and its inputs and outputs belong to its own edges.
//
// Compiled once for each top: WRIT_NARROW is defined for beats of 64 bits, WRIT_PCIE for the card behind TLPs, whose bus is a function in Rust that is called for
// each clock of the hard block.

#ifdef WRIT_PCIE
#include "Vwrit_pcie_top.h"
using Model = Vwrit_pcie_top;
using BeatData = VlWide<16>;
#define WRIT(name) writ_rtl_pcie_##name
// All are linked into one program.
#define WritRtl WritRtlPcie
#elif defined(WRIT_NARROW)
#include "Vwrit_top_narrow.h"
using Model = Vwrit_top_narrow;
using BeatData = QData;
#define WRIT(name) writ_rtl_narrow_##name
#define WritRtl WritRtlNarrow
#else
#include "Vwrit_top.h"
using Model = Vwrit_top;
using BeatData = VlWide<16>;
#define WRIT(name) writ_rtl_##name
#endif
#include "verilated.h"

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

namespace {

constexpr size_t LINE_BYTES = 64;
constexpr size_t LINE_WORDS = LINE_BYTES / 4;
constexpr size_t BEAT_BYTES = sizeof(BeatData);
// Beats that make one of the core's.
constexpr size_t BEATS_A_LINE = LINE_BYTES / BEAT_BYTES;
// Between a read request and its answer; the real bus takes several times as long.
constexpr uint64_t DMA_READ_CLOCKS = 32;
// A register read that takes longer than this has no answer.
constexpr int MMIO_READ_CLOCKS_MAX = 64;
constexpr int RESET_CLOCKS = 8;
constexpr uint64_t NO_NUMBER = UINT64_MAX;
// From the beat that completes a line, or its frame's last, to the tap that says its frame's stamp, on the wire's clock.
constexpr uint64_t STAMP_CLOCKS = 2;
// Core clocks after a step in which a wire may still have the time of before.
constexpr uint64_t STEP_CLOCKS = 64;
constexpr uint64_t NOMINAL_PERIOD_FS = 3103030;

struct Arrival {
    uint64_t number;
    uint64_t clock;
    uint64_t stamp_ns;
    uint64_t port;
};

struct Egress {
    uint64_t number;
    uint64_t ingress_clock;
    uint64_t egress_clock;
    uint64_t first_byte;
    uint32_t bytes;
    uint8_t port;
    uint8_t damaged;
    uint8_t padding[2];
};

// What a tap of the card said; `rtl/mod.rs` has the meaning of the fields.
struct TapEvent {
    uint64_t clock;
    uint64_t stamp_ns;
    uint64_t expiry_floor;
    uint8_t kind;
    uint8_t port;
    uint8_t value;
    uint8_t flag;
    uint8_t ring;
    uint8_t committed;
    uint8_t padding[2];
};

enum TapKind : uint8_t { TAP_STAMP = 1, TAP_WINDOW, TAP_LOOKUP, TAP_OUTCOME, TAP_GAP, TAP_DAMAGED, TAP_RESET };

struct Frame {
    uint64_t number;
    uint64_t earliest_clock;
    std::vector<uint8_t> bytes;
    bool damaged;
};

struct OnWire {
    uint64_t number;
    uint64_t ingress_clock;
};

// A frame whose stamp has not been seen.
struct Unstamped {
    Arrival arrival;
    // The wire's clock in which the tap says it, once that is known.
    uint64_t stamp_clock;
};

// One direction: a receive port and the transmit port on the other side.
struct Direction {
    // Of its wire.
    uint64_t clocks = 0;
    // When the wire's clock rises next, and the card's time when it rose last.
    uint64_t next_fs = 0;
    uint64_t start_ns = 0;
    std::deque<Frame> queue;
    size_t next_byte = 0;
    size_t next_beat = 0;
    std::deque<Unstamped> unstamped;
    std::deque<OnWire> on_wire;
    bool leaving = false;
    Egress egress{};
    uint64_t latency_min = UINT64_MAX;
    uint64_t latency_max = 0;
};

// Host memory behind a range of bus addresses.
struct Window {
    uint64_t bus_base;
    uint8_t* memory;
    uint64_t bytes;
    uint64_t readable;
    uint64_t writable;
};

struct DmaAnswer {
    uint64_t clock;
    uint32_t words[LINE_WORDS];
};

struct Counts {
    uint64_t clocks;
    uint64_t now_ns;
    uint64_t queued;
    uint64_t dma_lines;
    uint64_t dma_faults;
    uint64_t interrupts;
    uint64_t latency_min[2];
    uint64_t latency_max[2];
    uint64_t stamp_error_max;
    uint64_t wire_clocks[2];
};

#ifdef WRIT_PCIE
// `user_clk` of the hard block.
constexpr uint64_t PCIE_PERIOD_FS = 4000000;

// The ports towards the hard block in one clock. `pcie/pins.rs` has the meaning of the fields.
struct Pins {
    // From the card.
    uint32_t rq_data[16];
    uint32_t rq_user[5];
    uint32_t cc_data[16];
    uint32_t cc_user[3];
    uint16_t cc_keep;
    uint8_t rq_valid;
    uint8_t cc_valid;
    uint8_t cc_last;
    uint8_t cq_ready;
    uint8_t function_reset_done;
    uint8_t padding_out;
    // To the card.
    uint32_t cq_data[16];
    uint32_t cq_user[6];
    uint32_t rc_data[16];
    uint32_t rc_user[6];
    uint16_t rc_keep;
    uint8_t rq_ready;
    uint8_t cc_ready;
    uint8_t cq_valid;
    uint8_t cq_last;
    uint8_t rc_valid;
    uint8_t rc_last;
    uint8_t tag_valid[2];
    uint8_t tag[2];
    uint8_t user_reset;
    uint8_t link_up;
    uint8_t bus_master;
    uint8_t max_payload;
    uint8_t function_reset;
    uint8_t msix_enable;
    uint8_t msix_mask;
    uint8_t read_credits;
    uint8_t free_tags;
    uint8_t padding_in[3];
};
static_assert(sizeof(Pins) == 368);

using Bus = void (*)(void* context, Pins* pins);
#endif

// The ports of one receive and one transmit side, so that both directions share their code.
struct RxPins {
    CData &valid, &last, &error, &bytes;
    BeatData& data;
};
struct TxPins {
    const CData &valid, &last, &error, &bytes;
    const BeatData& data;
};
struct StampPins {
    const CData &valid, &quality;
    const QData& ns;
};

uint8_t* bytes_of(BeatData& data) { return reinterpret_cast<uint8_t*>(&data); }
const uint8_t* bytes_of(const BeatData& data) { return reinterpret_cast<const uint8_t*>(&data); }

}  // namespace

struct WritRtl {
    VerilatedContext context;
    std::unique_ptr<Model> top;
    std::vector<Window> windows;
    uint64_t clocks = 0;
    Direction directions[2];
    std::deque<DmaAnswer> dma_answers;
    uint64_t dma_lines = 0;
    uint64_t dma_faults = 0;
    uint64_t interrupts = 0;
    std::vector<Arrival> arrivals;
    std::vector<Egress> egress;
    std::vector<uint8_t> egress_bytes;
    uint64_t disturbance = 0;
    uint32_t ingress_stalls = 0;
    uint32_t dma_stalls = 0;
    bool tracing = false;
    std::vector<TapEvent> taps;
    bool are_apart = false;
    uint64_t period_fs[3] = {NOMINAL_PERIOD_FS, NOMINAL_PERIOD_FS, NOMINAL_PERIOD_FS};
    uint64_t core_next_fs = 0;
    uint64_t core_last_fs = 0;
    uint64_t last_ns = 0;
    uint64_t stepped_at = 0;
    uint64_t stamp_error_max = 0;
    bool mmio_answered = false;
    uint32_t mmio_value = 0;

    explicit WritRtl(const uint8_t* hash) : top{new Model{&context, ""}} {
        std::memcpy(top->build_hash.data(), hash, 32);
#ifdef WRIT_PCIE
        top->pcie_reset = 1;
#else
        top->dma_write_ready = 1;
        top->dma_read_ready = 1;
#endif
        top->reset = 1;
        top->wire_reset_a = 1;
        top->wire_reset_b = 1;
        for (int i = 0; i < RESET_CLOCKS; i++) edge();
        top->reset = 0;
        top->wire_reset_a = 0;
        top->wire_reset_b = 0;
    }

#ifdef WRIT_PCIE
    Bus bus = nullptr;
    void* bus_context = nullptr;
    Pins pins{};
    uint64_t pcie_next_fs = 0;
    uint64_t bus_next_fs = NOMINAL_PERIOD_FS;

    // One clock of the hard block: what the card shows, what the bus answers, the edge.
    void pcie_clock() {
        std::memcpy(pins.rq_data, top->rq_tdata.data(), sizeof pins.rq_data);
        std::memcpy(pins.rq_user, top->rq_tuser.data(), sizeof pins.rq_user);
        std::memcpy(pins.cc_data, top->cc_tdata.data(), sizeof pins.cc_data);
        std::memcpy(pins.cc_user, top->cc_tuser.data(), sizeof pins.cc_user);
        pins.cc_keep = top->cc_tkeep;
        pins.rq_valid = top->rq_tvalid;
        pins.cc_valid = top->cc_tvalid;
        pins.cc_last = top->cc_tlast;
        pins.cq_ready = top->cq_tready;
        pins.function_reset_done = top->cfg_flr_done;
        if (bus != nullptr) bus(bus_context, &pins);
        if (pins.cq_valid) {
            std::memcpy(top->cq_tdata.data(), pins.cq_data, sizeof pins.cq_data);
            std::memcpy(top->cq_tuser.data(), pins.cq_user, sizeof pins.cq_user);
        }
        if (pins.rc_valid) {
            std::memcpy(top->rc_tdata.data(), pins.rc_data, sizeof pins.rc_data);
            std::memcpy(top->rc_tuser.data(), pins.rc_user, sizeof pins.rc_user);
        }
        top->cq_tvalid = pins.cq_valid;
        top->cq_tlast = pins.cq_last;
        top->rc_tvalid = pins.rc_valid;
        top->rc_tlast = pins.rc_last;
        top->rc_tkeep = pins.rc_keep;
        top->rq_tready = pins.rq_ready;
        top->cc_tready = pins.cc_ready;
        top->pcie_tfc_nph_av = pins.read_credits;
        top->pcie_rq_tag_av = pins.free_tags;
        top->pcie_rq_tag_vld0 = pins.tag_valid[0];
        top->pcie_rq_tag0 = pins.tag[0];
        top->pcie_rq_tag_vld1 = pins.tag_valid[1];
        top->pcie_rq_tag1 = pins.tag[1];
        top->pcie_reset = pins.user_reset;
        top->link_up = pins.link_up;
        top->bus_master = pins.bus_master;
        top->cfg_max_payload = pins.max_payload;
        top->cfg_flr_in_process = pins.function_reset;
        top->cfg_interrupt_msix_enable = pins.msix_enable;
        top->cfg_interrupt_msix_mask = pins.msix_mask;
        top->clk_pcie = 1;
        top->eval();
        top->clk_pcie = 0;
        top->eval();
        pcie_next_fs += PCIE_PERIOD_FS;
    }
#endif

    ~WritRtl() { top->final(); }

    RxPins rx(int port) {
        return port == 0 ? RxPins{top->rx_a_valid, top->rx_a_last, top->rx_a_error, top->rx_a_bytes, top->rx_a_data}
                         : RxPins{top->rx_b_valid, top->rx_b_last, top->rx_b_error, top->rx_b_bytes, top->rx_b_data};
    }

    // The side on which frames of `port` leave.
    TxPins tx(int port) {
        return port == 0 ? TxPins{top->tx_b_valid, top->tx_b_last, top->tx_b_error, top->tx_b_bytes, top->tx_b_data}
                         : TxPins{top->tx_a_valid, top->tx_a_last, top->tx_a_error, top->tx_a_bytes, top->tx_a_data};
    }

    StampPins stamp_pins(int port) {
        return port == 0 ? StampPins{top->tap_stamp_a_valid, top->tap_stamp_a_quality, top->tap_stamp_a_ns}
                         : StampPins{top->tap_stamp_b_valid, top->tap_stamp_b_quality, top->tap_stamp_b_ns};
    }

    void edge() {
        top->clk_core = 1;
        top->clk_wire_a = 1;
        top->clk_wire_b = 1;
        top->eval();
        top->clk_core = 0;
        top->clk_wire_a = 0;
        top->clk_wire_b = 0;
        top->eval();
    }

    void before_wire(int port) {
        stamp(port);
        receive(port);
        transmit(port);
    }

    void before_core() {
#ifdef WRIT_PCIE
        // The hard block's clock has nothing to do with the core's: its edges that come before this one.
        while (pcie_next_fs < bus_next_fs) pcie_clock();
        bus_next_fs += NOMINAL_PERIOD_FS;
#else
        dma();
        if (top->irq) interrupts++;
        if (top->mmio_read_data_valid) {
            mmio_answered = true;
            mmio_value = top->mmio_read_data;
        }
#endif
        if (tracing) trace();
        if (top->now_ns - last_ns > 1000) stepped_at = clocks;
        last_ns = top->now_ns;
    }

    // One clock of the core, and what the wires do until its edge.
    void clock() {
        if (are_apart) {
            while (!next_edges()) {
            }
            return;
        }
        for (int port = 0; port < 2; port++) before_wire(port);
        before_core();
        edge();
        clocks++;
        for (Direction& direction : directions) direction.clocks++;
    }

    // The next edges, all that come at the same time. True if the core's is among them.
    bool next_edges() {
        uint64_t now_fs = core_next_fs;
        for (const Direction& direction : directions) now_fs = now_fs < direction.next_fs ? now_fs : direction.next_fs;
        const bool core = core_next_fs == now_fs;
        const bool wire[2] = {directions[0].next_fs == now_fs, directions[1].next_fs == now_fs};
        for (int port = 0; port < 2; port++) {
            if (wire[port]) before_wire(port);
        }
        if (core) before_core();
        top->clk_core = core;
        top->clk_wire_a = wire[0];
        top->clk_wire_b = wire[1];
        top->eval();
        top->clk_core = 0;
        top->clk_wire_a = 0;
        top->clk_wire_b = 0;
        top->eval();
        if (core) {
            core_last_fs = now_fs;
            core_next_fs += period_fs[0];
            clocks++;
        }
        for (int port = 0; port < 2; port++) {
            if (!wire[port]) continue;
            directions[port].clocks++;
            directions[port].next_fs += period_fs[1 + port];
            directions[port].start_ns = top->now_ns + (now_fs - core_last_fs) / 1000000;
        }
        return core;
    }

    // Notes the stamp of a frame, or that it got none.
    void stamp(int port) {
        Direction& direction = directions[port];
        const StampPins pins = stamp_pins(port);
        if (tracing && pins.valid) tap(TAP_STAMP, port, pins.quality, false, pins.ns);
        if (direction.unstamped.empty() || direction.unstamped.front().stamp_clock != direction.clocks) return;
        Arrival arrival = direction.unstamped.front().arrival;
        direction.unstamped.pop_front();
        if (pins.valid) {
            const uint64_t error = pins.ns > arrival.stamp_ns ? pins.ns - arrival.stamp_ns : arrival.stamp_ns - pins.ns;
            if (clocks > stepped_at + STEP_CLOCKS && error > stamp_error_max) stamp_error_max = error;
            arrival.stamp_ns = pins.ns;
        }
        arrivals.push_back(arrival);
    }

    // True in so many of 256 cases, by a generator of its own, so that a run can be repeated.
    bool disturb(uint32_t of_256) {
        if (of_256 == 0) return false;
        disturbance ^= disturbance << 13;
        disturbance ^= disturbance >> 7;
        disturbance ^= disturbance << 17;
        return (disturbance >> 32 & 255) < of_256;
    }

    void receive(int port) {
        Direction& direction = directions[port];
        RxPins pins = rx(port);
        if (direction.queue.empty() || (direction.next_byte == 0 && direction.queue.front().earliest_clock > clocks)) {
            pins.valid = 0;
            return;
        }
        if (disturb(ingress_stalls)) {
            pins.valid = 0;
            return;
        }
        Frame& frame = direction.queue.front();
        if (direction.next_byte == 0) {
            const uint64_t now_ns = are_apart ? direction.start_ns : top->now_ns;
            const Arrival arrival{frame.number, direction.clocks, now_ns, static_cast<uint64_t>(port)};
            direction.unstamped.push_back(Unstamped{arrival, NO_NUMBER});
            direction.on_wire.push_back(OnWire{frame.number, direction.clocks});
            direction.next_beat = 0;
        }
        const size_t left = frame.bytes.size() - direction.next_byte;
        const size_t now = left < BEAT_BYTES ? left : BEAT_BYTES;
        const bool last = left <= BEAT_BYTES;
        direction.next_beat++;
        if (direction.next_beat == BEATS_A_LINE || (last && direction.next_beat < BEATS_A_LINE)) {
            direction.unstamped.back().stamp_clock = direction.clocks + STAMP_CLOCKS;
        }
        pins.valid = 1;
        pins.last = last;
        pins.error = last && frame.damaged;
        pins.bytes = static_cast<CData>(now);
        // Bytes behind the frame's end are whatever was there: the card must not look at them.
        std::memcpy(bytes_of(pins.data), frame.bytes.data() + direction.next_byte, now);
        direction.next_byte += now;
        if (last) {
            direction.queue.pop_front();
            direction.next_byte = 0;
        }
    }

    void transmit(int port) {
        TxPins pins = tx(port);
        if (!pins.valid) return;
        Direction& direction = directions[port];
        Egress& egress_now = direction.egress;
        if (!direction.leaving) {
            direction.leaving = true;
            egress_now = Egress{NO_NUMBER, 0, direction.clocks, egress_bytes.size(), 0, static_cast<uint8_t>(1 - port), 0, {0, 0}};
            if (!direction.on_wire.empty()) {
                const OnWire& frame = direction.on_wire.front();
                egress_now.number = frame.number;
                egress_now.ingress_clock = frame.ingress_clock;
                const uint64_t latency = direction.clocks - frame.ingress_clock;
                if (latency < direction.latency_min) direction.latency_min = latency;
                if (latency > direction.latency_max) direction.latency_max = latency;
                direction.on_wire.pop_front();
            }
            direction_bytes[port].clear();
        }
        const size_t now = pins.last ? (pins.bytes < BEAT_BYTES ? pins.bytes : BEAT_BYTES) : BEAT_BYTES;
        const uint8_t* data = bytes_of(pins.data);
        direction_bytes[port].insert(direction_bytes[port].end(), data, data + now);
        if (pins.last) {
            egress_now.first_byte = egress_bytes.size();
            egress_now.bytes = static_cast<uint32_t>(direction_bytes[port].size());
            egress_now.damaged = pins.error;
            egress_bytes.insert(egress_bytes.end(), direction_bytes[port].begin(), direction_bytes[port].end());
            egress.push_back(egress_now);
            direction.leaving = false;
        }
    }

#ifndef WRIT_PCIE
    // A line of host memory, or null for an address that is none.
    uint32_t* line(uint64_t address, uint64_t Window::*access) {
        for (const Window& window : windows) {
            const uint64_t offset = address - window.bus_base;
            if (address < window.bus_base || offset >= window.bytes) continue;
            if (offset % LINE_BYTES != 0 || window.*access == 0) break;
            dma_lines++;
            return reinterpret_cast<uint32_t*>(window.memory + offset);
        }
        dma_faults++;
        return nullptr;
    }

    void dma() {
        top->dma_write_ready = !disturb(dma_stalls);
        top->dma_read_ready = !disturb(dma_stalls);
        if (top->dma_write_valid && top->dma_write_ready) {
            if (uint32_t* words = line(top->dma_write_address, &Window::writable)) {
                for (size_t i = 1; i < LINE_WORDS; i++) {
                    __atomic_store_n(words + i, top->dma_write_data[i], __ATOMIC_RELAXED);
                }
                __atomic_store_n(words, top->dma_write_data[0], __ATOMIC_RELEASE);
            }
        }
        if (top->dma_read_valid && top->dma_read_ready) {
            DmaAnswer answer{clocks + DMA_READ_CLOCKS, {}};
            const uint32_t* words = line(top->dma_read_address, &Window::readable);
            for (size_t i = 0; i < LINE_WORDS; i++) {
                answer.words[i] = words ? __atomic_load_n(words + i, __ATOMIC_ACQUIRE) : UINT32_MAX;
            }
            dma_answers.push_back(answer);
        }
        const bool answer_now = !dma_answers.empty() && dma_answers.front().clock <= clocks && !disturb(dma_stalls);
        top->dma_read_data_valid = answer_now;
        if (answer_now) {
            std::memcpy(top->dma_read_data.data(), dma_answers.front().words, LINE_BYTES);
            dma_answers.pop_front();
        }
    }
#endif

    TapEvent& tap(TapKind kind, int port = 0, uint8_t value = 0, bool flag = false, uint64_t stamp_ns = 0) {
        taps.push_back(TapEvent{clocks, stamp_ns, 0, kind, static_cast<uint8_t>(port), value, flag, 0, 0, {0, 0}});
        return taps.back();
    }

    void trace() {
        if (top->tap_window_a_valid) tap(TAP_WINDOW, 0, 0, top->tap_window_a_dropped);
        if (top->tap_window_b_valid) tap(TAP_WINDOW, 1, 0, top->tap_window_b_dropped);
        if (top->tap_lookup_valid) {
            TapEvent& lookup = tap(TAP_LOOKUP, top->tap_lookup_port, top->tap_lookup_quality, top->tap_lookup_armed,
                                   top->tap_lookup_stamp_ns);
            lookup.expiry_floor = top->tap_lookup_expiry_floor;
            lookup.committed = top->tap_lookup_committed;
        }
        if (top->tap_outcome_valid) {
            tap(TAP_OUTCOME, 0, top->tap_outcome_cause, top->tap_outcome_gap).ring = top->tap_outcome_ring;
        }
        if (top->tap_gap_valid) tap(TAP_GAP).ring = top->tap_gap_ring;
        if (top->tap_verdict_error_valid) tap(TAP_DAMAGED);
    }

    std::vector<uint8_t> direction_bytes[2];
};

extern "C" {

WritRtl* WRIT(new)(const uint8_t* build_hash) noexcept { return new WritRtl{build_hash}; }

void WRIT(set_windows)(WritRtl* rtl, const Window* windows, uint64_t count) noexcept {
    rtl->windows.assign(windows, windows + count);
}

void WRIT(delete)(WritRtl* rtl) noexcept { delete rtl; }

void WRIT(run)(WritRtl* rtl, uint64_t clocks) noexcept {
    for (uint64_t i = 0; i < clocks; i++) rtl->clock();
}

#ifdef WRIT_PCIE
// All of the bus is Rust's.
uint32_t WRIT(read)(WritRtl*, uint32_t) noexcept { return UINT32_MAX; }
void WRIT(write)(WritRtl*, uint32_t, uint32_t) noexcept {}

// From now on `bus` is called with `context` in every clock of the hard block.
void WRIT(set_bus)(WritRtl* rtl, Bus bus, void* context) noexcept {
    rtl->bus = bus;
    rtl->bus_context = context;
}
#else
uint32_t WRIT(read)(WritRtl* rtl, uint32_t address) noexcept {
    rtl->mmio_answered = false;
    rtl->top->mmio_read_valid = 1;
    rtl->top->mmio_read_address = static_cast<SData>(address);
    rtl->clock();
    rtl->top->mmio_read_valid = 0;
    for (int i = 0; i < MMIO_READ_CLOCKS_MAX && !rtl->mmio_answered; i++) rtl->clock();
    return rtl->mmio_answered ? rtl->mmio_value : UINT32_MAX;
}

void WRIT(write)(WritRtl* rtl, uint32_t address, uint32_t value) noexcept {
    rtl->top->mmio_write_valid = 1;
    rtl->top->mmio_write_address = static_cast<SData>(address);
    rtl->top->mmio_write_data = value;
    rtl->clock();
    rtl->top->mmio_write_valid = 0;
}
#endif

void WRIT(push)(WritRtl* rtl, uint32_t port, uint64_t number, uint64_t earliest_clock, const uint8_t* bytes,
                   uint64_t count, bool damaged) noexcept {
    rtl->directions[port & 1].queue.push_back(
        Frame{number, earliest_clock, std::vector<uint8_t>(bytes, bytes + count), damaged});
}

void WRIT(counts)(const WritRtl* rtl, Counts* counts) noexcept {
    const Direction* both = rtl->directions;
    *counts = Counts{rtl->clocks,
                     rtl->top->now_ns,
                     both[0].queue.size() + both[1].queue.size(),
                     rtl->dma_lines,
                     rtl->dma_faults,
                     rtl->interrupts,
                     {both[0].latency_min, both[1].latency_min},
                     {both[0].latency_max, both[1].latency_max},
                     rtl->stamp_error_max,
                     {both[0].clocks, both[1].clocks}};
}

uint64_t WRIT(arrivals)(const WritRtl* rtl, const Arrival** arrivals) noexcept {
    *arrivals = rtl->arrivals.data();
    return rtl->arrivals.size();
}

uint64_t WRIT(egress)(const WritRtl* rtl, const Egress** egress, const uint8_t** bytes, uint64_t* byte_count) noexcept {
    *egress = rtl->egress.data();
    *bytes = rtl->egress_bytes.data();
    *byte_count = rtl->egress_bytes.size();
    return rtl->egress.size();
}

uint64_t WRIT(taps)(const WritRtl* rtl, const TapEvent** taps) noexcept {
    *taps = rtl->taps.data();
    return rtl->taps.size();
}

void WRIT(forget_arrivals)(WritRtl* rtl) noexcept { rtl->arrivals.clear(); }

void WRIT(forget_egress)(WritRtl* rtl) noexcept {
    rtl->egress.clear();
    rtl->egress_bytes.clear();
}

void WRIT(forget_taps)(WritRtl* rtl) noexcept { rtl->taps.clear(); }

void WRIT(disturb)(WritRtl* rtl, uint64_t seed, uint32_t ingress_of_256, uint32_t dma_of_256) noexcept {
    rtl->disturbance = seed | 1;
    rtl->ingress_stalls = ingress_of_256;
    rtl->dma_stalls = dma_of_256;
}

void WRIT(trace)(WritRtl* rtl, bool on) noexcept { rtl->tracing = on; }

void WRIT(note_reset)(WritRtl* rtl) noexcept {
    if (rtl->tracing) rtl->tap(TAP_RESET);
}

// Clocks of their own from now on: how many parts in a million each wire's is faster than the core's, and how much later than the core's
// it rises first.
void WRIT(set_apart)(WritRtl* rtl, const int64_t* ppm, const uint64_t* phase_fs) noexcept {
    rtl->are_apart = true;
    rtl->core_last_fs = 0;
    rtl->core_next_fs = NOMINAL_PERIOD_FS;
    for (int port = 0; port < 2; port++) {
        const int64_t shorter = static_cast<int64_t>(NOMINAL_PERIOD_FS) * ppm[port] / 1000000;
        rtl->period_fs[1 + port] = NOMINAL_PERIOD_FS - shorter;
        rtl->directions[port].next_fs = NOMINAL_PERIOD_FS + phase_fs[port];
        rtl->directions[port].start_ns = rtl->top->now_ns;
    }
}

void WRIT(set_pps)(WritRtl* rtl, bool high) noexcept { rtl->top->pps = high; }

}  // extern "C"
