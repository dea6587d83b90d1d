#!/usr/bin/env python3
"""Training on several ranks: measures a step's passes, its messages and their sums on this machine,
checks the model of scaling_model.py against measured steps of 2 and 4 ranks, and predicts steps on
clusters. Writes bench/results/scaling.md.

    bench/scaling.py BUILD        the folder of a build with MPI=1

ROUNDS (default 5): rounds of measurements, in each of which all of them are taken."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from gpu.resnet50_cfg import resnet50
from measuring import ROOT, ROUNDS, median_and_range, output_of, processor, write_results
from scaling_model import Link, Rank, line_of_sums, step_seconds

STEPS = 5  # of each measurement
SUMS = 15
CHECKED = (2, 4)
CLUSTER = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
# Latency and bandwidth are assumed: TCP over Ethernet at 10 and 25 Gbit/s, and InfiniBand.
LINKS = {
    "10 Gbit/s, 30 µs": Link(30e-6, 8 / 10e9),
    "25 Gbit/s, 15 µs": Link(15e-6, 8 / 25e9),
    "200 Gbit/s, 2 µs": Link(2e-6, 8 / 200e9),
}
AGREEMENTS = 3  # of a training's iteration: images are loaded, no fault was found, the losses
FASTER = (1, 100)  # ranks that compute so many times as fast as a thread here
MPIRUN = ["mpirun", "--oversubscribe", "-np"]
MPI_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}


# ---- networks ----


def with_batch(cfg, batch):
    return "\n".join(f"batch={batch}" if l.startswith("batch=") else l for l in cfg.splitlines()) + "\n"


# The cfg, and how many images a rank has of a batch.
NETWORKS = {
    "ResNet-50 at 224x224": (resnet50(), 8),
    "ResNet-110 at 32x32": ((ROOT / "cfg/paper/resnet110-100.cfg").read_text(), 32),
}


# ---- measuring ----


def rows(printed, word):
    return [line.split()[1:] for line in printed.splitlines() if line.split()[:1] == [word]]


def rank_of(printed, messages=()):
    layers = [(float(f), float(b)) for _, f, b in rows(printed, "layer")]
    forward, backward = sum(f for f, _ in layers), [b for _, b in layers]
    return Rank(forward, backward, float(rows(printed, "rest")[0][0]), list(messages))


def on_ranks(ranks, program, *arguments):
    """What rank 0 prints."""
    return output_of([*MPIRUN, ranks, program, *arguments], **MPI_ENVIRONMENT)


def beside_each_other(copies, program, *arguments):
    """What the first of so many processes prints that know nothing of each other."""
    command = [str(c) for c in (program, *arguments)]
    env = {**os.environ, **MPI_ENVIRONMENT}
    started = [
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(copies)
    ]
    printed = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        sys.exit(f"{program} failed")
    return printed[0]


class Network:
    """One network's cfgs, and what was measured of it."""

    def __init__(self, name, folder):
        self.text, self.rows = NETWORKS[name]
        self.name, self.folder = name, folder
        self.alone, self.messages = [], []
        self.measured = {ranks: [] for ranks in CHECKED}  # seconds of a step
        self.shared = {ranks: [] for ranks in CHECKED}  # what a rank computes beside the others

    def cfg(self, batch):
        path = self.folder / f"{self.name.split()[0]}-{batch}.cfg"
        path.write_text(with_batch(self.text, batch))
        return path

    def measure_round(self, layer_times):
        """`rows` images a rank, whatever their number."""
        small = self.cfg(self.rows)
        self.alone.append(rank_of(beside_each_other(1, layer_times, small, STEPS)))
        for ranks in CHECKED:
            printed = on_ranks(ranks, layer_times, self.cfg(self.rows * ranks), STEPS)
            self.measured[ranks].append(float(rows(printed, "step")[0][0]))
            self.messages = [(int(layer), 4 * int(n)) for layer, n in rows(printed, "message")]
            self.shared[ranks].append(
                rank_of(beside_each_other(ranks, layer_times, small, STEPS))
            )

    def rank(self, measured):
        """The median over the rounds of what a rank computes, with the messages."""
        backward = [statistics.median(times) for times in zip(*(r.backward for r in measured))]
        forward = statistics.median(r.forward for r in measured)
        return Rank(forward, backward, statistics.median(r.rest for r in measured), self.messages)


def measure_sums(rank_sums, ranks):
    """(bytes, seconds) of sums over so many ranks."""
    return [(4 * int(n), float(s)) for n, s in rows(on_ranks(ranks, rank_sums, SUMS), "sum")]


# ---- the page ----


def thousands(number):
    return f"{number:,.0f}"


def table(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for line in lines:
        yield "| " + " | ".join(str(cell) for cell in line) + " |"


def sums_table(sums, local):
    head = ["bytes"] + [f"{ranks} ranks, µs" for ranks in CHECKED] + ["the line, 2 ranks, µs"]
    for index, (size, _) in enumerate(sums[CHECKED[0]][0]):
        medians = [statistics.median(r[index][1] for r in sums[ranks]) for ranks in CHECKED]
        yield [thousands(size), *(f"{1e6 * m:.1f}" for m in medians), f"{1e6 * (local.latency + size * local.byte):.1f}"]


def check_lines(network, local):
    for ranks in CHECKED:
        rank = network.rank(network.shared[ranks])
        crowded = max(1, ranks / (os.cpu_count() or 1))  # ranks that share a processor
        link = Link(local.latency * crowded, local.byte * crowded)
        measured = statistics.median(network.measured[ranks])
        predicted = step_seconds(rank, ranks, link, overlaps=False)
        overlapped = step_seconds(rank, ranks, link, overlaps=True)
        yield [
            network.name,
            ranks,
            median_and_range(network.measured[ranks], 4),
            f"{predicted:.4f}",
            f"{100 * (predicted / measured - 1):+.1f} %",
            f"{overlapped:.4f}",
            f"{100 * (overlapped / measured - 1):+.1f} %",
        ]


def faster(rank, times):
    backward = [b / times for b in rank.backward]
    return Rank(rank.forward / times, backward, rank.rest / times, rank.messages)


def cluster_lines(rank, add):
    alone = step_seconds(rank, 1, Link(0, 0), overlaps=True)
    for ranks in CLUSTER:
        cells = []
        for link in LINKS.values():
            link = link._replace(add=add)
            beside = step_seconds(rank, ranks, link, overlaps=True, agreements=AGREEMENTS)
            on_top = step_seconds(rank, ranks, link, overlaps=False, agreements=AGREEMENTS)
            cells.append(f"{beside:.4f} s, {100 * alone / beside:.1f} % ({100 * alone / on_top:.1f} %)")
        yield [thousands(ranks), *cells]


def page(networks, sums, rounds):
    local = line_of_sums([p for round_sums in sums[2] for p in round_sums])
    yield from [
        "# Training on several ranks",
        "",
        f"{processor()}, {os.cpu_count()} threads, Open MPI, one thread a rank, {rounds} rounds; medians, in",
        "brackets least and largest. Made by `make bench-scaling`. No cluster was at hand: the second half is",
        "a prediction of [bench/scaling_model.py](../scaling_model.py) and not a measurement.",
        "",
        "## Measured here",
        "",
        "Sums of gradients over ranks of this machine. The line through those of 2 ranks:",
        f"{1e6 * local.latency:.1f} µs and {1e-9 / local.byte:.2f} GB/s, adding included.",
        "",
    ]
    yield from table(["bytes", "2 ranks, µs", "4 ranks, µs", "the line, 2 ranks, µs"], sums_table(sums, local))
    yield from ["", "Messages of a step, in the order in which they are sent:", ""]
    for n in networks:
        sizes = ", ".join(thousands(size) for _, size in n.messages)
        yield f"- {n.name}: {len(n.messages)} of {sizes} bytes."
    yield from [
        "",
        "Steps, with the same number of images for each rank. The prediction takes what a rank computes",
        "while so many others compute beside it, the line above, and for ranks that share a processor so many",
        "times the line. On one machine the processors that compute also carry the sums, so that these come",
        "on top; beside it what the model would say if they did not.",
        "",
    ]
    lines = [line for n in networks for line in check_lines(n, local)]
    head = ["network", "ranks", "step, s", "predicted, s", "off by", "if sums cost no processor, s", "off by"]
    yield from table(head, lines)
    yield from [
        "",
        "## Predicted for clusters",
        "",
        "As many images on each rank as above, however many ranks there are. Seconds of a step and efficiency,",
        "one rank's step over theirs; in brackets the efficiency if sums did not go on beside the backward",
        "pass. Latency and bandwidth of the links are assumed, adding costs what the line above says (and less",
        "for faster ranks). A training's iteration has three small sums more, which are in it; loading images is",
        "not, nor ranks that are slower than the others, nor `sync_bn`.",
    ]
    for n in networks:
        for times in FASTER:
            rank = faster(n.rank(n.alone), times)
            what = "one thread of this machine" if times == 1 else f"{times} times as fast, as a GPU may be"
            yield from ["", f"### {n.name}, {n.rows} images a rank, {what}", ""]
            yield from table(["ranks", *LINKS], cluster_lines(rank, local.byte / times))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: bench/scaling.py BUILD, the folder of a build with MPI=1")
    programs = pathlib.Path(sys.argv[1]) / "bench"
    sums = {ranks: [] for ranks in CHECKED}
    with tempfile.TemporaryDirectory() as folder:
        networks = [Network(name, pathlib.Path(folder)) for name in NETWORKS]
        for _ in range(ROUNDS):
            for ranks in CHECKED:
                sums[ranks].append(measure_sums(programs / "rank_sums", ranks))
            for network in networks:
                network.measure_round(programs / "layer_times")
    write_results("scaling.md", page(networks, sums, ROUNDS))


main()
