"""The practice room: songs, grooves and sounds made from a seed, for demos and tests."""
