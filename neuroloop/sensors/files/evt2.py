"""EVT2: a 32-bit word an event, from Prophesee's public description of the format.

Bits 31-28 are the type: 0 OFF and 1 ON with 6 bits of time, 11 of x and 11 of y; 8 the upper 28 bits of the time, which
go round every 2³⁴ µs. Triggers (A), and words of others (E, F), are no events.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..._numba import compiled, places

WORD = np.dtype("<u4")
MOST_WORDS = 1  # events in a word
ROUND = 1 << 28  # values of the upper time
LAST = ROUND - 1
STEP = ROUND // 4  # of the upper time in a gap; others notice a round only where 0 follows its last value
LOW_BITS = 6


class Decoding(NamedTuple):
    """State of a decoder, int64."""

    high: int  # upper time as it stands; −1: none came yet
    rounds: int  # how often it went round
    untimed: int  # events before the first time
    unknown: int  # words of no known type


class Encoding(NamedTuple):
    """State of an encoder, int64."""

    high: int  # upper time that was written last, rounds included; −1: none


of, to = places(Decoding), places(Encoding)


@compiled
def decode(words, state, events):  # type: ignore[no-untyped-def]
    """Events of these words, as many as `events` holds; returns words read and events found."""
    high, rounds, untimed, unknown = state[of.high], state[of.rounds], 0, 0
    n, k = 0, 0
    while k < words.size and n < events.size:
        word = np.int64(words[k])
        k += 1
        kind = word >> 28
        if kind <= 1:
            if high < 0:
                untimed += 1
                continue
            event = events[n]
            event.t_us = ((rounds << 28) + high) << 6 | (word >> 22) & 63
            event.x = np.uint16((word >> 11) & 2047)
            event.y = np.uint16(word & 2047)
            event.p = np.uint8(kind)
            n += 1
        elif kind == 8:
            now = word & LAST
            rounds += high - now >= ROUND // 2
            high = now
        elif kind != 10 and kind != 14 and kind != 15:
            unknown += 1
    state[of.high], state[of.rounds] = high, rounds
    state[of.untimed] += untimed
    state[of.unknown] += unknown
    return k, n


@compiled
def encode(events, state, words):  # type: ignore[no-untyped-def]
    """Words of these events, as many as `words` holds; returns events written and words made."""
    high, n, k = state[to.high], 0, 0
    while n < events.size and k < words.size:
        event = events[n]
        upper = np.int64(event.t_us) >> 6
        if upper != high:
            if high < 0:
                high = upper if upper < ROUND else 0
            else:
                room = LAST - (high & LAST)
                high = min(upper, high + (min(STEP, room) if room else 1))
            words[k] = np.uint32(8 << 28 | high & LAST)
        else:
            low = np.int64(event.t_us) & 63
            words[k] = np.uint32(np.int64(event.p) << 28 | low << 22 | np.int64(event.x) << 11 | np.int64(event.y))
            n += 1
        k += 1
    state[to.high] = high
    return n, k
