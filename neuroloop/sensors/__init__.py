"""What stands on the plant's side of the ring."""
