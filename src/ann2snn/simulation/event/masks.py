"""Words whose bits are spikes: counted, weighed, and their places listed."""

from typing import Any

from llvmlite import ir
from numba.core import types

from ann2snn.simulation.event.vector import UINT64, address, instruction, splat, truth_of


@instruction
def weigh_bits(_typing: Any, total: Any, bits: Any, _place: Any, weights: Any, _weight: Any) -> Any:
    """`total`, lane by lane, plus the set bits of each word of `bits` from `place` on times its
    weight, those in `weights` from `weight` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        masks, factors = (
            builder.load(
                address(context, builder, signature.args[i], arguments[i], arguments[i + 1], kind),
                align=8,
            )
            for i in (1, 3)
        )
        counting = builder.module.declare_intrinsic(
            f"llvm.ctpop.v{kind.count}i64", fnty=ir.FunctionType(kind, [kind])
        )
        return builder.add(arguments[0], builder.mul(builder.call(counting, [masks]), factors))

    return total(total, bits, UINT64, weights, UINT64), generate


@instruction
def sum_lanes(_typing: Any, total: Any) -> Any:
    """The sum of all lanes, 64-bit whole numbers."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        summed = builder.module.declare_intrinsic(
            f"llvm.vector.reduce.add.v{kind.count}i64",
            fnty=ir.FunctionType(ir.IntType(64), [kind]),
        )
        return builder.call(summed, arguments)

    return types.int64(total), generate


@instruction
def count_bits(_typing: Any, _bits: Any) -> Any:
    """How many bits are set."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return UINT64(UINT64), generate


@instruction
def compress_places(
    _typing: Any, array: Any, _place: Any, _bits: Any, _first: Any, lanes: Any, period: Any,
    room: Any,
) -> Any:  # fmt: skip
    """Writes `first` + i % `period` for each set bit i among the low `lanes` (32 or 64) into
    `array`, of unsigned whole numbers, from `place` on, without a branch; always `room` elements,
    those after the last bit anything. `lanes`, `period` and `room` are literals."""
    if not all(isinstance(each, types.IntegerLiteral) for each in (lanes, period, room)):
        return None
    # in bytes 64 places are one vector, in 16 bits 32 are, and need not be widened
    many = lanes.literal_value
    element = ir.IntType(8 if many == 64 else 16)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(element, many)
        truth = truth_of(builder, arguments[2], many)
        shape = ir.FunctionType(kind, [kind, truth.type, kind])
        function = builder.module.declare_intrinsic(
            f"llvm.experimental.vector.compress.v{many}i{element.width}", fnty=shape
        )
        nothing = ir.Constant(kind, ir.Undefined)
        places = ir.Constant(kind, [i % period.literal_value for i in range(many)])
        values = builder.call(function, [places, truth, nothing])
        kept = ir.VectorType(ir.IntType(32), room.literal_value)
        order = ir.Constant(kept, list(range(room.literal_value)))
        values = builder.shuffle_vector(values, nothing, order)
        return _put(context, builder, signature.args[0], arguments[:2], values, arguments[3])

    return types.void(array, UINT64, UINT64, UINT64, lanes, period, room), generate


@instruction
def put_places(_typing: Any, array: Any, _place: Any, places: Any, _first: Any) -> Any:
    """Writes `first` + each of `places` into `array`, of unsigned whole numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *where, values, first = arguments
        return _put(context, builder, signature.args[0], where, values, first)

    return types.void(array, UINT64, places, UINT64), generate


def _put(context: Any, builder: Any, array: Any, where: Any, values: Any, first: Any) -> Any:
    element = context.get_value_type(array.dtype)
    kind = ir.VectorType(element, values.type.count)
    if values.type.element.width < element.width:
        values = builder.zext(values, kind)
    base = first if element.width == first.type.width else builder.trunc(first, element)
    data, place = where
    pointer = address(context, builder, array, data, place, kind)
    values = builder.add(values, splat(builder, base, kind))
    builder.store(values, pointer, align=element.width // 8)
    return context.get_dummy_value()
