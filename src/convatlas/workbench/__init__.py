"""The use cases, shared by the command line and Python: each verb once.

``runs`` is training and what comes after it. Every other file is a question to a network, which is
answered from the atlas, without torch, if the network is a built-in one.
"""
