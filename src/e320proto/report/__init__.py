"""A capture as a page for people."""
