"""Measured suites and their figures."""
