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
    CE    = mean over the rows of cross entropy with the hard labels
    LB    = mean over the revisited rows of
            temperature^2 * KL(softmax(teacher/T) || softmax(logits/T));
            teacher: the logits of the same image, slot and file, one iteration earlier

PyTorch's own layers, cross_entropy, kl_div, autograd and SGD (momentum; weight
decay on weights, not on biases) do the arithmetic, in float64. Starting values
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

CASES = [
    # name, subdivisions, dlb_cost (alpha, temperature) or None
    ("baseline", 1, None),
    ("dlb", 1, (0.7, 2.5)),
    ("dlb_subdivisions", 2, (0.7, 2.5)),
    ("dlb_alpha_zero", 1, (0.0, 2.5)),
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
policy=constant
max_batches={ITERATIONS}
min_crop={SIDE}
max_crop={SIDE}
angle=0
aspect=1
hue=0
saturation=1
exposure=1

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

    def optimizer(self):
        biases, weights = self.parameters[0::2], self.parameters[1::2]
        return torch.optim.SGD([{"params": biases, "weight_decay": 0},
                                {"params": weights, "weight_decay": DECAY}],
                               lr=RATE, momentum=MOMENTUM)

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


def train(net, pixels, labels, subdivisions, dlb, order_seed):
    """Train net in place; return a (ce, lb or None, total) per iteration."""
    rows = BATCH // subdivisions
    half = rows // 2
    stream = epochs(random.Random(order_seed), len(LABELS))
    optimizer = net.optimizer()
    slots = [None] * subdivisions  # per slot: image -> logits of the iteration before
    log = []
    for _ in range(ITERATIONS):
        optimizer.zero_grad()
        ce_sum, lb_sum, total_sum = 0.0, 0.0, 0.0
        new = [[next(stream) for _ in range(half)] for _ in range(subdivisions)]
        for s in range(subdivisions):
            revisited = list(slots[s]) if dlb and slots[s] else []
            ids = (revisited or [next(stream) for _ in range(half)]) + new[s]
            z = net.logits(pixels[ids])
            loss = ce = F.cross_entropy(z, labels[ids])
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
    for name, subdivisions, dlb in CASES:
        nets = [Net(random.Random(weights_seed)) for _ in range(2)]
        logs = [train(net, pixels, labels, subdivisions, dlb, order)
                for order, net in enumerate(nets)]
        apart = max((p - q).abs().max().item()
                    for p, q in zip(nets[0].parameters, nets[1].parameters))
        if not apart < 1e-12:
            sys.exit(f"{name}: the order of the images moves the end weights by {apart:g}")
        if not nets[0].margin > MARGIN:
            sys.exit(f"{name}: {nets[0].margin:g} from a kink or a tie; choose another SEED")

        with open(os.path.join(inputs, name + ".cfg"), "w") as f:
            f.write(NET % subdivisions + (DLB % dlb if dlb else ""))
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
