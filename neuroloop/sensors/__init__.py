"""What stands on the plant's side of the ring: the event camera, its wrappers for environments, event files."""
