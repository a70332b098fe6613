"""The user's module: what it must be, taken out of wrappers, and left as it was found."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn.parameter import is_lazy

from ann2snn.conversion.layers import registry
from ann2snn.conversion.refusal import ConversionError

HALVES = (torch.float16, torch.bfloat16)
# hooks that recompute a weight before every call, and what makes a plain weight of it
RECOMPUTED = {
    "WeightNorm": "torch.nn.utils.remove_weight_norm(layer)",
    "SpectralNorm": "torch.nn.utils.remove_spectral_norm(layer)",
    "BasePruningMethod": "torch.nn.utils.prune.remove(layer, 'weight')",
}


def unwrapped(module: nn.Module) -> nn.Module:
    """The network inside `DataParallel`, `torch.compile` and averages of weights.

    Raises:
        ConversionError: this is no module, or one that torch has made of another.
    """
    if not isinstance(module, nn.Module):
        raise ConversionError(
            f"module must be a torch.nn.Module, got {type(module).__name__}; of a state dict, load"
            " it into its network first: network.load_state_dict(...)"
        )
    wrappers = (
        nn.DataParallel, nn.parallel.DistributedDataParallel, torch.optim.swa_utils.AveragedModel,
    )  # fmt: skip
    while True:
        _check_origin(module)
        _check_hooks("the network", module)
        if isinstance(module, wrappers):
            module = module.module
        elif "_orig_mod" in module._modules:  # its class would load torch's compiler
            module = module.get_submodule("_orig_mod")
        else:
            break
    return module


def _check_origin(module: nn.Module) -> None:
    exported = isinstance(module, fx.GraphModule) and any(
        isinstance(node.target, torch._ops.OpOverload) for node in module.graph.nodes
    )
    if exported or isinstance(module, torch.jit.ScriptModule):
        raise ConversionError(
            f"{type(module).__name__} is what torch.jit or torch.export made of a network; convert"
            " the network itself"
        )


def check_module(module: nn.Module) -> None:
    """Holds a module to what torch.fx sees of it.

    Raises:
        ConversionError: it is in train mode, or has hooks or a forward of its own that torch.fx
            would pass over.
    """
    training = [name or "the network" for name, part in module.named_modules() if part.training]
    if training:
        raise ConversionError(
            f"{', '.join(training[:5])}{' ...' if len(training) > 5 else ''}: in train mode, where "
            "dropout and batch statistics differ from image to image; call .eval() first"
        )
    calls = nn.modules.module
    if calls._global_forward_hooks or calls._global_forward_pre_hooks:
        raise ConversionError(
            "there are forward hooks on all modules, which may change what a layer does; remove"
            " them: the handle that register_module_forward_hook gave has .remove()"
        )
    for name, part in module.named_modules():
        title = f"{name} ({type(part).__name__})" if name else "the network"
        _check_hooks(title, part)
        if "forward" in vars(part) and (part is module or registry.handler_of(part) is not None):
            raise ConversionError(
                f"{title}: its forward was replaced on the instance, which torch.fx does not see;"
                " instead: a class with that forward"
            )
    for name, tensor in _tensors(module):
        if is_lazy(tensor):
            raise ConversionError(f"{name} has no size yet; let the network see an image first")
        if tensor.is_meta:
            raise ConversionError(f"{name} is on the meta device and has no numbers; load weights")


def _check_hooks(title: str, part: nn.Module) -> None:
    hooks = [*part._forward_pre_hooks.values(), *part._forward_hooks.values()]
    for hook in hooks:
        kinds = {kind.__name__ for kind in type(hook).__mro__}
        cure = next((cure for kind, cure in RECOMPUTED.items() if kind in kinds), None)
        raise ConversionError(
            f"{title}: has forward hooks, which may change what it does; instead: "
            + (cure or "the layer without hooks (their handles have .remove())")
        )


def working_precision(module: nn.Module) -> torch.dtype:
    """The format for statistics: that of the parameters, but at least float32."""
    found = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
    return torch.float32 if found in HALVES else found


def _tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


@contextmanager
def unchanged(module: nn.Module) -> Iterator[None]:
    """Within, the module may run; afterwards its modes, buffers and requires_grad, and all random
    generators, are as they were.

    Raises:
        ConversionError: it changed a parameter or buffer, so that it has a state.
    """
    modes = {part: part.training for part in module.modules()}
    wanted = {tensor: tensor.requires_grad for tensor in module.parameters()}
    kept = {name: (tensor, _version(tensor)) for name, tensor in _tensors(module)}
    copies = {name: buffer.clone() for name, buffer in module.named_buffers()}
    gpus = sorted({tensor.device.index for tensor, _ in kept.values() if tensor.is_cuda})
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 (is kept)
    try:
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=gpus))
            if any(part._compiled_call_impl is not None for part in modes):
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            with torch.no_grad():
                yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
        for part, mode in modes.items():
            part.training = mode
        for parameter, flag in wanted.items():
            parameter.requires_grad_(flag)
        changed = _restored(module, kept, copies)
    if changed:
        raise ConversionError(
            f"{', '.join(changed)}: changed when the network ran, so that its answers depend on"
            " earlier images; instead: a network without a state in eval mode"
        )


def _version(tensor: torch.Tensor) -> int:
    """How often it was changed in place; tensors of inference mode do not know."""
    return 0 if tensor.is_inference() else tensor._version


def _restored(
    module: nn.Module, kept: dict[str, Any], copies: dict[str, torch.Tensor]
) -> list[str]:
    """Names of the tensors that are not what they were; buffers are put back."""
    now = dict(_tensors(module))
    changed = [
        name
        for name, (tensor, version) in kept.items()
        if name not in now or now[name] is not tensor or _version(now[name]) != version
    ]
    for name in set(changed) & set(copies):
        path, _, own = name.rpartition(".")
        with torch.no_grad():
            kept[name][0].copy_(copies[name])
        module.get_submodule(path)._buffers[own] = kept[name][0]
    return changed
