#!/usr/bin/env python3
"""ResNet-50 at 224x224 as a cfg, a thousand classes: He et al. 2016, with projections where the shape
changes and the stride in the 3x3 convolution. pytorch_step.py has the same network.

    resnet50_cfg.py >resnet50.cfg"""

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))  # width, blocks

NET = """[net]
batch=128
subdivisions=1
height=224
width=224
channels=3
momentum=0.9
decay=0.0001
learning_rate=0.05
policy=constant
max_batches=64000
"""


def section(name, **keys):
    return "\n".join([f"[{name}]", *(f"{key}={value}" for key, value in keys.items()), ""])


def normalized(filters, size, stride, activation):
    return section(
        "convolutional",
        batch_normalize=1,
        filters=filters,
        size=size,
        stride=stride,
        pad=size // 2,
        activation=activation,
    )


def block(width, stride, projects):
    yield normalized(width, 1, 1, "relu")
    yield normalized(width, 3, stride, "relu")
    yield normalized(4 * width, 1, 1, "linear")
    if projects:
        yield section("route", layers=-4)
        yield normalized(4 * width, 1, stride, "linear")
    yield section("shortcut", **{"from": -3 if projects else -4}, activation="relu")


def resnet50():
    sections = [NET, normalized(64, 7, 2, "relu"), section("maxpool", size=3, stride=2, padding=2)]
    for stage, (width, blocks) in enumerate(STAGES):
        for number in range(blocks):
            sections += block(width, 2 if stage and not number else 1, not number)
    sections += [section("avgpool"), section("connected", output=1000, activation="linear")]
    return "\n".join([*sections, section("softmax", groups=1)])


if __name__ == "__main__":
    print(resnet50(), end="")
