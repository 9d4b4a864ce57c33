"""The one place that compiles: kernels are cached on disk, called by address, and never compiled at import.

A kernel is a function `(f4, i4, row, f8) -> None` over the three pools of a network (float32, int32, float64) and the int64
row that says where its part's arrays lie. `walk.py` runs lists of such calls.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
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

    def __init__(self, function: Callable[..., Any], folder: Path | None = None) -> None:
        self.function, self._folder = function, folder
        self.name = f"{function.__module__}.{function.__qualname__}"

    @functools.cached_property
    def _compiled(self) -> Any:
        with _cached_in(self._folder or folder_of(self.function)):
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


def called(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a helper that stays a function of its own. The body of a `prange` must be a call of one.

    Under `parallel=True` numba drops the last write through a pointer, because it cannot know that somebody reads it.
    """
    helper: Callable[..., Any] = njit(error_model="numpy")(function)
    return helper


def generated(name: str, source: str, names: dict[str, Any]) -> Kernel:
    """The kernel `name` defined by `source`, a text that we made ourselves; `names` are the helpers that it calls, compiled
    ones or plain functions.

    The text is kept beside the compiled code, under a name that holds its hash, so that a debugger finds its lines.
    """
    plain = [value for value in names.values() if inspect.isfunction(value)]
    helpers = [getattr(value, "py_func", value) for value in names.values()]
    folder = folder_of(*(helper for helper in helpers if inspect.isfunction(helper)))
    who = [
        f"{key}={f.__module__}.{f.__qualname__} {f.__code__.co_code.hex()}" for key, f in names.items() if f in plain
    ]
    path = folder / f"{name}_{hashlib.sha256(chr(10).join([source, *who]).encode()).hexdigest()[:16]}.py"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        unfinished.write_text(source, encoding="utf-8")
        unfinished.replace(path)
    module = sys.modules[path.stem] = ModuleType(path.stem)  # where numba's cache looks for it
    vars(module).update({"inline": inline} | {key: inline(f) if f in plain else f for key, f in names.items()})
    exec(compile(source, str(path), "exec"), vars(module))
    return Kernel(vars(module)[name], folder)


def _body(function: Callable[..., Any]) -> str:
    """What a function does, for those that no file tells of."""
    code = function.__code__
    return f"{code.co_code.hex()} {code.co_names} {[const for const in code.co_consts if not inspect.iscode(const)]}"


def specialised(name: str, functions: Sequence[Callable[..., Any]], **plugged: Callable[..., Any]) -> Kernel:
    """The last of `functions` as a kernel, the others compiled into it, with `plugged` functions for what they call by name."""
    names: dict[str, Any] = {}
    for function in functions:
        known = function.__globals__
        names |= {key: known[key] for key in function.__code__.co_names if key in known}
    names = {key: value for key, value in names.items() if value not in functions} | plugged
    texts = [
        f"{'' if function is functions[-1] else '@inline'}\n{inspect.getsource(function)}" for function in functions
    ]
    text = "\n".join(texts).replace(f"def {functions[-1].__name__}(", f"def {name}(")
    return generated(name, text, names)


class Compiled:
    """A function over arrays that is called from Python. Compiled, or loaded from the disk cache, at its first call."""

    def __init__(self, function: Callable[..., Any], parallel: bool = False, takes: Any = None) -> None:
        self._function, self._parallel, self._takes = function, parallel, takes

    @functools.cached_property
    def now(self) -> Any:
        """The compiled function itself, for those who call it in a hot path."""
        with _cached_in(folder_of(self._function)):
            return njit(self._takes, cache=True, error_model="numpy", parallel=self._parallel)(self._function)

    def __call__(self, *arguments: Any) -> Any:
        return self.now(*arguments)


def compiled(function: Callable[..., Any]) -> Compiled:
    """Mark a function over arrays that is called from Python."""
    return Compiled(function)


def compiled_for(takes: Any) -> Callable[[Callable[..., Any]], Compiled]:
    """The same for arguments of the given types: whatever else comes is a `TypeError` at once, and compiles nothing."""
    return lambda function: Compiled(function, takes=takes)


def compiled_in_parallel(function: Callable[..., Any]) -> Compiled:
    """The same for a function that uses `prange`. It must be the outermost compiled function."""
    return Compiled(function, parallel=True)


@contextlib.contextmanager
def _cached_in(folder: Path) -> Iterator[None]:
    """Point numba's cache at a folder while a function is declared, and leave other users of numba alone."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


_PACKAGE = Path(__file__).parent
_IMPORT = re.compile(r"^from (\.*)([\w.]*) import (\([^)]*\)|.*)$", re.MULTILINE)


def folder_of(*functions: Callable[..., Any]) -> Path:
    """Where compiled code of these functions is kept.

    The name holds a hash of all sources that they can have come from, through imports of imports: numba looks only at the
    file of the function itself, so a changed helper in another file would leave stale machine code behind.
    """
    return _folder(frozenset(Path(function.__code__.co_filename) for function in functions))


@functools.cache
def _folder(files: frozenset[Path]) -> Path:
    digest = hashlib.sha256(f"{sys.version} {numba.__version__} {np.__version__}".encode())
    for source in sorted(frozenset[Path]().union(*map(_sources, files))):
        digest.update(source.read_bytes())
    folder = cache_root() / digest.hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    return folder


@functools.cache
def _sources(file: Path) -> frozenset[Path]:
    """A file and what it imports of its own package; for a file from elsewhere, all of this package besides."""
    found, waiting = set[Path](), [file]
    while waiting:
        found.add(one := waiting.pop())
        waiting += [source for source in _imported_by(one) if source not in found]
    elsewhere = not file.is_relative_to(_PACKAGE)
    return frozenset(source for source in found if source.is_file()).union(_PACKAGE.rglob("*.py") if elsewhere else ())


@functools.cache
def _imported_by(file: Path) -> frozenset[Path]:
    if not file.is_file():
        return frozenset()
    top, package = file.parent, ""  # where absolute names of its own package begin
    while (top / "__init__.py").is_file():
        top, package = top.parent, top.name
    found = set[Path]()
    for dots, part, names in _IMPORT.findall(file.read_text(encoding="utf-8")):
        if not dots and part.partition(".")[0] != package:
            continue
        base = file.parents[len(dots) - 1] if dots else top
        place = base.joinpath(*part.split(".")) if part else base
        found |= {place.with_suffix(".py"), place / "__init__.py"}
        found |= {place / f"{name}.py" for name in re.findall(r"\w+", names)}
    return frozenset(source for source in found if source.is_file())


@functools.cache
def cache_root() -> Path:
    """The folder of all compiled kernels: numba's own setting, the user's cache, or a private temporary folder."""
    base = numba.config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(base) / "neuroloop"
    with contextlib.suppress(OSError):
        root.mkdir(parents=True, exist_ok=True)
        if os.access(root, os.W_OK):
            return root
    return Path(tempfile.mkdtemp(prefix="neuroloop-"))  # compiled anew each time, but never somebody else's code


@intrinsic  # type: ignore[untyped-decorator]
def call_kernel(typing_context: Any, address: Any, f4: Any, i4: Any, row: Any, f8: Any) -> Any:
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


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing_context: Any, pointer: Any, index: Any) -> Any:
    """Have the cache line of `pointer[index]` fetched: where the next rows lie is known before they are needed."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        place = builder.bitcast(builder.gep(args[0], [args[1]]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        builder.call(fetch, [place, word(0), word(2), word(1)])
        return context.get_dummy_value()

    return types.void(pointer, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def who_fired(typing_context: Any, pointer: Any, index: Any) -> Any:
    """A bit for each of the 16 float32 numbers from `pointer[index]` on: 1 where it is not 0."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        many = ir.VectorType(ir.FloatType(), 16)
        place = builder.bitcast(builder.gep(args[0], [args[1]]), many.as_pointer())
        fired = builder.fcmp_unordered("!=", builder.load(place, align=4), ir.Constant(many, [0.0] * 16))
        return builder.zext(builder.bitcast(fired, ir.IntType(16)), ir.IntType(64))

    return types.int64(pointer, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def lowest_bit(typing_context: Any, bits: Any) -> Any:
    """The place of the lowest bit of an int64 that is not 0."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


f4_at, i4_at, f8_at, i8_at = _pointer(F4), _pointer(I4), _pointer(F8), _pointer(I8)
u1_at, u8_at = _pointer(types.CPointer(types.uint8)), _pointer(types.CPointer(types.uint64))
