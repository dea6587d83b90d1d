"""What the benchmarks share: which processor and which Python, run a program, sum up rounds."""

import math
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
ROUNDS = int(os.environ.get("ROUNDS", "5"))
THREADS = int(os.environ.get("THREADS", os.cpu_count()))


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def environment(**more):
    return {**os.environ, "OMP_NUM_THREADS": str(THREADS), **more}


def output_of(command, **env):
    """Standard output of a program; ends this one with the program's own words if it fails."""
    done = subprocess.run(
        [str(c) for c in command], env=environment(**env), capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def python_with(module):
    """PYTHON, or else the first of python3 and /usr/bin/python3 that has the module, with the
    module's version; (None, None) where none has it. Debian's packages are for the latter."""
    named = os.environ.get("PYTHON")
    for python in [named] if named else ["python3", "/usr/bin/python3"]:
        code = f"import {module}; print({module}.__version__)"
        done = subprocess.run([python, "-c", code], capture_output=True, text=True)
        if done.returncode == 0:
            return python, done.stdout.strip()
    return None, None


def median_and_range(values, digits=2):
    """`median (least to largest)`"""
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def line_through(xs, ys):
    """Slope and intercept of the least squares line."""
    x_mean, y_mean = statistics.fmean(xs), statistics.fmean(ys)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys))
    slope /= sum((x - x_mean) ** 2 for x in xs)
    return slope, y_mean - slope * x_mean


def exponent(xs, ys):
    """p of the power law y = c * x^p that fits best."""
    return line_through([math.log(x) for x in xs], [math.log(y) for y in ys])[0]


def write_results(name, lines):
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / name).write_text("\n".join(lines) + "\n")
