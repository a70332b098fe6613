"""Networks: one row per registered network, and the factories that users name."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ann2snn.tables import Table

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ann2snn.ann.settings import AnnSettings

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """A network by the `name` of its toggle value.

    `factory(shape, classes, settings)` gives a torch.nn.Module from images (N, *shape) in [0, 1] to
    logits (N, classes). It imports torch itself: the table is read without. `takes` names the
    toggles among those that a factory can follow that this one does; the others must stay at their
    defaults. If `settings.bias` is false, a network that takes it has no biases; `BatchScale` may
    stand after a layer in the place of batch normalization. `prepare(network, images)` sets the
    first weights that come from training images (N, C, H, W) in [0, 1].
    """

    name: str
    meaning: str
    factory: "Callable[[Shape, int, AnnSettings], nn.Module]"
    takes: tuple[str, ...] = ()
    prepare: "Callable[[nn.Module, Tensor], None] | None" = None


ACTIVATION_TOGGLES = ("activation", "levels")
LAYER_TOGGLES = ("pooling", "bias", "output", *ACTIVATION_TOGGLES)
"""The toggles that every network built by `ann2snn.ann.layers.Layers` takes."""

NETWORKS: Table[Network] = Table("network", "ann2snn.ann.networks")


def build(
    settings: "AnnSettings", shape: Shape, classes: int, *, training: bool = False
) -> "nn.Module":
    """The network with fresh weights of `settings.seed`: images (N, *shape) in [0, 1] to (N,
    classes), the logits or, with output 'relu', the ReLU of them. torch's own random state stays
    as it was.

    With `training` it keeps its `BatchScale` layers, which `fold_scales` takes out.

    Raises:
        ValueError: the network does not fit the images, its factory gives something else, or a
            user's factory is not there.
    """
    import torch

    from ann2snn.ann.scaling import fold_scales

    name = settings.network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        if ":" in name:
            network = _made(name, _users_factory(name), shape, classes)
        else:
            try:
                network = NETWORKS[name].factory(shape, classes, settings)
            except ValueError as error:
                size = "x".join(map(str, shape))
                raise ValueError(f"{name} does not fit images of {size}: {error}") from None
        _require_answers(name, network, shape, classes)
    return network if training else fold_scales(network)


def _users_factory(name: str) -> Any:
    module_name, _, factory_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ValueError(
            f"network {name}: there is no module {error.name}; is its folder on PYTHONPATH?"
        ) from error
    factory = getattr(module, factory_name, None)
    if not callable(factory):
        raise ValueError(f"network {name}: {module_name} has no function {factory_name}")
    return factory


def _made(name: str, factory: Any, shape: Shape, classes: int) -> Any:
    """What a user's factory gives, called with `shape` and `classes` where it takes them.

    Raises:
        ValueError: it needs other arguments; the message names them.
    """
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError as error:
        raise ValueError(f"network {name}: Python does not know its arguments: {error}") from error
    known = {"shape": shape, "classes": classes}
    more = [
        each.name
        for each in parameters
        if each.name not in known
        and each.default is each.empty
        and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if more:
        raise ValueError(
            f"network {name}: its factory needs {', '.join(more)}; it is called as"
            " factory(shape, classes), factory(classes), factory(shape) or factory()"
        )
    given = [each for each in parameters if each.name in known]
    first = [known[each.name] for each in given if each.kind is each.POSITIONAL_ONLY]
    named = {each.name: known[each.name] for each in given if each.kind is not each.POSITIONAL_ONLY}
    return factory(*first, **named)


def _require_answers(name: str, network: Any, shape: Shape, classes: int) -> None:
    """Passes if the network answers a batch of one image."""
    import torch

    if not isinstance(network, torch.nn.Module):
        raise ValueError(
            f"network {name}: the factory must give a torch.nn.Module, got {type(network).__name__}"
        )
    network.eval()
    try:
        with torch.no_grad():
            outputs = network(torch.zeros(1, *shape))
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"network {name} does not take images of {shape}: {error}") from error
    if tuple(outputs.shape) != (1, classes):
        raise ValueError(
            f"network {name} must give {classes} outputs for an image of {shape}, got shape "
            f"{tuple(outputs.shape)} for a batch of one"
        )
    network.train()
