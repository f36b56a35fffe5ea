"""Reading YAML as users write it; errors name the line and column of the mistake."""

import re
from collections.abc import Hashable
from pathlib import Path

import yaml
from pydantic import JsonValue

from tasks.evaluation.config.nearby_files import describe_nearby
from tasks.evaluation.config.secrets import HEADERS
from tasks.evaluation.errors import UserMistake

YAML_SUFFIXES = (".yaml", ".yml")
TEXT, NULL, BOOL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """The safe loader, which does not accept the same key twice in a mapping, and takes the values of headers as written.

    `anthropic-version: 2023-06-01` is no date, and `X-Org: 0123` no number in the octal system. A key is never a truth value,
    as YAML 1.1 would have `on` and `off`.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        """Return the mapping.

        Raises:
            ConstructorError: it has the same key twice.
        """
        seen: set[object] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            if key_node.value in seen and key_node.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {name_key(key_node.value)!r} is given twice", key_node.start_mark
                )
            seen.add(key_node.value)
            if key_node.tag == BOOL:
                key_node.tag = TEXT
            if key_node.value == HEADERS and isinstance(value_node, yaml.MappingNode):
                _keep_as_written(value_node)
        return super().construct_mapping(node, deep)


def _keep_as_written(headers: yaml.MappingNode) -> None:
    for _, value in headers.value:
        if isinstance(value, yaml.ScalarNode) and value.tag != NULL:
            value.tag = TEXT


def read_yaml(path: str) -> dict[str, JsonValue]:
    """Return the mapping in a YAML file.

    Raises:
        UserMistake: the file does not exist, cannot be read, does not parse (the message says where), or holds no mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except FileNotFoundError as error:
        raise UserMistake(f"cannot read {path}: {error.strerror}; {describe_nearby(path, YAML_SUFFIXES)}") from None
    except OSError as error:
        raise UserMistake(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserMistake(f"cannot read {path}: it is not UTF-8 text ({error.reason} at byte {error.start})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        # The name of an alias, an anchor or a tag may be a password that begins with *, & or !.
        problem = re.sub(
            r"((?:alias|anchor|tag)(?: handle)?) '.*'",
            r"\1 (a text that begins with *, & or ! needs quotes)",
            f"{error.problem}",
        ).replace("mapping values are not allowed here", "a text with ': ' in it needs quotes")
        raise UserMistake(f"{path}{place}: this is not YAML: {problem}") from None
    except RecursionError:
        raise UserMistake(f"{path}: this is nested too deeply") from None
    except (yaml.YAMLError, ValueError, IndexError) as error:
        raise UserMistake(f"{path}: this is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise UserMistake(f"{path}: settings were expected (`key: value` lines), but it holds {_kind(content)}")
    return content


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else "only a text or number"


def name_key(key: object) -> str:
    """Return a key as messages show it: without what follows a colon that lacks its space, as that was meant as a value."""
    return re.split(r"(?<=.)[:=\s]", str(key), maxsplit=1)[0]
