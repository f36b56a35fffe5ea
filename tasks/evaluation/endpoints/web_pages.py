"""Replies that no chat completions API sends, described for messages: a web page by its title, other text by its beginning."""

import html
import re

# A title stands near the beginning; patterns over a whole page could take minutes.
MOST_READ = 10_000
IS_PAGE = re.compile(r"(?i)\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.DOTALL)
IS_XML = re.compile(r"\s*<(?:\?xml|[A-Za-z][\w:.-]*[\s/>])")
IS_STREAM = re.compile(r"\s*(?:data|event|id|retry):|\s*: ")
HEADING = re.compile(r"(?is)<(title|h1|h2)\b[^>]*>(.*?)</\1\s*>")
TAG = re.compile(r"(?s)<(?:script|style)\b.*?</(?:script|style)\s*>|<[^>]*>")


def describe_foreign(content_type: str, text: str) -> str | None:
    """Return what the reply is if it comes from something other than an API, such as `a web page ('Sign in')`; else None."""
    text = text[:MOST_READ]
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml") or IS_PAGE.match(text):
        return f"a web page{_quote(find_title(text) or _strip_tags(text))}"
    if kind == "text/event-stream" or IS_STREAM.match(text):
        return f"a stream of events in place of one reply{_quote(text)}"
    if IS_XML.match(text):
        return f"XML{_quote(_strip_tags(text))}"
    return None


def describe_text(text: str) -> str:
    """Describe a reply that should be JSON, and quote its beginning."""
    return f"something that is not JSON{_quote(text)}" if text.strip() else "an empty reply"


def find_title(text: str) -> str | None:
    """Return a web page's title, else its first heading; None if it has neither."""
    text = text[:MOST_READ]
    headings = {found[1].lower(): found[2] for found in reversed(list(HEADING.finditer(text)))}
    titles = (_strip_tags(headings[name]) for name in ("title", "h1", "h2") if name in headings)
    return next((title for title in titles if title), None)


def _strip_tags(text: str) -> str:
    return " ".join(html.unescape(TAG.sub(" ", text)).split())


def _quote(text: str) -> str:
    line = " ".join(text.split())
    return f" ({line!r})" if line else ""
