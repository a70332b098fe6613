"""Words whose bits are spikes: counted, weighed, and their places listed."""

from typing import Any

from llvmlite import ir
from numba.core import types

from ann2snn.simulation.event.vector import UINT64, address, instruction, splat, truth_of


@instruction
def weigh_bits(_typing: Any, bits: Any, _place: Any, weights: Any, _weight: Any) -> Any:
    """Sum over eight words of `bits` from `place` on of their set bits times their weights."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(64), 8)
        masks, factors = (
            builder.load(
                address(context, builder, signature.args[i], arguments[i], arguments[i + 1], kind),
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
        base = splat(builder, builder.trunc(arguments[3], ir.IntType(16)), kind)
        truth = truth_of(builder, arguments[2], 32)
        shape = ir.FunctionType(kind, [kind, truth.type, kind])
        function = builder.module.declare_intrinsic(
            "llvm.experimental.vector.compress.v32i16", fnty=shape
        )
        nothing = ir.Constant(kind, ir.Undefined)
        values = builder.call(function, [builder.add(base, steps), truth, nothing])
        kept = ir.VectorType(ir.IntType(32), room.literal_value)
        order = ir.Constant(kept, list(range(room.literal_value)))
        values = builder.shuffle_vector(values, nothing, order)
        pointer = address(
            context, builder, signature.args[0], arguments[0], arguments[1], values.type
        )
        builder.store(values, pointer, align=2)
        return context.get_dummy_value()

    return types.void(array, UINT64, UINT64, UINT64, room), generate
