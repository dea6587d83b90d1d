"""Operations a second of a large matrix product in PyTorch, single precision.

    matrix_product.py THREADS

Prints the fastest of a few."""

import sys
import time

import torch

SIDE, REPEATS = 2048, 8


def seconds(a, b):
    start = time.perf_counter()
    torch.mm(a, b)
    return time.perf_counter() - start


torch.set_num_threads(int(sys.argv[1]))
a, b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
print(2 * SIDE**3 / min(seconds(a, b) for _ in range(REPEATS)))
