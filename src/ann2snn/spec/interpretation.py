"""Readings of a node: one function per kind of node, and a kind without one is an error.

A `match` with a fall-through takes a new kind for the identity, without a word. An interpretation
refuses it by name, and a test goes over all kinds and all interpretations.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ann2snn.spec.nodes import KINDS, Node, SpecError

Rule = TypeVar("Rule", bound=Callable[..., Any])


class Interpretation(Generic[Rule]):
    """Functions by kind of node; `what` names in a message the result of all of them.

    `leaves_out` are the kinds that it is never asked for, each with the reason.
    """

    def __init__(self, what: str, leaves_out: dict[type[Node], str] | None = None) -> None:
        self.what = what
        self.leaves_out = leaves_out or {}
        self._rules: dict[type[Node], Rule] = {}

    def of(self, *kinds: type[Node]) -> Callable[[Rule], Rule]:
        """Decorates the function for nodes of these kinds."""

        def add(rule: Rule) -> Rule:
            for kind in kinds:
                assert kind not in self._rules, f"two rules for {self.what} of {kind.__name__}"
                self._rules[kind] = rule
            return rule

        return add

    def __contains__(self, node: Node) -> bool:
        return type(node) in self._rules

    def __getitem__(self, node: Node) -> Rule:
        """The function for a node.

        Raises:
            SpecError: its kind has none here.
        """
        rule = self._rules.get(type(node))
        if rule is None:
            raise SpecError(f"{node.name}: there is no {self.what} for nodes of kind {node.kind}")
        return rule

    def missing(self) -> list[str]:
        """The kinds, by name, that have neither a function nor a reason to have none."""
        known = {*self._rules, *self.leaves_out}
        return [name for name, kind in KINDS.items() if kind not in known]
