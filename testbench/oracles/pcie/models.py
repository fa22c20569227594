"""What the published models leave out, added in subclasses of ours. A part of the run that uses them says so in the report.

`HardBlock`: function-level reset and completion time-outs, by PG213 ("Handling of Completion Errors", "Configuration Control Interface"). Of a function's
state only command register, BARs and MSI-X enable are reset; the time-out is far shorter than any that a host would set, so that the run is short.
`Host`: answers chosen reads of host memory wrongly, late, or not at all.
"""

import cocotb
from cocotb.triggers import RisingEdge, Timer
from cocotbext.pcie.core import RootComplex
from cocotbext.pcie.core.tlp import Tlp
from cocotbext.pcie.core.utils import PcieId
from cocotbext.pcie.xilinx.us import UltraScalePlusPcieDevice
from cocotbext.pcie.xilinx.us.tlp import ErrorCode, Tlp_us

TIME_OUT_NS = 6_000
FLR_CLOCKS_MAX = 20_000


class HardBlock(UltraScalePlusPcieDevice):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.flr_done = 0
        self.timed_out = 0
        capability = self.functions[0].pcie_cap
        capability.function_level_reset_capability = True
        capability.initiate_function_level_reset = self._begin_function_level_reset
        cocotb.start_soon(self._time_out_reads())

    def _end(self, tag, code):
        """Ends the read of a tag without an answer. Of what the card is told only tag, code and the bit that it has ended mean anything."""
        request = self.active_request[tag]
        self.active_request[tag] = None
        self.tag_available_count = self.get_available_tag_count()
        self.tag_release.set()
        told = Tlp_us(Tlp.create_completion_for_tlp(request, PcieId(0, 0, 0)))
        told.error_code = code
        told.request_completed = True
        told.byte_count = 0x155
        told.lower_address = 0xA5C
        self.rc_queue.put_nowait(told)

    async def _time_out_reads(self):
        seen = [None] * len(self.active_request)
        while True:
            await Timer(TIME_OUT_NS // 2, "ns")
            for tag, request in enumerate(self.active_request):
                if request is None:
                    seen[tag] = None
                elif seen[tag] is None or seen[tag][0] is not request:
                    seen[tag] = (request, 1)
                elif seen[tag][1] == 1:
                    seen[tag] = (request, 2)
                else:
                    seen[tag] = None
                    self.timed_out += 1
                    self._end(tag, ErrorCode.TIMEOUT)

    async def _begin_function_level_reset(self):
        # The write that asks for it is completed first.
        cocotb.start_soon(self._reset_function())

    async def _reset_function(self):
        function = self.functions[0]
        function.bus_master_enable = False
        function.memory_space_enable = False
        function.msix_cap.msix_enable = False
        function.msix_cap.msix_function_mask = False
        function.bar = [bar & 0xF for bar in function.bar[:1]] + [0] * (len(function.bar) - 1)
        await RisingEdge(self.user_clk)
        self.cfg_flr_in_process.value = 1
        for tag, request in enumerate(self.active_request):
            if request is not None:
                self._end(tag, ErrorCode.FLR)
        for _ in range(FLR_CLOCKS_MAX):
            await RisingEdge(self.user_clk)
            if int(self.cfg_flr_done.value) & 1:
                break
        else:
            raise AssertionError("the card does not report that its function-level reset is done")
        self.cfg_flr_in_process.value = 0
        self.flr_done += 1


class Host(RootComplex):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        # Address of a read: poisoned, abort, unsupported, silent or late. Once each.
        self.spoilt = {}
        self.late = []

    async def handle_mem_read_tlp(self, tlp):
        how = self.spoilt.pop(tlp.address, None)
        if how is None:
            await super().handle_mem_read_tlp(tlp)
        elif how == "poisoned":
            completion = Tlp.create_completion_data_for_tlp(tlp, PcieId(0, 0, 0))
            completion.byte_count = tlp.length * 4
            completion.lower_address = tlp.address & 0x7F
            completion.set_data(await self.mem_address_space.read(tlp.address, tlp.length * 4))
            completion.ep = True
            await self.send(completion)
        elif how == "abort":
            await self.send(Tlp.create_ca_completion_for_tlp(tlp, PcieId(0, 0, 0)))
        elif how == "unsupported":
            await self.send(Tlp.create_ur_completion_for_tlp(tlp, PcieId(0, 0, 0)))
        elif how == "late":
            self.late.append(tlp)
        else:
            assert how == "silent", how

    async def answer_late(self):
        """Answers what it kept waiting."""
        for tlp in self.late:
            await super().handle_mem_read_tlp(tlp)
        self.late = []
