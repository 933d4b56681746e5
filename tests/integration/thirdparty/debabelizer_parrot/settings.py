"""The table ``[providers.parrot]``."""

from pydantic import Field

from debabelizer.config import ProviderSettings


class Settings(ProviderSettings):
    """Settings of the parrot."""

    phrase: str = "The recording lasts"
    """What stands before the number of seconds."""

    digits: int = Field(default=1, ge=0, le=6)
    """Digits behind the decimal point."""
