"""The lane-keeping agents begin to learn, and the command that measures them measures."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pybullet")

from neuroloop_agents.lane_keeping import COURSES, Drive, Run, known, main, summary, table

import neuroloop


def test_true_errors_drive_every_course_and_chance_none() -> None:
    (pd,), (chance,) = known("pd", 3, 250), known("random", 3, 250)
    assert [one.left for one in pd.drives] == [False] * len(COURSES)
    assert min(one.laps for one in pd.drives) > 0.3
    assert max(one.most for one in pd.drives) < 0.03
    assert [one.left for one in chance.drives] == [True] * len(COURSES)


def test_the_table_tells_laps_from_drives_that_never_left_the_lane() -> None:
    drives = [Drive(1.25, False, 0.02, 0.05), Drive(1.1, True, 0.08, 0.21), Drive(0.3, True, 0.1, 0.2)]
    run = Run("lane-keeping", 7, 10_000, [100, 9000], {"inner": 4000}, drives)
    assert (
        table([run])[-1] == "| lane-keeping | 7 | 10000 | 2 of 3 | 1 of 3 | 0.88 | 0.020 / 0.050 | 2 / 1 | – / 4000 |"
    )


def test_the_summary_counts_seeds_and_drives_of_each_number_of_steps() -> None:
    good, bad = Drive(1.25, False, 0.02, 0.05), Drive(0.3, True, 0.1, 0.2)
    runs = [
        Run("lane-keeping", 1, 100, [], {"inner": 40}, [good, bad]),
        Run("lane-keeping", 1, 200, [], {"inner": 40, "outer": 150}, [good, good]),
        Run("lane-keeping", 2, 100, [], {"inner": 40, "outer": 90}, [good, good]),
        Run("random", 1, 0, [], {}, [bad, bad]),
    ]
    assert summary(runs)[2:] == [
        "| lane-keeping | 100 | 1 of 2 | 3 of 4 | 1 of 2 | 0.020 / 0.050 |",
        "| lane-keeping | 200 | 1 of 1 | 2 of 2 | 1 of 1 | 0.020 / 0.050 |",
        "| random |  |  | 0 of 2 | 0 of 1 | – |",
    ]


def test_the_command_writes_its_page(tmp_path: Path) -> None:
    page = tmp_path / "laps.md"
    main(
        [
            "--agents",
            "lane-keeping-signed",
            "--seeds",
            "1",
            "--first-seed",
            "1",
            "--steps",
            "30",
            "45",
            "--drive-steps",
            "20",
            "--write",
            str(page),
        ]
    )
    text = page.read_text(encoding="utf-8")
    assert "--seeds 1 --first-seed 1 --steps 30 45" in text
    rows = [line.split(" | ")[:3] for line in text.splitlines()[-4:]]
    assert rows == [
        ["| lane-keeping-signed", "1", "30"],
        ["| lane-keeping-signed", "1", "45"],
        ["| pd", "1", ""],
        ["| random", "1", ""],
    ]


def test_the_signed_error_teaches_steering_within_two_minutes_of_driving() -> None:
    agent = neuroloop.load_agent("lane-keeping-signed", seed=1)
    progress = agent.learn(2400)
    lengths = np.array(progress.lengths)
    assert lengths[-4:].mean() > 3.0 * lengths[:8].mean()
    agent.env.close()
