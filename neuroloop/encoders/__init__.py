"""From observations to spikes."""
