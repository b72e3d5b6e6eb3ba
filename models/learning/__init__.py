"""What every network shares: checkpoints and the training loop."""
