"""Recipes, the training loop, evaluation, and the run folder they leave."""
