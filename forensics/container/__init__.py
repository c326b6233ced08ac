"""What the bytes of a file say without decoding a picture: boxes, tags, encoder traces.

Every parser here reads headers and skips what it does not need; each has caps on bytes, depth and
count, because a file may come from anyone.
"""
