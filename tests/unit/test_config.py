"""Settings: the original's files load unchanged, flags come first, and each mistake is one clear message."""

from pathlib import Path

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.errors import UserMistake

# In the form of the original's files, batching and local server settings included.
ORIGINAL = """
questions_file: "astro.json"
model:
  generator: {generator_type: "vllm"}
  generator_settings:
    server: "localhost"
    port: 8000
    api_key: "a-key"
    model: "HuggingFaceTB/SmolLM3-3B"
    temperature: 0.0
    max_tokens: 64
    boot_local: true
    hf_model_id: "HuggingFaceTB/SmolLM3-3B"
    auto_port: true
    local_host: "127.0.0.1"
    server_startup_timeout: 600
    vllm_args: {tensor_parallel_size: 1, dtype: "auto", seed: 42}
    enable_batching: true
    batch_size: 32
    batch_timeout: 1.0
  grader_shortname: "gpt-4.1"
  model_config_file: "model_servers.yaml"
rag: {enabled: false, use_context_field: false, retriever_config: {batch_size: 4}}
processing:
  parallel_workers: 8
  question_format: "mc"
  verbose: true
  random_selection: null
  random_seed: 42
  enable_checkpointing: true
  checkpoint_interval: 1024
  checkpoint_directory: "checkpoints"
  resume_from_checkpoint: null
  auto_resume: true
  progress_bar: true
  save_incremental: false
output: {save_incorrect: true, output_directory: "smol-3b", output_prefix: "smol"}
"""
MINIMAL = "questions_file: exam.json\nmodel: {generator_settings: {model: m, base_url: http://h/v1}}\n"


def load(folder: Path, text: str, **overrides: object) -> Config:
    (folder / "config.yaml").write_text(text)
    return load_config("config.yaml", Overrides.model_validate(overrides))


def test_an_original_configuration_loads_unchanged(folder: Path) -> None:
    """Every key of it is known, and its values are kept."""
    config = load(folder, ORIGINAL)
    assert config.model.generator_settings.max_tokens == 64
    assert config.processing.checkpoint_interval == 1024
    assert config.model.grader_shortname == "gpt-4.1"


def test_the_defaults_are_the_documented_ones(folder: Path) -> None:
    """Those of the original, with a checkpoint every 50 questions."""
    processing = load(folder, MINIMAL).processing
    assert (processing.parallel_workers, processing.checkpoint_interval, processing.auto_resume) == (1, 50, True)
    assert load(folder, MINIMAL).model.generator_settings.max_tokens == 1024


def test_a_flag_goes_before_the_file_and_the_file_before_the_default(folder: Path) -> None:
    """And a flag that is not given changes nothing."""
    text = MINIMAL + "processing: {checkpoint_interval: 7, parallel_workers: 3}\n"
    processing = load(folder, text, checkpoint_interval=9).processing
    assert (processing.checkpoint_interval, processing.parallel_workers, processing.limit) == (9, 3, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            MINIMAL + "processing: {paralel_workers: 3}",
            "unknown key 'paralel_workers' in processing: did you mean 'parallel_workers'",
        ),
        (MINIMAL + "procesing: {}", "unknown key 'procesing': did you mean 'processing'"),
        (MINIMAL + "processing: {parallel_workers: 0}", r"processing.parallel_workers: 0 cannot be used"),
        (MINIMAL + "processing: {checkpoint_interval: often}", "processing.checkpoint_interval: 'often' cannot be used"),
        (
            MINIMAL + "output: {formats: [csv, xlsx]}",
            "output.formats.1: 'xlsx' cannot be used: input should be 'csv', 'parquet'",
        ),
        (MINIMAL + "rag: {enabled: true, rag_config_file: rag.yaml}", "there is no file rag.yaml.*--no-rag"),
        (MINIMAL + "processing: {limit: !!int ':'}", "this is not YAML"),
        (MINIMAL + "processing: {enable_checkpointing: false, save_incremental: true}", "save_incremental needs it"),
        (MINIMAL + "processing: {enable_checkpointing: false, resume_from_checkpoint: c.json}", "nothing can be resumed"),
        ("questions_file: [", "line 1, column"),
        ("a: b: c", "line 1, column 5"),
        ("- a\n", "settings were expected"),
        ("", "settings were expected"),
        ("questions_file: exam.json\n", "model is missing"),
        ("model: {generator_settings: {model: m}}\n", "names no questions"),
        (
            "questions_file: exam.json\nmodel: {generator: {generator_type: magic}, generator_settings: {model: m}}",
            "generator_type",
        ),
        ("questions_file: exam.json\nmodel: 3\n", "model: 3 cannot be used"),
        (MINIMAL.replace("http://h/v1", "nonsense"), "generator_settings.base_url: this is no address"),
        (MINIMAL.replace("http://h/v1", "http://me:pw@h/v1"), r"'http://\*\*\*@h/v1' holds a user or password"),
        (MINIMAL.replace("model: m", "model: m, extra: {stream: true}"), "extra may not set stream"),
        (MINIMAL.replace("model: m", "model: m, temperature: .inf"), "temperature: inf cannot be used"),
        (MINIMAL + "questions_file: other.json\n", "line 3, column 1.*the key 'questions_file' is given twice"),
    ],
)
def test_a_mistake_is_one_message_that_names_it(folder: Path, text: str, message: str) -> None:
    """With the file, the key and the value."""
    with pytest.raises(UserMistake, match=f"config.yaml.*{message}"):
        load(folder, text)


def test_a_missing_file_is_named(folder: Path) -> None:
    """With the system's reason."""
    with pytest.raises(UserMistake, match=r"none.yaml: No such file"):
        load_config("none.yaml", Overrides())


def test_retrieval_settings_of_a_disabled_section_are_left_alone(folder: Path) -> None:
    """--no-rag is enough to run a configuration with retrieval."""
    text = MINIMAL + "rag: {enabled: true, retriever_config: {batch_size: 4}}"
    assert not load(folder, text, no_rag=True).rag.enabled


def test_a_listed_model_brings_its_endpoint(folder: Path) -> None:
    """--model with a short name replaces address, key and model; any other name replaces the model alone."""
    (folder / "model_servers.yaml").write_text(
        "servers:\n- {shortname: big, openai_api_base: http://b/v1, openai_model: big-1, openai_api_key: '${BIG}'}\n"
        "- server: x\n"
    )
    listed = load(folder, MINIMAL, model="big").model.generator_settings
    other = load(folder, MINIMAL, model="other").model.generator_settings
    assert (listed.model, listed.base_url, listed.api_key) == ("big-1", "http://b/v1", "${BIG}")
    assert (other.model, other.base_url) == ("other", "http://h/v1")


def test_the_values_of_headers_are_taken_as_written(folder: Path) -> None:
    """In both files; a number, a date or a yes elsewhere is what YAML makes of it."""
    headers = "{anthropic-version: 2023-06-01, X-Org: 0123, X-On: yes, X-At: 12:30, X-Quoted: '1', X-Budget: 1_000}"
    text = MINIMAL.replace("model: m", f"model: m, extra: {{seed: 3, x: yes}}, headers: {headers}")
    (folder / "model_servers.yaml").write_text(
        f"servers:\n- {{shortname: big, openai_api_base: http://b/v1, openai_model: big, headers: {headers}}}\n"
    )
    written = {"anthropic-version": "2023-06-01", "X-Org": "0123", "X-On": "yes", "X-At": "12:30", "X-Quoted": "1"}
    written["X-Budget"] = "1_000"
    settings = load(folder, text).model.generator_settings
    assert (settings.headers, settings.extra) == (written, {"seed": 3, "x": True})
    assert load(folder, MINIMAL, model="big").model.generator_settings.headers == written


def test_a_listed_model_brings_its_headers(folder: Path) -> None:
    """And the configured endpoint's are not sent to it."""
    entry = "{shortname: big, openai_api_base: http://b/v1, openai_model: big-1, headers: {X-Lab: bees}}"
    (folder / "model_servers.yaml").write_text(f"servers: [{entry}]\n")
    text = MINIMAL.replace("model: m", "model: m, headers: {X-Gateway: '${GATEWAY}'}")
    assert load(folder, text, model="big").model.generator_settings.headers == {"X-Lab": "bees"}
    assert load(folder, text, model="other").model.generator_settings.headers == {"X-Gateway": "${GATEWAY}"}


def test_no_configuration_is_needed_with_questions_and_a_listed_model(folder: Path) -> None:
    """The flags alone are enough."""
    (folder / "model_servers.yaml").write_text(
        "servers:\n- {shortname: big, openai_api_base: http://b/v1, openai_model: big-1}\n"
    )
    config = load_config(None, Overrides(questions_file="exam.json", model="big"))
    assert config.model.generator_settings.base_url == "http://b/v1"


def test_the_address_can_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the nodes of a cluster, each with a model server of its own; keys in a query are not read here."""
    monkeypatch.setenv("MCQA_BASE_URL", "http://node7:8000/v1")
    text = MINIMAL.replace("http://h/v1", "'${MCQA_BASE_URL}?code=${KEY}'")
    assert load(folder, text).model.generator_settings.base_url == "http://node7:8000/v1?code=${KEY}"
    monkeypatch.delenv("MCQA_BASE_URL")
    with pytest.raises(UserMistake, match=r"base_url: .* names the variable MCQA_BASE_URL, which the environment does not set"):
        load(folder, text)


def test_what_is_written_to_files_holds_no_key(folder: Path) -> None:
    """A key in clear is masked wherever it stands; a reference to one is kept."""
    settings = (
        "{model: m, api_key: sk-123, base_url: 'http://h/v1?api-key=sk-456', extra: {headers: {Authorization: sk-789}},"
        " vllm_args: {api-key: [sk-1, sk-2], x-api-key: sk-3}}"
    )
    written = load(folder, f"questions_file: e.json\nmodel: {{generator_settings: {settings}}}").for_files()
    assert "sk-" not in str(written)
    kept = load(folder, MINIMAL.replace("model: m,", "model: m, api_key: '${KEY}',")).for_files()
    assert "${KEY}" in str(kept)
