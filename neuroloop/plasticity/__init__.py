"""Local rules that change weights."""
