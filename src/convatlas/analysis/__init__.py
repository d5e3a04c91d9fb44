"""Questions to a graph: cost, memory, receptive field, what fits, what differs."""
