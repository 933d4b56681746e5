"""Audio: formats, sources, decoding, resampling, voice activity, microphone."""
