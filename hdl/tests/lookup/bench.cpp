// Runs the lookup path by the script on standard input; see card.rs.
#include "Vbench.h"
#include "Vbench__Dpi.h"
#include "svdpi.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>

double sc_time_stamp() { return 0; }

namespace {
VerilatedContext context;
Vbench bench{&context};
uint64_t clocks, damaged_rows, rounds, given, answered, slots;
struct Line { uint32_t words[16]; };
std::deque<Line> commands;

void take(void* to, size_t size) {
    if (size && std::fread(to, size, 1, stdin) != 1) std::exit(0);
}
void give(const void* from, size_t size) { std::fwrite(from, size, 1, stdout); }

void clock_once() {
    bench.clock = 0;
    bench.now_ns = clocks;
    bench.command_valid = !commands.empty();
    if (!commands.empty()) std::memcpy(bench.command.data(), commands.front().words, 64);
    bench.eval();
    // The drop counters answer at once.
    bench.drop_done = bench.drop_request;
    bench.drop_packets = 11;
    bench.drop_bytes = 1234;
    bench.completion_take = 1;
    bench.eval();
    if (bench.entering) {
        const uint8_t event[2] = {'E', static_cast<uint8_t>(bench.entering_armed)};
        give(event, 2);
    }
    if (bench.done) {
        const uint8_t event[6] = {'V', bench.hit, bench.suppressed, bench.expired, bench.multi_hits, bench.damaged_reads};
        give(event, 6);
        uint8_t wire[96] = {};
        std::memcpy(wire, bench.verdict.data(), sizeof bench.verdict < 96 ? sizeof bench.verdict : 96);
        give(wire, 96);
    }
    if (bench.completion_valid) {
        give("C", 1);
        give(bench.completion_head.data(), 64);
        give(bench.completion_row.data(), 64);
        ++answered;
    }
    // Merger and parser leave the slot that was asked for 20 clocks later.
    slots = slots >> 1 | static_cast<uint64_t>(bench.hold) << 20;
    damaged_rows += bench.damaged_rows;
    rounds += bench.scrub_round;
    const bool taken = bench.command_take && !commands.empty();
    bench.clock = 1;
    bench.eval();
    if (taken) commands.pop_front();
    ++clocks;
}
}  // namespace

int main() {
    svSetScope(svGetScopeFromName("TOP.bench"));
    bench.enable = 1;
    bench.drops_ready = 1;
    for (;;) {
        char op;
        take(&op, 1);
        if (op == 'f') {
            while (slots & 1) clock_once();
            take(bench.parsed.data(), sizeof bench.parsed);
            bench.valid = 1;
            clock_once();
            bench.valid = 0;
        } else if (op == 'i') {
            uint32_t count;
            take(&count, 4);
            while (count--) clock_once();
        } else if (op == 'c') {
            Line line;
            take(&line, sizeof line);
            commands.push_back(line);
            ++given;
        } else if (op == 's') {
            uint8_t small[2];
            uint64_t floor;
            take(small, 2);
            take(&floor, 8);
            bench.armed = small[0];
            bench.prefix_bits = small[1];
            bench.expiry_floor = floor;
        } else if (op == 'r') {
            bench.reset = 1;
            clock_once();
            bench.reset = 0;
        } else if (op == 'x') {
            uint32_t what[3];
            take(what, sizeof what);
            flip(what[0], what[1], what[2]);
        } else if (op == 'b') {
            for (int waited = 0; answered != given; ++waited) {
                if (waited == 1'000'000) return 1;
                clock_once();
            }
            for (int i = 0; i < 16; ++i) clock_once();
            give("B", 1);
            std::fflush(stdout);
        } else if (op == 'q') {
            const uint32_t damage = bench.damage;
            const uint8_t flags[2] = {bench.ready, bench.committed};
            give("Q", 1);
            give(&clocks, 8);
            give(&damaged_rows, 8);
            give(&rounds, 8);
            give(&damage, 4);
            give(flags, 2);
            std::fflush(stdout);
        } else {
            return 2;
        }
    }
}
