"""Tables of sensors: what stands on the plant's side of the ring.

Defaults of the pixel are those of v2e's command line (Hu, Liu and Delbruck 2021) where it has the effect, else as said.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import Count, Fraction, NonNegative, Positive, Settings, Time

Threshold = Annotated[float, Meta(ge=0.01, le=100)]  # ln units
Duration = Annotated[float, Meta(ge=0, le=1000)]  # s
Rate = Annotated[float, Meta(ge=0, le=1e5)]  # Hz
Index = Annotated[int, Meta(ge=0, lt=2**53)]
Spread = Annotated[float, Meta(ge=0, le=2)]


class Pixel(Settings, frozen=True, kw_only=True):
    """The pixel of an event camera. Intensities are linear, from 0 (black) to 1 (white); whatever is 0 is off."""

    threshold_on: Threshold = 0.2  # ln units, as all levels are
    threshold_off: Threshold = 0.2
    mismatch: NonNegative = 0.03  # standard deviation of the thresholds over pixels; none falls below 0.01
    knee: Fraction = 20 / 255  # intensity above which the front end is logarithmic, and linear below; 0: logarithmic
    linear_range: Annotated[float, Meta(gt=0, le=100)] = 2.9957  # ln units from black to the knee: ln 20
    offset: Fraction = 0.0  # added to the intensity before the front end
    bandwidth: Rate = 300.0  # Hz, cut-off of the photoreceptor in full light; 0: unlimited
    dark_bandwidth: Annotated[float, Meta(gt=0, le=1)] = 20 / 275  # share of it that is left in the dark
    refractory: Duration = 0.0005  # s that a pixel rests after an event
    leak_rate: Rate = 0.01  # Hz of ON events of a pixel that sees no change (Nozaki and Delbruck 2017)
    leak_spread: Spread = 0.1  # decades, standard deviation of the leak over pixels
    leak_jitter: Annotated[float, Meta(ge=0, le=0.5)] = (
        0.1  # standard deviation of a leak interval, in units of its mean
    )
    shot_rate: Rate = 0.001  # Hz of noise events, ON and OFF together, of a pixel in the dark
    shot_in_light: Fraction = 0.25  # share of it that is left in full light
    hot: Fraction = 0.0  # share of pixels that leak at `hot_rate` instead
    hot_rate: Rate = 20.0  # Hz
    dead: Fraction = 0.0  # share of pixels that never fire


IDEAL = Pixel(
    mismatch=0.0, bandwidth=0.0, refractory=0.0, leak_rate=0.0, leak_spread=0.0, leak_jitter=0.0, shot_rate=0.0
)
PIXELS = {
    "ideal": IDEAL,
    "clean": Pixel(leak_rate=0.0, shot_rate=0.0),  # good light: no noise in time
    "noisy": Pixel(mismatch=0.05, bandwidth=30.0, leak_rate=0.1, shot_rate=5.0, hot=0.001, dead=0.0005),  # dim light
    "v2e": Pixel(),  # its command line's defaults
    "v2e-clean": Pixel(
        mismatch=0.02, bandwidth=0.0, refractory=0.0, leak_rate=0.0, leak_spread=0.0, leak_jitter=0.0, shot_rate=0.0
    ),
    "v2e-noisy": Pixel(mismatch=0.05, bandwidth=30.0, refractory=0.0, leak_rate=0.1, shot_rate=5.0),
    "esim": Pixel(  # Rebecq, Gehrig and Scaramuzza 2018; the flags of its node
        threshold_on=1.0, threshold_off=1.0, mismatch=0.021, knee=0.0, offset=0.001, bandwidth=0.0, refractory=0.0,
        leak_rate=0.0, leak_spread=0.0, leak_jitter=0.0, shot_rate=0.0,
    ),
}  # fmt: skip


class EventFramesConfig(Settings, frozen=True, kw_only=True):
    """Frames in place of event packets; see `neuroloop.EventFrames`, whose defaults these are."""

    kind: Literal["counts", "time-surface", "voxels", "traces"] = "counts"
    bins: Count = 5  # of voxels
    tau: Time = 0.05  # s, of a time surface and of traces
    limit: Positive | None = None  # what is shown at most
    cell: tuple[Count, Count] = (8, 8)  # columns and rows of pixels in a bin of traces
    region: tuple[Index, Index, Count, Count] | None = None  # left, top, width, height of the pixels that are binned


class EventCameraConfig(Settings, frozen=True, kw_only=True):
    """An event camera in front of the environment; see `neuroloop.EventCameraWrapper`, whose defaults these are."""

    pixel: str | Pixel = "clean"
    size: tuple[Count, Count] | None = None  # width and height that pictures are averaged down to
    key: str | None = None  # the picture in the observation
    gamma: Literal["srgb"] | Positive = "srgb"
    only: bool = True  # the observation is the packet alone
    most_events: Count | None = None  # of a packet
    seed: Index = 0  # of the chip
    frames: EventFramesConfig | None = None
