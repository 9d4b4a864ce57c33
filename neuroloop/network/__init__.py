"""Populations, projections and the linked network that owns their state."""
