"""The one place that compiles: kernels are cached on disk, called by address, and never compiled at import.

A kernel is a function `(f4, i4, row, f8) -> None` over the three pools of a network (float32, int32, float64) and the int64
row that says where its part's arrays lie. `walk` runs one control step: three lists of such calls, in one compiled call.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import cfunc, njit, types
from numba.core.typing import signature
from numba.extending import intrinsic

F4, I4, F8, I8 = (types.CPointer(t) for t in (types.float32, types.int32, types.float64, types.int64))
_ARGUMENTS = (F4, I4, I8, F8)
_SIGNATURE = types.void(*_ARGUMENTS)
Row = TypeVar("Row", bound=NamedTuple)


def places(row: type[Row]) -> Row:
    """An instance whose fields are their own positions: inside kernels `row[at.v]` reads field `v` of a part's row."""
    return row(*range(len(row._fields)))


class Kernel:
    """A kernel by address. Compiled, or loaded from the disk cache, when `address` is first read."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = f"{function.__module__}.{function.__qualname__}"

    @functools.cached_property
    def _compiled(self) -> Any:
        with _cache_folder():
            return cfunc(_SIGNATURE, cache=True, error_model="numpy")(self.function)

    @property
    def address(self) -> int:
        return int(self._compiled.address)

    def __repr__(self) -> str:
        return f"Kernel({self.name})"


def kernel(function: Callable[..., Any]) -> Kernel:
    """Mark `function(f4, i4, row, f8)` as a kernel."""
    return Kernel(function)


def inline(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a helper that is compiled into the kernels which call it."""
    helper: Callable[..., Any] = njit(inline="always", error_model="numpy")(function)
    return helper


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function over arrays that is called from Python. Compiled, or loaded from the disk cache, at its first call."""

    @functools.cache
    def build() -> Any:
        with _cache_folder():
            return njit(cache=True, error_model="numpy")(function)

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        return build()(*arguments)

    return call


@contextlib.contextmanager
def _cache_folder() -> Iterator[None]:
    """Point numba's cache at our folder while a function is declared, and leave other users of numba alone."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


@functools.cache
def cache_folder() -> Path:
    """Where compiled kernels are kept.

    The name holds a hash of all our sources: numba looks only at the file of the function itself, so a changed helper in
    another file would leave stale machine code behind.
    """
    digest = hashlib.sha256(f"{sys.version} {numba.__version__} {np.__version__}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    base = numba.config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "neuroloop" / digest.hexdigest()[:16]
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="neuroloop-"))  # compiled anew each time, but never somebody else's code


@intrinsic  # type: ignore[untyped-decorator]
def _call(typing_context: Any, address: Any, f4: Any, i4: Any, row: Any, f8: Any) -> Any:
    """Call the kernel at `address`."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        function = ir.FunctionType(ir.VoidType(), [context.get_value_type(t) for t in _ARGUMENTS])
        builder.call(builder.inttoptr(args[0], function.as_pointer()), args[1:])
        return context.get_dummy_value()

    return types.void(types.int64, *_ARGUMENTS), codegen


def _pointer(target: Any) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def at(typing_context: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(target))

        return signature(target, types.int64), codegen

    return at


_f4, _i4, _f8, _i8 = _pointer(F4), _pointer(I4), _pointer(F8), _pointer(I8)


class Plan(NamedTuple):
    """One control step as int64 numbers: addresses of the pools and the rows, then the three lists of calls."""

    f4: int
    i4: int
    f8: int
    rows: int  # address of int64[n_parts, row_length]
    row_length: int
    calls: int  # address of int64[n_calls, 2]: kernel, part; begin, then step, then end
    n_begin: int
    n_step: int
    n_end: int
    n_steps: int
    step: int  # where in the f8 pool the number of the step stands
    tick: int  # and the number of the tick


_AT = places(Plan)


@compiled
def walk(plan: Any) -> None:
    """Run one control step: `begin` once, `step` n_steps times, `end` once. `plan` is the int64 array of a `Plan`."""
    f4, i4, f8 = _f4(plan[_AT.f4]), _i4(plan[_AT.i4]), _f8(plan[_AT.f8])
    calls, rows, length = _i8(plan[_AT.calls]), plan[_AT.rows], 8 * plan[_AT.row_length]
    first, last = plan[_AT.n_begin], plan[_AT.n_begin] + plan[_AT.n_step]
    f8[plan[_AT.step]] = -1.0
    for k in range(first):
        _call(calls[2 * k], f4, i4, _i8(rows + length * calls[2 * k + 1]), f8)
    for step in range(plan[_AT.n_steps]):
        f8[plan[_AT.step]] = step
        for k in range(first, last):
            _call(calls[2 * k], f4, i4, _i8(rows + length * calls[2 * k + 1]), f8)
    for k in range(last, last + plan[_AT.n_end]):
        _call(calls[2 * k], f4, i4, _i8(rows + length * calls[2 * k + 1]), f8)
    f8[plan[_AT.tick]] += 1.0
