"""Weights in files: ours, and those of torchvision and timm, told apart by meaning.

`load` reads a file into a network, `save` writes one. Names and shapes of tensors cannot tell two
networks apart that place a stride or round a pool otherwise, so the graphs of both are compared.
"""
