"""A Dask cluster as an executor: checked when it is connected, and again by every worker before its first job.

Dask starts a job anew elsewhere if its worker dies. Same figures everywhere need the same code everywhere, so workers whose
versions differ are refused by name, and so are workers that run several jobs in threads of one process.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import importlib.util
import logging
import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoint import facts_of_versions
from ..errors import BadInput, MissingExtra
from .one_thread import one_thread

if TYPE_CHECKING:
    from distributed import Client, Worker

ADDRESS = re.compile(r"(tcp|tls)://(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/]+):(?P<port>\d+)")
ANSWER = 5.0  # s, in which a scheduler must answer
FIRST_WORKER = 30.0  # s, in which its first worker must be there
Facts = dict[str, str]


class Cluster(Executor):
    """Dask's own executor, with every job checked for where it runs."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._executor: Executor = client.get_executor(pure=False)
        self._facts = facts()

    @property
    def n_workers(self) -> int:
        """Workers at this moment; they may come and go. Raises `CancelledError` once the scheduler is lost."""
        if self._client.status not in ("running", "connecting"):
            raise CancelledError
        return len(self._client.scheduler_info(n_workers=-1).get("workers", ()))

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._executor.submit(_on_worker, self._facts, function, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait and not cancel_futures)


@contextmanager
def connect(address: str) -> Iterator[Cluster]:
    """The executor of a cluster. Raises `BadInput` saying what is wrong with the address or who does not fit."""
    if importlib.util.find_spec("distributed") is None:
        raise MissingExtra("--cluster", "cluster")
    from distributed import Client

    _reach(address)
    _wait_for_a_worker(address)
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # we say it ourselves when a scheduler is lost
    try:
        client = Client(address, timeout=ANSWER, set_as_default=False)
    except OSError as error:
        raise BadInput(f"--cluster {address}: {error}") from None
    try:
        _check_workers(client, address)
        cluster = Cluster(client)
        try:
            yield cluster
        except BaseException:
            with suppress(Exception):  # a client that lost its scheduler cannot tell it to drop the work
                cluster.shutdown(wait=False)
            raise
        cluster.shutdown()
    finally:
        client.close(timeout=ANSWER)


def _reach(address: str) -> None:
    """Raise `BadInput` unless something listens at the address."""
    parts = ADDRESS.fullmatch(address)
    if parts is None or int(parts["port"]) > 65535:
        raise BadInput(
            f"--cluster {address!r}: expected tcp://HOST:PORT or tls://HOST:PORT, such as tcp://10.0.0.5:8786"
        )
    try:
        socket.create_connection((parts["host"].strip("[]"), int(parts["port"])), ANSWER).close()
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror
        raise BadInput(
            f"--cluster {address}: cannot be reached: {reason}; is `dask scheduler` running there, and its port open?"
        ) from None


def _wait_for_a_worker(address: str) -> None:
    until = time.monotonic() + FIRST_WORKER
    while not _identity(address).get("workers"):
        if time.monotonic() > until:
            raise BadInput(
                f"--cluster {address}: has no workers after {FIRST_WORKER:g} s; "
                f"start some with `dask worker {address} --nthreads 1`"
            )
        time.sleep(0.2)


def _identity(address: str) -> dict[str, Any]:
    """What the scheduler says of itself."""
    from distributed import Security, rpc

    async def ask() -> Any:
        certificates = Security().get_connection_args("client")  # from Dask's own settings
        scheduler = rpc(address, timeout=ANSWER, connection_args=certificates)
        try:
            return await asyncio.wait_for(scheduler.identity(), ANSWER)
        finally:
            await scheduler.close_rpc()

    try:
        answer: dict[str, Any] = asyncio.run(ask())
    except TypeError as error:  # what Dask raises without certificates
        raise BadInput(f"--cluster {address}: {error}; see docs/clusters.md") from None
    except Exception as error:
        raise BadInput(
            f"--cluster {address}: does not answer as a Dask scheduler: {str(error) or 'silence'}; "
            "is it one, by tcp or tls, with the same certificates?"
        ) from None
    if answer.get("type") != "Scheduler":
        raise BadInput(f"--cluster {address}: is a {answer.get('type')}, not a scheduler")
    return answer


def _check_workers(client: Client, address: str) -> None:
    """Every worker that is there now says whether it fits."""
    answers = client.run(_misfit_of, facts(), on_error="return")
    bad = [f"{worker}{_say(answer)}" for worker, answer in answers.items() if answer]
    if bad:
        raise BadInput(f"--cluster {address}: workers do not fit:\n  " + "\n  ".join(sorted(bad)))


def _say(answer: object) -> str:
    if isinstance(answer, ModuleNotFoundError):
        return f": {answer}; install the same neuroloop there"
    return str(answer) if isinstance(answer, str) else f": {answer}"


def _misfit_of(expected: Facts, dask_worker: Worker) -> str:
    """Why a worker does not fit, or nothing. Dask hands it over by the name of the argument."""
    here = facts()
    other = [f"{name} {here.get(name)} (here {value})" for name, value in expected.items() if here.get(name) != value]
    threads = dask_worker.state.nthreads
    if other:
        why = f"has {', '.join(other)}; install the same versions"
    elif threads > 1:
        why = f"runs {threads} jobs in one process; start it with --nthreads 1 and more --nworkers"
    else:
        return ""
    return f" (name {dask_worker.name}): {why}"


@functools.cache
def _misfit(expected: tuple[tuple[str, str], ...]) -> str:
    """The same for this worker, asked once."""
    from distributed import get_worker

    one_thread()
    why = _misfit_of(dict(expected), get_worker())
    return why and f"{get_worker().address}{why}"


def _on_worker(expected: Facts, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Run a job, on a worker that may have joined after the cluster was checked."""
    if why := _misfit(tuple(expected.items())):
        raise BadInput(f"worker does not fit: {why}")
    return function(*args, **kwargs)


@functools.cache
def facts() -> Facts:
    """Versions that the same figures depend on, down to the sources of our packages."""
    digest = hashlib.sha256()
    for package in ("neuroloop", "neuroloop_envs"):
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for source in sorted(Path(folder).rglob("*.py")):
                digest.update(source.read_bytes())
    return facts_of_versions() | {"sources": digest.hexdigest()[:12]}
