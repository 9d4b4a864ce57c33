"""What a run or a plant publishes for whoever watches: the tap, and those who listen to it."""
