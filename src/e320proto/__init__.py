"""Protocols of German base meters such as the Landis+Gyr E320."""

__version__ = "0.1.0"
