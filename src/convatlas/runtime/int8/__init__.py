"""Networks in int8: asked for, calibrated on real pictures, judged on others, or refused."""
