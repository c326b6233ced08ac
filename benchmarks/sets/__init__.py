"""How long a labelled set takes, whether it can be made again, and whether its check works."""
