"""The chord-conditioned soloist: role data, tokens, network, decoder, metrics."""
