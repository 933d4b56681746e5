"""What is best seen happening: demonstrations that need no account and no network.

``jfk.ogg`` is in the public domain: John F. Kennedy, inaugural address, 1961; a work of the United States federal
government.
"""

from __future__ import annotations
