"""Jobstead's core: who you are, which organisation you act for, which plugins serve you, and how facts travel."""

__version__ = "0.1.0"
