"""Ready-made agents: one TOML file each, the whole controller, readable from top to bottom."""
