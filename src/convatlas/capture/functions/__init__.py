"""What is written down for each of torch's functions, theme by theme."""
