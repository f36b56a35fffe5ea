"""A suite made of a folder of configurations: its cells have the settings of these, and what has no place in it is said."""

from pathlib import Path

import pytest
import yaml

from flows.commands.cli import main
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.suite_cells import list_cells
from tasks.evaluation.config.suite_file import read_suite
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.suites.from_configs import make_suite

CORPUS = {
    "faiss_config": {"dataset_dir": "corpora/{}"},
    "encoder_config": {"name": "openai", "model": "e", "base_url": "http://e/v1"},
}


def write(folder: Path, name: str, model: str, corpus: str | None, **changes: object) -> None:
    """Write the configuration of a model with this corpus, in the form of the original scorer's studies."""
    retriever = yaml.safe_load(yaml.safe_dump(CORPUS).replace("{}", corpus or "left-over"))
    place = {"server": "node1", "port": 9999} if model == "llama" else {"base_url": "http://gateway/v1"}
    settings = {
        "questions_file": "exam.json",
        "model": {
            "generator": {"generator_type": "vllm" if model == "llama" else "argo"},
            "generator_settings": {"model": model, **place, "api_key": "a-key-in-clear", "max_tokens": 2048},
            "grader_shortname": "judge",
        },
        "rag": {"enabled": corpus is not None, "retriever_config": retriever},
        "processing": {"parallel_workers": 2 if model == "llama" else 4},
        "output": {"output_directory": f"results/{name}/", "output_prefix": name},
        **changes,
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(settings))


@pytest.fixture
def study(folder: Path) -> Path:
    """Write three models under three conditions, but for one."""
    study = folder / "study"
    study.mkdir()
    for model in ("gpt", "o3", "llama"):
        write(study, f"{model}__norag", model, None)
        write(study, f"{model}__sfr", model, "sfr")
    write(study, "gpt__bert", "gpt", "bert")
    write(study, "o3__bert", "o3", "bert")
    return study


def test_the_cells_are_the_configurations(folder: Path, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model by model, condition by condition; the cell that no configuration is, is excluded."""
    monkeypatch.setenv("MCQA_API_KEY", "a-key-in-clear")
    made = make_suite(study)
    assert made.cell_count == 8
    assert made.content["exclude"] == [{"model": "llama", "condition": "bert"}]
    (folder / "suite.yaml").write_text(yaml.safe_dump(made.content, sort_keys=False))
    cells = list_cells(read_suite("suite.yaml"))
    assert {cell.name for cell in cells} == {
        "gpt,exam,norag", "gpt,exam,sfr", "gpt,exam,bert", "o3,exam,norag", "o3,exam,sfr", "o3,exam,bert",
        "llama,exam,norag", "llama,exam,sfr",
    }  # fmt: skip
    for cell in cells:
        model, _, condition = cell.name.split(",")
        own = load_config(str(study / f"{model}__{condition}.yaml"), Overrides()).model_dump()
        merged = load_config(cell.config_file, Overrides()).model_dump()
        own["model"]["generator_settings"]["api_key"] = "${MCQA_API_KEY}"
        own["output"] = merged["output"]
        if condition == "norag":
            own["rag"]["retriever_config"] = None  # it is not used
        assert merged == own


def test_what_has_no_place_is_said(study: Path) -> None:
    """Where results went, keys in clear, settings without use, and files that are no configuration or the same one."""
    write(study, "gpt__sfr_again", "gpt", "sfr")
    (study / "model_servers.yaml").write_text("servers: []")
    (study / "damaged.yaml").write_text("a: [")
    said = "\n".join(make_suite(study).remarks)
    assert "not merged: output.output_directory has 9 values; the cells share 'results'" in said
    assert "not merged: output.output_prefix has 9 values; the cells share 'study'" in said
    assert "not copied: the key that stands in clear in gpt__bert.yaml at model.generator_settings.api_key" in said
    assert "left out: the other settings of rag, where rag.enabled is false" in said
    assert "model_servers.yaml is no configuration" in said
    assert "damaged.yaml, line 1" in said
    assert "gpt__sfr.yaml and gpt__sfr_again.yaml are one cell" in said
    assert "a-key-in-clear" not in said


def test_the_command_writes_the_file_and_overwrites_none(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No key is in it."""
    arguments = ["suite", "--from-configs", "study", "--output", "suite.yaml"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert "A suite of 8 cells in suite.yaml; mcqa suite suite.yaml --dry-run checks them" in capsys.readouterr().out
    assert "a-key-in-clear" not in Path("suite.yaml").read_text()
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2


def test_a_folder_without_configurations_is_a_mistake(folder: Path) -> None:
    """As one that is not there."""
    with pytest.raises(UserMistake, match="holds no configuration"):
        make_suite(folder)
    with pytest.raises(UserMistake, match="cannot read the folder"):
        make_suite(folder / "none")
