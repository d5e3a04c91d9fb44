"""Graphs by meaning: what is written differently but is the same becomes the same."""
