"""TF-Locoformer: a transformer with local convolutions that walks over frequencies and over time, in turns."""
