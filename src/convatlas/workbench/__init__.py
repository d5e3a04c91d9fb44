"""The use cases, shared by the command line and Python: each verb once.

``runs``: training and what comes after it. ``networks``: questions to a network, without torch.
"""
