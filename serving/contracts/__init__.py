"""One file a model: its wire contract, its typed reply, and the function that asks for it."""
