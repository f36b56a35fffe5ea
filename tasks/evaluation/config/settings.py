"""What all settings of the YAML file have in common."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """The base of all settings; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)
