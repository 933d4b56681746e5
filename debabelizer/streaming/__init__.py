"""How a stream stays alive: stream, supervisor, journal, timeline, retry, connections, dialects."""
