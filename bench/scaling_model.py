"""How long a training step takes on several ranks, from what one rank and its links take.

A step is what a rank computes, in the course of whose last backward pass sums of gradients begin
one after the other; the links carry one sum at a time. A sum of m bytes over N ranks takes the
better of two ways:

    ring                2 (N - 1) messages of m / N bytes, one after the other
    recursive doubling  log2 N messages of m bytes (N rounded up to a power of two)

each at `latency` seconds a message, `byte` seconds a byte on the link and `add` seconds a byte
that is added to another. (Thakur, Rabenseifner, Gropp: Optimization of collective communication
operations in MPICH, 2005, has these costs.)"""

import math
import typing


class Link(typing.NamedTuple):
    latency: float  # seconds a message
    byte: float  # seconds a byte
    add: float = 0.0  # seconds a byte that is added


class Rank(typing.NamedTuple):
    forward: float  # seconds of the whole forward pass
    backward: list  # seconds of each layer's backward pass, by its number
    rest: float  # the update, and what else there is
    messages: list  # (layer, bytes): what is sent once the backward pass has gone through layer


def sum_seconds(size, ranks, link):
    if ranks == 1:
        return 0.0
    steps, rounds = ranks - 1, math.ceil(math.log2(ranks))
    ring = 2 * steps * link.latency + steps / ranks * size * (2 * link.byte + link.add)
    doubling = rounds * (link.latency + size * (link.byte + link.add))
    return min(ring, doubling)


AGREEMENT = 64  # bytes


def step_seconds(rank, ranks, link, overlaps, agreements=0):
    """Of a whole step; `overlaps`: sums go on beside the backward pass, else the ranks' processors
    are busy with them and they come on top. `agreements`: small sums that all ranks wait for."""
    now = rank.forward + agreements * sum_seconds(AGREEMENT, ranks, link)
    done = now  # when the links are done with the sums so far
    on_top = 0.0
    messages = list(rank.messages)
    for layer in reversed(range(len(rank.backward))):
        now += rank.backward[layer]
        while messages and messages[0][0] >= layer:
            seconds = sum_seconds(messages.pop(0)[1], ranks, link)
            done = max(done, now) + seconds
            on_top += seconds
    for _, size in messages:  # of layers that the backward pass leaves out
        seconds = sum_seconds(size, ranks, link)
        done = max(done, now) + seconds
        on_top += seconds
    return (max(now, done) if overlaps else now + on_top) + rank.rest


def line_of_sums(points):
    """The link of (bytes, seconds) of sums over two ranks, by least squares of relative errors; the
    cost of adding is within that of a byte."""
    weights = [1 / seconds**2 for _, seconds in points]
    total = sum(weights)
    x_mean = sum(w * x for w, (x, _) in zip(weights, points)) / total
    y_mean = sum(w * y for w, (_, y) in zip(weights, points)) / total
    slope = sum(w * (x - x_mean) * (y - y_mean) for w, (x, y) in zip(weights, points))
    slope /= sum(w * (x - x_mean) ** 2 for w, (x, _) in zip(weights, points))
    return Link(max(y_mean - slope * x_mean, 0.0), slope)
