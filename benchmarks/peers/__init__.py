"""Other ways to detect, trained alike: the rows that ours are compared with."""
