"""Sensors: event cameras, and recordings of them."""
