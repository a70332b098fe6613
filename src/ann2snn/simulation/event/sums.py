"""Sums of weight rows in registers: 16-bit rows in 32 bits, others as they are."""

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba.core import types

from ann2snn.simulation.event.vector import UINT64, Vector, address, instruction, splat

FEATURES = llvmlite.binding.get_host_cpu_features()
MULTIPLIES_AND_ADDS = bool(FEATURES.get("avx512vnni") and FEATURES.get("avx512vl"))
MANY_REGISTERS = bool(FEATURES.get("avx512f"))  # 32 of 512 bits; with AVX2 16 of 256
MULTIPLIES_IN_PAIRS = bool(FEATURES.get("avx2")) and not MANY_REGISTERS
WIDEST = 64 if MANY_REGISTERS else 32
"""Lanes of a sum of 16-bit weights of which registers hold three."""


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
    """`zero_sums` of `WIDEST` lanes for 16-bit weights, of 32 for weights of other types, which are
    rare: code for fewer widths compiles sooner."""
    short = array.dtype is types.int16
    vector = Vector(types.int32, WIDEST) if short else Vector(array.dtype, 32)

    def generate(context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(vector), None)

    return vector(array), generate


@instruction
def are_halved(_typing: Any, total: Any) -> Any:
    """Whether registers hold three such sums of whole numbers twice: each then adds up half of the
    rows, and waits for its last addition half as often."""
    whole = isinstance(total.dtype, types.Integer)
    truth = ir.IntType(1)(int(MANY_REGISTERS and whole and total.lanes < WIDEST))
    return types.boolean(total), lambda _context, _builder, _signature, _arguments: truth


@instruction
def add_pair(_typing: Any, total: Any, array: Any, _one: Any, _other: Any) -> Any:
    """`total` plus the elements of `array` from `one` on and those from `other` on.

    16-bit numbers are first added as such, so callers keep them below 2^14, and then widened; they
    lie `interleaved` in blocks of 32, or of 16 where `total` has only so many lanes.
    """
    return _with_pair(total, array, taken=False)


@instruction
def take_pair(_typing: Any, total: Any, array: Any, _one: Any, _other: Any) -> Any:
    """`total` less what `add_pair` adds."""
    return _with_pair(total, array, taken=True)


def _with_pair(total: Any, array: Any, *, taken: bool) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        element = context.get_value_type(array.dtype)
        kind = ir.VectorType(element, total.lanes)
        one, other = (
            builder.load(
                address(context, builder, signature.args[1], arguments[1], place, kind),
                align=array.dtype.bitwidth // 8,
            )
            for place in arguments[2:]
        )
        if isinstance(total.dtype, types.Float):
            with_one = builder.fsub if taken else builder.fadd
            return with_one(with_one(arguments[0], one), other)
        if array.dtype is total.dtype:
            with_one = builder.sub if taken else builder.add
            return with_one(with_one(arguments[0], one), other)
        both = builder.add(one, other)
        return _widened_sum(builder, arguments[0], builder.neg(both) if taken else both)

    return total(total, array, UINT64, UINT64), generate


def interleaved(block: int) -> list[int]:
    """Which channel of a block lies at each place: those of its two halves in turn.

    A 32-bit word then holds a channel of each half, and widening takes no shuffle: the low 16 bits
    of all words are the first half in its order, the high ones the second.
    """
    return [half * block // 2 + i for i in range(block // 2) for half in (0, 1)]


def _widened_sum(builder: Any, total: Any, row: Any) -> Any:
    """32-bit sums plus interleaved 16-bit numbers."""
    block = min(32, total.type.count)
    parts = []
    for first in range(0, total.type.count, block):
        words = builder.bitcast(
            _part(builder, row, first, block), ir.VectorType(ir.IntType(32), block // 2)
        )
        for half in (0, 1):
            sums = _part(builder, total, first + half * block // 2, block // 2)
            parts.append(_add_half(builder, sums, words, half))
    return _all_joined(builder, parts)


def _low_half(builder: Any, words: Any) -> Any:
    """The low 16 bits of eight words, by the product of both halves with 1 and 0."""
    halves = ir.VectorType(ir.IntType(16), 16)
    function = builder.module.declare_intrinsic(
        "llvm.x86.avx2.pmadd.wd", fnty=ir.FunctionType(words.type, [halves, halves])
    )
    return builder.call(function, [builder.bitcast(words, halves), ir.Constant(halves, [1, 0] * 8)])


def _add_half(builder: Any, sums: Any, words: Any, half: int) -> Any:
    """32-bit sums plus the low (0) or high (1) 16 bits of each word.

    Processors with VNNI multiply both halves by constants and add the products in one instruction:
    by 1 and 0, or by 0 and 1. Those with AVX2 multiply so and add up, which takes the place of two
    shifts of the low half.
    """
    kind = words.type
    if MULTIPLIES_AND_ADDS:
        halves = ir.VectorType(ir.IntType(16), 2 * kind.count)
        chosen = ir.Constant(halves, [int(i % 2 == half) for i in range(halves.count)])
        function = builder.module.declare_intrinsic(
            f"llvm.x86.avx512.vpdpwssd.{32 * kind.count}",
            fnty=ir.FunctionType(kind, [kind, halves, halves]),
        )
        return builder.call(function, [sums, builder.bitcast(words, halves), chosen])
    if MULTIPLIES_IN_PAIRS and not half:
        parts = [_low_half(builder, _part(builder, words, i, 8)) for i in range(0, kind.count, 8)]
        return builder.add(sums, _all_joined(builder, parts))
    sixteen = ir.Constant(kind, [16] * kind.count)
    high = words if half else builder.shl(words, sixteen)
    return builder.add(sums, builder.ashr(high, sixteen))


def _part(builder: Any, vector: Any, first: int, count: int) -> Any:
    order = ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(first, first + count)))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), order)


def _all_joined(builder: Any, parts: list[Any]) -> Any:
    while len(parts) > 1:
        parts = [_joined(builder, a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _joined(builder: Any, a: Any, b: Any) -> Any:
    count = 2 * a.type.count
    order = ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(count)))
    return builder.shuffle_vector(a, b, order)


@instruction
def currents(_typing: Any, total: Any, unit: Any, bias: Any) -> Any:
    """`total`, whole numbers of `unit` (others are as they are), plus `bias`, a vector.

    The product with a power of two is exact, so one rounding is all there is, fused or not; where
    `bias` is of whole numbers, there is none.
    """

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        sums, factor, start = arguments
        if isinstance(total.dtype, types.Float):
            return builder.fadd(sums, start)
        kind = start.type
        if isinstance(bias.dtype, types.Integer):
            return builder.add(builder.mul(sums, splat(builder, factor, kind)), start)
        fused = builder.module.declare_intrinsic(
            f"llvm.fmuladd.v{bias.lanes}f{bias.dtype.bitwidth}",
            fnty=ir.FunctionType(kind, [kind] * 3),
        )
        return builder.call(
            fused, [builder.sitofp(sums, kind), splat(builder, factor, kind), start]
        )

    return bias(total, unit, bias), generate
