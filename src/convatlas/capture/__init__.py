"""From a network to its graph: any ``nn.Module``, without running any arithmetic."""
