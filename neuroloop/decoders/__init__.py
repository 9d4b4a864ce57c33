"""From spikes to actions."""
