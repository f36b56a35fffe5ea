"""What all settings of the YAML file have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """The base of all settings; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)
