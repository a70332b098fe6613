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
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models, register_default
from numba.extending import intrinsic

from ann2snn.numerics.compiled import OPTIONS

UINT64 = types.uint64
FIRST = np.int64(0)
"""Where counting begins. numba compiles what gets a literal 0 for this number first, and then for
all."""
Decorator = Callable[[Callable[..., Any]], Any]
instruction: Decorator = intrinsic


plain: Decorator = numba.njit(**OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)


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


def address(context: Any, builder: Any, array_type: Any, array: Any, place: Any, kind: Any) -> Any:
    """The address of element `place` as a pointer to `kind`."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), kind.as_pointer())


def splat(builder: Any, value: Any, kind: Any) -> Any:
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), order)


def truth_of(builder: Any, bits: Any, lanes: int) -> Any:
    """The low bits of a 64-bit number as truth values, one a lane."""
    if lanes < 64:
        bits = builder.trunc(bits, ir.IntType(lanes))
    return builder.bitcast(bits, ir.VectorType(ir.IntType(1), lanes))


def bits_of(builder: Any, truth: Any, lanes: int) -> Any:
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
        pointer = address(context, builder, signature.args[0], arguments[0], arguments[1], kind)
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return Vector(array.dtype, like.lanes)(array, UINT64, like), generate


@instruction
def store(_typing: Any, array: Any, _place: Any, vector: Any) -> Any:
    """Writes `vector` into `array` from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[2].type
        pointer = address(context, builder, signature.args[0], arguments[0], arguments[1], kind)
        builder.store(arguments[2], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, UINT64, vector), generate


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
