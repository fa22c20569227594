"""Builds the emitted card with Verilator and runs `card_test` on it: cocotb, and cocotbext-pcie's UltraScale+ device and root complex.

Usage: run.py CARD.sv FOLDER

CARD.sv is what `cargo run -p writ-hdl --example emit -- pcie` prints. FOLDER takes the model and the results. Verilator is the first on PATH. Ends with 0 when
every test has passed.
"""

import sys
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

HERE = Path(__file__).resolve().parent


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    card, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    runner = get_runner("verilator")
    runner.build(
        sources=[card, HERE / "bench.sv"],
        hdl_toplevel="bench",
        build_dir=folder,
        # Ports of the card that the bench leaves open, and Verilator's makefile that forgets a header under g++.
        build_args=[
            "-Wno-PINCONNECTEMPTY",
            "-Wno-fatal",
            "-MAKEFLAGS",
            "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0",
            "-j",
            "2",
        ],
        timescale=("1ns", "1ps"),
    )
    results = runner.test(
        hdl_toplevel="bench",
        test_module="card_test",
        build_dir=folder,
        test_dir=folder,
        results_xml=str(folder / "results.xml"),
        extra_env={"PYTHONPATH": str(HERE)},
        timescale=("1ns", "1ps"),
    )
    tests, failed = get_results(results)
    print(f"{tests} tests, {failed} failed")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
