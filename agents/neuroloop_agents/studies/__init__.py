"""Studies: what ready-made agents reach beside chance and classical controllers, `python -m neuroloop_agents.studies.NAME`."""
