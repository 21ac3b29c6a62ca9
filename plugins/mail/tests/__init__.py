"""Tests of the mail plugin."""
