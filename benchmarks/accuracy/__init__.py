"""How well the shipped detector tells manipulated faces, beside published peers."""
