"""A checksum for facts, for which MCAP has none."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import msgspec

from .channels import FORMAT


def checksum(facts: Mapping[str, str]) -> int:
    """CRC-32 of the facts as JSON in the order of their names, all but the checksum itself."""
    return zlib.crc32(msgspec.json.encode({key: facts[key] for key in sorted(facts) if key != "crc32"}))


def signed(facts: Mapping[str, str]) -> dict[str, str]:
    """Facts as they are written: with the version of the format, and their checksum."""
    text = {**facts, "format": FORMAT}
    return {**text, "crc32": str(checksum(text))}
