#!/usr/bin/env python3
"""The loader alone beside torchvision's DataLoader, and beside what the networks take.

    bench/loader.py PROGRAMS        the folder of loader_speed and step_times; `make bench-loader`
    bench/loader.py PROGRAMS drawn  only what augment_on_gpu=1 leaves to the loader; the rest of the
                                    results stays

Images decoded a second, images augmented a second, and rows a second by number of threads, on the
photographs that come with the host (to 224x224) and on small PNG files (36x36 to 32x32). Loader
and torchvision run in turn, ROUNDS times (default 5). Then `darknet classifier train` on the same
files: what the network takes, and the time that it waits for the loader. Writes
bench/results/loader.md. Environment: ROUNDS, THREADS (default: all processors), DARKNET (default:
bin/darknet), PYTHON (one that has torchvision; default: python3, or else /usr/bin/python3)."""

import csv
import os
import pathlib
import random
import statistics
import struct
import sys
import tempfile
import zlib

from measuring import (
    HERE, ROOT, ROUNDS, THREADS, median_and_range, output_of, processor, python_with, write_results,
)

DARKNET = os.path.abspath(os.environ.get("DARKNET", ROOT / "bin/darknet"))
PHOTOGRAPHS = ROOT / "darknet/host/data"
SECONDS = 1.0

# title, cfg, classes, side, iterations of training, the first of which only warms up
NETWORKS = (
    ("ResNet-20, 32x32, batch 128", ROOT / "cfg/resnet20.cfg", 10, 32, 7),
    ("VGG-16, 32x32, batch 128", HERE / "cpu/vgg16.cfg", 10, 32, 3),
    ("ResNet-18, 224x224, batch 32", HERE / "cpu/resnet18.cfg", 1000, 224, 3),
)


# ---- files ----


def png(side, draw):
    """A PNG file of random pixels, the worst case for its decoder."""
    rows = b"".join(b"\0" + draw.randbytes(3 * side) for _ in range(side))
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
              (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def write_lists(folder):
    """The files to load, by the side of the network's input."""
    draw = random.Random(1)
    small = [folder / f"{i}.png" for i in range(256)]
    for path in small:
        path.write_bytes(png(36, draw))
    files = {224: sorted(PHOTOGRAPHS.glob("*.jpg")), 32: small}
    if not files[224]:
        sys.exit(f"no photographs in {PHOTOGRAPHS}")
    for side, paths in files.items():
        (folder / f"{side}.list").write_text("".join(f"{path}\n" for path in paths))
    return files


# ---- the loader alone ----


def pairs(text):
    return {name: float(value) for name, value in map(str.split, text.splitlines())}


def run_round(programs, folder, side, python):
    """Images a second, ours and torchvision's (empty without it)."""
    arguments = [folder / f"{side}.list", side, SECONDS, THREADS]
    ours = pairs(output_of([programs / "loader_speed", *arguments]))
    if not python:
        return ours, {}
    theirs = output_of([python, "-W", "ignore", HERE / "loader_torchvision.py", *arguments])
    return ours, pairs(theirs)


def title_of(name):
    work, _, threads = name.partition("_")
    if not threads:
        return f"{work}, one thread"
    what = {"load": "every row new", "overlap": "half of the rows revisited"}[work]
    return f"load, {threads} {'thread' if threads == '1' else 'threads'}, {what}"


def loader_table(rounds):
    lines = ["| work | this loader, images/s | torchvision, images/s | ratio |",
             "| --- | --- | --- | --- |"]
    for name in rounds[0][0]:
        if name.startswith("drawn"):
            continue
        ours = [r[0][name] for r in rounds]
        # torchvision knows no revisited rows; it has to load them all.
        theirs = [r[1].get(name.replace("overlap", "load")) for r in rounds]
        other, ratio = "not installed", ""
        if None not in theirs:
            other = median_and_range(theirs, 0)
            ratio = median_and_range([a / b for a, b in zip(ours, theirs)])
        lines.append(f"| {title_of(name)} | {median_and_range(ours, 0)} | {other} | {ratio} |")
    return lines


# ---- what augment_on_gpu=1 leaves to it ----

DRAWN = "## With `augment_on_gpu=1`"
PICTURES = {224: "photographs to 224x224", 32: "small pictures to 32x32"}


def drawn_section(rounds):
    """`rounds` by side, as run_round() has them."""
    lines = [
        DRAWN, "",
        f"What the workers do where a GPU renders: decode, draw, copy the pixels. {processor()},",
        f"{THREADS} threads, {len(next(iter(rounds.values())))} rounds, the machine's load {os.getloadavg()[2]:.1f} on average; ratios within the",
        "round. The rendering itself, on the GPU, is not in it and has never been measured. Made by",
        "`make bench-loader`, or alone by `bench/loader.py build/CONFIG/bench drawn` after it.", "",
        "| images, work | rendered on the CPU, images/s | decoded and drawn, images/s | ratio |",
        "| --- | --- | --- | --- |",
    ]
    for side, of_side in rounds.items():
        for name in (n for n in of_side[0][0] if n.startswith("drawn_")):
            drawn, rendered = ([r[0][n] for r in of_side] for n in (name, name[len("drawn_"):]))
            ratio = median_and_range([a / b for a, b in zip(drawn, rendered)])
            lines.append(f"| {PICTURES[side]}, {title_of(name[len('drawn_'):])} | "
                         f"{median_and_range(rendered, 0)} | {median_and_range(drawn, 0)} | {ratio} |")
    return lines


def without_drawn_section(lines):
    """What else is in the results."""
    if DRAWN not in lines:
        return lines + [""]
    begin = lines.index(DRAWN)
    rest = (i for i in range(begin + 1, len(lines)) if lines[i].startswith("## "))
    return lines[:begin] + lines[next(rest, len(lines)):]


def measure_drawn_alone(programs, folder):
    write_lists(folder)
    rounds = {side: [run_round(programs, folder, side, None) for _ in range(ROUNDS)]
              for side in PICTURES}
    section = drawn_section(rounds)
    results = HERE / "results" / "loader.md"
    write_results("loader.md", without_drawn_section(results.read_text().splitlines()) + section)
    print("\n".join(section))


# ---- the loader under a network ----


def write_training(folder, cfg, classes, paths, section, iterations):
    names = [f"class{k}" for k in range(classes)]
    repeats = 1 + 512 // len(paths)
    lines = (f"{p}\t{names[i % classes]}\n" for i, p in enumerate(paths * repeats))
    (folder / "train.list").write_text("".join(lines))
    (folder / "labels.list").write_text("".join(f"{name}\n" for name in names))
    (folder / "x.data").write_text(
        f"classes={classes}\ntrain={folder}/train.list\nlabels={folder}/labels.list\n"
        f"backup={folder}\n"
    )
    text = [f"max_batches={iterations}" if l.startswith("max_batches") else l
            for l in cfg.read_text().splitlines()]
    (folder / "net.cfg").write_text("\n".join(text) + section)


def train(folder, batch):
    """Images a second of training, and the share of the time that it waits for the loader."""
    (folder / "net.log.csv").unlink(missing_ok=True)
    command = [DARKNET, "classifier", "train", folder / "x.data", folder / "net.cfg", "-seed", "1"]
    output_of([*command, "-clear", "-threads", THREADS])
    with (folder / "net.log.csv").open() as file:
        rows = list(csv.DictReader(file))[1:]
    load = sum(float(r["load_s"]) for r in rows)
    step = sum(float(r["step_s"]) for r in rows)
    return batch * len(rows) / (load + step), 100 * load / (load + step)


def batch_of(cfg):
    return next(int(l.split("=")[1]) for l in cfg.read_text().splitlines() if l.startswith("batch="))


def network_table(programs, folder, files, loaded):
    """`loaded`: rows a second by side and name of the figure, with all threads."""
    lines = ["| network | | the loader alone, images/s | the network alone, images/s | "
             "loading's share of the work, % | training, images/s | waits for the loader, % |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for title, cfg, classes, side, iterations in NETWORKS:
        batch = batch_of(cfg)
        steps = output_of([programs / "step_times", cfg, 3]).splitlines()[:-1]
        seconds = [statistics.median(arm) for arm in zip(*(map(float, l.split()) for l in steps))]
        for name, section, work, arm in (("without DLB", "", "load", 0),
                                         ("DLB", "\n[dlb_cost]\n", "overlap", 2)):
            write_training(folder, cfg, classes, files[side], section, iterations)
            runs = [train(folder, batch) for _ in range(2)]
            speed, waits = (statistics.fmean(x) for x in zip(*runs))
            loader, network = loaded[side][f"{work}_{THREADS}"], batch / seconds[arm]
            lines.append(f"| {title} | {name} | {loader:.0f} | {network:.1f} | "
                         f"{100 * network / (network + loader):.1f} | {speed:.1f} | {waits:.2f} |")
            print(lines[-1], flush=True)
    return lines


def measure(programs, folder, python):
    files = write_lists(folder)
    lines, loaded, of_sides = [], {}, {}
    for side, what in ((224, "Photographs, JPEG of 0.16 to 1.2 megapixels, to 224x224"),
                       (32, "Small pictures, PNG of 36x36 random pixels, to 32x32")):
        rounds = []
        for number in range(ROUNDS):
            rounds.append(run_round(programs, folder, side, python))
            print(f"{side}, round {number + 1}: {rounds[-1]}", flush=True)
        of_sides[side] = rounds
        loaded[side] = {n: statistics.median(r[0][n] for r in rounds) for n in rounds[0][0]}
        lines += [f"## {what}", "", *loader_table(rounds), ""]
    lines += [
        "## Beside the networks", "",
        f"All with {THREADS} threads. `The loader alone`, with the distortion of the tables above, and",
        "`the network alone`, on a batch in memory, each have the machine's processors to themselves.",
        "In training both share them: loading is ahead of the network while the step runs, and takes",
        "the given share of the work. What the network waits for the loader is the log's `load_s` as a",
        "share of `load_s + step_s`, without the first iteration. In training the crop is each cfg's",
        "own, without distortion.", "",
        *network_table(programs, folder, files, loaded), "",
        *drawn_section(of_sides),
    ]
    return lines


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["drawn"]):
        sys.exit(__doc__)
    programs = pathlib.Path(sys.argv[1]).resolve()
    if sys.argv[2:]:
        with tempfile.TemporaryDirectory() as name:
            return measure_drawn_alone(programs, pathlib.Path(name))
    python, version = python_with("torchvision")
    if not python:
        print("SKIP torchvision: not in python3 and /usr/bin/python3, or in the PYTHON that is named "
              "(Debian: python3-torchvision)")
    lines = [
        "# The loader", "",
        f"{processor()}, {THREADS} threads; torchvision {version or 'not installed'}. Medians of",
        f"{ROUNDS} rounds, with the least and the largest; in a round the loader and torchvision's",
        "DataLoader run one after the other, and ratios are taken within the round. Both do a random",
        "crop of random scale (a quarter to all of the area) and aspect, a flip, a distortion of hue,",
        "saturation and brightness, and write floats. They are not the same to the pixel: torchvision",
        "averages where it shrinks a picture, this loader takes the four neighbours as Darknet does.",
        "Revisited rows are decoded once for both visits and augmented for each. Made by",
        "`make bench-loader`.", "",
    ]
    with tempfile.TemporaryDirectory() as name:
        lines += measure(programs, pathlib.Path(name), python)
    write_results("loader.md", lines)
    print("\n".join(lines))


main()
