"""Servers that speak OpenAI's protocol, each a provider of its own: claims, keys and addresses differ."""
