"""How the scores hold when pictures are distorted on their way."""
