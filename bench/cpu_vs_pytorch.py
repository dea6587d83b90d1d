#!/usr/bin/env python3
"""Training on the CPU: `darknet classifier train` beside PyTorch on the same machine.

    bench/cpu_vs_pytorch.py [NETWORK...]        default: resnet20 vgg16 resnet18

The arms run in turn, ROUNDS times (default 5), so that a busy machine slows all alike; what is
reported is the median of the rounds' ratios, with the least and the largest. Darknet's time is
that of whole iterations, loading included; PyTorch's batch is in memory already. PyTorch runs
with threads that spin while they wait, its default, and with threads that sleep, which is better
on a busy machine; the ratio is to the faster of the two in the same round. Writes
bench/results/cpu.md.

On ResNet-20 there are more rows: builds of Darknet's own layers, HOST_DARKNET (ONEDNN=0 OPENBLAS=0
OPENMP=1: the host as shipped) and BLAS_DARKNET (ONEDNN=0 OPENBLAS=1), where these are given; the
time that this build spends in oneDNN's convolutions, as DNNL_VERBOSE tells it; and what these
convolutions' multiplications and additions would take at the speed of a large matrix product.

Environment: ROUNDS, THREADS (default: all processors), DARKNET (default: bin/darknet),
HOST_DARKNET, BLAS_DARKNET, PYTHON (one that has PyTorch; default: python3, or else
/usr/bin/python3), CHANNELS_LAST (0 or 1)."""

import csv
import math
import os
import pathlib
import random
import re
import statistics
import sys
import tempfile

from measuring import HERE, ROOT, ROUNDS, THREADS, output_of, processor, python_with, write_results

DARKNET = os.path.abspath(os.environ.get("DARKNET", ROOT / "bin/darknet"))
HOST_BUILDS = {
    "the host as shipped, OpenMP": os.environ.get("HOST_DARKNET"),
    "the host with OpenBLAS": os.environ.get("BLAS_DARKNET"),
}
PYTHON, PYTORCH = python_with("torch")

# cfg, batch, side of the images, classes, warm-up iterations, measured iterations
NETWORKS = {
    "resnet20": (ROOT / "cfg/resnet20.cfg", 128, 36, 10, 2, 12),
    "vgg16": (HERE / "cpu/vgg16.cfg", 128, 36, 10, 1, 1),
    "resnet18": (HERE / "cpu/resnet18.cfg", 32, 256, 1000, 1, 1),
}
SLOW_STEPS = (1, 1)  # of Darknet's own layers, which take seconds
DLB = "\n[dlb_cost]\nalpha={}\n"
ARMS = {"without DLB": "", "DLB, alpha=0": DLB.format(0), "DLB, alpha=1": DLB.format(1)}


def write_images(folder, side, classes, count):
    """Random pictures as PPM files, and the lists that a .data file names."""
    draw = random.Random(1)
    names = []
    for i in range(count):
        name = folder / f"{i}_class{i % classes}_.ppm"
        name.write_bytes(b"P6\n%d %d\n255\n" % (side, side) + draw.randbytes(3 * side * side))
        names.append(f"{name}\n")
    (folder / "train.list").write_text("".join(names))
    (folder / "labels.list").write_text("".join(f"class{k}_\n" for k in range(classes)))
    (folder / "x.data").write_text(
        f"classes={classes}\ntrain={folder}/train.list\nvalid={folder}/train.list\n"
        f"labels={folder}/labels.list\nbackup={folder}/backup\n"
    )


def write_cfg(folder, cfg, section, iterations):
    lines = cfg.read_text().splitlines()
    lines = [f"max_batches={iterations}" if l.startswith("max_batches") else l for l in lines]
    path = folder / "net.cfg"
    path.write_text("\n".join(lines) + section)
    return path


def run_darknet(binary, folder, network, section, **env):
    """Images a second, loading included, and what the program printed."""
    cfg, batch, _, _, warm_up, steps = NETWORKS[network]
    if binary in HOST_BUILDS.values():
        warm_up, steps = SLOW_STEPS
    log = folder / "backup/net.log.csv"
    log.unlink(missing_ok=True)
    path = write_cfg(folder, cfg, section, warm_up + steps)
    command = [binary, "classifier", "train", folder / "x.data", path, "-seed", "1", "-clear"]
    printed = output_of([*command, "-threads", THREADS, "-valid_every", "0"], **env)
    with log.open() as file:
        rows = list(csv.DictReader(file))[warm_up:]
    seconds = [float(r["load_s"]) + float(r["step_s"]) for r in rows]
    return batch / statistics.median(seconds), printed


def run_pytorch(network, waiting):
    _, batch, _, _, warm_up, steps = NETWORKS[network]
    command = [PYTHON, HERE / "cpu/pytorch_step.py", network, batch, THREADS, warm_up, steps]
    return batch / statistics.median(map(float, output_of(command, OMP_WAIT_POLICY=waiting).split()))


def convolutions(folder, network):
    """Images a second of oneDNN's convolutions alone, and the operations they are an image."""
    _, batch, _, _, warm_up, steps = NETWORKS[network]
    _, printed = run_darknet(DARKNET, folder, network, "", DNNL_VERBOSE="1")
    lines = re.findall(r"onednn_verbose,exec,cpu,convolution,.*", printed)
    last = lines[len(lines) * warm_up // (warm_up + steps):]
    seconds = sum(float(line.split(",")[-1]) for line in last) / 1000
    operations = sum(map(operations_of, last))
    return (batch * steps / seconds, operations / (batch * steps)) if last else None


def operations_of(line):
    """Multiplications and additions of a convolution, by its problem as oneDNN writes it."""
    problem = line.split(",")[-2]
    size = {name: int(number) for name, number in re.findall(r"(mb|ic|oc|oh|kh|ow|kw)(\d+)", problem)}
    return 2 * math.prod(size.values())


def more_rows(folder, network):
    """Images a second of what is measured on ResNet-20 only."""
    if network != "resnet20":
        return {}
    speeds = {
        arm: run_darknet(binary, folder, network, "")[0]
        for arm, binary in HOST_BUILDS.items() if binary
    }
    alone = convolutions(folder, network)
    if alone:
        product = float(output_of([PYTHON, HERE / "cpu/matrix_product.py", THREADS]))
        speeds["oneDNN's convolutions of this build alone"] = alone[0]
        speeds["their operations in a large sgemm"] = product / alone[1]
    return speeds


def run_round(folder, network):
    """Images a second of each arm."""
    speeds = {
        "PyTorch, threads spin": run_pytorch(network, "active"),
        "PyTorch, threads sleep": run_pytorch(network, "passive"),
    }
    for arm, section in ARMS.items():
        if network != "resnet20" and section == DLB.format(0):
            continue  # what alpha=0 leaves out is too little to show in such long steps
        speeds[arm] = run_darknet(DARKNET, folder, network, section)[0]
    return {**speeds, **more_rows(folder, network)}


def measure(network):
    """One line of results for each arm."""
    _, batch, side, classes, _, _ = NETWORKS[network]
    rounds = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_images(folder, side, classes, max(2 * batch, 64))
        for number in range(ROUNDS):
            rounds.append(run_round(folder, network))
            shown = ", ".join(f"{arm} {speed:.1f}" for arm, speed in rounds[-1].items())
            print(f"{network}, round {number + 1}: {shown} images/s", flush=True)
    lines = []
    for arm in rounds[0]:
        speed = statistics.median(r[arm] for r in rounds)
        ratios = [
            r[arm] / max(r["PyTorch, threads spin"], r["PyTorch, threads sleep"]) for r in rounds
        ]
        lines.append(
            f"| {network}, batch {batch} | {arm} | {batch / speed:.3f} | {speed:.1f} | "
            f"{statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |"
        )
    return lines


def main():
    if not PYTORCH:
        print("SKIP: no PyTorch (Debian: python3-torch) in python3 and /usr/bin/python3, or in "
              "the PYTHON that is named; bench/results/cpu.md stays as it is")
        return
    layout = ", channels last" if os.environ.get("CHANNELS_LAST") == "1" else ""
    lines = [
        "# Training on the CPU beside PyTorch",
        "",
        f"{processor()}, {THREADS} threads; PyTorch {PYTORCH}{layout}. Medians of {ROUNDS} rounds; in",
        "a round the arms run one after the other, and the ratio is to the faster PyTorch of the same",
        "round. `The host` is Darknet's own layers; the last two rows of ResNet-20 count convolutions",
        "only, and the last one is a product of two square matrices of side 2048. Made by",
        "`make bench-cpu`, a part of `make bench`.",
        "",
        "| network | arm | seconds a step | images/s | times PyTorch | least to largest |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for network in sys.argv[1:] or NETWORKS:
        lines += measure(network)
        write_results("cpu.md", lines)
    print("\n".join(lines))


main()
