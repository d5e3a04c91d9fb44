"""Data sets: finding, decoding, splitting, preprocessing and batching pictures."""
