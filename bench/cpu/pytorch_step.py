"""Seconds of training steps in PyTorch: forward, cross entropy, backward, SGD.

    pytorch_step.py NETWORK BATCH THREADS WARM_UP STEPS

Prints one number a line. The batch is in memory, so no time goes into loading it. With
CHANNELS_LAST=1 in the environment the tensors are in that layout."""

import os
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def normalized(inputs, filters, size=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(inputs, filters, size, stride, size // 2, bias=False), nn.BatchNorm2d(filters)
    )


class Block(nn.Module):
    """Two convolutions and a shortcut of option A."""

    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.first = normalized(inputs, filters, 3, stride)
        self.second = normalized(filters, filters)
        self.stride = stride
        self.missing = filters - inputs

    def forward(self, x):
        y = self.second(F.relu(self.first(x), inplace=True))
        if self.stride > 1:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.missing))
        return F.relu(y + x, inplace=True)


def residual(widths, blocks):
    layers, inputs = [], widths[0]
    for stage, width in enumerate(widths):
        for block in range(blocks):
            layers.append(Block(inputs, width, 2 if stage and not block else 1))
            inputs = width
    return layers + [nn.AdaptiveAvgPool2d(1), nn.Flatten()]


def resnet20():
    stem = [normalized(3, 16), nn.ReLU(True)]
    return nn.Sequential(*stem, *residual((16, 32, 64), 3), nn.Linear(64, 10)), 32, 10


def resnet18():
    stem = [normalized(3, 64, 7, 2), nn.ReLU(True), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *residual((64, 128, 256, 512), 2), nn.Linear(512, 1000)), 224, 1000


def vgg16():
    layers, inputs = [], 3
    for count, width in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        for _ in range(count):
            layers += [normalized(inputs, width), nn.ReLU(True)]
            inputs = width
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10)), 32, 10


def main():
    name, batch, threads, warm_up, steps = sys.argv[1], *map(int, sys.argv[2:6])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    net, side, classes = {"resnet20": resnet20, "resnet18": resnet18, "vgg16": vgg16}[name]()
    images = torch.rand(batch, 3, side, side)
    if os.environ.get("CHANNELS_LAST") == "1":
        net = net.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (batch,))
    optimizer = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, weight_decay=1e-4)
    for step in range(warm_up + steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        if step >= warm_up:
            print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
