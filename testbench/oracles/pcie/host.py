"""A host's side of the card: enumeration, registers, rings in host memory, frames on port A. Numbers are those of `hdl/abi`."""

import struct

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, Timer
from cocotbext.axi import AxiStreamBus
from cocotbext.pcie.core import RootComplex
from cocotbext.pcie.xilinx.us import UltraScalePlusPcieDevice

BAR_BYTES = 0x4000
STATE, MODERATION, COUNTERS, MSIX_TABLE, MSIX_PENDING = 0x1000, 0x1004, 0x1010, 0x2000, 0x3000
CONTROL, CARD_STATUS, TIME_SET, TIME_SET_QUALITY = 0x100, 0x104, 0x140, 0x148
RECORD_RING, RECORD_STRIDE, COMMAND_RING, COMPLETION_RING, ENABLE = 0x200, 0x20, 0x280, 0x290, 0x2A4
RING_CONSUMER, COMMAND_PRODUCER = 0x14, COMMAND_RING + 12
SESSION_OFF, SESSION_ON = 2, 3
VECTORS, COMPLETION_VECTOR, ERROR_VECTOR = 8, 4, 5
# Counters of the adapter by name.
(UNSUPPORTED_REQUESTS, DROPPED_REQUESTS, ABORTED_REQUESTS, DROPPED_LINES, REFUSED_READS, UNSUPPORTED_READS, POISONED_READS, TIMED_OUT_READS,
 DAMAGED_READS, ABANDONED_READS, UNEXPECTED_COMPLETIONS, MESSAGES, SESSIONS_ENDED, RQ_STALLS) = range(14)
# Places in host memory.
COMMANDS, COMPLETIONS, INDICES, RECORDS, BYTES = 0x0000, 0x2000, 0x4000, 0x8000, 0x20000
RINGS, RING_COMMANDS, RING_LINES = 4, 64, 256
NOP, STAGE_RULE, WRITE_RULE = 0, 6, 7
DONE, BAD_CRC = 0, 1
TIME_NS = 1_767_225_637_000_000_000


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def command(opcode, tag, key=b"", way=0, row=0, match_index=0, scope=0, not_after=0, flags=0):
    body = struct.pack("<BBBBII", opcode, 0, way, scope, tag, row)
    body += match_index.to_bytes(3, "little") + not_after.to_bytes(6, "little")
    body = (body + key.ljust(38, b"\0")).ljust(59, b"\0") + bytes([flags])
    return body + struct.pack("<I", crc32c(body))


def rule(tag, ring):
    """Two commands: everything of UDP from 192.0.2.1 to eight ports goes to a ring, by a rule in the bank of its number."""
    value = bytes.fromhex("04c0000201").ljust(33, b"\0") + bytes([17, 0, 0]) + struct.pack(">H", port(ring))
    mask = b"\xff" * 5 + bytes(28) + bytes.fromhex("ff0000fff8")
    write = command(WRITE_RULE, tag + 1, key=mask, way=ring, row=3, match_index=70 + ring, scope=2, not_after=(1 << 44) - 1, flags=ring)
    return [command(STAGE_RULE, tag, key=value), write]


def port(ring):
    return 8000 + 8 * ring


def frame(number, size, ring=0):
    """UDP from 192.0.2.1 to 198.51.100.7, with room for a frame check sequence that the card does not look at."""
    payload = bytes((number + n) % 256 for n in range(size - 46))
    udp = struct.pack(">HHHH", 1234, port(ring) + number % 8, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7]))
    return bytes.fromhex("020000000001020000000002") + b"\x08\x00" + ip + udp + b"\xAA\xBB\xCC\xDD"


class Bench:
    def __init__(self, dut, host=RootComplex, hard_block=UltraScalePlusPcieDevice):
        self.dut = dut
        for clock in (dut.clk_core, dut.clk_wire_a, dut.clk_wire_b):
            cocotb.start_soon(Clock(clock, 3104, unit="ps").start())
        for signal in ("pps", "rx_a_valid", "rx_b_valid", "rx_a_last", "rx_a_error", "rx_a_bytes", "rx_a_data", "rx_b_last", "rx_b_error", "rx_b_bytes",
                       "rx_b_data", "mac_overflow_a", "mac_overflow_b", "mac_underflow_a", "mac_underflow_b", "cfg_flr_in_process"):
            getattr(dut, signal).value = 0
        for signal in ("reset", "wire_reset_a", "wire_reset_b"):
            getattr(dut, signal).value = 1
        dut.build_hash.value = int.from_bytes(bytes(range(32)), "little")
        self.rc = host()
        self.rc.max_payload_size = 1
        self.hard_block = hard_block(
            pcie_generation=3,
            pcie_link_width=16,
            user_clk_frequency=250e6,
            alignment="dword",
            cq_straddle=False,
            cc_straddle=False,
            rq_straddle=True,
            rc_straddle=False,
            rc_4tlp_straddle=False,
            pf_count=1,
            max_payload_size=512,
            enable_client_tag=False,
            enable_extended_tag=True,
            enable_parity=False,
            pf0_msix_enable=True,
            pf0_msix_table_size=VECTORS - 1,
            pf0_msix_table_bir=0,
            pf0_msix_table_offset=MSIX_TABLE,
            pf0_msix_pba_bir=0,
            pf0_msix_pba_offset=MSIX_PENDING,
            user_clk=dut.user_clk,
            user_reset=dut.user_reset,
            user_lnk_up=dut.user_lnk_up,
            rq_bus=AxiStreamBus.from_prefix(dut, "s_axis_rq"),
            pcie_tfc_nph_av=dut.pcie_tfc_nph_av,
            pcie_rq_tag_av=dut.pcie_rq_tag_av,
            pcie_rq_tag0=dut.pcie_rq_tag0,
            pcie_rq_tag_vld0=dut.pcie_rq_tag_vld0,
            pcie_rq_tag1=dut.pcie_rq_tag1,
            pcie_rq_tag_vld1=dut.pcie_rq_tag_vld1,
            rc_bus=AxiStreamBus.from_prefix(dut, "m_axis_rc"),
            cq_bus=AxiStreamBus.from_prefix(dut, "m_axis_cq"),
            pcie_cq_np_req=dut.pcie_cq_np_req,
            cc_bus=AxiStreamBus.from_prefix(dut, "s_axis_cc"),
            cfg_max_payload=dut.cfg_max_payload,
            cfg_function_status=dut.cfg_function_status,
            cfg_flr_in_process=dut.cfg_flr_in_process,
            cfg_flr_done=dut.cfg_flr_done,
            cfg_interrupt_msix_enable=dut.cfg_interrupt_msix_enable,
            cfg_interrupt_msix_mask=dut.cfg_interrupt_msix_mask,
        )
        # The model's own numbers of credits, which it has and never starts to show.
        cocotb.start_soon(self.hard_block._run_tx_fc_logic())
        self.hard_block.functions[0].configure_bar(0, BAR_BYTES, ext=True)
        self.rc.make_port().connect(self.hard_block)
        # Messages as they came: vector, and all indices at that time.
        self.heard = []
        self.commands = 0
        self.counted = [0] * 14

    async def start(self):
        await FallingEdge(self.dut.user_reset)
        await ClockCycles(self.dut.clk_core, 20)
        for signal in ("reset", "wire_reset_a", "wire_reset_b"):
            getattr(self.dut, signal).value = 0
        await Timer(500, "ns")
        await self.rc.enumerate()
        self.device = self.rc.find_device(self.hard_block.functions[0].pcie_id)
        await self.device.enable_device()
        self.bar = self.device.bar_window[0]
        self.memory = self.rc.mem_pool.alloc_region(BYTES)
        self.base = self.memory.get_absolute_address(0)
        # Counters go on from test to test: nothing but power-up sets them to 0.
        self.counted = await self.counters()

    async def read(self, at):
        return await self.bar.read_dword(at)

    async def write(self, at, value):
        await self.bar.write_dword(at, value)

    async def write_pair(self, at, value):
        await self.bar.write(at, struct.pack("<Q", value))

    async def wait_for(self, at, mask, value):
        for _ in range(400):
            if await self.read(at) & mask == value:
                return
            await Timer(1, "us")
        raise AssertionError(f"{at:#x} does not become {value:#x}")

    async def counters(self):
        """Counts since the start of the test."""
        return [await self.read(COUNTERS + 4 * number) - before for number, before in enumerate(self.counted)]

    async def expect_counters(self, **expected):
        """Counters are these, by name; those that are not named are 0, but for messages."""
        found = await self.counters()
        wanted = [0] * 14
        for name, value in expected.items():
            wanted[globals()[name.upper()]] = value
        wanted[MESSAGES] = len(self.heard)
        assert found == wanted, f"counters {found}, not {wanted}"

    def index(self, number):
        """Of a record ring, or 4: of the completion ring."""
        at = INDICES + 64 * number
        return struct.unpack_from("<I", bytes(self.memory[at:at + 4]))[0]

    async def wait_for_index(self, number, value):
        for _ in range(100):
            if self.index(number) == value:
                return
            await Timer(500, "ns")
        raise AssertionError(f"index {number} is {self.index(number)}, not {value}")

    async def listen(self):
        """Bus master and all vectors on."""
        await self.device.set_master()
        assert await self.device.alloc_irq_vectors(VECTORS, VECTORS) == VECTORS
        for vector in range(VECTORS):
            self.device.request_irq(vector, self._hears(vector))

    def _hears(self, vector):
        async def message():
            self.heard.append((vector, [self.index(number) for number in range(RINGS + 1)]))
        return message

    def vectors(self):
        return [vector for vector, _ in self.heard]

    async def send(self, data):
        dut = self.dut
        for at in range(0, len(data), 64):
            beat = data[at:at + 64]
            dut.rx_a_valid.value = 1
            dut.rx_a_last.value = int(at + 64 >= len(data))
            dut.rx_a_bytes.value = len(beat)
            dut.rx_a_data.value = int.from_bytes(beat.ljust(64, b"\0"), "little")
            await RisingEdge(dut.clk_wire_a)
        dut.rx_a_valid.value = 0

    async def set_rings(self, commands=None):
        """All rings, empty; the command ring where it is said."""
        await self.wait_for(CARD_STATUS, 1, 1)
        self.memory[INDICES:INDICES + 64 * (RINGS + 1)] = bytes(64 * (RINGS + 1))
        self.commands = 0
        await self.write_pair(COMMAND_RING, self.base + COMMANDS if commands is None else commands)
        await self.write(COMMAND_RING + 8, RING_COMMANDS)
        await self.write_pair(COMPLETION_RING, self.base + COMPLETIONS)
        await self.write(COMPLETION_RING + 8, RING_COMMANDS)
        await self.write_low_high(COMPLETION_RING + 12, self.base + INDICES + 64 * RINGS)
        for ring in range(RINGS):
            at = RECORD_RING + RECORD_STRIDE * ring
            await self.write_pair(at, self.base + RECORDS + 64 * RING_LINES * ring)
            await self.write(at + 8, RING_LINES)
            await self.write_low_high(at + 12, self.base + INDICES + 64 * ring)
        await self.write(ENABLE, 0x1F)

    async def write_low_high(self, at, value):
        await self.write(at, value & 0xFFFFFFFF)
        await self.write(at + 4, value >> 32)

    def put(self, number, line):
        at = COMMANDS + 64 * (number % RING_COMMANDS)
        self.memory[at:at + 64] = line

    async def run(self, commands):
        """Gives commands to the card and waits until it has completed them. Their statuses; tags and opcodes are those that were given."""
        first = self.commands
        for line in commands:
            self.put(self.commands, line)
            self.commands += 1
        await self.write(COMMAND_PRODUCER, self.commands)
        await self.wait_for_index(RINGS, self.commands)
        statuses = []
        for number, line in enumerate(commands, first):
            at = COMPLETIONS + 128 * (number % RING_COMMANDS)
            tag, status, opcode = struct.unpack_from("<IBB", bytes(self.memory[at:at + 8]))
            given = struct.unpack_from("<I", line, 4)[0], line[0]
            # A line that did not come is one of ones to the card.
            assert (tag, opcode) == given or status == BAD_CRC, f"completion {tag}, {opcode}, {status} for {given}"
            statuses.append(status)
        return statuses

    async def arm(self):
        """The time, a rule for each ring, and armed."""
        await self.write_pair(TIME_SET, TIME_NS)
        await self.write(TIME_SET_QUALITY, 5)
        rules = [line for ring in range(RINGS) for line in rule(100 + 2 * ring, ring)]
        assert await self.run(rules) == [DONE] * len(rules)
        await self.write(CONTROL, 1)
        await self.wait_for(CONTROL, 1, 1)

    async def expect_record(self, ring, line, number, data):
        """The record of a frame stands whole at a line of its ring, and the ring's index behind it. The index behind it."""
        sent = data[:-4]
        need = 1 + (len(sent) + 63) // 64
        if line % RING_LINES + need > RING_LINES:
            line += RING_LINES - line % RING_LINES
        await self.wait_for_index(ring, line + need)
        at = RECORDS + 64 * (RING_LINES * ring + line % RING_LINES)
        record = bytes(self.memory[at:at + 64 * need])
        kind, flags, hits, side, sequence, stamp_ns, original, captured = struct.unpack_from("<BBBBIQHH", record)
        assert (kind, hits, side, sequence) == (1, 1, 0, number), f"record {kind} of {hits} hits, port {side}, number {sequence}, not {number}"
        assert (original, captured) == (len(sent), len(sent)), f"{original}, {captured} bytes, not {len(sent)}"
        assert flags & 3 == 0 and TIME_NS <= stamp_ns < TIME_NS + 10_000_000, f"flags {flags:#x}, stamp {stamp_ns}"
        assert record[24:28] == bytes([14, 34, 42, 17]), "where IP and UDP stand"
        # Bank n is lookup 17 + 2n for senders; scope 2 is content.
        assert int.from_bytes(record[40:43], "little") == 70 + ring | 2 << 17 | (17 + 2 * ring) << 19
        payload_crc, header_crc = struct.unpack_from("<II", record, 32)
        assert header_crc == crc32c(record[:36] + bytes(4) + record[40:64]), "CRC of the header"
        assert payload_crc == crc32c(record[64:]), "CRC of the payload"
        assert record[64:64 + len(sent)] == sent, f"payload of frame {number}"
        return line + need

    async def free(self, ring, line):
        await self.write(RECORD_RING + RECORD_STRIDE * ring + RING_CONSUMER, line)

    async def expect_quiet(self, clocks=200):
        """Nothing on RQ."""
        for _ in range(clocks):
            await RisingEdge(self.dut.user_clk)
            assert int(self.dut.s_axis_rq_tvalid.value) == 0, "something on RQ"
