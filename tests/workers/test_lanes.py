"""A recipient that hangs leaves room for the others."""

from __future__ import annotations

import threading

import pytest

from workers.lanes import AT_ONCE, LAST_SECONDS, OF_ONE, OF_SLOW, SLOW_SECONDS, Lanes


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


def test_one_recipient_never_takes_all_places(clock: _Clock) -> None:
    lanes = Lanes(clock)
    places = [lanes.begin("hangs") for _ in range(OF_ONE)]
    assert None not in places
    assert lanes.wait(0)
    clock.now += SLOW_SECONDS + 0.1
    assert lanes.begin("hangs") is None
    for _ in range(AT_ONCE - OF_ONE):
        assert lanes.begin("quick") is not None
    assert not lanes.wait(0)
    assert lanes.busy == AT_ONCE


def test_a_slow_recipient_gets_few_places_until_it_is_quick(clock: _Clock) -> None:
    lanes = Lanes(clock)
    first = lanes.begin("slow")
    assert first is not None
    clock.now += SLOW_SECONDS + 0.1
    lanes.end("slow", first)
    places = [place for _ in range(OF_SLOW) if (place := lanes.begin("slow"))]
    assert len(places) == OF_SLOW
    assert lanes.begin("slow") is None
    lanes.end("slow", places.pop())  # at once
    assert all(lanes.begin("slow") for _ in range(OF_SLOW))


def test_a_quick_recipient_is_waited_for_and_not_put_off(clock: _Clock) -> None:
    lanes = Lanes(clock)
    places = [place for _ in range(OF_ONE) if (place := lanes.begin("quick"))]
    threading.Timer(0.1, lanes.end, ("quick", places[0])).start()
    assert lanes.begin("quick") is not None


def test_what_is_put_off_is_looked_at_later_and_later_but_not_for_ever(clock: _Clock) -> None:
    lanes = Lanes(clock)
    times = [lanes.put_off("slow") for _ in range(20_000)]
    assert times == sorted(times)
    assert times[0] == 5
    assert times[1000] - times[0] == pytest.approx(250)
    assert times[-1] == LAST_SECONDS
    place = lanes.begin("slow")
    assert place is not None
    lanes.end("slow", place)  # quick again
    assert lanes.put_off("slow") == 5
    assert lanes.put_off("other") == 5
