"""Whether the evidence points at the right pixels, the right person and the right seconds."""
