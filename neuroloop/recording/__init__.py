"""Recordings: every tick of a run in an MCAP file, written by a process of its own; read, recovered, replayed, exported."""
