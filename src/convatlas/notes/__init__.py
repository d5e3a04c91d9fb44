"""Notes re-computed: every arithmetic statement of a text, English or Chinese, judged."""
