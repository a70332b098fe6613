"""The program that the driver runs, and the draft that lowering writes it in."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ann2snn.simulation.certificate import signal_bits
from ann2snn.simulation.event import operations as code
from ann2snn.simulation.event.arena import Arena
from ann2snn.simulation.event.layout import Layout
from ann2snn.simulation.event.operations import OPERATION
from ann2snn.simulation.event.rising import rising_signals
from ann2snn.spec import Neuron, Node, SpikingSpec, SumPool
from ann2snn.spec.cost import event_costs

Places = dict[str, int]
SHORT_COUNTS = 65_535  # spikes of a neuron that fit 16 bits


def is_long(spec: SpikingSpec, steps: int) -> bool:
    """Whether counts of spikes take 32 bits."""
    most = 2 if any(spec.is_burst(node.name) for node in spec) else 1
    return most * steps > SHORT_COUNTS


@dataclass
class Results:
    """Slots and places where results of nodes come to lie, by node; `units` and `trains` with
    their sizes."""

    slots: int = 0
    spikes: Places = field(default_factory=dict)
    negative: Places = field(default_factory=dict)
    synops: Places = field(default_factory=dict)
    pool_operations: Places = field(default_factory=dict)
    marks: Places = field(default_factory=dict)
    statics: Places = field(default_factory=dict)
    potentials: Places = field(default_factory=dict)
    units: dict[str, tuple[int, int]] = field(default_factory=dict)
    trains: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """A lowered network.

    What lies in `state` are multiples of 2^-fraction of the threshold where these are whole
    numbers, with a fraction of its own for every signal; floating-point ones have fraction 0.
    `values` and `words` say how much room the signals of a step need, `estimates` and `counts` (of
    `count_type`: 16 bits halve what passes through the cache, and long runs take 32) how much an
    image needs, and `longest` how long a list of events can be.
    """

    operations: npt.NDArray[np.void]
    shorts: npt.NDArray[np.int16]
    weights: np.ndarray
    reals: npt.NDArray[np.float64]
    tables: npt.NDArray[np.int64]
    state: np.ndarray
    values: int
    words: int
    estimates: int
    counts: int
    count_type: str
    longest: int
    fractions: dict[str, int]
    results: Results

    @property
    def bytes_a_step(self) -> int:
        """What the signals of a step and its list of events take."""
        signals = self.values * self.weights.itemsize + self.words * 8
        return max(1, signals + self.longest * (2 + 8))


class Draft:
    """A program as it is written: rooms for numbers, the places of signals, operations.

    `as_values` and `as_bits` say where a signal lies, `pools` which ones are sums that are read as
    the spikes they would be summed of.
    """

    def __init__(self, spec: SpikingSpec, precision: str, *, long: bool) -> None:
        self.spec = spec
        self.layouts = {name: Layout.of(shape) for name, shape in spec.shapes.items()}
        self.rising = rising_signals(spec)
        self.bits_of = signal_bits(spec)
        whole = np.issubdtype(precision, np.integer)
        self.fractions = self.bits_of if whole else dict.fromkeys(self.bits_of, 0)
        self.weights, self.state = Arena(precision), Arena(precision)
        self.current = Arena(precision)
        self.shorts, self.reals = Arena("int16"), Arena("float64")
        self.tables, self.bits = Arena("int64"), Arena("uint64")
        self.estimates, self.counts = Arena("uint32"), Arena("uint32" if long else "uint16")
        self.rows: list[Places] = []
        self.longest = 1
        self.as_values: Places = {}
        self.as_bits: Places = {}
        self.pools: dict[str, SumPool] = {}
        self.results = Results()

    def finished(self) -> Program:
        """The program of all that was written."""
        operations = np.zeros(len(self.rows), OPERATION)
        for operation, row in zip(operations, self.rows, strict=True):
            for name, value in row.items():
                operation[name] = value
        return Program(
            operations, self.shorts.array(), self.weights.array(), self.reals.array(),
            self.tables.array(), self.state.array(), self.current.size, self.bits.size,
            self.estimates.size, self.counts.size,
            self.counts.dtype.name if self.counts.size else "uint16",
            self.longest, self.fractions, self.results,
        )  # fmt: skip

    def emit(self, kind: int, source_name: str, target_name: str, /, **places: int) -> None:
        """Adds an operation of `kind` that reads and writes signals of these names."""
        read, write = self.layouts[source_name], self.layouts[target_name]
        self.rows.append(
            {
                "kind": kind,
                "rows": read.rows, "columns": read.columns, "channels": read.channels,
                "width": read.width, "words": read.words,
                "out_rows": write.rows, "out_columns": write.columns,
                "out_channels": write.channels, "out_width": write.width,
                "out_words": write.words,
                "negative": self.negative(source_name), "out_negative": self.negative(target_name),
                "second": self.second(source_name), "out_second": self.second(target_name),
            }
            | places
        )  # fmt: skip

    def takes_back(self, name: str) -> bool:
        """Whether the signal can have a negative spike."""
        return self.spec.is_signed(name) and name not in self.rising

    def values(self, name: str) -> int:
        """Room for a signal as values."""
        layout = self.layouts[name]
        place = self.as_values[name] = self.current.room(layout.pixels * layout.width)
        return place

    def spikes(self, name: str) -> int:
        """Room for a signal as bits."""
        planes = 1 + self.takes_back(name) + self.spec.is_burst(name)
        place = self.as_bits[name] = self.bits.room(planes * self._plane(name))
        return place

    def _plane(self, name: str) -> int:
        """The words that the spikes of one kind of a signal take."""
        return self.layouts[name].pixels * self.layouts[name].words

    def negative(self, name: str) -> int:
        """How far the negative spikes of a signal lie behind its positive ones; 0 for others."""
        return self._plane(name) if self.takes_back(name) else 0

    def second(self, name: str) -> int:
        """How far the second spikes of a step lie behind the first ones; 0 where there are none."""
        return self._plane(name) + self.negative(name) if self.spec.is_burst(name) else 0

    def most(self, name: str) -> int:
        """Events of a unit in one step."""
        return 2 if self.spec.is_burst(name) else 1

    def values_of(self, name: str) -> int:
        """Where `name` lies as values; spikes are expanded once for all who want them so."""
        if name not in self.as_values:
            source = self.as_bits[name]
            self.emit(code.EXPAND, name, name, source=source, target=self.values(name),
                      factor=1 << self.fractions[name])  # fmt: skip
        return self.as_values[name]

    def factor(self, source: str, name: str) -> int:
        """The unit of `source` in units of `name`, which reads its values."""
        return 1 << (self.fractions[name] - self.fractions[source])

    def gains(self, gains: np.ndarray, source: str, name: str) -> np.ndarray:
        """Weights that make numbers of `name` of those of `source`."""
        scaled: np.ndarray = np.ldexp(gains, self.fractions[name] - self.fractions[source])
        return scaled

    def potential(self, node: Neuron) -> Places:
        """Room for a layer's potentials, and what its neurons need beside their currents."""
        layout = self.layouts[node.name]
        threshold = 1 << self.fractions[node.inputs[0]]
        start = np.full(
            self.spec.shapes[node.name], np.asarray(node.initial_potential) * threshold, np.float64
        )
        place = self.results.potentials[node.name] = self.state.put(layout.filled(start))
        mark = self.results.marks[node.name] = len(self.results.marks)
        signed = int(self.takes_back(node.name))
        return {
            "potential": place, "mark": mark, "zeroes": code.RESETS[node.reset],
            "threshold": threshold, "signed": signed,
            "sent": self.counts.room(layout.pixels * layout.width) if signed else 0,
            "out_negative": self.negative(node.name), "out_second": self.second(node.name),
        }  # fmt: skip

    def count_events(self, node: Node, source: str) -> None:
        """Counts the operations that the events of `source` cost at a node which reads it, or it in
        another shape: as many at all channels of a pixel."""
        operations, counts = event_costs(self.spec)[node.name]
        pixels = self.layouts[source].pixels
        weights = counts[0] if counts.ndim == 3 else np.full(pixels, counts[0])
        getattr(self.results, operations)[node.name] = self.count(source, weights.ravel())

    def count_spikes(self, name: str) -> None:
        """Counts the spikes that a node sends, and those of them that are negative."""
        ones, results = np.ones(self.layouts[name].pixels, np.int64), self.results
        results.spikes[name] = self.count(name, ones)
        if self.negative(name):
            results.negative[name] = self.count(name, ones, negative_alone=True)

    def count(self, source: str, weights: np.ndarray, *, negative_alone: bool = False) -> int:
        """A slot for the sum over the events of `source` (units that are not 0, see `Block`), or of
        the negative ones alone, of their pixel's weight."""
        slot, table = self.results.slots, self.tables.put(weights)
        self.results.slots += 1
        if source in self.as_bits:
            bits, negative, second = (
                self.as_bits[source],
                self.negative(source),
                self.second(source),
            )
            if negative_alone:
                bits, negative, second = bits + negative, 0, 0
            self.emit(code.COUNT, source, source, source=bits, negative=negative, second=second,
                      table=table, slot=slot)  # fmt: skip
        else:
            self.emit(code.COUNT_VALUES, source, source, source=self.as_values[source],
                      table=table, slot=slot)  # fmt: skip
        return slot
