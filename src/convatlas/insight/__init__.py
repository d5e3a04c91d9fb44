"""Looking inside a trained network: its kernels and the maps it makes of a picture."""
