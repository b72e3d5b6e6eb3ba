"""From a drum stem to one-shots, roles, a kit and a beat."""
