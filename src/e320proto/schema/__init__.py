"""The construct schemas: every field of every message, declared once."""
