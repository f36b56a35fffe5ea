r"""LaTeX and typographic signs, rewritten as plain text: `\dfrac12` is "((1)/(2))", "x²" is "x^(2)", "CO₂" is "CO2".

Nothing that matters is lost on the way: signs, operators, relations, brackets and currencies stay, case stays, and `\$` stays
a dollar while the dollars around a formula go. Every short answer and its reference pass through here before they are compared.
"""

import re
import unicodedata

# A longer text is prose; it is compared word by word.
MOST_CHARACTERS = 600
# Braces in an answer nest no deeper than this; each pass rewrites the innermost ones.
MOST_PASSES = 12
DOLLAR = "\x00"

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ", "0123456789+-ni", strict=True))
SUPERSCRIPT = re.compile(f"[{''.join(SUPERSCRIPTS)}]+")
SIGNS = str.maketrans(
    {
        **dict.fromkeys("−–—‒‐‑﹣－", "-"),
        **dict.fromkeys("·⋅∙×✕", "*"),
        **dict.fromkeys("“”„«»「」『』", '"'),
        **dict.fromkeys("’‘′", "'"),
        **dict.fromkeys("ºᵒ˚", "°"),
        **dict.fromkeys("\u00a0\u202f\u2009\u2007\u200a\u3000", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
        "÷": "/",
        "⁄": "/",
        "∕": "/",
        "≤": "<=",
        "⩽": "<=",
        "≥": ">=",
        "⩾": ">=",
        "≠": "!=",
        "√": " sqrt ",
        "≅": "≈",
        "＄": "$",
        "½": " 1/2",
        "⅓": " 1/3",
        "⅔": " 2/3",
        "¼": " 1/4",
        "¾": " 3/4",
        "⅕": " 1/5",
        "⅛": " 1/8",
        "⟨": "<",
        "⟩": ">",
        "。": ". ",
        "，": ", ",
        "、": ", ",
    }
)
# fmt: off
GREEK = [
    "alpha", "α", "beta", "β", "gamma", "γ", "delta", "δ", "epsilon", "ε", "varepsilon", "ε", "zeta", "ζ", "eta", "η",
    "theta", "θ", "vartheta", "θ", "iota", "ι", "kappa", "κ", "lambda", "λ", "mu", "μ", "nu", "ν", "xi", "ξ", "pi", "π",
    "rho", "ρ", "sigma", "σ", "tau", "τ", "upsilon", "υ", "phi", "φ", "varphi", "φ", "chi", "χ", "psi", "ψ", "omega", "ω",
    "Gamma", "Γ", "Delta", "Δ", "Theta", "Θ", "Lambda", "Λ", "Xi", "Ξ", "Pi", "Π", "Sigma", "Σ", "Phi", "Φ", "Psi", "Ψ",
    "Omega", "Ω",
]
# fmt: on
COMMANDS = dict(zip(GREEK[::2], GREEK[1::2], strict=True)) | {
    **dict.fromkeys(("times", "cdot", "ast"), "*"),
    "div": "/",
    "pm": "±",
    "mp": "∓",
    **dict.fromkeys(("le", "leq", "leqslant"), "<="),
    **dict.fromkeys(("ge", "geq", "geqslant"), ">="),
    **dict.fromkeys(("ne", "neq"), "!="),
    "lt": "<",
    "gt": ">",
    **dict.fromkeys(("approx", "simeq", "cong"), "≈"),
    "infty": "∞",
    **dict.fromkeys(("circ", "degree"), "°"),
    "cup": "∪",
    "cap": "∩",
    "in": "∈",
    "notin": "∉",
    **dict.fromkeys(("land", "wedge"), "∧"),
    **dict.fromkeys(("lor", "vee"), "∨"),
    **dict.fromkeys(("lnot", "neg"), "¬"),
    **dict.fromkeys(("to", "rightarrow", "longrightarrow"), "→"),
    **dict.fromkeys(("Rightarrow", "implies"), "⇒"),
    **dict.fromkeys(("iff", "Leftrightarrow"), "⇔"),
    **dict.fromkeys(("emptyset", "varnothing"), "∅"),
    **dict.fromkeys(("ldots", "dots", "cdots"), "..."),
    **dict.fromkeys(("mid", "lvert", "rvert", "vert"), "|"),
    "langle": "<",
    "rangle": ">",
    "lbrace": "{",
    "rbrace": "}",
    "prime": "'",
    "backslash": "\\",
    **dict.fromkeys(("quad", "qquad"), " "),
    **dict.fromkeys(("left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "displaystyle", "limits", "rm", "bf"), ""),
}
ARGUMENT = r"\s*(\{[^{}]*\}|\\[A-Za-z]+|[^\s\\{}])"
FRACTION = re.compile(rf"\\[dtc]?frac{ARGUMENT}{ARGUMENT}")
BINOMIAL = re.compile(rf"\\[dt]?binom{ARGUMENT}{ARGUMENT}")
ROOT = re.compile(rf"\\sqrt\s*(?:\[([^\[\]]*)\])?{ARGUMENT}")
BLACKBOARD = re.compile(r"\\mathbb\s*(?:\{([A-Z])\}|([A-Z]))")
STYLED = re.compile(
    r"(?P<command>\\[A-Za-z]+)?\\(?:text|math|operatorname|bold|mbox|hbox|fbox|boxed|overline|vec|hat|ce\b|pu\b)\w{0,10}\*?\s*\{(?P<content>[^{}]*)\}"
)
SCRIPT = re.compile(r"([_^])\s*\{([^{}]*)\}")
ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{(\w{1,12})\*?\}(?:\{[^{}]*\})?")
COMMAND = re.compile(r"\\([A-Za-z]+) ?")
SPACING = re.compile(r"\\[,;:> ]|(?<!\\)~")
MATH_DOLLARS = (
    re.compile(r"\$\$([^$]*)\$\$"),
    re.compile(r"\A\s*\$([^$]*)\$\s*\Z"),
    re.compile(r"\$(?=\S)([^$]*)(?<=\S)\$(?!\d)"),
)
DIGIT_SUBSCRIPT = re.compile(r"(?<!log)_\(?([A-Za-z](?!\w)|\d+)\)?")
# The charge of an ion is written after it, with and without a caret.
CHARGE = re.compile(r"(?<=[A-Za-z\d)])\^(?:\((\d?[+-])\)|(\d?[+-])(?![\w(]))")
INFINITY = re.compile(r"(?<![^\W\d_])(?:infinity|inf(?=\s*[)\],]))(?![^\W\d_])", re.IGNORECASE)
PI = re.compile(r"(?<![^\W\d_])pi(?![^\W\d_])")


def write_plainly(text: str) -> str:
    """Return the text in plain notation, with single spaces."""
    text = INFINITY.sub("∞", text.replace("-->", "→").replace("->", "→"))
    if len(text) > MOST_CHARACTERS or (text.isascii() and not any(sign in text for sign in "\\$^_{")):
        return PI.sub("π", " ".join(text.split()))
    text = _rewrite_characters(text) if not text.isascii() else text
    text = text.replace("\\$", DOLLAR)
    for pattern in MATH_DOLLARS if "$" in text else ():
        text = pattern.sub(r"\1", text)
    text = text.replace("\\[", " ").replace("\\]", " ").replace("\\(", " ").replace("\\)", " ")
    text = _rewrite_commands(text) if "\\" in text or "{" in text else text
    text = CHARGE.sub(lambda charge: charge[1] or charge[2], text.replace("^°", "°").replace("^(°)", "°").replace("^'", "'"))
    return PI.sub("π", " ".join(DIGIT_SUBSCRIPT.sub(r"\1", text).replace(DOLLAR, "$").split()))


def _rewrite_characters(text: str) -> str:
    """Rewrite raised digits as powers, and every other sign that has a plain form."""
    text = SUPERSCRIPT.sub(lambda raised: f"^({''.join(SUPERSCRIPTS[sign] for sign in raised[0])})", text)
    return unicodedata.normalize("NFKC", text.translate(SIGNS)).translate(SIGNS)


def _rewrite_commands(text: str) -> str:
    text = SPACING.sub(" ", text.replace("\\!", "").replace("{,}", ",").replace("\\\\", ";")).replace("\\%", "%")
    text = text.replace("\\{", "\x01").replace("\\}", "\x02")
    text = ENVIRONMENT.sub(lambda found: "matrix[" if found[0].startswith("\\b") else "]", text)
    text = text.replace("&", ",") if "matrix[" in text else text
    for _ in range(MOST_PASSES):
        rewritten = _rewrite_innermost(text)
        if rewritten == text:
            break
        text = rewritten
    text = COMMAND.sub(lambda command: COMMANDS.get(command[1], f" {command[1]} "), text).replace(" _", "_")
    return re.sub(r"\\([%&#_|])", r"\1", text).replace("\x01", "{").replace("\x02", "}")


def _rewrite_innermost(text: str) -> str:
    text = BLACKBOARD.sub(lambda letter: letter[1] or letter[2], text)
    # A space keeps a letter apart from the command before it: "^\\circ\\text{C}".
    text = STYLED.sub(lambda found: f"{found['command']} {found['content']}" if found["command"] else found["content"], text)
    text = FRACTION.sub(_write_fraction, text)
    text = BINOMIAL.sub(lambda found: f" binom({_inner(found[1])},{_inner(found[2])})", text)
    text = ROOT.sub(lambda found: f" root({found[1] or 2},{_inner(found[2])})", text)
    return SCRIPT.sub(r"\1(\2)", text)


def _write_fraction(found: re.Match[str]) -> str:
    above, below = _inner(found[1]), _inner(found[2])
    is_mixed = above.isdecimal() and below.isdecimal() and found.string[: found.start()].rstrip()[-1:].isdecimal()
    return f" {above}/{below}" if is_mixed else f"(({above})/({below}))"


def _inner(argument: str) -> str:
    return argument[1:-1].strip() if argument.startswith("{") else argument
