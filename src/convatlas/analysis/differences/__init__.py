"""Two graphs laid side by side, and what differs."""
