#!/usr/bin/env python3
"""Training steps on the GPU beside PyTorch on the same card, DLB on both sides.

    bench/gpu_vs_pytorch.py BUILD_FOLDER [NETWORK...]
                                       default: resnet32 resnet110 resnet18 resnet50

BUILD_FOLDER is that of a GPU build with its bench/step_times. Batch 128, on the device, without
loading; the arms run in turn, ROUNDS times (default 5). Prints a table in Markdown: images/s, and
the rounds' ratios as median, least and largest; each network as it is, with its steps as CUDA
graphs, with fused batch normalisation, with both and without TF32, beside the same PyTorch, and with half=1 beside PyTorch under autocast in
float16, channels last too. Without PyTorch its columns are empty. What fails has a row that says
so, and the status is 1 then.

Environment: ROUNDS, PYTHON (one that has PyTorch)."""

import pathlib
import statistics
import sys
import tempfile

from gpu.resnet50_cfg import resnet50
from measuring import HERE, ROOT, ROUNDS, median_and_range, output_of, python_with

BATCH, WARM_UP, STEPS = 128, 20, 50
CFGS = {
    "resnet32": ROOT / "cfg/paper/resnet32-100.cfg",
    "resnet110": ROOT / "cfg/paper/resnet110-100.cfg",
    "resnet18": HERE / "cpu/resnet18.cfg",
    "resnet50": None,  # written by gpu/resnet50_cfg.py
}
FUSED = "fused_batchnorm=1"
SETTINGS = ("", "cuda_graph=1", FUSED, f"cuda_graph=1 {FUSED}", "tf32=0", "half=1")  # of [net]
ARMS = ("none", "alpha0", "alpha1")
WAYS = ("eager", "compile")  # to run PyTorch
PYTHON, PYTORCH = python_with("torch")


def modes_beside(setting):
    """PyTorch's, as pytorch_step.py names them, for the row with this setting."""
    return [f"{way}-half" if setting == "half=1" else way for way in WAYS]


def modes():
    return dict.fromkeys(mode for setting in SETTINGS for mode in modes_beside(setting))


def write_cfg(folder, network, setting):
    """The cfg with this batch, and with algorithms by measuring, as PyTorch has them."""
    text = CFGS[network].read_text() if CFGS[network] else resnet50()
    lines = [line for line in text.splitlines() if not line.startswith("cudnn_benchmark=")]
    keys = f"batch={BATCH}\ncudnn_benchmark=1\n{setting}".rstrip().replace(" ", "\n")
    lines = [keys if line.startswith("batch=") else line for line in lines]
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


class Network:
    """One network's rounds: seconds[what][round], where `what` is a mode of PyTorch or a setting
    with an arm. What has failed once is not tried again."""

    def __init__(self, build, folder, name):
        self.build, self.folder, self.name = build, folder, name
        self.seconds, self.failed = {}, set()
        for _ in range(ROUNDS):
            for setting in SETTINGS:
                self.attempt(setting, self.run_darknet)
            for mode in modes() if PYTHON else ():
                self.attempt(mode, self.run_pytorch)

    def attempt(self, what, run):
        if what in self.failed:
            return
        try:
            run(what)
        except SystemExit as end:
            print(f"{self.name} {what}: {end}", file=sys.stderr)
            self.failed.add(what)

    def run_darknet(self, setting):
        cfg = write_cfg(self.folder, self.name, setting)
        for arm, seconds in zip(ARMS, darknet_seconds(self.build, cfg)):
            self.seconds.setdefault((setting, arm), []).append(seconds)

    def run_pytorch(self, mode):
        self.seconds.setdefault(mode, []).append(pytorch_seconds(self.name, mode))

    def speed(self, what):
        return f"{BATCH / statistics.median(self.seconds[what]):.0f}"

    def ratio(self, slow, fast):
        """How many times the speed of `slow` that of `fast` is."""
        pairs = zip(self.seconds[slow], self.seconds[fast])
        return median_and_range([a / b for a, b in pairs], 3)

    def pytorch_cells(self, mode, dlb):
        if not PYTHON:
            return ["", ""]
        return ["failed", ""] if mode in self.failed else [self.speed(mode), self.ratio(mode, dlb)]

    def row(self, setting):
        cells = [f"{self.name}, {setting}" if setting else self.name]
        if setting in self.failed:
            return cells + ["failed"] + 7 * [""]
        dlb = (setting, "alpha1")
        cells += [self.speed((setting, arm)) for arm in ARMS]
        cells.append(self.ratio(dlb, (setting, "alpha0")))
        for mode in modes_beside(setting):
            cells += self.pytorch_cells(mode, dlb)
        return cells


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1])
    print(f"PyTorch {PYTORCH or 'is not installed'}; batch {BATCH}, {ROUNDS} rounds; images/s.\n")
    print("| network | no DLB | alpha=0 | DLB | alpha=1 : alpha=0, time | PyTorch eager, DLB "
          "| times eager | torch.compile, DLB | times compile |")
    print("|" + " --- |" * 9)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[2:] or CFGS:
            network = Network(build, pathlib.Path(folder), name)
            for setting in SETTINGS:
                print("| " + " | ".join(network.row(setting)) + " |", flush=True)
            failed = failed or bool(network.failed)
    sys.exit(failed)


main()
