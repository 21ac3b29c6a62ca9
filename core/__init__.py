"""Jobstead's core: who you are, for whom you act, which plugins serve you, and how facts travel."""

__version__ = "0.1.0"
