"""The arithmetic of single layers and stacks of them: sizes, parameters, MACs, receptive fields.

Plain Python on whole numbers. Sizes are in pixels, a pair is (height, width), a shape is
(channels, height, width).
"""
