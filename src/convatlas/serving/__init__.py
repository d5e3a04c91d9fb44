"""A prediction server: a bundle behind HTTP, with batches that form while the engine is busy."""
