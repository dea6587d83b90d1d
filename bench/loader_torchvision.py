#!/usr/bin/python3
"""The same figures as bench/loader_speed.c, from torchvision: images decoded a second, images
augmented a second, rows a second from a DataLoader by number of workers.

The transforms are the ones of torchvision that do the same work: a random crop of random scale and
aspect ratio, resized; a flip; a distortion of brightness, saturation and hue; to a float tensor.

Usage: loader_torchvision.py LIST [SIDE [SECONDS [THREADS]]]   (Debian: python3-torchvision)
"""
import itertools
import sys
import time

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

BATCH = 64


def transform_for(side):
    return transforms.Compose([
        transforms.RandomResizedCrop(side, scale=(0.25, 1.0), ratio=(1 / 1.33, 1.33)),
        transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(brightness=(1 / 1.75, 1.75), saturation=(1 / 1.75, 1.75), hue=0.1),
        transforms.ToTensor(),
    ])


def decode(path):
    with Image.open(path) as image:
        return image.convert("RGB")


class Files(Dataset):
    def __init__(self, paths, transform):
        self.paths, self.transform = paths, transform

    def __len__(self):
        return 1 << 30

    def __getitem__(self, index):
        return self.transform(decode(self.paths[index % len(self.paths)]))


def a_second(work, seconds):
    """Calls of work a second; each returns how many images it did."""
    count, start = 0, time.monotonic()
    while time.monotonic() - start < seconds:
        count += work()
    return count / (time.monotonic() - start)


def loaded_a_second(files, workers, seconds):
    batches = iter(DataLoader(files, batch_size=BATCH, num_workers=workers))
    next(batches)
    return a_second(lambda: len(next(batches)), seconds)


def main(list_file, side=224, seconds=2.0, most=2):
    torch.set_num_threads(1)
    paths = open(list_file).read().splitlines()
    turn = itertools.cycle(paths)
    transform = transform_for(side)
    image = decode(paths[0])
    print(f"decode {a_second(lambda: len([decode(next(turn))]), seconds):.1f}")
    print(f"augment {a_second(lambda: len([transform(image)]), seconds):.1f}")
    for workers in sorted({2**i for i in range(most.bit_length()) if 2**i < most} | {most}):
        rate = loaded_a_second(Files(paths, transform), workers, seconds)
        print(f"load_{workers} {rate:.1f}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *(f(a) for f, a in zip((int, float, int), sys.argv[2:])))
