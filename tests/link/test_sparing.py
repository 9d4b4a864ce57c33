"""Warnings that may come often."""

from neuroloop.link.sparing import Sparing


def test_the_first_is_told_at_once_and_those_after_it_as_counts() -> None:
    told: list[str] = []
    sparing = Sparing(told.append, between=1000.0)
    for _ in range(33):
        sparing.say("lost")
    sparing.say("found")
    assert told == ["lost"]
    sparing.flush()
    sparing.flush()
    assert told == ["lost", "lost (32 times); found"]


def test_where_time_went_by_they_are_told_as_they_come() -> None:
    told: list[str] = []
    sparing = Sparing(told.append, between=0.0)
    for _ in range(3):
        sparing.say("lost")
    assert told == ["lost"] * 3
