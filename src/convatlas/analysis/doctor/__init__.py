"""The geometry doctor: what is wrong with a network at an input, and the smallest change."""
