"""Vectors added, compared and chosen from, lane by lane."""

from typing import Any

from llvmlite import ir
from numba.core import types

from ann2snn.simulation.event.vector import UINT64, Vector, bits_of, instruction, splat, truth_of


@instruction
def add(_typing: Any, a: Any, b: Any) -> Any:
    """a + b, lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        plus = builder.fadd if isinstance(a.dtype, types.Float) else builder.add
        return plus(*arguments)

    return a(a, b), generate


@instruction
def times(_typing: Any, a: Any, b: Any) -> Any:
    """a * b, lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        multiplied = builder.fmul if isinstance(a.dtype, types.Float) else builder.mul
        return multiplied(*arguments)

    return a(a, b), generate


@instruction
def filled(_typing: Any, _number: Any, like: Any) -> Any:
    """As many times the number as `like` has lanes."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        number, vector = arguments
        return splat(builder, number, vector.type)

    return like(like.dtype, like), generate


@instruction
def add_lanes(_typing: Any, a: Any, b: Any, _bits: Any) -> Any:
    """a + b in each lane whose bit is set, else a."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        plus = builder.fadd if isinstance(a.dtype, types.Float) else builder.add
        truth = truth_of(builder, arguments[2], a.lanes)
        return builder.select(truth, plus(arguments[0], arguments[1]), arguments[0])

    return a(a, b, UINT64), generate


@instruction
def take_lanes(_typing: Any, a: Any, b: Any, _bits: Any) -> Any:
    """a - b in each lane whose bit is set, else a."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        minus = builder.fsub if isinstance(a.dtype, types.Float) else builder.sub
        truth = truth_of(builder, arguments[2], a.lanes)
        return builder.select(truth, minus(arguments[0], arguments[1]), arguments[0])

    return a(a, b, UINT64), generate


@instruction
def add_bits(_typing: Any, counts: Any, _bits: Any) -> Any:
    """Whole numbers, one more in each lane whose bit is set."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(counts)
        # a truth value that is sign-extended is -1
        minus = builder.sext(truth_of(builder, arguments[1], counts.lanes), kind)
        return builder.sub(arguments[0], minus)

    return counts(counts, UINT64), generate


@instruction
def add_where(_typing: Any, counts: Any, _bits: Any, _amount: Any) -> Any:
    """Whole numbers, `amount` more in each lane whose bit is set."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(counts)
        amount = splat(builder, builder.trunc(arguments[2], kind.element), kind)
        nothing = ir.Constant(kind, None)
        truth = truth_of(builder, arguments[1], counts.lanes)
        return builder.add(arguments[0], builder.select(truth, amount, nothing))

    return counts(counts, UINT64, UINT64), generate


@instruction
def decayed(_typing: Any, counts: Any, shift: Any) -> Any:
    """v - (v >> shift) of unsigned whole numbers; `shift` is a literal."""
    if not isinstance(shift, types.IntegerLiteral):
        return None

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(counts)
        places = ir.Constant(kind, [shift.literal_value] * counts.lanes)
        return builder.sub(arguments[0], builder.lshr(arguments[0], places))

    return counts(counts, shift), generate


@instruction
def larger(_typing: Any, a: Any, b: Any) -> Any:
    """The larger of a and b, lane by lane; whole numbers count as unsigned."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _larger(builder, *arguments)

    return a(a, b), generate


def _larger(builder: Any, a: Any, b: Any) -> Any:
    whole = isinstance(a.type.element, ir.IntType)
    ahead = builder.icmp_unsigned(">", a, b) if whole else builder.fcmp_ordered(">", a, b)
    return builder.select(ahead, a, b)


@instruction
def magnitude(_typing: Any, a: Any) -> Any:
    """|a|, lane by lane; that of a whole number is unsigned, so that the least has one."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        if isinstance(kind.element, ir.IntType):
            truth = ir.IntType(1)
            name = f"llvm.abs.v{a.lanes}i{kind.element.width}"
            function = builder.module.declare_intrinsic(
                name, fnty=ir.FunctionType(kind, [kind, truth])
            )
            return builder.call(function, [*arguments, truth(0)])
        name = f"llvm.fabs.v{a.lanes}f{a.dtype.bitwidth}"
        function = builder.module.declare_intrinsic(name, fnty=ir.FunctionType(kind, [kind]))
        return builder.call(function, arguments)

    return a(a), generate


@instruction
def at_least(_typing: Any, a: Any, _threshold: Any) -> Any:
    """Bits of the lanes in which a >= threshold, a number; whole numbers are signed."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        vector, threshold = arguments
        threshold = splat(builder, threshold, vector.type)
        whole = isinstance(a.dtype, types.Integer)
        compared = builder.icmp_signed if whole else builder.fcmp_ordered
        return bits_of(builder, compared(">=", vector, threshold), a.lanes)

    return UINT64(a, a.dtype), generate


@instruction
def nonzero(_typing: Any, a: Any) -> Any:
    """Bits of the lanes that are not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        nothing = ir.Constant(arguments[0].type, None)
        whole = isinstance(a.dtype, types.Integer)
        compared = builder.icmp_signed if whole else builder.fcmp_unordered
        return bits_of(builder, compared("!=", arguments[0], nothing), a.lanes)

    return UINT64(a), generate


@instruction
def above(_typing: Any, a: Any, b: Any) -> Any:
    """Bits of the lanes in which the unsigned whole number a > b."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return bits_of(builder, builder.icmp_unsigned(">", *arguments), a.lanes)

    return UINT64(a, b), generate


@instruction
def minus_where(_typing: Any, a: Any, _threshold: Any, _bits: Any) -> Any:
    """a - threshold, a number, in each lane whose bit is set, else a."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        vector, threshold, bits = arguments
        minus = builder.sub if isinstance(a.dtype, types.Integer) else builder.fsub
        less = minus(vector, splat(builder, threshold, vector.type))
        return builder.select(truth_of(builder, bits, a.lanes), less, vector)

    return a(a, a.dtype, UINT64), generate


@instruction
def zero_where(_typing: Any, a: Any, _bits: Any) -> Any:
    """0 in each lane whose bit is set, else a."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        nothing = ir.Constant(arguments[0].type, None)
        return builder.select(truth_of(builder, arguments[1], a.lanes), nothing, arguments[0])

    return a(a, UINT64), generate


@instruction
def largest_lane(_typing: Any, a: Any) -> Any:
    """The largest lane, as a float64; whole numbers count as unsigned."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        rest = _halved(builder, arguments[0], 1)
        lane = builder.extract_element(rest, ir.IntType(32)(0))
        if isinstance(a.dtype, types.Integer):
            return builder.uitofp(lane, ir.DoubleType())
        return lane if a.dtype is types.float64 else builder.fpext(lane, ir.DoubleType())

    return types.float64(a), generate


@instruction
def fold(_typing: Any, a: Any) -> Any:
    """16 lanes: the largest of those of `a` that fall on one another when it is folded up."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _halved(builder, arguments[0], 16)

    return Vector(a.dtype, 16)(a), generate


def _halved(builder: Any, rest: Any, lanes: int) -> Any:
    """Halves a vector down to `lanes`, keeping the larger of each two."""
    while rest.type.count > lanes:
        half = rest.type.count // 2
        nothing = ir.Constant(rest.type, ir.Undefined)
        parts = [
            builder.shuffle_vector(
                rest,
                nothing,
                ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(first, first + half))),
            )
            for first in (0, half)
        ]
        rest = _larger(builder, *parts)
    return rest
