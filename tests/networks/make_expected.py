#!/usr/bin/python3
"""Write what the networks of cfg/paper give for one image, computed by PyTorch in float64.

The networks are those of Shen et al., CVPR 2022 (vgg16, vgg19, resnet32, resnet110, wrn20-8,
densenet40-12), 100 classes, in inference. Image and parameters come from small random streams
(SplitMix64), which tests/unit/test_paper_networks.c draws again: nothing large is committed.
Layers that have parameters are numbered from 0 in the order of a .weights file; stream KIND of
layer NUMBER holds its biases, scales, rolling means, rolling variances or weights.

    biases, means     uniform in -0.2 .. 0.2
    variances         uniform in 0.5 .. 1.5
    scales            uniform in 0.5 .. 1.5, times `gain`
    weights           uniform with variance 2 / inputs, inputs being those of one output
    image             uniform in 0 .. 1, then normalized with `mean` and `std`

`gain` keeps the activations of a deep network in range: less where 36 blocks add up.

Usage: make_expected.py OUTDIR   (needs PyTorch; Debian: python3-torch)
"""
import os
import sys

import numpy
import torch
from torch import nn

SEED = 1
IMAGE_LAYER = 1 << 32
BIASES, SCALES, MEANS, VARIANCES, WEIGHTS = range(5)
CLASSES = 100
MEAN = (0.5071, 0.4865, 0.4409)
STD = (0.2673, 0.2564, 0.2762)


# ---- random streams, as dlb_layer/random_stream.h ----

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


def mix(z):
    """The output function of SplitMix64, of one number or of an array of uint64."""
    if isinstance(z, int):
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return z ^ z >> 31
    z = (z ^ z >> numpy.uint64(30)) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> numpy.uint64(27)) * numpy.uint64(0x94D049BB133111EB)
    return z ^ z >> numpy.uint64(31)


def stream_state(key, subkey):
    state = mix(SEED + STEP & MASK) ^ key
    state = mix(state + STEP & MASK) ^ subkey
    return mix(state + STEP & MASK)


def uniform(layer, kind, count, low, high):
    """`count` float32 values of a stream."""
    steps = numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(STEP)
    bits = mix(numpy.uint64(stream_state(layer, kind)) + steps)
    unit = (bits >> numpy.uint64(40)).astype(numpy.float32) * numpy.float32(2.0**-24)
    low, high = numpy.float32(low), numpy.float32(high)
    return low + (high - low) * unit


# ---- networks ----


class Normalized(nn.Module):
    """A convolution and the batch normalization after it, without an activation."""

    def __init__(self, inputs, outputs, size, stride=1, bias=False):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=bias)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.convolution(x))


def bare(inputs, outputs, size):
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)


class Residual(nn.Module):
    """relu(branch(x) + x), with x projected where its shape is not the branch's."""

    def __init__(self, branch, inputs, outputs, stride):
        super().__init__()
        self.branch = nn.Sequential(*branch)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else Normalized(inputs, outputs, 1, stride)

    def forward(self, x):
        return torch.relu(self.branch(x) + self.shortcut(x))


class Dense(nn.Module):
    """x, and behind it what the bottleneck makes of it."""

    def __init__(self, inputs, growth):
        super().__init__()
        self.new = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            Normalized(inputs, 4 * growth, 1),
            nn.ReLU(),
            bare(4 * growth, growth, 3),
        )

    def forward(self, x):
        return torch.cat((x, self.new(x)), 1)


def vgg(last_groups):
    """The authors' convolutions have a bias; the batch normalization after them cancels it."""
    layers, depth = [], 3
    for count, filters in ((2, 64), (2, 128), *((last_groups, f) for f in (256, 512, 512))):
        for _ in range(count):
            layers += [Normalized(depth, filters, 3, bias=True), nn.ReLU()]
            depth = filters
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    for _ in range(2):
        layers += [nn.Linear(512, 512), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(512, CLASSES))


def basic(inputs, width, stride):
    branch = [Normalized(inputs, width, 3, stride), nn.ReLU(), Normalized(width, width, 3)]
    return Residual(branch, inputs, width, stride), width


def bottleneck_of(widening):
    def bottleneck(inputs, width, stride):
        inner, outputs = width * widening, width * 4
        branch = [
            Normalized(inputs, inner, 1),
            nn.ReLU(),
            Normalized(inner, inner, 3, stride),
            nn.ReLU(),
            Normalized(inner, outputs, 1),
        ]
        return Residual(branch, inputs, outputs, stride), outputs

    return bottleneck


def resnet(block, count):
    layers, depth = [Normalized(3, 16, 3), nn.ReLU()], 16
    for width in (16, 32, 64):
        for i in range(count):
            layer, depth = block(depth, width, 2 if width > 16 and i == 0 else 1)
            layers.append(layer)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(depth, CLASSES))


def densenet(count, growth):
    depth = 2 * growth
    layers = [bare(3, depth, 3)]
    for block in range(3):
        for _ in range(count):
            layers.append(Dense(depth, growth))
            depth += growth
        layers += [nn.BatchNorm2d(depth), nn.ReLU()]
        if block < 2:
            layers += [bare(depth, depth // 2, 1), nn.AvgPool2d(2)]
            depth //= 2
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(depth, CLASSES))


# name, network, trainable parameters that the authors' networks have, gain
NETWORKS = [
    ("vgg16", lambda: vgg(3), 15299748, 1.0),
    ("vgg19", lambda: vgg(4), 20612004, 1.0),
    ("resnet32", lambda: resnet(basic, 5), 472756, 0.7),
    ("resnet110", lambda: resnet(bottleneck_of(1), 12), 1170868, 0.7),
    ("wrn20-8", lambda: resnet(bottleneck_of(8), 2), 6871220, 1.0),
    ("densenet40-12", lambda: densenet(6, 12), 188092, 1.0),
]


# ---- parameters ----


def units(module):
    """(layer with weights or None, batch normalization or None) of what Darknet has as one layer, in
    the order of a .weights file."""
    if isinstance(module, Normalized):
        yield module.convolution, module.norm
    elif isinstance(module, (nn.Conv2d, nn.Linear)):
        yield module, None
    elif isinstance(module, nn.BatchNorm2d):
        yield None, module
    else:
        for child in module.children():
            yield from units(child)


def put(tensor, values):
    tensor.data.copy_(torch.from_numpy(values.astype(numpy.float64)).view_as(tensor))


def draw_weights(module, number):
    inputs = module.weight[0].numel()
    bound = (6.0 / inputs) ** 0.5
    put(module.weight, uniform(number, WEIGHTS, module.weight.numel(), -bound, bound))
    if isinstance(module, nn.Linear):
        put(module.bias, uniform(number, BIASES, module.bias.numel(), -0.2, 0.2))
    elif module.bias is not None:
        module.bias.data.zero_()


def draw_normalization(norm, number, gain):
    count = norm.weight.numel()
    put(norm.bias, uniform(number, BIASES, count, -0.2, 0.2))
    put(norm.weight, uniform(number, SCALES, count, 0.5 * gain, 1.5 * gain))
    put(norm.running_mean, uniform(number, MEANS, count, -0.2, 0.2))
    put(norm.running_var, uniform(number, VARIANCES, count, 0.5, 1.5))


def draw_parameters(network, gain):
    for number, (module, norm) in enumerate(units(network)):
        if module:
            draw_weights(module, number)
        if norm:
            draw_normalization(norm, number, gain)


def image():
    values = uniform(IMAGE_LAYER, 0, 3 * 32 * 32, 0, 1).astype(numpy.float64)
    x = torch.from_numpy(values).view(1, 3, 32, 32)
    mean, std = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (x - mean) / std


# ---- files ----


def main(out):
    os.makedirs(out, exist_ok=True)
    for name, make, parameters, gain in NETWORKS:
        network = make().double().eval()
        count = sum(p.numel() for p in network.parameters())
        if count != parameters:
            sys.exit(f"{name} has {count} parameters, not {parameters}")
        draw_parameters(network, gain)
        with torch.no_grad():
            logits = network(image()).flatten()
        with open(os.path.join(out, name + ".txt"), "w") as f:
            f.write("dlb-network 1\n")
            f.write(f"classes {CLASSES} gain {gain:.9g}\n")
            f.write("logits " + " ".join(f"{v:.9g}" for v in logits.tolist()) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
