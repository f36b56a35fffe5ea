"""From a text's tokens to its vector: pooled as the original does it, whatever else is in the batch."""

from pathlib import Path

import numpy as np
import pytest

from tasks.evaluation.config.rag_settings import EncoderSettings, RetrieverSettings
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.retrieval.arrays import Vectors
from tasks.evaluation.retrieval.encoders import LocalEncoder, OnnxModel
from tasks.evaluation.retrieval.extras import import_extra
from tasks.evaluation.retrieval.opening import identify_encoder
from tasks.evaluation.retrieval.pooling import pool

pytest.importorskip("tokenizers")
pytest.importorskip("onnxruntime")

from tests.support.tiny_encoder import WORDS, write_encoder

TABLE: Vectors = np.arange(len(WORDS) * 4, dtype=np.float32).reshape(len(WORDS), 4) ** 2 % 17


def unit(vector: Vectors) -> list[float]:
    return [float(value) for value in vector / np.linalg.norm(vector)]


@pytest.fixture
def folder_of_encoder(tmp_path: Path) -> Path:
    """Return a folder with a model and its tokenizer."""
    return write_encoder(tmp_path / "encoder", TABLE)


def load(folder: Path, pooling: str, **settings: object) -> LocalEncoder:
    given = {"name": "onnx", "pretrained_model_name_or_path": str(folder), **settings}
    return LocalEncoder(OnnxModel(EncoderSettings.model_validate(given)), pooling)


def test_the_mean_leaves_out_the_first_and_the_last_token(folder_of_encoder: Path) -> None:
    """The two that the tokenizer puts around a text; of unit length."""
    [vector] = load(folder_of_encoder, "mean").encode(["alpha beta delta"])
    assert vector.tolist() == pytest.approx(unit(TABLE[[4, 5, 7]].mean(axis=0)))


def test_the_last_token_is_the_texts_own(folder_of_encoder: Path) -> None:
    """Not the padding of a batch."""
    vectors = load(folder_of_encoder, "last_token").encode(["alpha", "alpha beta gamma delta"])
    assert vectors.tolist() == pytest.approx(np.array([unit(TABLE[2])] * 2))


@pytest.mark.parametrize("pooling", ["mean", "last_token"])
def test_a_vector_does_not_depend_on_the_batch(folder_of_encoder: Path, pooling: str) -> None:
    """Beside longer texts it is what it is alone."""
    encoder, texts = load(folder_of_encoder, pooling), ["alpha", "beta gamma beta", "delta alpha beta gamma delta"]
    alone = np.vstack([encoder.encode([text]) for text in texts])
    assert np.allclose(encoder.encode(texts), alone, atol=1e-6)


def test_padding_before_a_text_is_passed_over_too() -> None:
    """Some tokenizers pad there."""
    states = np.array([[[9.0], [1.0], [2.0], [-4.0]]], dtype=np.float32)
    mask = np.array([[False, True, True, True]])
    assert pool(states, mask, "mean").tolist() == [[1.0]]
    assert pool(states, mask, "last_token").tolist() == [[-1.0]]


def test_a_text_of_two_tokens_is_the_mean_of_both() -> None:
    """Nothing else would be left."""
    states = np.array([[[1.0, 0.0], [0.0, 1.0]]], dtype=np.float32)
    assert pool(states, np.array([[True, True]]), "mean").tolist() == [pytest.approx([0.5**0.5, 0.5**0.5])]


def test_a_long_text_is_cut(folder_of_encoder: Path) -> None:
    """At `max_tokens`, the two around it included."""
    [vector] = load(folder_of_encoder, "mean", max_tokens=4).encode(["alpha beta gamma delta"])
    assert vector.tolist() == pytest.approx(unit(TABLE[[4, 5]].mean(axis=0)))


@pytest.mark.parametrize(
    ("name", "message"),
    [("model.onnx", "there is no file .*pretrained_model"), ("tokenizer.json", "there is no file .*tokenizer_name")],
)
def test_a_file_that_is_missing_is_named(folder_of_encoder: Path, name: str, message: str) -> None:
    """With the setting that names it."""
    (folder_of_encoder / name).unlink()
    with pytest.raises(UserMistake, match=message):
        load(folder_of_encoder, "mean")


def test_a_file_that_is_no_model_is_one_message(folder_of_encoder: Path) -> None:
    """Whatever the library says."""
    (folder_of_encoder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(UserMistake, match=r"cannot read the encoder .*model.onnx"):
        load(folder_of_encoder, "mean")


def test_a_package_that_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(UserMistake, match=r"need the package sentence_transformers.*mcqa-flow\[rag-torch\]"):
        import_extra("sentence_transformers")


def test_weights_and_tokenizer_tell_encoders_apart(folder_of_encoder: Path) -> None:
    """Whether the settings name the folder or the file in it; else vectors of one would be taken for those of the other."""

    def identify() -> list[str]:
        names = (folder_of_encoder, folder_of_encoder / "model.onnx")
        encoders = [{"name": "onnx", "pretrained_model_name_or_path": str(name)} for name in names]
        faiss = {"faiss_config": {"dataset_dir": "corpus"}}
        settings = [RetrieverSettings.model_validate({**faiss, "encoder_config": each}) for each in encoders]
        return [str(identify_encoder(each)["weights"]) for each in settings]

    first = identify()
    assert first[0] == first[1]
    write_encoder(folder_of_encoder, TABLE + 1)
    second = identify()
    tokenizer = folder_of_encoder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace("gamma", "omega"))
    assert len({*first, *second, *identify()}) == 3


def test_a_text_with_half_a_character_is_encoded(folder_of_encoder: Path) -> None:
    """Beside others."""
    assert load(folder_of_encoder, "mean").encode(["alpha", "alpha \ud800"]).shape == (2, 4)
