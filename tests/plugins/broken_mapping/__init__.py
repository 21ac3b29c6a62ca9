"""A relationship to nowhere."""
