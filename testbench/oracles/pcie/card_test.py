"""The card behind a model of its hard block that others wrote: enumeration, registers, DMA both ways, interrupts.

The model never signals a function-level reset and makes no completion time-outs; those are tested elsewhere.
"""

import struct

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Event, FallingEdge, RisingEdge, Timer
from cocotbext.axi import AxiStreamBus
from cocotbext.pcie.core import RootComplex
from cocotbext.pcie.xilinx.us import UltraScalePlusPcieDevice

BAR_BYTES = 0x4000
STATUS, COUNTERS, MSIX_TABLE, MSIX_PENDING = 0x1000, 0x1010, 0x2000, 0x3000
CONTROL, CARD_STATUS, TIME_SET = 0x100, 0x104, 0x140
RECORD_RING, COMMAND_RING, COMPLETION_RING, ENABLE = 0x200, 0x280, 0x290, 0x2A4
# Places in host memory.
COMMANDS, COMPLETIONS, INDICES, RECORDS, BYTES = 0x0000, 0x2000, 0x4000, 0x8000, 0x10000
RING_COMMANDS, RING_LINES = 64, 256


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def command(opcode, tag, key=b"", row=0, match_index=0, scope=0, not_after=0):
    body = struct.pack("<BBBBII", opcode, 0, 0, scope, tag, row)
    body += match_index.to_bytes(3, "little") + not_after.to_bytes(6, "little")
    body = (body + key.ljust(38, b"\0")).ljust(60, b"\0")
    return body + struct.pack("<I", crc32c(body))


def frame(number, size):
    """UDP from 192.0.2.1 to 198.51.100.7 port 8000, with room for a frame check sequence that the card does not look at."""
    payload = bytes((number + n) % 256 for n in range(size - 42))
    udp = struct.pack(">HHHH", 1234, 8000, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7]))
    return bytes.fromhex("020000000001020000000002") + b"\x08\x00" + ip + udp + b"\xAA\xBB\xCC\xDD"


class Bench:
    def __init__(self, dut):
        self.dut = dut
        for clock in (dut.clk_core, dut.clk_wire_a, dut.clk_wire_b):
            cocotb.start_soon(Clock(clock, 3104, unit="ps").start())
        for signal in ("pps", "rx_a_valid", "rx_b_valid", "rx_a_last", "rx_a_error", "rx_a_bytes", "rx_a_data", "rx_b_last",
                       "rx_b_error", "rx_b_bytes", "rx_b_data", "mac_overflow_a", "mac_overflow_b", "mac_underflow_a", "mac_underflow_b"):
            getattr(dut, signal).value = 0
        for signal in ("reset", "wire_reset_a", "wire_reset_b"):
            getattr(dut, signal).value = 1
        dut.build_hash.value = int.from_bytes(bytes(range(32)), "little")
        self.rc = RootComplex()
        self.rc.max_payload_size = 1
        self.hard_block = UltraScalePlusPcieDevice(
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
            pf0_msix_table_size=7,
            pf0_msix_table_bir=0,
            pf0_msix_table_offset=MSIX_TABLE,
            pf0_msix_pba_bir=0,
            pf0_msix_pba_offset=MSIX_PENDING,
            user_clk=dut.user_clk,
            user_reset=dut.user_reset,
            user_lnk_up=dut.user_lnk_up,
            rq_bus=AxiStreamBus.from_prefix(dut, "s_axis_rq"),
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
            cfg_interrupt_msix_enable=dut.cfg_interrupt_msix_enable,
            cfg_interrupt_msix_mask=dut.cfg_interrupt_msix_mask,
        )
        self.dut.cfg_flr_in_process.value = 0
        self.hard_block.functions[0].configure_bar(0, BAR_BYTES)
        self.rc.make_port().connect(self.hard_block)
        self.irq = Event()

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

    async def read(self, at):
        return await self.bar.read_dword(at)

    async def write(self, at, value):
        await self.bar.write_dword(at, value)

    async def write_pair(self, at, value):
        await self.bar.write(at, struct.pack("<Q", value))

    async def wait_for(self, at, mask, value):
        for _ in range(200):
            if await self.read(at) & mask == value:
                return
            await Timer(1, "us")
        raise AssertionError(f"{at:#x} does not become {value:#x}")

    async def counter(self, number):
        return await self.read(COUNTERS + 4 * number)

    def host_word(self, at):
        return struct.unpack_from("<I", bytes(self.memory[at:at + 4]))[0]

    async def wait_for_index(self, at, value):
        for _ in range(100):
            if self.host_word(at) == value:
                return
            await Timer(500, "ns")
        raise AssertionError(f"index {self.host_word(at)}, not {value}")

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

    async def set_rings(self):
        await self.write_pair(COMMAND_RING, self.base + COMMANDS)
        await self.write(COMMAND_RING + 8, RING_COMMANDS)
        await self.write_pair(COMPLETION_RING, self.base + COMPLETIONS)
        await self.write(COMPLETION_RING + 8, RING_COMMANDS)
        await self.write(COMPLETION_RING + 12, (self.base + INDICES) & 0xFFFFFFFF)
        await self.write(COMPLETION_RING + 16, (self.base + INDICES) >> 32)
        await self.write_pair(RECORD_RING, self.base + RECORDS)
        await self.write(RECORD_RING + 8, RING_LINES)
        await self.write(RECORD_RING + 12, (self.base + INDICES + 64) & 0xFFFFFFFF)
        await self.write(RECORD_RING + 16, (self.base + INDICES + 64) >> 32)
        await self.write(ENABLE, 0x11)


@cocotb.test()
async def registers(dut):
    """Enumeration, BARs, reads and writes of 4 and 8 bytes, what is no register access."""
    bench = Bench(dut)
    await bench.start()
    assert struct.pack("<I", await bench.read(0)) in (b"WRIT", b"TIRW")
    hash_word = bytes(await bench.bar.read(0x10, 8))
    assert hash_word == bytes(range(8)), hash_word
    await bench.write(RECORD_RING + 0x14, 0x12345678)
    assert await bench.read(RECORD_RING + 0x14) == 0x12345678
    await bench.write_pair(COMMAND_RING, 0x1122334455667700)
    assert bytes(await bench.bar.read(COMMAND_RING, 8)) == bytes.fromhex("0077665544332211")
    assert bytes(await bench.bar.read(COMMAND_RING + 1, 2)) == bytes.fromhex("7766")
    for vector in range(8):
        assert await bench.read(MSIX_TABLE + 16 * vector + 12) == 1
    assert await bench.read(STATUS) >> 16 == 2
    # Too long: unsupported, and counted. A write of a part of a word is dropped, and counted.
    try:
        await bench.bar.read(0, 16)
        raise AssertionError("a read of 16 bytes was answered")
    except Exception as error:
        assert "Unsuccessful completion" in str(error), error
    assert await bench.counter(0) == 1
    await bench.bar.write(RECORD_RING + 0x14, b"\x55")
    assert await bench.read(RECORD_RING + 0x14) == 0x12345678
    assert await bench.counter(1) == 1


@cocotb.test()
async def dma(dut):
    """Commands read, completions and records written, interrupts behind their index; then bus master off."""
    bench = Bench(dut)
    await bench.start()
    await bench.device.set_master()
    await bench.device.alloc_irq_vectors(8, 8)
    heard = []

    async def on_irq():
        heard.append((bench.host_word(INDICES), bench.host_word(INDICES + 64)))

    bench.device.request_irq(0, on_irq)
    await bench.wait_for(CARD_STATUS, 1, 1)
    await bench.set_rings()
    await bench.write_pair(TIME_SET, 1_767_225_637_000_000_000)
    await bench.write(TIME_SET + 8, 5)

    # 40 commands: nothing, a rule for UDP of 192.0.2.1 to ports 8000 to 8007, nothing.
    value = bytes.fromhex("04c0000201").ljust(33, b"\0") + bytes.fromhex("1100001f40")
    mask = b"\xff" * 5 + bytes(28) + bytes.fromhex("ff0000fff8")
    commands = [command(0, tag) for tag in range(40)]
    commands[20] = command(6, 20, key=value)
    commands[21] = command(7, 21, key=mask, row=3, match_index=77, scope=2, not_after=(1 << 44) - 1)
    for number, line in enumerate(commands):
        bench.memory[COMMANDS + 64 * number:COMMANDS + 64 * number + 64] = line
    await bench.write(COMMAND_RING + 12, 40)
    await bench.wait_for_index(INDICES, 40)
    for tag in range(40):
        got = struct.unpack_from("<IBBBB", bytes(bench.memory[COMPLETIONS + 128 * tag:COMPLETIONS + 128 * tag + 8]))
        assert got[:2] == (tag, 0) and got[2] == commands[tag][0], f"completion {got}"

    # Records of 60 to 1500 bytes, once around the ring.
    await bench.write(CONTROL, 1)
    await bench.wait_for(CONTROL, 1, 1)
    lines, at = 0, 0
    for number in range(60):
        data = frame(number, 60 + number * 24)
        need = 1 + (len(data) - 4 + 63) // 64
        if at % RING_LINES + need > RING_LINES:
            at += RING_LINES - at % RING_LINES
        await bench.send(data)
        lines = at + need
        await bench.wait_for_index(INDICES + 64, lines)
        place = RECORDS + 64 * (at % RING_LINES)
        record = bytes(bench.memory[place:place + 64 * need])
        assert record[0] == 1 and struct.unpack_from("<H", record, 18)[0] == len(data) - 4
        assert record[64:64 + len(data) - 4] == data[:-4], f"frame {number}"
        at = lines
        await bench.write(RECORD_RING + 0x14, at)
    await Timer(2, "us")
    # Each index was there when its interrupt came, so the last interrupt has seen the last one.
    assert heard and heard[-1] == (40, lines), heard[-1:]
    messages = await bench.counter(11)
    assert messages == len(heard)
    assert [await bench.counter(n) for n in range(11)] == [0] * 11

    # Bus master off: nothing on RQ, and the card is disarmed.
    await bench.device.clear_master()
    await Timer(2, "us")
    assert await bench.read(STATUS) >> 16 == 2
    assert await bench.read(CONTROL) == 0 and await bench.read(ENABLE) == 0
    assert await bench.counter(12) == 1
    await bench.send(frame(1, 200))
    for _ in range(200):
        await RisingEdge(dut.user_clk)
        assert dut.s_axis_rq_tvalid.value == 0
