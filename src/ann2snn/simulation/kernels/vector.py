"""Vectors of numbers as values of compiled code.

numba turns `for o in range(n): total[o] += weight[o]` into scalar additions, or into vector code
that loads and stores `total` at every turn. Here a vector is a value of its own, as an int is:
LLVM's vector type `<n x float>`, which the compiler keeps in registers and lowers to what the
processor has (one instruction for 16 floats with AVX-512, two with AVX2, four with NEON or SSE).

`like` arguments hand over a type: `load(array, place, like)` gives a vector with as many lanes as
`like`. Places are counted in elements; none is checked, so callers keep arrays padded to whole
vectors. Which lanes of a comparison hold is a number whose bit i stands for lane i.
"""

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models, register_default
from numba.extending import intrinsic

UINT64 = types.uint64
Decorator = Callable[[Callable[..., Any]], Any]
instruction: Decorator = intrinsic


class Vector(types.Type):
    """`lanes` numbers of one type."""

    def __init__(self, dtype: Any, lanes: int) -> None:
        self.dtype = dtype
        self.lanes = lanes
        super().__init__(name=f"Vector({dtype}, {lanes})")


@register_default(Vector)
class VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    """Tells numba that a `Vector` is LLVM's vector."""

    def __init__(self, manager: Any, vector: Vector) -> None:
        element = manager.lookup(vector.dtype).get_value_type()
        super().__init__(manager, vector, ir.VectorType(element, vector.lanes))


def _address(context: Any, builder: Any, array_type: Any, array: Any, place: Any, kind: Any) -> Any:
    """The address of element `place` as a pointer to `kind`."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), kind.as_pointer())


def _splat(builder: Any, value: Any, kind: Any) -> Any:
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), order)


def _lanes_of(builder: Any, bits: Any, lanes: int) -> Any:
    """The low bits of a 64-bit number as truth values, one a lane."""
    if lanes < 64:
        bits = builder.trunc(bits, ir.IntType(lanes))
    return builder.bitcast(bits, ir.VectorType(ir.IntType(1), lanes))


def _bits_of(builder: Any, truth: Any, lanes: int) -> Any:
    bits = builder.bitcast(truth, ir.IntType(lanes))
    return bits if lanes == 64 else builder.zext(bits, ir.IntType(64))


@instruction
def zeros(_typing: Any, array: Any, lanes: Any) -> Any:
    """A vector of `lanes` zeros (a literal), of the type of the elements of `array`."""
    if not isinstance(lanes, types.IntegerLiteral):
        return None
    vector = Vector(array.dtype, lanes.literal_value)

    def generate(context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(vector), None)

    return vector(array, lanes), generate


@instruction
def load(_typing: Any, array: Any, _place: Any, like: Any) -> Any:
    """The elements of `array` from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(signature.return_type)
        pointer = _address(context, builder, signature.args[0], arguments[0], arguments[1], kind)
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return Vector(array.dtype, like.lanes)(array, UINT64, like), generate


@instruction
def store(_typing: Any, array: Any, _place: Any, vector: Any) -> Any:
    """Writes `vector` into `array` from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[2].type
        pointer = _address(context, builder, signature.args[0], arguments[0], arguments[1], kind)
        builder.store(arguments[2], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, UINT64, vector), generate


@instruction
def zero_sums(_typing: Any, array: Any, lanes: Any) -> Any:
    """Zeros to which elements of `array` can be added: 32-bit whole numbers for 16-bit ones."""
    if not isinstance(lanes, types.IntegerLiteral):
        return None
    dtype = types.int32 if array.dtype is types.int16 else array.dtype
    vector = Vector(dtype, lanes.literal_value)

    def generate(context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(vector), None)

    return vector(array, lanes), generate


@instruction
def widest_sums(_typing: Any, array: Any) -> Any:
    """`zero_sums` of 64 lanes for 16-bit weights, of 32 for others, which are rare: code for fewer
    widths compiles sooner."""
    short = array.dtype is types.int16
    vector = Vector(types.int32, 64) if short else Vector(array.dtype, 32)

    def generate(context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(vector), None)

    return vector(array), generate


@instruction
def zeros_like(_typing: Any, vector: Any, array: Any) -> Any:
    """As many zeros as `vector` has lanes, of the type of the elements of `array`."""
    result = Vector(array.dtype, vector.lanes)

    def generate(context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(result), None)

    return result(vector, array), generate


@instruction
def lanes_of(_typing: Any, vector: Any) -> Any:
    """How many lanes `vector` has."""
    count = ir.IntType(64)(vector.lanes)
    return types.int64(vector), lambda _context, _builder, _signature, _arguments: count


@instruction
def add_row(_typing: Any, total: Any, array: Any, _place: Any) -> Any:
    """`total` plus the elements of `array` from `place` on, widened to its type."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        element = context.get_value_type(array.dtype)
        kind = ir.VectorType(element, total.lanes)
        pointer = _address(context, builder, signature.args[1], arguments[1], arguments[2], kind)
        row = builder.load(pointer, align=array.dtype.bitwidth // 8)
        if isinstance(total.dtype, types.Float):
            return builder.fadd(arguments[0], row)
        return builder.add(arguments[0], builder.sext(row, arguments[0].type))

    return total(total, array, UINT64), generate


@instruction
def scaled(_typing: Any, total: Any, unit: Any) -> Any:
    """Whole numbers of `unit` as numbers of the type of `unit`; other numbers as they are."""
    if isinstance(total.dtype, types.Float):
        return total(total, unit), lambda _context, _builder, _signature, arguments: arguments[0]
    vector = Vector(unit, total.lanes)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(vector)
        factor = _splat(builder, arguments[1], kind)
        return builder.fmul(builder.sitofp(arguments[0], kind), factor)

    return vector(total, unit), generate


@instruction
def add(_typing: Any, a: Any, b: Any) -> Any:
    """a + b, lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        plus = builder.fadd if isinstance(a.dtype, types.Float) else builder.add
        return plus(*arguments)

    return a(a, b), generate


@instruction
def add_bits(_typing: Any, counts: Any, _bits: Any) -> Any:
    """Whole numbers, one more in each lane whose bit is set."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(counts)
        # a truth value that is sign-extended is -1
        minus = builder.sext(_lanes_of(builder, arguments[1], counts.lanes), kind)
        return builder.sub(arguments[0], minus)

    return counts(counts, UINT64), generate


@instruction
def add_where(_typing: Any, counts: Any, _bits: Any, _amount: Any) -> Any:
    """Whole numbers, `amount` more in each lane whose bit is set."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(counts)
        amount = _splat(builder, builder.trunc(arguments[2], kind.element), kind)
        nothing = ir.Constant(kind, None)
        truth = _lanes_of(builder, arguments[1], counts.lanes)
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
        if isinstance(a.dtype, types.Float):
            above = builder.fcmp_ordered(">", *arguments)
        else:
            above = builder.icmp_unsigned(">", *arguments)
        return builder.select(above, *arguments)

    return a(a, b), generate


@instruction
def magnitude(_typing: Any, a: Any) -> Any:
    """|a|, lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        name = f"llvm.fabs.v{a.lanes}f{a.dtype.bitwidth}"
        function = builder.module.declare_intrinsic(name, fnty=ir.FunctionType(kind, [kind]))
        return builder.call(function, arguments)

    return a(a), generate


@instruction
def at_least_one(_typing: Any, a: Any) -> Any:
    """Bits of the lanes in which a >= 1."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        one = ir.Constant(arguments[0].type, [1.0] * a.lanes)
        return _bits_of(builder, builder.fcmp_ordered(">=", arguments[0], one), a.lanes)

    return UINT64(a), generate


@instruction
def above(_typing: Any, a: Any, b: Any) -> Any:
    """Bits of the lanes in which the unsigned whole number a > b."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _bits_of(builder, builder.icmp_unsigned(">", *arguments), a.lanes)

    return UINT64(a, b), generate


@instruction
def minus_one_where(_typing: Any, a: Any, _bits: Any) -> Any:
    """a - 1 in each lane whose bit is set, else a."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        less = builder.fsub(arguments[0], ir.Constant(kind, [1.0] * a.lanes))
        return builder.select(_lanes_of(builder, arguments[1], a.lanes), less, arguments[0])

    return a(a, UINT64), generate


@instruction
def zero_where(_typing: Any, a: Any, _bits: Any) -> Any:
    """0 in each lane whose bit is set, else a."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        nothing = ir.Constant(arguments[0].type, None)
        return builder.select(_lanes_of(builder, arguments[1], a.lanes), nothing, arguments[0])

    return a(a, UINT64), generate


@instruction
def largest_lane(_typing: Any, a: Any) -> Any:
    """The largest lane, as a float64."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        rest = _halved(builder, arguments[0], 1)
        lane = builder.extract_element(rest, ir.IntType(32)(0))
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
        rest = builder.select(builder.fcmp_ordered(">", *parts), *parts)
    return rest


@instruction
def weigh_bits(_typing: Any, bits: Any, _place: Any, weights: Any, _weight: Any) -> Any:
    """Sum over eight words of `bits` from `place` on of their set bits times their weights."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(64), 8)
        masks, factors = (
            builder.load(
                _address(context, builder, signature.args[i], arguments[i], arguments[i + 1], kind),
                align=8,
            )
            for i in (0, 2)
        )
        counting = builder.module.declare_intrinsic(
            "llvm.ctpop.v8i64", fnty=ir.FunctionType(kind, [kind])
        )
        products = builder.mul(builder.call(counting, [masks]), factors)
        shape = ir.FunctionType(ir.IntType(64), [kind])
        total = builder.module.declare_intrinsic("llvm.vector.reduce.add.v8i64", fnty=shape)
        return builder.call(total, [products])

    return types.int64(bits, UINT64, weights, UINT64), generate


@instruction
def count_bits(_typing: Any, _bits: Any) -> Any:
    """How many bits are set."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return UINT64(UINT64), generate


@instruction
def lowest_bit(_typing: Any, _bits: Any) -> Any:
    """Place of the lowest bit that is set; there must be one."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return UINT64(UINT64), generate


@instruction
def compress_places(
    _typing: Any, array: Any, _place: Any, _bits: Any, _first: Any, room: Any
) -> Any:
    """Writes `first` + i for each set bit i among the low 32 into the uint16 `array` from `place`
    on, without a branch; always `room` elements (a literal), those after the last bit anything."""
    if not isinstance(room, types.IntegerLiteral):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(16), 32)
        steps = ir.Constant(kind, list(range(32)))
        base = _splat(builder, builder.trunc(arguments[3], ir.IntType(16)), kind)
        truth = _lanes_of(builder, arguments[2], 32)
        shape = ir.FunctionType(kind, [kind, truth.type, kind])
        function = builder.module.declare_intrinsic(
            "llvm.experimental.vector.compress.v32i16", fnty=shape
        )
        nothing = ir.Constant(kind, ir.Undefined)
        values = builder.call(function, [builder.add(base, steps), truth, nothing])
        kept = ir.VectorType(ir.IntType(32), room.literal_value)
        order = ir.Constant(kept, list(range(room.literal_value)))
        values = builder.shuffle_vector(values, nothing, order)
        pointer = _address(
            context, builder, signature.args[0], arguments[0], arguments[1], values.type
        )
        builder.store(values, pointer, align=2)
        return context.get_dummy_value()

    return types.void(array, UINT64, UINT64, UINT64, room), generate


# Without numba's reference counts: kernels allocate nothing, and counting each array that goes into
# an inner function costs an atomic addition on a word that all threads share.
OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False}
plain: Decorator = numba.njit(**OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)
