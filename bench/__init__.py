"""Measured comparisons: `make bench` prints them. Nothing here is asserted in tests."""
