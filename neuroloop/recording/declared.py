"""What channels there are, as a text among the facts: the messages of a file whose first chunk is damaged are known by it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from mcap.records import Channel, Schema

from .scan import Damaged

Declaration = Schema | Channel


class _Schema(msgspec.Struct, frozen=True):
    id: int
    name: str
    encoding: str
    data: bytes  # in JSON as base64


class _Channel(msgspec.Struct, frozen=True):
    id: int
    topic: str
    encoding: str
    schema: int
    metadata: dict[str, str]


class _Declared(msgspec.Struct, frozen=True):
    schemas: tuple[_Schema, ...]
    channels: tuple[_Channel, ...]


def text_of(declared: Iterable[Declaration]) -> str:
    """Schemas and channels as JSON."""
    schemas, channels = list[_Schema](), list[_Channel]()
    for one in declared:
        if isinstance(one, Schema):
            schemas.append(_Schema(one.id, one.name, one.encoding, one.data))
        else:
            channels.append(_Channel(one.id, one.topic, one.message_encoding, one.schema_id, one.metadata))
    return msgspec.json.encode(_Declared(tuple(schemas), tuple(channels))).decode()


def declarations(text: str) -> list[Declaration]:
    """Schemas, then channels. Raises `Damaged`."""
    try:
        told = msgspec.json.decode(text, type=_Declared)
    except msgspec.DecodeError as error:
        raise Damaged(f"does not say what channels it has: {error}") from None
    schemas: list[Declaration] = [Schema(one.id, one.data, one.encoding, one.name) for one in told.schemas]
    return schemas + [
        Channel(id=one.id, topic=one.topic, message_encoding=one.encoding, metadata=one.metadata, schema_id=one.schema)
        for one in told.channels
    ]
