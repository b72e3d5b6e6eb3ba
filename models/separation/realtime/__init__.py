"""A separator that plays along: block after block, each heard once, nothing of the future."""
