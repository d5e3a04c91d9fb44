"""The ledger: what papers print of their networks, how it is measured here, and what came out.

One TOML file for each paper. Never imports torch: measures read the graphs of the atlas.
"""
