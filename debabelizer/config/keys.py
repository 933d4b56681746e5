"""Keys on their way into a header."""

from __future__ import annotations

from debabelizer.config.secrets import Secret
from debabelizer.errors import AuthenticationError

__all__ = ["usable_key"]


def usable_key(secret: Secret | None, *, provider: str, env: str) -> str:
    """The text of a key, to be put into a header and nowhere else.

    Args:
        secret: The setting ``api_key``.
        provider: Whose key it is.
        env: The environment variable that it comes from by default.

    Raises:
        AuthenticationError: If there is no key, or it is none that a header can hold.
        ConfigError: If the key is not where the configuration says.
    """
    key = secret.reveal() if secret is not None else ""
    if not key:
        raise AuthenticationError("There is no API key.", provider=provider, hint=f"Set api_key, or {env}.")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise AuthenticationError(
            "The API key holds characters that no key has.",
            provider=provider,
            hint="Look for line breaks, spaces or quotation marks around it.",
        )
    return key
