"""Imports what is not there."""

import nothing_of_that_name  # noqa: F401
