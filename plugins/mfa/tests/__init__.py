"""Tests of the mfa plugin."""
