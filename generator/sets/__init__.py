"""Labelled sets: a plan drawn from a seed, clips made from it, and manifests that say what is what.

`spec` reads what is wanted, `plan` draws every clip of the set as a pure function of the seed,
`item` makes one clip, `make` makes all of them and resumes, `manifest` and `card` describe them.
"""
