"""Configuration: layers, profiles, secrets, and errors with file and line."""
