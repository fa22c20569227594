"""Builds the emitted card with Verilator, runs `card_test` on it, and prints what was shown.

Usage: run.py CARD.sv FOLDER

CARD.sv is what `cargo run -p writ-hdl --example emit -- pcie` prints. FOLDER takes model, log and results. Verilator is the first on PATH. Ends with 0 when
every part of `parts.py` has passed.
"""

import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from cocotb_tools.runner import get_runner

# Nothing is written beside the sources.
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

from parts import PARTS  # noqa: E402

HERE = Path(__file__).resolve().parent
BUILD = [
    # The bench's ports are all that Python looks at; cocotb would have every signal of the card kept.
    "--no-public-flat-rw",
    str(HERE / "bench.vlt"),
    # Outputs of the card that the bench leaves open.
    "-Wno-PINCONNECTEMPTY",
    # cocotb's own options are no concern of the card's text, which is linted elsewhere.
    "-Wno-fatal",
    "--output-split",
    "20000",
]
# cocotb starts make itself. Verilator's makefile forgets a header under g++.
MAKE = "-- CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0"


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    card, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    results, log = folder / "results.xml", folder / "simulation.log"
    results.unlink(missing_ok=True)
    os.environ["MAKEFLAGS"] = MAKE
    runner = get_runner("verilator")
    runner.build(
        sources=[card, HERE / "bench.sv"],
        hdl_toplevel="bench",
        build_dir=folder,
        build_args=BUILD,
        timescale=("1ns", "1ps"),
        log_file=folder / "build.log",
    )
    try:
        runner.test(
            hdl_toplevel="bench",
            test_module="card_test",
            build_dir=folder,
            test_dir=folder,
            results_xml=str(results),
            # The models warn of every place on the bus that is empty.
            extra_env={"COCOTB_LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"},
            timescale=("1ns", "1ps"),
            log_file=log,
        )
    except SystemExit as error:
        print(f"the simulation ended with {error.code}; see {log}", file=sys.stderr)
    return report(results, log)


def report(results: Path, log: Path) -> int:
    """A line for each part. A part without a result has failed, and so has a result that is no part."""
    cases = {}
    if results.is_file():
        cases = {case.get("name"): case for case in ElementTree.parse(results).iter("testcase")}
    print(f"{'part':22} {'':6} {'simulated':>10} {'took':>8}  {'on':44} shows")
    failed = 0
    for name, models, shows in PARTS:
        case = cases.pop(name, None)
        verdict = outcome(case)
        failed += verdict != "passed"
        simulated = f"{simulated_ns(case) / 1000:.1f} us" if case is not None else "-"
        took = f"{float(case.get('time', 0)):.1f} s" if case is not None else "-"
        print(f"{name:22} {verdict:6} {simulated:>10} {took:>8}  {models:44} {shows}")
        if verdict == "failed":
            print(f"{'':22} {why(case)}")
    for name in cases:
        print(f"{name}: not in parts.py")
    failed += len(cases)
    if failed:
        print(f"{failed} of {len(PARTS)} failed; more in {results} and {log}")
    return 1 if failed else 0


def why(case) -> str:
    """The first line of what was wrong."""
    for kind in ("failure", "error"):
        for found in case.iter(kind):
            first = (found.get("message") or "").splitlines()[:1]
            return ": ".join([found.get("type") or kind, *first])
    return "skipped"


def simulated_ns(case) -> float:
    times = (each.get("value") for each in case.iter("property") if each.get("name") == "sim_time_duration")
    return float(next(times, 0))


def outcome(case) -> str:
    if case is None:
        return "absent"
    if any(case.find(kind) is not None for kind in ("failure", "error", "skipped")):
        return "failed"
    return "passed"


if __name__ == "__main__":
    sys.exit(main())
