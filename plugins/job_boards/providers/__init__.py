"""Bundled providers of postings, one file a vendor; each comes in by the hook an outsider would use."""
