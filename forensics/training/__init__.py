"""Make training data and fit the detectors. Modules that need torch import it themselves."""
