"""Vocals as what a song has more than its band: diffusion imagines the song without its singer."""
