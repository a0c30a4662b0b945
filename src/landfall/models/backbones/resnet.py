"""ResNet cut after ``layer3`` ("conv4"): 256 or 1024 channels at stride 16.

K. He, X. Zhang, S. Ren, J. Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016; cut and frozen
as in the paper, section "Backbone": no ``layer4``, average pooling and ``fc``; ``layer3`` alone is trained.

Parameter names, and the stride on a bottleneck's 3x3 convolution, are torchvision's, so that its published
weights load unchanged.

Deviation: the batch norms of ``layer3`` keep their statistics in training, too, unless
``train_batch_norm=True``. Batches of triplets hold many photos of one place and estimate them badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Self

import torch.nn.functional as F
from torch import Tensor, nn

from landfall.models.backbones.interface import BACKBONES, Backbone


def _downsample(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """Return the shortcut's projection, or None where the shortcut fits as it is."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _downsample(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, width, H / stride, W / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return F.relu(x + shortcut)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, *, stride: int) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.conv1 = nn.Conv2d(in_channels, width, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = _downsample(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4 * width, H / stride, W / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return F.relu(x + shortcut)


class ResNet(Backbone):
    """ResNet from ``conv1`` to ``layer3``, frozen up to and including ``layer2``.

    Args:
        block: the residual block.
        depths: blocks in layer1, layer2 and layer3.
        train_batch_norm: let the batch norms of ``layer3`` follow the batches in training.
    """

    stride = 16
    min_size_px = 1  # every convolution and the pooling pad: one pixel still gives one location

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        depths: Sequence[int],
        *,
        train_batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.train_batch_norm = train_batch_norm
        self.out_channels = 256 * block.expansion
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _layer(block, 64, 64, depths[0], stride=1)
        self.layer2 = _layer(block, 64 * block.expansion, 128, depths[1], stride=2)
        self.layer3 = _layer(block, 128 * block.expansion, 256, depths[2], stride=2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for module in self.frozen:
            module.requires_grad_(requires_grad=False)
        self.train()

    @property
    def frozen(self) -> tuple[nn.Module, ...]:
        """The stages before ``layer3``."""
        return self.conv1, self.bn1, self.layer1, self.layer2

    def train(self, mode: bool = True) -> Self:
        """Set training mode, except for what must not change: frozen layers and fixed batch norms."""
        super().train(mode)
        for module in self.frozen:
            module.eval()
        if not self.train_batch_norm:
            for module in self.layer3.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, out_channels, h, w), where h is H / 16 rounded up."""
        return self.trained_features(self.frozen_features(x))

    def frozen_features(self, x: Tensor) -> Tensor:
        """Map (B, 3, H, W) to layer2's output, at H / 8 x W / 8 rounded up."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
        return self.layer2(self.layer1(x))  # type: ignore[no-any-return]

    def trained_features(self, x: Tensor) -> Tensor:
        """Map layer2's output to layer3's, (B, out_channels, h, w)."""
        return self.layer3(x)  # type: ignore[no-any-return]


def _layer(
    block: type[BasicBlock | Bottleneck], in_channels: int, width: int, depth: int, *, stride: int
) -> nn.Sequential:
    """Return ``depth`` blocks, of which the first one strides and widens."""
    first = block(in_channels, width, stride=stride)
    rest = [block(width * block.expansion, width, stride=1) for _ in range(depth - 1)]
    return nn.Sequential(first, *rest)


# He et al., table 1, without conv5_x.
BACKBONES.register("resnet18")(partial(ResNet, BasicBlock, (2, 2, 2)))
BACKBONES.register("resnet34")(partial(ResNet, BasicBlock, (3, 4, 6)))
BACKBONES.register("resnet50")(partial(ResNet, Bottleneck, (3, 4, 6)))
BACKBONES.register("resnet101")(partial(ResNet, Bottleneck, (3, 4, 23)))
BACKBONES.register("resnet152")(partial(ResNet, Bottleneck, (3, 8, 36)))
