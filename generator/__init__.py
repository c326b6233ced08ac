"""A small, labelled face swapper: the reference for what the scanner has to find.

Nothing here can write a picture or a clip without its marks (see :mod:`generator.mark`).
"""
