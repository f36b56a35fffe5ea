"""Settings: the YAML file, the flags over it, the model servers, the keys, and how secrets are masked."""
