"""Words of a template, in both languages of the screen. Pure."""

from pydantic import BaseModel, ConfigDict, Field


class Words(BaseModel):
    """The same words in Japanese and English, 1 to 400 characters each."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ja: str = Field(min_length=1, max_length=400)
    en: str = Field(min_length=1, max_length=400)
