"""Measure a scorer on labelled files: honest figures, intervals over groups, every row kept."""
