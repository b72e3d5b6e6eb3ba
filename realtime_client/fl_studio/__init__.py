"""The bridge to FL Studio: a controller script that runs inside it, and what it and Jamflow tell each other."""
