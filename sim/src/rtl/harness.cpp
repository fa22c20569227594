// Runs the Verilated card many clocks a call: feeds both receive ports from frames in memory, collects what leaves, executes DMA on the
// host memory that the Rust side maps. One instance, one thread at a time. Everything that crosses to Rust is plain C and
// does not throw.
//
// Clock c: the inputs of the clock are applied, then its rising edge is evaluated. Outputs seen before that edge, that is,
// after the edge of clock c - 1, are those of clock c; all outputs come out of registers.

#include "Vwrit_top.h"
#include "verilated.h"

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

namespace {

constexpr size_t LINE_BYTES = 64;
constexpr size_t LINE_WORDS = LINE_BYTES / 4;
// Between a read request and its answer; the real bus takes several times as long.
constexpr uint64_t DMA_READ_CLOCKS = 32;
// A register read that takes longer than this has no answer.
constexpr int MMIO_READ_CLOCKS_MAX = 64;
constexpr int RESET_CLOCKS = 8;
constexpr uint64_t NO_NUMBER = UINT64_MAX;

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

// One direction: a receive port and the transmit port on the other side.
struct Direction {
    std::deque<Frame> queue;
    size_t next_byte = 0;
    std::deque<OnWire> on_wire;
    bool leaving = false;
    Egress egress{};
    uint64_t latency_min = UINT64_MAX;
    uint64_t latency_max = 0;
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
};

// The ports of one receive and one transmit side, so that both directions share their code.
struct RxPins {
    CData &valid, &last, &error, &bytes;
    VlWide<16>& data;
};
struct TxPins {
    const CData &valid, &last, &error, &bytes;
    const VlWide<16>& data;
};

}  // namespace

struct WritRtl {
    VerilatedContext context;
    std::unique_ptr<Vwrit_top> top;
    uint64_t bus_base;
    uint8_t* memory;
    uint64_t memory_bytes;
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
    bool mmio_answered = false;
    uint32_t mmio_value = 0;

    WritRtl(uint64_t base, uint8_t* bytes, uint64_t count, const uint8_t* hash)
        : top{new Vwrit_top{&context, ""}}, bus_base{base}, memory{bytes}, memory_bytes{count} {
        std::memcpy(top->build_hash.data(), hash, 32);
        top->dma_write_ready = 1;
        top->dma_read_ready = 1;
        top->reset = 1;
        top->wire_reset = 1;
        for (int i = 0; i < RESET_CLOCKS; i++) edge();
        top->reset = 0;
        top->wire_reset = 0;
    }

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

    void edge() {
        top->clock = 1;
        top->eval();
        top->clock = 0;
        top->eval();
    }

    void clock() {
        for (int port = 0; port < 2; port++) {
            receive(port);
            transmit(port);
        }
        dma();
        if (top->irq) interrupts++;
        if (tracing) trace();
        if (top->mmio_read_data_valid) {
            mmio_answered = true;
            mmio_value = top->mmio_read_data;
        }
        edge();
        clocks++;
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
            arrivals.push_back(Arrival{frame.number, clocks, top->now_ns, static_cast<uint64_t>(port)});
            direction.on_wire.push_back(OnWire{frame.number, clocks});
        }
        const size_t left = frame.bytes.size() - direction.next_byte;
        const size_t now = left < LINE_BYTES ? left : LINE_BYTES;
        const bool last = left <= LINE_BYTES;
        pins.valid = 1;
        pins.last = last;
        pins.error = last && frame.damaged;
        pins.bytes = static_cast<CData>(now);
        // Bytes behind the frame's end are whatever was there: the card must not look at them.
        std::memcpy(pins.data.data(), frame.bytes.data() + direction.next_byte, now);
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
            egress_now = Egress{NO_NUMBER, 0, clocks, egress_bytes.size(), 0, static_cast<uint8_t>(1 - port), 0, {0, 0}};
            if (!direction.on_wire.empty()) {
                const OnWire& frame = direction.on_wire.front();
                egress_now.number = frame.number;
                egress_now.ingress_clock = frame.ingress_clock;
                const uint64_t latency = clocks - frame.ingress_clock;
                if (latency < direction.latency_min) direction.latency_min = latency;
                if (latency > direction.latency_max) direction.latency_max = latency;
                direction.on_wire.pop_front();
            }
            direction_bytes[port].clear();
        }
        const size_t now = pins.last ? (pins.bytes < LINE_BYTES ? pins.bytes : LINE_BYTES) : LINE_BYTES;
        const auto* data = reinterpret_cast<const uint8_t*>(pins.data.data());
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

    // A line of host memory, or null for an address that is none.
    uint32_t* line(uint64_t address) {
        const uint64_t offset = address - bus_base;
        if (address < bus_base || offset % LINE_BYTES != 0 || offset >= memory_bytes) {
            dma_faults++;
            return nullptr;
        }
        dma_lines++;
        return reinterpret_cast<uint32_t*>(memory + offset);
    }

    void dma() {
        top->dma_write_ready = !disturb(dma_stalls);
        top->dma_read_ready = !disturb(dma_stalls);
        if (top->dma_write_valid && top->dma_write_ready) {
            if (uint32_t* words = line(top->dma_write_address)) {
                for (size_t i = 1; i < LINE_WORDS; i++) {
                    __atomic_store_n(words + i, top->dma_write_data[i], __ATOMIC_RELAXED);
                }
                __atomic_store_n(words, top->dma_write_data[0], __ATOMIC_RELEASE);
            }
        }
        if (top->dma_read_valid && top->dma_read_ready) {
            DmaAnswer answer{clocks + DMA_READ_CLOCKS, {}};
            const uint32_t* words = line(top->dma_read_address);
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

    TapEvent& tap(TapKind kind, int port = 0, uint8_t value = 0, bool flag = false, uint64_t stamp_ns = 0) {
        taps.push_back(TapEvent{clocks, stamp_ns, 0, kind, static_cast<uint8_t>(port), value, flag, 0, 0, {0, 0}});
        return taps.back();
    }

    void trace() {
        if (top->tap_stamp_a_valid) tap(TAP_STAMP, 0, top->tap_stamp_a_quality, false, top->tap_stamp_a_ns);
        if (top->tap_stamp_b_valid) tap(TAP_STAMP, 1, top->tap_stamp_b_quality, false, top->tap_stamp_b_ns);
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

WritRtl* writ_rtl_new(uint64_t bus_base, uint8_t* memory, uint64_t bytes, const uint8_t* build_hash) noexcept {
    return new WritRtl{bus_base, memory, bytes, build_hash};
}

void writ_rtl_delete(WritRtl* rtl) noexcept { delete rtl; }

void writ_rtl_run(WritRtl* rtl, uint64_t clocks) noexcept {
    for (uint64_t i = 0; i < clocks; i++) rtl->clock();
}

uint32_t writ_rtl_read(WritRtl* rtl, uint32_t address) noexcept {
    rtl->mmio_answered = false;
    rtl->top->mmio_read_valid = 1;
    rtl->top->mmio_read_address = static_cast<SData>(address);
    rtl->clock();
    rtl->top->mmio_read_valid = 0;
    for (int i = 0; i < MMIO_READ_CLOCKS_MAX && !rtl->mmio_answered; i++) rtl->clock();
    return rtl->mmio_answered ? rtl->mmio_value : UINT32_MAX;
}

void writ_rtl_write(WritRtl* rtl, uint32_t address, uint32_t value) noexcept {
    rtl->top->mmio_write_valid = 1;
    rtl->top->mmio_write_address = static_cast<SData>(address);
    rtl->top->mmio_write_data = value;
    rtl->clock();
    rtl->top->mmio_write_valid = 0;
}

void writ_rtl_push(WritRtl* rtl, uint32_t port, uint64_t number, uint64_t earliest_clock, const uint8_t* bytes,
                   uint64_t count, bool damaged) noexcept {
    rtl->directions[port & 1].queue.push_back(
        Frame{number, earliest_clock, std::vector<uint8_t>(bytes, bytes + count), damaged});
}

void writ_rtl_counts(const WritRtl* rtl, Counts* counts) noexcept {
    const Direction* both = rtl->directions;
    *counts = Counts{rtl->clocks,
                     rtl->top->now_ns,
                     both[0].queue.size() + both[1].queue.size(),
                     rtl->dma_lines,
                     rtl->dma_faults,
                     rtl->interrupts,
                     {both[0].latency_min, both[1].latency_min},
                     {both[0].latency_max, both[1].latency_max}};
}

uint64_t writ_rtl_arrivals(const WritRtl* rtl, const Arrival** arrivals) noexcept {
    *arrivals = rtl->arrivals.data();
    return rtl->arrivals.size();
}

uint64_t writ_rtl_egress(const WritRtl* rtl, const Egress** egress, const uint8_t** bytes, uint64_t* byte_count) noexcept {
    *egress = rtl->egress.data();
    *bytes = rtl->egress_bytes.data();
    *byte_count = rtl->egress_bytes.size();
    return rtl->egress.size();
}

uint64_t writ_rtl_taps(const WritRtl* rtl, const TapEvent** taps) noexcept {
    *taps = rtl->taps.data();
    return rtl->taps.size();
}

void writ_rtl_forget_arrivals(WritRtl* rtl) noexcept { rtl->arrivals.clear(); }

void writ_rtl_forget_egress(WritRtl* rtl) noexcept {
    rtl->egress.clear();
    rtl->egress_bytes.clear();
}

void writ_rtl_forget_taps(WritRtl* rtl) noexcept { rtl->taps.clear(); }

void writ_rtl_disturb(WritRtl* rtl, uint64_t seed, uint32_t ingress_of_256, uint32_t dma_of_256) noexcept {
    rtl->disturbance = seed | 1;
    rtl->ingress_stalls = ingress_of_256;
    rtl->dma_stalls = dma_of_256;
}

void writ_rtl_trace(WritRtl* rtl, bool on) noexcept { rtl->tracing = on; }

void writ_rtl_note_reset(WritRtl* rtl) noexcept {
    if (rtl->tracing) rtl->tap(TAP_RESET);
}

}  // extern "C"
