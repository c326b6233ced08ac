"""Which marks survive what, whether every tampering is seen, and whether others read our marks."""
