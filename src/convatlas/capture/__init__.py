"""From a network to its layers, without running any arithmetic."""
