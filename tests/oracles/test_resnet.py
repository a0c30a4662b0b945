"""The ResNets against published parameter counts and a forward pass written without modules."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landfall.models.backbones import BACKBONES
from landfall.models.creation import create_network
from landfall.models.network import Network

#: Parameters of the whole networks, as torchvision publishes them with the weights.
PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}
DEEP = ("resnet50", "resnet101", "resnet152")


def cut_off(name: str) -> int:
    """Parameters of layer4 and fc, by hand from He et al., table 1 (a batch norm has two a channel)."""
    if name in DEEP:
        first = 1024 * 512 + 9 * 512 * 512 + 512 * 2048 + 2 * (512 + 512 + 2048) + 1024 * 2048 + 2 * 2048
        other = 2048 * 512 + 9 * 512 * 512 + 512 * 2048 + 2 * (512 + 512 + 2048)
        return first + 2 * other + 2048 * 1000 + 1000
    first = 9 * 256 * 512 + 9 * 512 * 512 + 4 * 512 + 256 * 512 + 2 * 512
    other = 2 * 9 * 512 * 512 + 4 * 512
    return first + ({"resnet18": 2, "resnet34": 3}[name] - 1) * other + 512 * 1000 + 1000


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameter_count_is_the_published_one_less_what_is_cut(name: str) -> None:
    backbone = BACKBONES[name]()
    assert sum(p.numel() for p in backbone.parameters()) == PUBLISHED[name] - cut_off(name)
    assert backbone.out_channels == (1024 if name in DEEP else 256)


def written_out(state: dict[str, Tensor], x: Tensor, blocks: tuple[int, int, int]) -> Tensor:
    """ResNet-18 and -34 (or -50 and deeper) up to layer3, from the tensors alone."""

    def norm(x: Tensor, key: str) -> Tensor:
        mean, var = state[f"{key}.running_mean"], state[f"{key}.running_var"]
        scale = state[f"{key}.weight"] / (var + 1e-5).sqrt()
        return (x - mean[:, None, None]) * scale[:, None, None] + state[f"{key}.bias"][:, None, None]

    x = F.conv2d(x, state["conv1.weight"], stride=2, padding=3)
    x = F.max_pool2d(norm(x, "bn1").clamp(min=0), 3, stride=2, padding=1)
    for layer, depth in enumerate(blocks, start=1):
        for block in range(depth):
            key = f"layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            y = x
            last = 3 if f"{key}.conv3.weight" in state else 2
            for number in range(1, last + 1):
                weight = state[f"{key}.conv{number}.weight"]
                # torchvision strides on the first 3x3 convolution of a block.
                strides = stride if number == last - 1 else 1
                y = norm(
                    F.conv2d(y, weight, stride=strides, padding=weight.shape[2] // 2), f"{key}.bn{number}"
                )
                if number < last:
                    y = y.clamp(min=0)
            if f"{key}.downsample.0.weight" in state:
                x = norm(
                    F.conv2d(x, state[f"{key}.downsample.0.weight"], stride=stride), f"{key}.downsample.1"
                )
            x = (x + y).clamp(min=0)
    return x


@pytest.mark.parametrize(("name", "blocks"), [("resnet18", (2, 2, 2)), ("resnet50", (3, 4, 6))])
@pytest.mark.parametrize("size", [(64, 48), (37, 50)])
def test_forward_equals_the_written_out_network(
    name: str, blocks: tuple[int, int, int], size: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    backbone = BACKBONES[name]().double()
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        found = backbone(x)
        expected = written_out(backbone.state_dict(), x, blocks)
    assert found.shape == (2, backbone.out_channels, -(-size[0] // 16), -(-size[1] // 16))
    torch.testing.assert_close(found, expected)


def step(network: Network) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Train one step; return the backbone's state before and after."""
    network.train()
    before = {key: value.clone() for key, value in network.backbone.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)
    network(torch.randn(2, 3, 64, 64))[:, ::2].sum().backward()
    optimizer.step()
    return before, network.backbone.state_dict()


def test_training_changes_layer3_alone_and_no_statistics() -> None:
    torch.manual_seed(0)
    before, after = step(create_network("resnet18", "gem"))
    changed = {key for key in after if not torch.equal(before[key], after[key])}
    expected = {key for key in after if key.startswith("layer3.")}
    expected = {key for key in expected if key.endswith((".weight", ".bias"))}
    assert changed == expected


def test_train_batch_norm_lets_layer3s_statistics_follow() -> None:
    torch.manual_seed(0)
    before, after = step(create_network("resnet18", "gem", backbone_options={"train_batch_norm": True}))
    statistics = {key for key in after if "running_" in key or "num_batches" in key}
    changed = {key for key in statistics if not torch.equal(before[key], after[key])}
    assert changed == {key for key in statistics if key.startswith("layer3.")}
