"""The card behind a model of its hard block that others wrote. `parts.py` says what each test shows, and on what."""

import itertools
import struct

import cocotb
from cocotb.triggers import Timer
from cocotbext.pcie.core.pci import PciCapId

from host import (BAD_CRC, COMMAND_PRODUCER, COMMAND_RING, COMMANDS, COMPLETION_VECTOR, CONTROL, DONE, ENABLE, ERROR_VECTOR, MODERATION, MSIX_PENDING,
                  MSIX_TABLE, NOP, RECORD_RING, RING_CONSUMER, RINGS, SESSION_OFF, SESSION_ON, STATE, VECTORS, Bench, command, frame)
from models import HardBlock, Host


def nops(count, first=0):
    return [command(NOP, first + n) for n in range(count)]


@cocotb.test(timeout_time=200, timeout_unit="us")
async def registers(dut):
    bench = Bench(dut)
    await bench.start()
    assert struct.pack("<I", await bench.read(0)) in (b"WRIT", b"TIRW")
    assert bytes(await bench.bar.read(0x10, 8)) == bytes(range(8)), "build hash"
    await bench.write(RECORD_RING + RING_CONSUMER, 0x12345678)
    assert await bench.read(RECORD_RING + RING_CONSUMER) == 0x12345678
    await bench.write_pair(COMMAND_RING, 0x1122334455667700)
    assert bytes(await bench.bar.read(COMMAND_RING, 8)) == bytes.fromhex("0077665544332211")
    assert bytes(await bench.bar.read(COMMAND_RING + 1, 2)) == bytes.fromhex("7766")
    for vector in range(VECTORS):
        assert await bench.read(MSIX_TABLE + 16 * vector + 12) == 1
    assert await bench.read(STATE) >> 16 == SESSION_OFF
    # Too long: unsupported, and counted. A write of a part of a word is dropped, and counted.
    try:
        await bench.bar.read(0, 16)
    except Exception as error:
        assert "Unsuccessful completion" in str(error), error
    else:
        raise AssertionError("a read of 16 bytes was answered")
    await bench.bar.write(RECORD_RING + RING_CONSUMER, b"\x55")
    assert await bench.read(RECORD_RING + RING_CONSUMER) == 0x12345678
    await bench.expect_counters(unsupported_requests=1, dropped_requests=1)


@cocotb.test(timeout_time=200, timeout_unit="us")
async def rings(dut):
    bench = Bench(dut)
    await bench.start()
    await bench.listen()
    bench.hard_block.rq_sink.set_pause_generator(itertools.cycle([0, 0, 1, 0, 1, 1, 0]))
    await bench.set_rings()
    assert await bench.run(nops(40)) == [DONE] * 40
    await bench.arm()
    # Records of 60 to 1500 bytes, more than once around the ring.
    line = 0
    for number in range(40):
        data = frame(number, 64 + number * 37)
        await bench.send(data)
        line = await bench.expect_record(0, line, number, data)
        await bench.free(0, line)
    assert line > 1.5 * 256
    await Timer(2, "us")
    await bench.expect_counters()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def bus_master_off(dut):
    bench = Bench(dut)
    await bench.start()
    await bench.listen()
    await bench.set_rings()
    await bench.arm()
    data = frame(0, 200)
    await bench.send(data)
    await bench.expect_record(0, 0, 0, data)
    await Timer(2, "us")
    heard = len(bench.heard)

    await bench.device.clear_master()
    await Timer(2, "us")
    assert await bench.read(STATE) >> 16 == SESSION_OFF
    assert await bench.read(CONTROL) == 0 and await bench.read(ENABLE) == 0, "armed without bus master"
    await bench.send(frame(1, 200))
    await bench.expect_quiet()
    await bench.expect_counters(sessions_ended=1)

    # On again: as a card that was just reset.
    await bench.device.set_master()
    await bench.set_rings()
    await bench.arm()
    await bench.send(data)
    await bench.expect_record(0, 0, 0, data)
    await Timer(2, "us")
    assert len(bench.heard) > heard
    await bench.expect_counters(sessions_ended=1)


@cocotb.test(timeout_time=200, timeout_unit="us")
async def interrupts(dut):
    bench = Bench(dut)
    await bench.start()
    await bench.listen()
    await bench.set_rings()
    await bench.arm()
    await Timer(1, "us")
    assert set(bench.vectors()) == {COMPLETION_VECTOR}, bench.vectors()
    lines, numbers = [0] * RINGS, [0] * RINGS

    async def send(ring):
        data = frame(numbers[ring], 100 + ring, ring)
        await bench.send(data)
        lines[ring] = await bench.expect_record(ring, lines[ring], numbers[ring], data)
        numbers[ring] += 1
        await Timer(1, "us")

    # A record ring's index is told by its vector alone, and stands there when it comes.
    for ring in (2, 0, 3, 1, 3):
        bench.heard.clear()
        await send(ring)
        assert bench.vectors() == [ring], f"ring {ring}: vectors {bench.vectors()}"
        assert bench.heard[0][1][ring] == lines[ring], "a message before its index"
    bench.heard.clear()
    assert await bench.run(nops(1)) == [DONE]
    await Timer(1, "us")
    assert bench.vectors() == [COMPLETION_VECTOR], bench.vectors()

    # A masked vector waits, and the others do not.
    bench.heard.clear()
    await bench.write(MSIX_TABLE + 16 * 2 + 12, 1)
    for ring in (2, 1, 2):
        await send(ring)
    assert bench.vectors() == [1], bench.vectors()
    assert await bench.read(MSIX_PENDING) == 1 << 2
    await bench.write(MSIX_TABLE + 16 * 2 + 12, 0)
    await Timer(1, "us")
    assert bench.vectors() == [1, 2] and await bench.read(MSIX_PENDING) == 0

    # So do all of a masked function.
    bench.heard.clear()
    control = await bench.device.capability_read_dword(PciCapId.MSIX, 0)
    await bench.device.capability_write_dword(PciCapId.MSIX, 0, control | 1 << 30)
    await send(3)
    await send(0)
    assert bench.vectors() == [] and await bench.read(MSIX_PENDING) == 0b1001
    await bench.device.capability_write_dword(PciCapId.MSIX, 0, control)
    await Timer(1, "us")
    assert bench.vectors() == [0, 3] and await bench.read(MSIX_PENDING) == 0

    # One message in 8 us for a vector at most.
    bench.heard.clear()
    await bench.write(MODERATION, 8)
    for _ in range(3):
        await send(1)
    assert bench.vectors() == [1], bench.vectors()
    await Timer(10, "us")
    assert bench.vectors() == [1, 1] and bench.heard[-1][1][1] == lines[1]


@cocotb.test(timeout_time=200, timeout_unit="us")
async def unsupported_reads(dut):
    bench = Bench(dut)
    await bench.start()
    await bench.listen()
    # Between the root complex's memory and its windows nothing is.
    await bench.set_rings(commands=0x9000_0000)
    assert await bench.run(nops(3)) == [BAD_CRC] * 3
    await Timer(1, "us")
    assert ERROR_VECTOR in bench.vectors(), bench.vectors()
    await bench.expect_counters(unsupported_reads=3)


@cocotb.test(timeout_time=200, timeout_unit="us")
async def bad_completions(dut):
    bench = Bench(dut, host=Host)
    await bench.start()
    await bench.listen()
    await bench.set_rings()
    assert await bench.run(nops(1)) == [DONE]
    await Timer(1, "us")
    assert set(bench.vectors()) == {COMPLETION_VECTOR}
    for number, how in {2: "poisoned", 3: "unsupported", 5: "abort", 8: "poisoned"}.items():
        bench.rc.spoilt[bench.base + COMMANDS + 64 * number] = how
    statuses = [BAD_CRC if number in (2, 3, 5, 8) else DONE for number in range(1, 11)]
    assert await bench.run(nops(10, 1)) == statuses
    await Timer(1, "us")
    assert set(bench.vectors()) == {COMPLETION_VECTOR, ERROR_VECTOR}, bench.vectors()
    await bench.expect_counters(poisoned_reads=2, unsupported_reads=2)


@cocotb.test(timeout_time=200, timeout_unit="us")
async def time_outs(dut):
    bench = Bench(dut, host=Host, hard_block=HardBlock)
    await bench.start()
    await bench.listen()
    await bench.set_rings()
    for number, how in {1: "silent", 4: "late"}.items():
        bench.rc.spoilt[bench.base + COMMANDS + 64 * number] = how
    statuses = [BAD_CRC if number in (1, 4) else DONE for number in range(6)]
    assert await bench.run(nops(6)) == statuses
    assert bench.hard_block.timed_out == 2
    await Timer(1, "us")
    assert ERROR_VECTOR in bench.vectors(), bench.vectors()
    await bench.expect_counters(timed_out_reads=2)
    # An answer that comes when nobody waits any more is nobody's.
    await bench.rc.answer_late()
    await Timer(1, "us")
    assert await bench.run(nops(20, 6)) == [DONE] * 20
    assert (await bench.counters())[5:10] == [0, 0, 2, 0, 0]


@cocotb.test(timeout_time=200, timeout_unit="us")
async def function_level_reset(dut):
    bench = Bench(dut, host=Host, hard_block=HardBlock)
    await bench.start()
    await bench.listen()
    await bench.set_rings()
    await bench.arm()
    data = frame(0, 300)
    await bench.send(data)
    await bench.expect_record(0, 0, 0, data)
    await bench.write(MODERATION, 40)
    assert await bench.read(STATE) >> 16 == SESSION_ON
    bars = [await bench.device.config_read_dword(at) for at in (0x10, 0x14)]

    # With reads under way.
    for number in range(bench.commands, bench.commands + 4):
        bench.rc.spoilt[bench.base + COMMANDS + 64 * number] = "silent"
        bench.put(number, command(NOP, number))
    await bench.write(COMMAND_PRODUCER, bench.commands + 4)
    await Timer(1, "us")
    assert not bench.rc.spoilt, "the card did not read its commands"
    control = await bench.device.capability_read_dword(PciCapId.EXP, 8)
    await bench.device.capability_write_dword(PciCapId.EXP, 8, control & 0xFFFF | 1 << 15)
    await Timer(10, "us")
    assert bench.hard_block.flr_done == 1, "the reset is not over"
    await bench.send(data)
    await bench.expect_quiet()

    # What was in the function is gone; the host gives it its address again.
    for at, value in zip((0x10, 0x14), bars):
        await bench.device.config_write_dword(at, value)
    await bench.device.config_write_word(0x04, 2)
    assert await bench.read(STATE) >> 16 == SESSION_OFF
    assert await bench.read(CONTROL) == 0 and await bench.read(ENABLE) == 0, "armed after a reset"
    assert await bench.read(MODERATION) == 0
    for vector in range(VECTORS):
        assert await bench.read(MSIX_TABLE + 16 * vector + 12) == 1, "not masked"
    counters = await bench.counters()
    assert counters[12] == 1 and counters[9] == 0, counters

    await bench.device.set_master()
    await bench.device.msix_capability_init(VECTORS)
    await bench.set_rings()
    bench.heard.clear()
    await bench.arm()
    await bench.send(data)
    await bench.expect_record(0, 0, 0, data)
    await Timer(1, "us")
    assert set(bench.vectors()) == {0, COMPLETION_VECTOR}, bench.vectors()
