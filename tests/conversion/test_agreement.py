"""What torch.fx does not see is right or refused, in every way to write it; the module is left as
it was."""

# what users hand over is not always what torch's annotations allow
# mypy: disable-error-code="arg-type, func-returns-value, index, no-any-return, no-untyped-call"
# mypy: disable-error-code="operator, assignment, unreachable"

import random
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

from ann2snn.conversion.analog_network import analog_outputs
from ann2snn.conversion.convert import convert, explain
from ann2snn.conversion.refusal import ConversionError
from tests import zoo

Tensor = torch.Tensor
SHAPE = (3, 6, 6)
IMAGES = zoo.images(SHAPE, 12) / 256


class Net(nn.Module):
    """A convolution and classes, with a function before, after and in place of the ReLU."""

    def __init__(
        self,
        before: Callable[[Tensor], Tensor] = lambda x: x,
        active: Callable[[nn.Module, Tensor], Tensor] = lambda net, x: F.relu(x),
    ) -> None:
        super().__init__()
        self.conv, self.classes = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(144, 5)
        self.relu, self.same, self.drop = nn.ReLU(inplace=True), nn.Identity(), nn.Dropout()
        self.before, self.active = before, active

    def forward(self, x: Tensor) -> Tensor:
        x = self.active(self, self.conv(self.before(x)))
        result: Tensor = self.classes(x.flatten(1))
        return result


def right_or_refused(module: nn.Module, message: str = "") -> str:
    """`right` where the converted analog outputs are the module's own, `refused`, or an error."""
    pixels = torch.from_numpy(IMAGES).float()
    with torch.no_grad():
        own = module(pixels).double().numpy()
    try:
        plan = explain(module, IMAGES, grid=-1)
    except ConversionError as error:
        assert message in str(error)  # noqa: PT017 (either is allowed)
        return "refused"
    levels = np.rint(IMAGES * plan.spec.levels).astype(np.int64)
    found = analog_outputs(plan.spec, levels, plan.ceilings) * plan.spec.output.scale
    assert np.abs(found - own).max() <= 1e-4 * np.abs(own).max()
    return "right"


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(3)
    return make().eval()


def double(x: Tensor) -> Tensor:
    return 2 * x - 1


def caught(x: Tensor) -> Tensor:
    try:
        return double(x) if x.shape[2] == 6 else x
    except Exception:  # of torch.fx, whose stand-ins have no truth
        return x


BRANCHES: dict[str, Callable[[Tensor], Tensor]] = {
    "isinstance": lambda x: double(x) if isinstance(x, Tensor) else x,
    "not isinstance": lambda x: x if not isinstance(x, Tensor) else double(x),
    "is_tensor": lambda x: double(x) if torch.is_tensor(x) else x,
    "type": lambda x: double(x) if type(x) is Tensor else x,
    "isinstance of a proxy": lambda x: x if isinstance(x, torch.fx.Proxy) else double(x),
    "hasattr": lambda x: x if hasattr(x, "node") else double(x),
    "caught error": caught,
    "torch random": lambda x: x + torch.rand(1),
    "numpy random": lambda x: x + float(np.random.rand()),  # noqa: NPY002
    "python random": lambda x: x * random.random(),
}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("name", BRANCHES)
def test_a_branch_that_torch_fx_decides_otherwise_is_refused_at_its_layer(
    name: str, place: str
) -> None:
    branch = BRANCHES[name]
    if place == "before":
        module = seeded(lambda: Net(before=branch))
        message = "in what reaches conv (Conv2d"
    else:
        module = seeded(lambda: Net(active=lambda _, x: F.relu(branch(x))))
        message = "in what reaches classes (Linear"
    with pytest.raises(ConversionError, match="computes something else than its traced") as error:
        convert(module, IMAGES)
    assert message in str(error.value)


@pytest.mark.parametrize("default", [None, True, 0.5])
def test_an_argument_with_a_default_is_at_its_default(default: object) -> None:
    class Optional(Net):
        def forward(self, x: Tensor, mean: object = default) -> Tensor:
            return super().forward(double(x) if mean is default else x)

    assert right_or_refused(seeded(Optional)) == "right"


ALIASES: dict[str, Callable[[Any, Tensor], tuple[Tensor, Tensor]]] = {
    "identity": lambda net, x: (net.same(x), net.relu(x)),
    "dropout": lambda net, x: (net.drop(x), net.relu(x)),
    "contiguous": lambda net, x: (x.contiguous(), net.relu(x)),
    "detach": lambda net, x: (x.detach(), net.relu(x)),
    "view": lambda net, x: (x.view(x.size(0), -1), net.relu(x).flatten(1)),
    "flatten": lambda net, x: (x.flatten(1), net.relu(x).flatten(1)),
    "relu_": lambda net, x: (net.same(x), F.relu_(x)),
    "inplace": lambda net, x: (net.same(x), F.relu(x, inplace=True)),
    "add_": lambda net, x: (net.same(x), x.add_(1)),
    "mul_": lambda net, x: (net.same(x), x.mul_(0.5)),
    "clamp_": lambda net, x: (net.same(x), x.clamp_(0, 0.3)),
    "clone": lambda net, x: (x.clone(), net.relu(x)),
}


def named_twice(name: str) -> Callable[[Any, Tensor], Tensor]:
    """The other name is taken before the operation in place, and read after it."""

    def active(net: Any, x: Tensor) -> Tensor:
        other, changed = ALIASES[name](net, x)
        return F.relu(changed - 0.5 * other + 0.1)

    return active


@pytest.mark.parametrize("name", ALIASES)
def test_what_changes_in_place_under_another_name_is_right_or_refused(name: str) -> None:
    module = seeded(lambda: Net(active=named_twice(name)))
    found = right_or_refused(module, "changes in place what")
    assert found == ("right" if name == "clone" else "refused")


def hooked(where: str, kind: str) -> nn.Module:
    module = Net()
    part = module if where == "" else module.get_submodule(where)
    if kind == "before":
        part.register_forward_pre_hook(lambda _, args: (args[0] * 2,))
    elif kind == "after":
        part.register_forward_hook(lambda _, __, gave: -gave)
    elif kind == "sometimes":
        calls: list[int] = []
        part.register_forward_hook(lambda _, __, gave: calls.append(1) or gave * (len(calls) % 9))
    else:
        old = type(part).forward
        part.forward = types.MethodType(lambda self, x: 3 * old(self, x), part)
    return module


@pytest.mark.parametrize("kind", ["before", "after", "sometimes", "forward"])
@pytest.mark.parametrize("where", ["", "conv", "classes"])
def test_hooks_and_forwards_on_an_instance_are_refused_with_their_layer(
    where: str, kind: str
) -> None:
    with pytest.raises(ConversionError, match="^" + (where or "the network")):
        convert(hooked(where, kind).eval(), IMAGES)


@contextmanager
def global_hook(register: Callable[..., Any], hook: Callable[..., Any]) -> Iterator[None]:
    handle = register(hook)
    try:
        yield
    finally:
        handle.remove()


def test_hooks_on_all_modules_are_refused() -> None:
    calls = nn.modules.module
    for register, hook in (
        (calls.register_module_forward_hook, lambda _, __, gave: gave),
        (calls.register_module_forward_pre_hook, lambda _, args: args),
    ):
        with global_hook(register, hook), pytest.raises(ConversionError, match="on all modules"):
            convert(seeded(Net), IMAGES)


class Plain(nn.Conv2d):
    def __init__(self, *sizes: int, **options: Any) -> None:
        super().__init__(*sizes, **options)


class Standardised(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight - self.weight.mean(), self.bias, padding=1)


class Inner(nn.Conv2d):
    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super()._conv_forward(x, weight.sign(), bias)


def with_layer(change: Callable[[nn.Conv2d], nn.Module]) -> nn.Module:
    module = Net()
    module.conv = change(module.conv)
    return module


def quantized(conv: nn.Conv2d) -> nn.Module:
    observer = torch.ao.quantization.get_default_qat_qconfig("x86")
    other = torch.ao.nn.qat.Conv2d(3, 4, 3, padding=1, qconfig=observer)
    other.load_state_dict(conv.state_dict(), strict=False)
    return other


LAYERS: dict[str, tuple[Callable[[nn.Conv2d], nn.Module], str]] = {
    "plain subclass": (lambda _: Plain(3, 4, 3, padding=1), "right"),
    "own forward": (lambda _: Standardised(3, 4, 3, padding=1), "right"),
    "own inner forward": (lambda _: Inner(3, 4, 3, padding=1), "right"),
    "weight_norm": (parametrizations.weight_norm, "right"),
    "spectral_norm": (parametrizations.spectral_norm, "right"),
    "orthogonal": (parametrizations.orthogonal, "right"),
    "old spectral_norm": (spectral_norm, "refused"),
    "pruning": (lambda conv: prune.l1_unstructured(conv, "weight", 0.5), "refused"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_made_from_a_known_one_is_right_or_refused(name: str) -> None:
    change, expected = LAYERS[name]
    assert right_or_refused(seeded(lambda: with_layer(change)), "instead: torch.nn.") == expected


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_old_weight_norm_is_refused_with_its_cure() -> None:
    with pytest.raises(ConversionError, match="remove_weight_norm"):
        convert(seeded(lambda: with_layer(weight_norm)), IMAGES)


@pytest.mark.filterwarnings("ignore")
def test_a_quantization_aware_layer_is_no_plain_one() -> None:
    with pytest.raises(ConversionError, match=r"conv \(Conv2d.*has no spiking counterpart here"):
        convert(seeded(lambda: with_layer(quantized)), IMAGES)


class Counting(Net):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(x)


def test_a_network_with_a_state_is_refused_and_its_state_put_back() -> None:
    module = seeded(Counting)
    with pytest.raises(ConversionError, match="calls: changed when the network ran"):
        convert(module, IMAGES)
    assert module.calls == 0


def test_the_module_and_all_generators_come_out_unchanged() -> None:
    module = seeded(lambda: nn.Sequential(nn.BatchNorm2d(3), Net()))
    module[0].weight.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    torch.manual_seed(1)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    convert(module, IMAGES)
    after = torch.get_rng_state(), np.random.get_state()[1], random.getstate()  # noqa: NPY002
    assert torch.equal(states[0], after[0])
    assert np.array_equal(states[1], after[1])
    assert states[2] == after[2]
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert [p.requires_grad for p in module.parameters()] == [False, *[True] * 5]
    assert not any(part.training or part._forward_hooks for part in module.modules())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_networks_of_other_formats_are_converted_by_their_numbers(dtype: torch.dtype) -> None:
    module = seeded(Net).to(dtype)
    spec = convert(module, IMAGES, grid=-1)
    same = convert(module.float(), IMAGES, grid=-1)
    for node in spec:
        assert np.allclose(node.scale, same[node.name].scale, rtol=1e-2)


WRAPPERS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "DataParallel": nn.DataParallel,
    "average of weights": torch.optim.swa_utils.AveragedModel,
    "two": lambda net: torch.optim.swa_utils.AveragedModel(nn.DataParallel(net)),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapped_network_is_the_network(name: str) -> None:
    spec = convert(WRAPPERS[name](seeded(Net)).eval(), IMAGES)
    assert str(spec) == str(convert(seeded(Net), IMAGES))


def test_what_is_no_network_is_refused_by_its_kind() -> None:
    with pytest.raises(ConversionError, match="got OrderedDict; of a state dict, load it"):
        convert(seeded(Net).state_dict(), IMAGES)


def test_an_output_that_depends_on_the_batch_is_refused() -> None:
    class Batch(Net):
        def forward(self, x: Tensor) -> Tensor:
            centred = x - x.mean(0, keepdim=True) if isinstance(x, Tensor) else x
            return super().forward(centred)

    with pytest.raises(ConversionError, match="computes something else"):
        convert(seeded(Batch), IMAGES)
