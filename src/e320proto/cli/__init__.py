"""The e320 command."""
