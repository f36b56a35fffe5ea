"""The page's template, with its style and script, which stand in the folder `assets` as files of their own.

The page holds both, and a policy (CSP) that forbids everything else: no other script or style runs, nothing is loaded, nothing
is sent. The policy names them by the digest of their content.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.evaluation.pages.clean_texts import clean_text
from tasks.evaluation.pages.wording import format_count, format_ends, format_share

ASSETS = Path(__file__).parent / "assets"
TEMPLATE = "page.html.j2"
STYLE, SCRIPT = ("style/*.css",), ("script/*.js",)


def render_page(
    context: Mapping[str, object],
    template: str = TEMPLATE,
    *,
    style_files: Sequence[str] = STYLE,
    script_files: Sequence[str] = SCRIPT,
) -> Iterator[str]:
    """Yield the page piece by piece; what the context yields lazily is not kept.

    Args:
        context: what the template shows.
        template: its file among the assets.
        style_files: patterns of the files that are its style.
        script_files: patterns of those that are its script.
    """
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,  # every text but the two below
        finalize=_clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"share": format_share, "count": format_count, "ends": format_ends}
    style, script = _join(style_files), _join(script_files)
    # Foreign texts are escaped by the template; these are files of ours, and what the digests name must not be changed.
    own = {"style": Markup(style), "script": Markup(script), "policy": _write_policy(style, script)}  # noqa: S704
    return environment.get_template(template).generate({**context, **own})


def _write_policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _join(patterns: Sequence[str]) -> str:
    """Return the content of the files with these names, those of one pattern in the order of their names."""
    paths = [path for pattern in patterns for path in sorted(ASSETS.glob(pattern))]
    return "\n" + "\n".join(path.read_text(encoding="utf-8") for path in paths)


def _clean(value: object) -> object:
    return clean_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value
