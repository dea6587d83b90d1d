#!/usr/bin/python3
"""Simulate whole training runs in PyTorch, for the real binary to be tested against.

The runs are made so that their end does not depend on the random order or the
random flips of the loader:

- the images are left-right symmetric, so a flip changes nothing, and every other
  augmentation is off;
- the data set has exactly batch/2 images, so the new halves of an iteration hold each
  image once, and so do the revisited halves of the next one. (In the first iteration,
  which is all new, the halves to be revisited are drawn before the others.) Which
  slot an image falls into is up to the shuffle, but its teacher is always its own
  logits of the iteration before.

Within an iteration everything is a sum over rows, so order is only a matter of
rounding. Each run is simulated with two different orders, which must agree.

    total = CE + alpha * LB
    CE    = mean over the rows of cross entropy with the labels, smoothed where the
            case says so
    LB    = mean over the revisited rows of
            temperature^2 * KL(softmax(teacher/T) || softmax(logits/T));
            teacher: the logits of the same image, slot and file, one iteration earlier

PyTorch's own layers, cross_entropy, kl_div, autograd and SGD (momentum, Nesterov's
or not; weight decay on weights, not on biases) do the arithmetic, in float64. Starting values
are exact float32. The seed is chosen such that no value comes close to the kink
of leaky or to a tie in maxpool, where rounding alone could turn a gradient; the
program stops if one does.

Writes below OUTDIR
    inputs/*.ppm, labels.list, start.weights     what every case trains on
    inputs/CASE.cfg, CASE.list                   its network and its images
    expected/CASE.weights, CASE.csv              its end weights, its losses
The same bytes each time.

Usage: simulate.py OUTDIR   (needs PyTorch; Debian: python3-torch)
"""
import os
import random
import struct
import sys
from dataclasses import dataclass
from typing import Optional

import torch
import torch.nn.functional as F

SEED = 106
SIDE = 8
FILTERS = 4
CLASSES = ["klass_a", "klass_b", "klass_c"]
LABELS = [0, 1, 2, 0, 1, 2, 1, 0]
BATCH = 16
ITERATIONS = 6
RATE, MOMENTUM, DECAY = 0.1, 0.9, 0.01
MARGIN = 1e-4  # least distance to a kink or a tie; float32 rounds these values at 1e-6


@dataclass
class Case:
    name: str
    subdivisions: int = 1
    dlb: Optional[tuple] = None  # alpha, temperature
    nesterov: bool = False
    rate_step: Optional[tuple] = None  # iterations, factor: policy=step
    label_smoothing: float = 0.0
    mean: Optional[tuple] = None  # with std: normalised inputs
    std: Optional[tuple] = None
    pad_crop: bool = False  # of 0 pixels: the image as it is

    def keys(self):
        """The lines of [net] that differ from the plain case."""
        lines = []
        if self.nesterov:
            lines.append("nesterov=1")
        if self.label_smoothing:
            lines.append(f"label_smoothing={self.label_smoothing}")
        for key, values in (("mean", self.mean), ("std", self.std)):
            if values:
                lines.append(f"{key}=" + ",".join(map(str, values)))
        return "".join(line + "\n" for line in lines)

    def rate(self, iteration):
        """Of an iteration from 1: Darknet's policy=step."""
        every, factor = self.rate_step or (ITERATIONS + 1, 1.0)
        return RATE * factor ** (iteration // every)

    def pixels(self, pixels):
        """What the network gets for (images, 3, SIDE, SIDE) of 0..1."""
        if not self.mean:
            return pixels
        mean, std = (torch.tensor([float32(v) for v in values], dtype=torch.float64)
                     for values in (self.mean, self.std))
        return (pixels - mean[:, None, None]) / std[:, None, None]


RECIPE = dict(nesterov=True, rate_step=(3, 0.3), label_smoothing=0.1,
              mean=(0.49, 0.48, 0.45), std=(0.25, 0.24, 0.26), pad_crop=True)
CASES = [
    Case("baseline"),
    Case("dlb", dlb=(0.7, 2.5)),
    Case("dlb_subdivisions", subdivisions=2, dlb=(0.7, 2.5)),
    Case("dlb_alpha_zero", dlb=(0.0, 2.5)),
    Case("nesterov", nesterov=True, rate_step=(3, 0.3)),
    Case("label_smoothing", label_smoothing=0.1),
    Case("normalised", mean=RECIPE["mean"], std=RECIPE["std"]),
    Case("recipe", **RECIPE),
    Case("dlb_recipe", subdivisions=2, dlb=(0.7, 2.5), **RECIPE),
]

NET = f"""[net]
batch={BATCH}
subdivisions=%d
width={SIDE}
height={SIDE}
channels=3
momentum={MOMENTUM}
decay={DECAY}
learning_rate={RATE}
policy=%s
max_batches={ITERATIONS}
%shue=0
saturation=1
exposure=1
%s
[convolutional]
filters={FILTERS}
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[connected]
output={len(CLASSES)}
activation=linear

[softmax]
groups=1
"""
WHOLE_IMAGE = f"""min_crop={SIDE}
max_crop={SIDE}
angle=0
aspect=1
"""
DLB = """
[dlb_cost]
alpha=%g
temperature=%g
"""


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def uniform(rng, *shape):
    """Float32 values in -1..1, the same under every version of Python and PyTorch."""
    count = torch.Size(shape).numel()
    return torch.tensor([float32(rng.uniform(-1, 1)) for _ in range(count)],
                        dtype=torch.float64).reshape(shape)


def symmetric_image(rng):
    """Bytes (SIDE, SIDE, 3), each row its own mirror image; no pixel is grey, black or white."""
    rows = []
    for _ in range(SIDE):
        half = [rng.sample(range(256), 3) for _ in range(SIDE // 2)]
        rows.append(half + half[::-1])
    return rows


class Net:
    """convolutional, maxpool, connected; parameters in the order of Darknet's file."""

    def __init__(self, rng):
        inputs = FILTERS * (SIDE // 2) ** 2
        start = [
            0.5 * uniform(rng, FILTERS),
            0.6 * uniform(rng, FILTERS, 3, 3, 3),
            0.5 * uniform(rng, len(CLASSES)),
            0.5 * uniform(rng, len(CLASSES), inputs),
        ]
        self.parameters = [p.float().double().requires_grad_() for p in start]
        self.margin = float("inf")

    def logits(self, x):
        conv_bias, conv, bias, connected = self.parameters
        x = F.conv2d(x, conv, conv_bias, padding=1)
        x = self.leaky_maxpool(x)
        return F.linear(x.flatten(1), connected, bias)

    def leaky_maxpool(self, x):
        # leaky keeps the order, so the two highest of each 2x2 window decide the ties
        top = F.unfold(x.detach().flatten(0, 1)[:, None], 2, stride=2).topk(2, 1).values
        self.margin = min(self.margin, (top[:, 0] - top[:, 1]).min().item(),
                          top[:, 0].abs().min().item())
        return F.max_pool2d(F.leaky_relu(x, 0.1), 2)

    def optimizer(self, nesterov):
        biases, weights = self.parameters[0::2], self.parameters[1::2]
        return torch.optim.SGD([{"params": biases, "weight_decay": 0},
                                {"params": weights, "weight_decay": DECAY}],
                               lr=RATE, momentum=MOMENTUM, nesterov=nesterov)

    def write(self, path, seen):
        """Darknet's .weights: version 0.2.0, images seen, then each layer's biases and weights."""
        with open(path, "wb") as f:
            f.write(struct.pack("<iiiQ", 0, 2, 0, seen))
            for p in self.parameters:
                f.write(struct.pack(f"<{p.numel()}f", *p.flatten().tolist()))


def epochs(rng, images):
    """Image numbers without end: each epoch a fresh permutation."""
    while True:
        yield from rng.sample(range(images), images)


def train(net, pixels, labels, case, order_seed):
    """Train net in place; return a (ce, lb or None, total) per iteration."""
    subdivisions, dlb = case.subdivisions, case.dlb
    pixels = case.pixels(pixels)
    rows = BATCH // subdivisions
    half = rows // 2
    stream = epochs(random.Random(order_seed), len(LABELS))
    optimizer = net.optimizer(case.nesterov)
    slots = [None] * subdivisions  # per slot: image -> logits of the iteration before
    log = []
    for iteration in range(1, ITERATIONS + 1):
        optimizer.zero_grad()
        for group in optimizer.param_groups:
            group["lr"] = case.rate(iteration)
        ce_sum, lb_sum, total_sum = 0.0, 0.0, 0.0
        new = [[next(stream) for _ in range(half)] for _ in range(subdivisions)]
        for s in range(subdivisions):
            revisited = list(slots[s]) if dlb and slots[s] else []
            ids = (revisited or [next(stream) for _ in range(half)]) + new[s]
            z = net.logits(pixels[ids])
            loss = ce = F.cross_entropy(z, labels[ids], label_smoothing=case.label_smoothing)
            if revisited:
                alpha, temperature = dlb
                teacher = torch.stack([slots[s][i] for i in revisited])
                lb = temperature**2 * F.kl_div(F.log_softmax(z[:half] / temperature, 1),
                                               F.softmax(teacher / temperature, 1),
                                               reduction="batchmean")
                loss = ce + alpha * lb
                lb_sum += lb.item()
            (loss / subdivisions).backward()
            ce_sum += ce.item()
            total_sum += loss.item()
            slots[s] = dict(zip(ids[half:], z[half:].detach()))
        optimizer.step()
        log.append((ce_sum / subdivisions, lb_sum / subdivisions if revisited else None,
                    total_sum / subdivisions))
    return log


def cfg_text(case):
    policy = "step\nstep=%d\nscale=%g" % case.rate_step if case.rate_step else "constant"
    crop = "pad_crop=0\n" if case.pad_crop else WHOLE_IMAGE
    return (NET % (case.subdivisions, policy, crop, case.keys()) +
            (DLB % case.dlb if case.dlb else ""))


def main(out):
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    inputs, expected = os.path.join(out, "inputs"), os.path.join(out, "expected")
    os.makedirs(inputs, exist_ok=True)
    os.makedirs(expected, exist_ok=True)

    rng = random.Random(SEED)
    images = [symmetric_image(rng) for _ in LABELS]
    weights_seed = rng.randrange(2**32)
    names = [f"img{i}_{CLASSES[label]}.ppm" for i, label in enumerate(LABELS)]
    for name, image in zip(names, images):
        with open(os.path.join(inputs, name), "wb") as f:
            f.write(b"P6\n%d %d\n255\n" % (SIDE, SIDE))
            f.write(bytes(v for row in image for pixel in row for v in pixel))
    with open(os.path.join(inputs, "labels.list"), "w") as f:
        f.write("\n".join(CLASSES) + "\n")
    Net(random.Random(weights_seed)).write(os.path.join(inputs, "start.weights"), 0)

    pixels = (torch.tensor(images, dtype=torch.float32) / 255).double().permute(0, 3, 1, 2)
    labels = torch.tensor(LABELS)
    for case in CASES:
        name = case.name
        nets = [Net(random.Random(weights_seed)) for _ in range(2)]
        logs = [train(net, pixels, labels, case, order)
                for order, net in enumerate(nets)]
        apart = max((p - q).abs().max().item()
                    for p, q in zip(nets[0].parameters, nets[1].parameters))
        if not apart < 1e-12:
            sys.exit(f"{name}: the order of the images moves the end weights by {apart:g}")
        if not nets[0].margin > MARGIN:
            sys.exit(f"{name}: {nets[0].margin:g} from a kink or a tie; choose another SEED")

        with open(os.path.join(inputs, name + ".cfg"), "w") as f:
            f.write(cfg_text(case))
        with open(os.path.join(inputs, name + ".list"), "w") as f:
            f.write("".join(n + "\n" for n in names))
        nets[0].write(os.path.join(expected, name + ".weights"), ITERATIONS * BATCH)
        with open(os.path.join(expected, name + ".csv"), "w") as f:
            f.write("iteration,ce,lb,total\n")
            for i, (ce, lb, total) in enumerate(logs[0], 1):
                f.write(f"{i},{ce:.9g},{'' if lb is None else f'{lb:.9g}'},{total:.9g}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
