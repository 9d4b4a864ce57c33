"""The live view: Rerun in a process of its own, fed from the tap or from a recording."""
