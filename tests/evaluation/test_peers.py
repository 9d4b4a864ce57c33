"""Peers run in environments of their own, from a clone."""

from __future__ import annotations

import pytest

from neuroloop.errors import BadInput
from neuroloop.evaluation import peers


def test_peers_need_a_clone_of_the_repository(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "__file__", str(tmp_path / "a" / "b" / "peers.py"))
    with pytest.raises(BadInput, match="needs a clone"):
        peers.peers_folder()
