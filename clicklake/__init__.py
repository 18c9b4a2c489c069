"""Clicklake: an online shop's own clickstream platform."""

__version__ = "0.1.0"
