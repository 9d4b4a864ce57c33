"""EVT3: 16-bit words that say only what changed, from Prophesee's public description of the format.

Bits 15-12 are the type: 0 the row, 2 a column with its polarity (an event), 3 the first column and the polarity of the
vectors that follow, 4 and 5 the events of the next 12 or 8 columns as bits, 6 and 8 the lower and upper 12 bits of the
time, which go round every 2²⁴ µs. Triggers (A), and words of others (7, E, F), are no events.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..._numba import compiled, inline, places

WORD = np.dtype("<u2")
MOST_WORDS = 12  # events in a word
ROUND = 1 << 12  # values of the upper time
LAST = ROUND - 1
STEP = ROUND // 4  # of the upper time in a gap; others notice a round only where 0 follows its last value
LOW_BITS = 12
WORTHWHILE = 3  # events that a vector, of two words, has to hold


class Decoding(NamedTuple):
    """State of a decoder, int64."""

    high: int  # upper time as it stands; −1: none came yet
    rounds: int  # how often it went round
    untimed: int  # events before the first time or the first row
    unknown: int  # words of no known type
    low: int
    y: int  # −1: none came yet
    base: int  # column of the next vector
    p: int  # polarity of the next vector


class Encoding(NamedTuple):
    """State of an encoder, int64; −1: none was written yet."""

    high: int  # upper time, rounds included
    low: int
    y: int
    base: int  # column of the next vector, if a vector was the last word
    p: int


of, to = places(Decoding), places(Encoding)


@inline
def _put(event, t, x, y, p):  # type: ignore[no-untyped-def]
    event.t_us, event.x, event.y, event.p = t, np.uint16(x), np.uint16(y), np.uint8(p)


@compiled
def decode(words, state, events):  # type: ignore[no-untyped-def]
    """Events of these words, as many as `events` surely holds; returns words read and events found."""
    high, rounds, untimed, unknown = state[of.high], state[of.rounds], 0, 0
    low, y, base, p = state[of.low], state[of.y], state[of.base], state[of.p]
    n, k, most = 0, 0, events.size - MOST_WORDS
    while k < words.size and n <= most:
        word = np.int64(words[k])
        k += 1
        kind, value = word >> 12, word & 4095
        t = ((rounds << 12) + high) << 12 | low
        if kind == 2:
            if high < 0 or y < 0:
                untimed += 1
            else:
                _put(events[n], t, value & 2047, y, value >> 11)
                n += 1
        elif kind == 0:
            y = value & 2047
        elif kind == 6:
            low = value
        elif kind == 4 or kind == 5:
            width = 12 if kind == 4 else 8
            bits = value & ((1 << width) - 1)
            for i in range(width):
                if bits >> i & 1:
                    if high < 0 or y < 0:
                        untimed += 1
                    else:
                        _put(events[n], t, base + i, y, p)
                        n += 1
            base += width
        elif kind == 3:
            base, p = value & 2047, value >> 11
        elif kind == 8:
            if value != high:
                rounds += high - value >= ROUND // 2
                high, low = value, 0
        elif kind != 7 and kind != 10 and kind != 14 and kind != 15:
            unknown += 1
    state[of.high], state[of.rounds], state[of.low], state[of.y] = high, rounds, low, y
    state[of.base], state[of.p] = base, p
    state[of.untimed] += untimed
    state[of.unknown] += unknown
    return k, n


@compiled
def encode(events, state, words):  # type: ignore[no-untyped-def]
    """Words of these events, as many as `words` surely holds; returns events written and words made."""
    high, low, y, base, p = state[to.high], state[to.low], state[to.y], state[to.base], state[to.p]
    n, k = 0, 0
    while n < events.size and k + 2 <= words.size:
        event = events[n]
        t, x, row, on = np.int64(event.t_us), np.int64(event.x), np.int64(event.y), np.int64(event.p)
        if t >> 12 != high:
            if high < 0:
                high = t >> 12 if t >> 12 < ROUND else 0
            else:
                room = LAST - (high & LAST)
                high = min(t >> 12, high + (min(STEP, room) if room else 1))
            words[k] = np.uint16(8 << 12 | high & LAST)
            low, base = np.int64(-1), np.int64(-1)
            k += 1
        elif t & 4095 != low:
            low, base = t & 4095, np.int64(-1)
            words[k] = np.uint16(6 << 12 | low)
            k += 1
        elif row != y:
            y, base = row, np.int64(-1)
            words[k] = np.uint16(y)
            k += 1
        else:
            bits, m = np.int64(1), n + 1
            while m < events.size and bits < 2048:
                after = events[m]
                ahead = np.int64(after.x) - x
                if np.int64(after.t_us) != t or np.int64(after.y) != y or np.int64(after.p) != on:
                    break
                if ahead > 11 or ahead < 0 or bits >> ahead:
                    break
                bits |= 1 << ahead
                m += 1
            if m - n < WORTHWHILE:
                words[k] = np.uint16(2 << 12 | on << 11 | x)
                base = np.int64(-1)
                n, k = n + 1, k + 1
            else:
                if base != x or p != on:
                    words[k] = np.uint16(3 << 12 | on << 11 | x)
                    k += 1
                words[k] = np.uint16(4 << 12 | bits)
                base, p = x + 12, on
                n, k = m, k + 1
    state[to.high], state[to.low], state[to.y], state[to.base], state[to.p] = high, low, y, base, p
    return n, k
