"""From a torch module to the analog graph: a walk over the operations that torch.fx traces."""

import operator
from typing import Any

import torch
from torch import fx, nn

from ann2snn.conversion.analog_graph import ONE, AnalogGraph
from ann2snn.conversion.byte_images import hold_undivided
from ann2snn.conversion.fx_nodes import (
    NUMPYS,
    attribute,
    in_place,
    is_operator,
    no_counterpart,
    read_later,
)
from ann2snn.conversion.fx_tracer import traced_operations
from ann2snn.conversion.layers import registry
from ann2snn.conversion.layers.registry import BATCH, Call, Handler, Rearranged, Signal, leaves
from ann2snn.conversion.module_state import (
    check_module,
    unchanged,
    unwrapped,
    working_precision,
)
from ann2snn.conversion.refusal import (
    Refused,
    combined,
    refusal_line,
)
from ann2snn.conversion.shared_memory import hold_memory
from ann2snn.conversion.simplification import simplified
from ann2snn.spec import Input, Output
from ann2snn.spec.nodes import Shape

MISFIT = "layers that fit each other"
PLAIN = "a plain call, as torch documents it"


class _Unknown:
    """The value of a refused operation: what follows from it is not reported again."""


def analog_graph(module: nn.Module, shape: Shape, *, of_bytes: bool = False) -> AnalogGraph:
    """The simplified graph of `module` for images of `shape`, every operation accounted for;
    `of_bytes` says that pixels are k / 255, which nobody asked for.

    Raises:
        ConversionError: lists all operations that cannot be converted; or the network divides
            images of bytes itself.
    """
    module = unwrapped(module)
    check_module(module)
    walk = walked(module, shape)
    if walk.refused:
        raise combined(walk.refused, registry.supported())
    hold_memory(walk)
    if of_bytes:
        hold_undivided(walk.graph)
    return simplified(walk.graph)


def walked(module: nn.Module, shape: Shape) -> "Walk":
    """The walk over all operations of `module`: the graph as it was traced, and what was refused.

    Raises:
        ConversionError: torch.fx cannot trace the module.
    """
    walk = Walk(_twin(module), shape)
    with unchanged(module):
        traced = traced_operations(walk.module)
    for node in traced.nodes:
        walk.visit(node)
    walk.traced = traced
    return walk


def _twin(module: nn.Module) -> nn.Module:
    """A module of the same parts, so that the constants which torch.fx adds are not the user's."""
    try:
        twin = object.__new__(type(module))
    except TypeError:  # it is something of Python's own as well, as a dict, which holds more
        return module
    state = object.__getstate__(module)
    attributes, slots = state if isinstance(state, tuple) else (state, {})
    twin.__dict__.update(attributes)
    for name, value in slots.items():
        object.__setattr__(twin, name, value)
    return twin


class Walk:
    """The state of the walk: values of operations seen so far, and what was refused."""

    def __init__(self, module: nn.Module, shape: Shape) -> None:
        self.module = module
        self.shape = shape
        self.traced = fx.Graph()
        self.graph = AnalogGraph(precision=working_precision(module))
        self.values: dict[fx.Node, Any] = {}
        self.refused: list[str] = []

    def visit(self, node: fx.Node) -> None:
        """Takes one traced operation into the graph, or notes why not."""
        if (
            not node.users
            and node.op not in ("output", "placeholder")
            and not in_place(node, self.module)
        ):
            self.values[node] = _Unknown()
            self._account(node.name, (), "nothing reads it")
            return
        operation, handler = self.operation(node), self._handler(node)
        arguments = fx.node.map_arg((node.args, node.kwargs), lambda n: self.values[n])
        try:
            self.values[node] = self._value(node, operation, handler, *arguments)
        except Refused as reason:
            self._refuse(node, operation, reason)
        except ValueError as error:  # of a spec, or of windows that do not fit
            self._refuse(node, operation, Refused(str(error), MISFIT))
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
            unknown = f"is written in a form that is not known here ({error})"
            self._refuse(node, operation, Refused(unknown, PLAIN))

    def _refuse(self, node: fx.Node, operation: str, reason: Refused) -> None:
        self.refused.append(refusal_line(node, operation, reason))
        self.values[node] = _Unknown()

    def operation(self, node: fx.Node) -> str:
        """The operation's name."""
        if node.op == "call_module":
            return type(self.module.get_submodule(str(node.target))).__name__
        if node.op == "call_function":
            return getattr(node.target, "__name__", str(node.target))
        return str(node.target) if node.op == "call_method" else node.op

    def _handler(self, node: fx.Node) -> Handler | None:
        """The function that converts the operation."""
        if node.op == "call_module":
            return registry.handler_of(self.module.get_submodule(str(node.target)))
        if node.op == "call_function":
            return registry.FUNCTIONS.get(node.target)
        return registry.METHODS.get(str(node.target)) if node.op == "call_method" else None

    def _value(
        self, node: fx.Node, operation: str, handler: Handler | None, args: Any, kwargs: Any
    ) -> Any:
        if any(isinstance(value, _Unknown) for value in leaves((args, kwargs))):
            registry.check_ending(node, operation, handler)
            if node.op.startswith("call") and handler is None and not is_operator(node):
                raise no_counterpart(node, operation, self.module)
            return _Unknown()
        if node.op == "placeholder":
            return self._input(node)
        if node.op == "get_attr":
            self._account(node.name, (), "a constant")
            return attribute(self.module, str(node.target))
        if node.op == "output":
            self._output(args[0])
            return None
        given = [v for v in leaves((args, kwargs)) if isinstance(v, Signal | Rearranged)]
        if node.op != "call_module" and not given:
            return self._constant(node, args, kwargs)
        if handler is None:
            raise no_counterpart(node, operation, self.module)
        registry.check_ending(node, operation, handler)
        if handler not in registry.REARRANGING:
            _check_settled(given)
        part = None
        if node.op == "call_module":
            part = self.module.get_submodule(str(node.target))
        else:
            kwargs = {NUMPYS.get(name, name): value for name, value in kwargs.items()}
        call = Call(
            self.graph, str(node.target) if part is not None else node.name, operation, args,
            kwargs, part, node.target,
        )  # fmt: skip
        if in_place(node, self.module) and read_later(node):
            raise Refused(
                "changes in place what is read again later", "the form that gives a new tensor"
            )
        value = handler(call)
        note = call.note or ("" if call.nodes else "a size that is known before the run")
        self._account(node.name, tuple(call.nodes), note)
        if call.nodes:
            self.graph.shapes()  # raises where layers do not fit
        return value

    def _input(self, node: fx.Node) -> Any:
        if any(isinstance(value, Signal) for value in self.values.values()):
            if node.args:
                self._account(node.name, (), "an optional input, at its default")
                return node.args[0]
            if str(node.target).startswith("*"):
                self._account(node.name, (), "more inputs, of which there are none")
                return ()
            raise Refused("a second input", "a network of one image tensor")
        self.graph.add(
            Input(name="input", inputs=(), scale=ONE, shape=registry.spec_shape(self.shape))
        )
        self._account(node.name, ("input",), "")
        return Signal("input", self.shape)

    def _output(self, value: Any) -> None:
        _check_settled([value])
        if not isinstance(value, Signal) or len(value.shape) != 1:
            got = f"shape {value.shape}" if isinstance(value, Signal) else type(value).__name__
            raise Refused(f"the network returns {got}", "one flat signal, a value for each class")
        name = self.graph.fresh_name("output")
        self.graph.add(Output(name=name, inputs=(value.name,), scale=ONE))
        self._account("output", (name,), "")

    def _constant(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        """What an operation on constants gives; the batch's size may only be handed on."""
        if node.target is not operator.getitem and BATCH in leaves((args, kwargs)):
            raise Refused("computes with the batch's size", "x.flatten(1)")
        self._account(node.name, (), "a constant")
        with torch.no_grad():
            if node.op == "call_method":
                return getattr(args[0], str(node.target))(*args[1:], **kwargs)
            assert callable(node.target)
            return node.target(*args, **kwargs)

    def _account(self, operation: str, nodes: tuple[str, ...], note: str) -> None:
        self.graph.made[operation] = nodes
        if note:
            self.graph.notes[operation] = note


def _check_settled(given: list[Any]) -> None:
    """Refuses axes that are on their way to another order, for operations that cannot follow."""
    for value in given:
        if isinstance(value, Rearranged):
            raise Refused(
                f"reads axes {(*value.units.shape,)} that are not whole channels in three axes",
                "features, (C, L) or (C, H, W), as x[:, a:b] and channel shuffles give them",
            )
