#!/usr/bin/env python3
"""Training on the CPU: `darknet classifier train` beside PyTorch on the same machine.

    bench/cpu_vs_pytorch.py [NETWORK...]        default: resnet20 vgg16 resnet18

The arms run in turn, ROUNDS times (default 5), so that a busy machine slows all alike; what is
reported is the median of the rounds' ratios, with the least and the largest. Darknet's time is
that of whole iterations, loading included; PyTorch's batch is in memory already. PyTorch runs
with threads that spin while they wait, its default, and with threads that sleep, which is better
on a busy machine; the ratio is to the faster of the two in the same round. Writes
bench/results/cpu.md. Environment: ROUNDS, THREADS (default: all processors), DARKNET (default:
bin/darknet), HOST_DARKNET (a build with ONEDNN=0 OPENBLAS=0 OPENMP=1, which is the host as
shipped; runs ResNet-20 only), PYTHON (default: python3; one that has PyTorch), CHANNELS_LAST (0
or 1)."""

import csv
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
ROUNDS = int(os.environ.get("ROUNDS", "5"))
THREADS = int(os.environ.get("THREADS", os.cpu_count()))
DARKNET = os.path.abspath(os.environ.get("DARKNET", ROOT / "bin/darknet"))
HOST_DARKNET = os.environ.get("HOST_DARKNET")
PYTHON = os.environ.get("PYTHON", "python3")
PYTORCH_STEP = HERE / "cpu/pytorch_step.py"

# cfg, batch, side of the images, classes, warm-up iterations, measured iterations
NETWORKS = {
    "resnet20": (ROOT / "cfg/resnet20.cfg", 128, 36, 10, 3, 12),
    "vgg16": (HERE / "cpu/vgg16.cfg", 128, 36, 10, 1, 3),
    "resnet18": (HERE / "cpu/resnet18.cfg", 32, 256, 1000, 1, 3),
}
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


def environment(**more):
    return {**os.environ, "OMP_NUM_THREADS": str(THREADS), **more}


def run_darknet(binary, folder, network, section):
    """Images a second, loading included."""
    cfg, batch, _, _, warm_up, steps = NETWORKS[network]
    if binary == HOST_DARKNET:
        warm_up, steps = 1, 3
    log = folder / "backup/net.log.csv"
    log.unlink(missing_ok=True)
    path = write_cfg(folder, cfg, section, warm_up + steps)
    command = [binary, "classifier", "train", folder / "x.data", path, "-seed", "1", "-clear"]
    command += ["-threads", str(THREADS)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{binary} failed:\n{done.stderr[-2000:]}")
    with log.open() as file:
        rows = list(csv.DictReader(file))[warm_up:]
    seconds = [float(r["load_s"]) + float(r["step_s"]) for r in rows]
    return batch / statistics.median(seconds)


def run_pytorch(network, waiting):
    _, batch, _, _, warm_up, steps = NETWORKS[network]
    command = [PYTHON, PYTORCH_STEP, network, *map(str, (batch, THREADS, warm_up, steps))]
    env = environment(OMP_WAIT_POLICY=waiting)
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{PYTORCH_STEP} failed:\n{done.stderr[-2000:]}")
    return batch / statistics.median(map(float, done.stdout.split()))


def measure(network):
    """One line of results for each arm."""
    _, batch, side, classes, _, _ = NETWORKS[network]
    pytorch = {"PyTorch, threads spin": "active", "PyTorch, threads sleep": "passive"}
    host = ["the host as shipped, OpenMP"] if HOST_DARKNET and network == "resnet20" else []
    speeds = {arm: [] for arm in [*pytorch, *host, *ARMS]}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_images(folder, side, classes, max(2 * batch, 64))
        for round_number in range(ROUNDS):
            for arm, waiting in pytorch.items():
                speeds[arm].append(run_pytorch(network, waiting))
            for arm in host:
                speeds[arm].append(run_darknet(HOST_DARKNET, folder, network, ""))
            for arm, section in ARMS.items():
                speeds[arm].append(run_darknet(DARKNET, folder, network, section))
            shown = ", ".join(f"{arm} {s[-1]:.1f}" for arm, s in speeds.items())
            print(f"{network}, round {round_number + 1}: {shown} images/s", flush=True)
    lines = []
    best = [max(pair) for pair in zip(*(speeds[arm] for arm in pytorch))]
    for arm, speed in speeds.items():
        ratios = [s / p for s, p in zip(speed, best)]
        lines.append(
            f"| {network}, batch {batch} | {arm} | {statistics.median(speed):.1f} | "
            f"{statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |"
        )
    return lines


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def pytorch_version():
    code = "import torch; print(torch.__version__)"
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def main():
    version = pytorch_version()
    if not version:
        print(f"SKIP: {PYTHON} has no PyTorch (Debian: python3-torch); PYTHON=... names another")
        return
    networks = sys.argv[1:] or list(NETWORKS)
    lines = [
        "# Training on the CPU beside PyTorch",
        "",
        f"{processor()}, {THREADS} threads; PyTorch {version}"
        + (", channels last" if os.environ.get("CHANNELS_LAST") == "1" else "")
        + f". Medians of {ROUNDS} rounds; in a round the arms run one after the other, and the",
        "ratio is to the faster PyTorch of the same round. Made by `bench/cpu_vs_pytorch.py`.",
        "",
        "| network | arm | images/s | times PyTorch | least to largest |",
        "| --- | --- | --- | --- | --- |",
    ]
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    for network in networks:
        lines += measure(network)
        (results / "cpu.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


main()
