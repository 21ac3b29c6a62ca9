"""Providers of sign-in: what is alike stands in ``provider``, a file here says what is different."""
