"""CPU and wall time of an environment step of a seed: seeds side by side against agents that learn one after the other.

    python tests/benchmarks/side_by_side.py [--steps 1000] [--repeats 5] [--most 32]

Both do the same steps in turn, so that a busy machine hurts both alike; the best of the repeats counts, ratios decide.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import gymnasium

import neuroloop

TASKS = (("cartpole", "CartPole-v1"), ("default", "Acrobot-v1"))


def timed(learn: Callable[[], Any], steps: int) -> tuple[float, float]:
    """CPU and wall time a step, in µs."""
    cpu, wall = time.process_time(), time.perf_counter()
    learn()
    return (time.process_time() - cpu) / steps * 1e6, (time.perf_counter() - wall) / steps * 1e6


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--most", type=int, default=32)
    asked = parser.parse_args()
    print("| agent, task | seeds | how | CPU, µs a step of a seed | wall, µs | CPU against one after the other |")
    print("|---|---|---|---|---|---|")
    for name, env in TASKS:
        for n in (count for count in (1, 8, 32) if count <= asked.most):
            ways: dict[str, Any] = {"in turn": env}
            if env == "CartPole-v1":
                ways["at once, native vector environment"] = gymnasium.make_vec(env, num_envs=n)
            singles = [neuroloop.load_agent(name, env, seed=seed) for seed in range(n)]
            learners: dict[str, Any] = {
                "one after the other": lambda many=singles: [one.learn(asked.steps) for one in many]
            }
            for how, what in ways.items():
                vector = neuroloop.load_agents(name, what, range(n))
                learners[how] = lambda vector=vector: vector.learn(asked.steps)
            for learn in learners.values():
                learn()  # weights and caches as they are in a run
            seen: dict[str, list[tuple[float, float]]] = {how: [] for how in learners}
            for _ in range(asked.repeats):
                for how, learn in learners.items():
                    seen[how].append(timed(learn, asked.steps * n))
            base = min(cpu for cpu, _ in seen["one after the other"])
            for how, pairs in seen.items():
                cpu, wall = min(cpu for cpu, _ in pairs), min(wall for _, wall in pairs)
                print(f"| {name}, {env} | {n} | {how} | {cpu:.1f} | {wall:.1f} | {cpu / base:.2f} |", flush=True)


if __name__ == "__main__":
    main()
