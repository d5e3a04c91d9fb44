"""Modules that three or more families share, and attention layers for any network."""
