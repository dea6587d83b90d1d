#!/usr/bin/env python3
"""Training steps on the GPU beside PyTorch on the same card, DLB on both sides.

    bench/gpu_vs_pytorch.py BUILD_FOLDER [NETWORK...]   default: resnet32 resnet110 resnet18

BUILD_FOLDER is that of a GPU build with its bench/step_times. Batch 128, on the device, without
loading; the arms run in turn, ROUNDS times (default 5). Prints a table in Markdown: images/s, and
the rounds' ratios as median, least and largest. Without PyTorch its columns are empty.

Environment: ROUNDS, PYTHON (one that has PyTorch)."""

import pathlib
import statistics
import sys
import tempfile

from measuring import HERE, ROOT, ROUNDS, median_and_range, output_of, python_with

BATCH, WARM_UP, STEPS = 128, 20, 50
CFGS = {
    "resnet32": ROOT / "cfg/paper/resnet32-100.cfg",
    "resnet110": ROOT / "cfg/paper/resnet110-100.cfg",
    "resnet18": HERE / "cpu/resnet18.cfg",
}
MODES = ("eager", "compile")
PYTHON, PYTORCH = python_with("torch")


def write_cfg(folder, network):
    """The cfg with this batch, and with algorithms by measuring, as PyTorch has them."""
    lines = CFGS[network].read_text().splitlines()
    lines = [line for line in lines if not line.startswith("cudnn_benchmark=")]
    lines = [f"batch={BATCH}\ncudnn_benchmark=1" if l.startswith("batch=") else l for l in lines]
    path = folder / f"{network}.cfg"
    path.write_text("\n".join(lines) + "\n")
    return path


def darknet_seconds(build, cfg):
    """Median seconds of a step: without DLB, alpha=0, alpha=1."""
    printed = output_of([build / "bench/step_times", cfg, STEPS])
    rows = [map(float, line.split()) for line in printed.splitlines() if line[0].isdigit()]
    return [statistics.median(column) for column in zip(*rows)]


def pytorch_seconds(network, mode):
    command = [PYTHON, HERE / "gpu/pytorch_step.py", network, BATCH, WARM_UP, STEPS, mode]
    return statistics.median(map(float, output_of(command).split()))


def measure(build, cfg, network):
    rounds = []
    for _ in range(ROUNDS):
        times = dict(zip(("none", "alpha0", "alpha1"), darknet_seconds(build, cfg)))
        if PYTHON:
            times.update((mode, pytorch_seconds(network, mode)) for mode in MODES)
        rounds.append(times)
    return rounds


def speed(rounds, arm):
    return f"{BATCH / statistics.median(r[arm] for r in rounds):.0f}" if arm in rounds[0] else ""


def ratio(rounds, slow, fast):
    """How many times the speed of `slow` that of `fast` is."""
    if slow not in rounds[0]:
        return ""
    return median_and_range([r[slow] / r[fast] for r in rounds], 3)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1])
    print(f"PyTorch {PYTORCH or 'is not installed'}; batch {BATCH}, {ROUNDS} rounds; images/s.\n")
    print("| network | no DLB | alpha=0 | DLB | alpha=1 : alpha=0, time | PyTorch eager, DLB "
          "| times eager | torch.compile, DLB | times compile |")
    print("|" + " --- |" * 9)
    with tempfile.TemporaryDirectory() as name:
        for network in sys.argv[2:] or CFGS:
            rounds = measure(build, write_cfg(pathlib.Path(name), network), network)
            cells = [network, *(speed(rounds, arm) for arm in ("none", "alpha0", "alpha1"))]
            cells.append(ratio(rounds, "alpha1", "alpha0"))
            for mode in MODES:
                cells += [speed(rounds, mode), ratio(rounds, mode, "alpha1")]
            print("| " + " | ".join(cells) + " |", flush=True)


main()
