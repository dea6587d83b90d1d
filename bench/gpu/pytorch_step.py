"""Seconds of DLB training steps in PyTorch on a GPU: half of the batch revisited, cross entropy and
T^2 KL to the last mini-batch's predictions, backward, SGD.

    pytorch_step.py NETWORK BATCH WARM_UP STEPS eager|compile[-half] [DEVICE]

Prints one number a line, each after the device has done its work. cuDNN measures its algorithms,
TF32 is on, tensors are channels last; with -half the forward pass and the losses run under
torch.autocast in float16, with a loss scale. The batch is on the device already."""

import importlib.util
import pathlib
import sys
import time

import torch
import torch.nn.functional as F

from resnet50_cfg import STAGES

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/networks"))
TEMPERATURE = 3


def of_cpu():
    """The module of the benchmark on the CPU, which has the name of this one."""
    file = ROOT / "bench/cpu/pytorch_step.py"
    spec = importlib.util.spec_from_file_location("pytorch_step_cpu", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Bottleneck(torch.nn.Module):
    def __init__(self, normalized, inputs, width, stride):
        super().__init__()
        self.first = normalized(inputs, width, 1)
        self.second = normalized(width, width, 3, stride)
        self.third = normalized(width, 4 * width, 1)
        same = inputs == 4 * width and stride == 1
        self.shortcut = torch.nn.Identity() if same else normalized(inputs, 4 * width, 1, stride)

    def forward(self, x):
        y = F.relu(self.second(F.relu(self.first(x), inplace=True)), inplace=True)
        return F.relu(self.third(y) + self.shortcut(x), inplace=True)


def resnet50():
    """As resnet50_cfg.py has it."""
    normalized, nn = of_cpu().normalized, torch.nn
    layers, inputs = [normalized(3, 64, 7, 2), nn.ReLU(True), nn.MaxPool2d(3, 2, 1)], 64
    for stage, (width, blocks) in enumerate(STAGES):
        for number in range(blocks):
            layers.append(Bottleneck(normalized, inputs, width, 2 if stage and not number else 1))
            inputs = 4 * width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 1000)]
    return nn.Sequential(*layers), 224, 1000


def network(name):
    """The module, side of the images and classes."""
    if name == "resnet18":
        return of_cpu().resnet18()
    if name == "resnet50":
        return resnet50()
    import make_expected

    makers = {entry[0]: entry[1] for entry in make_expected.NETWORKS}
    return makers[name](), 32, make_expected.CLASSES


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def main():
    name, (mode, *half) = sys.argv[1], sys.argv[5].split("-")
    batch, warm_up, steps = map(int, sys.argv[2:5])
    device = sys.argv[6] if len(sys.argv) > 6 else "cuda"
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.matmul.allow_tf32 = True
    net, side, classes = network(name)
    net = net.to(device, memory_format=torch.channels_last)
    step = torch.compile(net) if mode == "compile" else net
    images = torch.rand(batch, 3, side, side, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (batch,), device=device)
    optimizer = torch.optim.SGD(
        net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    scaler = torch.cuda.amp.GradScaler(enabled=bool(half))
    revisited = batch // 2
    teacher = None
    for number in range(warm_up + steps):
        wait(device)
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.float16, enabled=bool(half)):
            logits = step(images)
            loss = F.cross_entropy(logits, labels)
            if teacher is not None:
                now = F.log_softmax(logits[:revisited] / TEMPERATURE, 1)
                loss = loss + TEMPERATURE**2 * F.kl_div(now, teacher, reduction="batchmean")
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        teacher = F.softmax(logits[revisited:].detach().float() / TEMPERATURE, 1)
        wait(device)
        if number >= warm_up:
            print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
