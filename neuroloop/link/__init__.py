"""Sensor, controller and plant as processes of their own, over ZeroMQ. The protocol is told in `docs/wire-protocol.md`."""
