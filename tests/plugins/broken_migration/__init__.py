"""Well in itself; its migration is not."""
