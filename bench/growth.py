#!/usr/bin/env python3
"""How time and memory grow with batch, subdivisions, classes and the length of the list.

    bench/growth.py PROGRAMS        the folder of step_times and step_memory; `make bench-growth`

Steps: ResNet-20, in one process without the section, with alpha=0 and with alpha=1, in turn,
ROUNDS times (default 5). Lists: `darknet classifier train` until its first iteration is over, on
a network of next to no work. Writes bench/results/growth.md. Environment: ROUNDS, THREADS
(default: all processors), DARKNET (default: bin/darknet)."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from measuring import (
    ROOT, ROUNDS, THREADS, environment, exponent, line_through, median_and_range, output_of,
    processor, write_results,
)

DARKNET = os.path.abspath(os.environ.get("DARKNET", ROOT / "bin/darknet"))
BATCHES = (16, 32, 64, 128, 256, 512)
SUBDIVISIONS = (1, 2, 4, 8, 16)
CLASSES = (10, 100, 1000, 21841)
PATHS = (13_000, 130_000, 1_300_000)
LIST_CLASSES = 1000

TINY_NETWORK = f"""[net]
batch=16
subdivisions=1
height=8
width=8
channels=3
min_crop=8
max_crop=8
learning_rate=0.01
policy=constant
max_batches=0

[convolutional]
filters=8
size=3
stride=4
pad=1
activation=relu

[avgpool]

[connected]
output={LIST_CLASSES}
activation=linear

[softmax]
groups=1
"""


# ---- steps ----


def write_resnet20(folder, batch, subdivisions, classes):
    changes = {"batch=128": f"batch={batch}", "subdivisions=1": f"subdivisions={subdivisions}",
               "output=10": f"output={classes}"}
    lines = (ROOT / "cfg/resnet20.cfg").read_text().splitlines()
    missing = set(changes) - set(lines)
    if missing:
        sys.exit(f"cfg/resnet20.cfg has no line {missing}")
    path = folder / "net.cfg"
    path.write_text("\n".join(changes.get(line, line) for line in lines) + "\n")
    return path


def memory(programs, cfg, *alpha):
    pairs = (line.split() for line in output_of([programs / "step_memory", cfg, *alpha]).splitlines())
    return {name: int(value) for name, value in pairs}


def layer_bytes(batch, subdivisions, classes):
    """The ring, its ids and the delta buffer."""
    half = batch // 2
    return half * classes * 4 + half * 8 + half // subdivisions * classes * 4


def measure_step(programs, folder, batch=128, subdivisions=1, classes=10):
    cfg = write_resnet20(folder, batch, subdivisions, classes)
    lines = output_of([programs / "step_times", cfg, ROUNDS]).splitlines()
    rounds = [[float(x) for x in line.split()] for line in lines[:-1]]
    without, with_dlb = memory(programs, cfg), memory(programs, cfg, "1")
    point = {
        "batch": batch,
        "seconds": [statistics.median(arm) for arm in zip(*rounds)],
        "to_zero": [one / zero for _, zero, one in rounds],
        "to_none": [one / none for none, _, one in rounds],
        "own": float(lines[-1].split()[1]),
        "peak": without["peak"],
        "peak_more": with_dlb["peak"] - without["peak"],
        "heap_more": with_dlb["heap"] - without["heap"],
        "expected": layer_bytes(batch, subdivisions, classes),
    }
    print(f"batch {batch}, subdivisions {subdivisions}, classes {classes}: "
          f"{point['seconds'][2]:.3f} s a step", flush=True)
    return point


def kib(count):
    return f"{count / 1024:,.1f}"


def step_table(name, sizes, points):
    lines = [
        f"| {name} | s a step, no section | alpha=0 | alpha=1 | alpha=1 : alpha=0 | "
        "alpha=1 : no section | own passes, µs | % of the step |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for size, p in zip(sizes, points):
        none, zero, one = p["seconds"]
        lines.append(
            f"| {size} | {none:.4f} | {zero:.4f} | {one:.4f} | {median_and_range(p['to_zero'], 3)} "
            f"| {median_and_range(p['to_none'], 3)} | {1e6 * p['own']:,.0f} "
            f"| {100 * p['own'] / one:.3f} |"
        )
    return lines


def memory_table(name, sizes, points):
    lines = [
        f"| {name} | peak without the section, MiB | peak with it, more by KiB | "
        "malloc with it, more by KiB | ring, ids and delta buffer, KiB |",
        "| --- | --- | --- | --- | --- |",
    ]
    for size, p in zip(sizes, points):
        lines.append(
            f"| {size} | {p['peak'] / 2**20:,.1f} | {kib(p['peak_more'])} | {kib(p['heap_more'])} "
            f"| {kib(p['expected'])} |"
        )
    return lines


def slopes(sizes, points, unit):
    """The growth of a step and of the layer's own passes; seconds for one more."""
    one = [p["seconds"][2] for p in points]
    own = [p["own"] for p in points]
    return (
        f"Slopes, alpha=1: a step grows as {unit}^{exponent(sizes, one):.2f}, "
        f"{1e6 * line_through(sizes, one)[0]:,.1f} µs for one more; the layer's own passes as "
        f"{unit}^{exponent(sizes, own):.2f}, {1e6 * line_through(sizes, own)[0]:,.3f} µs for one more."
    )


def measure_steps(programs, folder):
    batches = [measure_step(programs, folder, batch=b) for b in BATCHES]
    parts = [measure_step(programs, folder, subdivisions=s) for s in SUBDIVISIONS]
    classes = [measure_step(programs, folder, classes=k) for k in CLASSES]
    peak = [p["peak"] for p in batches]
    return [
        "## Batch", "", "Ten classes, subdivisions=1.", "",
        *step_table("batch", BATCHES, batches), "",
        slopes(BATCHES, batches, "batch"), "",
        *memory_table("batch", BATCHES, batches), "",
        f"The peak grows by {line_through(BATCHES, peak)[0] / 2**20:.2f} MiB an image.", "",
        "## Subdivisions", "", "Batch 128, ten classes.", "",
        *step_table("subdivisions", SUBDIVISIONS, parts), "",
        slopes(SUBDIVISIONS, parts, "subdivisions"), "",
        *memory_table("subdivisions", SUBDIVISIONS, parts), "",
        "## Classes", "",
        "Batch 128, subdivisions=1. The last [connected] layer, 64 inputs to as many outputs as",
        "there are classes, and [softmax] grow with the classes too; the column of the own passes is",
        "[dlb_cost] alone.", "",
        *step_table("classes", CLASSES, classes), "",
        slopes(CLASSES, classes, "classes"), "",
        *memory_table("classes", CLASSES, classes), "",
    ]


# ---- lists ----


def write_images(folder):
    """One picture of 8x8 a class; the list of their paths' ends, and the files beside it."""
    names = [f"n{10_000_000 + k}" for k in range(LIST_CLASSES)]
    for name in names:
        (folder / f"{name}_0.ppm").write_bytes(b"P6\n8 8\n255\n" + bytes(192))
    (folder / "labels.list").write_text("".join(f"{name}\n" for name in names))
    (folder / "net.cfg").write_text(TINY_NETWORK)
    (folder / "x.data").write_text(
        f"classes={LIST_CLASSES}\ntrain={folder}/train.list\nlabels={folder}/labels.list\n"
        f"backup={folder}\n"
    )
    return names


def write_list(folder, names, count, has_column):
    """Written in pieces, so that this program stays small."""
    lines = "".join(f"{folder}/{n}_0.ppm" + (f"\t{n}\n" if has_column else "\n") for n in names)
    with (folder / "train.list").open("w") as file:
        for _ in range(count // len(names)):
            file.write(lines)


def peak_of(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    sys.exit(f"/proc/{pid}/status has no VmHWM")


def start_up(folder):
    """Seconds until the first iteration is over, and the peak of memory until then."""
    command = [DARKNET, "classifier", "train", folder / "x.data", folder / "net.cfg", "-seed", "1"]
    command += ["-threads", str(THREADS)]
    errors = (folder / "errors").open("w+")
    start = time.perf_counter()
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=errors, text=True
    ) as run:
        for line in run.stdout:
            if line.startswith("Loaded:"):
                break
        else:
            errors.seek(0)
            sys.exit(f"{DARKNET} failed:\n{errors.read()[-2000:]}")
        seconds = time.perf_counter() - start
        peak = peak_of(run.pid)
        run.terminate()
    errors.close()
    return seconds, peak


def measure_lists(folder):
    names = write_images(folder)
    lines = [
        "## Length of the training list", "",
        f"{LIST_CLASSES} classes, `classifier train` from its start to the end of its first iteration,",
        "on a network that takes no time. Medians; in brackets least and largest.", "",
        "| label | paths | list, MiB | seconds | peak, MiB |", "| --- | --- | --- | --- | --- |",
    ]
    ends = []
    for label, has_column in (("name in the path", False), ("column", True)):
        times, peaks = [], []
        for count in PATHS:
            write_list(folder, names, count, has_column)
            runs = [start_up(folder) for _ in range(ROUNDS)]
            seconds, peak = zip(*runs)
            size = (folder / "train.list").stat().st_size
            times.append(statistics.median(seconds))
            peaks.append(statistics.median(peak))
            lines.append(f"| {label} | {count:,} | {size / 2**20:.1f} | {median_and_range(seconds)} "
                         f"| {peaks[-1] / 2**20:.1f} |")
            print(f"{count} paths, {label}: {times[-1]:.2f} s", flush=True)
        ends.append(
            f"Label by {label}: {1e6 * line_through(PATHS, times)[0]:.2f} µs and "
            f"{line_through(PATHS, peaks)[0]:.0f} bytes for one more path."
        )
    return [*lines, "", *ends]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    programs = pathlib.Path(sys.argv[1]).resolve()
    lines = [
        "# Cost as work grows", "",
        f"{processor()}, {THREADS} threads. ResNet-20 at 32x32, {ROUNDS} rounds; in a round the three",
        "arms run one after the other, and ratios are taken within the round: median, least and",
        "largest. `Own passes` is the layer's forward and backward pass, timed by themselves, for all",
        "micro-batches of a step. Steps are without loader. `malloc` is what malloc has handed out",
        "after three steps; `peak` is the largest resident size of a process of its own, to which the",
        "allocator adds noise. Made by `make bench-growth`.", "",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lines += measure_steps(programs, folder)
        lines += measure_lists(folder)
    write_results("growth.md", lines)
    print("\n".join(lines))


main()
