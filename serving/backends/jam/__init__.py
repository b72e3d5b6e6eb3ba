"""The soloist inside Triton."""
