"""What listens, learns and plays. Knows no KFP, no MLflow, no Triton."""
