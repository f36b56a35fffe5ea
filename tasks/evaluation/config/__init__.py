"""Settings: the YAML file, the flags that override it, the model servers, the keys, and the masking of secrets."""
