#!/usr/bin/env python3
"""What shards= costs on one rank: steps of ResNet-20 with DLB, a micro-batch whole and in shards.

    bench/shards.py                 `make bench-shards`

`darknet classifier train` on pictures of noise, whole and in 2 to 16 shards in turn, ROUNDS times
(default 5); a step is the median of its log's step_s. Ratios are taken within a round. Writes
bench/results/shards.md. Environment: ROUNDS, THREADS (default: all processors), DARKNET (default:
bin/darknet)."""

import csv
import os
import pathlib
import random
import statistics
import sys
import tempfile

from measuring import ROOT, ROUNDS, THREADS, median_and_range, output_of, processor, write_results

DARKNET = os.path.abspath(os.environ.get("DARKNET", ROOT / "bin/darknet"))
CFG = ROOT / "cfg/resnet20-dlb.cfg"
SHARDS = (1, 2, 4, 8, 16)
IMAGES, SIDE, CLASSES = 256, 32, 10
WARM_UP, STEPS = 2, 8


def write_data(folder):
    draw = random.Random(1)
    paths = []
    for i in range(IMAGES):
        path = folder / f"{i}.ppm"
        path.write_bytes(b"P6\n%d %d\n255\n" % (SIDE, SIDE) + draw.randbytes(3 * SIDE * SIDE))
        paths.append(f"{path}\tclass{i % CLASSES}")
    (folder / "train.list").write_text("\n".join(paths) + "\n")
    (folder / "labels.list").write_text("".join(f"class{k}\n" for k in range(CLASSES)))
    (folder / "noise.data").write_text(
        f"classes={CLASSES}\ntrain={folder}/train.list\nlabels={folder}/labels.list\n"
        f"backup={folder}\n"
    )


def cfg_with(shards):
    lines = []
    for line in CFG.read_text().splitlines():
        if line.startswith("max_batches="):
            line = f"max_batches={WARM_UP + STEPS}"
        lines.append(line)
        if line == "[net]" and shards > 1:
            lines.append(f"shards={shards}")
    return "\n".join(lines) + "\n"


def seconds_of_a_step(folder, shards):
    (folder / "net.cfg").write_text(cfg_with(shards))
    command = [DARKNET, "classifier", "train", folder / "noise.data", folder / "net.cfg"]
    command += ["-seed", "1", "-valid_every", "0", "-save_every", "0", "-checkpoint_every", "0"]
    output_of(command)
    with open(folder / "net.log.csv") as log:
        steps = [float(row["step_s"]) for row in csv.DictReader(log)]
    return statistics.median(steps[WARM_UP:])


def main():
    rounds = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder)
        for number in range(ROUNDS):
            order = SHARDS[number % len(SHARDS):] + SHARDS[: number % len(SHARDS)]
            rounds.append({shards: seconds_of_a_step(folder, shards) for shards in order})
            print(f"round {number + 1}: {rounds[-1]}", file=sys.stderr)
    lines = [
        "# Shards on one rank",
        "",
        f"{processor()}, {THREADS} threads. ResNet-20 with DLB, 32x32, batch 128: the seconds of a",
        f"step, medians of {ROUNDS} rounds, with the least and the largest; the ratio to the whole",
        "micro-batch is taken within a round. Made by `make bench-shards`.",
        "",
        "| shards | rows of each | seconds | ratio |",
        "| --- | --- | --- | --- |",
    ]
    for shards in SHARDS:
        seconds = [r[shards] for r in rounds]
        ratios = [r[shards] / r[1] for r in rounds]
        ratio = median_and_range(ratios) if shards > 1 else "1"
        name = shards if shards > 1 else "none"
        lines.append(f"| {name} | {128 // shards} | {median_and_range(seconds, 3)} | {ratio} |")
    write_results("shards.md", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
