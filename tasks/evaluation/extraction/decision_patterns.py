"""How a reply decides on a choice, or against one, in the languages that we read: patterns for a text of marks (marks.py).

Every gap in the patterns is bounded, so that each is linear. `decisions` finds what they describe in a text.
"""

import re
from enum import IntEnum
from functools import cache

from tasks.evaluation.extraction.marks import MARKS, NAMED, QUOTED

# One choice or several: "B", "A and C", "A, B or D".
OR = r"\b(?:or|oder|ou|или)\b|[/或]|또는"
AND = r"[,;&+和と]|\b(?:and|und|et|y|e|и)\b|및"
JOINT = rf"[ \t]{{0,3}}(?:,[ \t]{{0,3}})?(?:{OR}|{AND})[ \t]{{0,3}}"
CHOSEN = rf"(?P<chosen>[{MARKS}](?:{JOINT}[{MARKS}]){{0,25}}+)"
UNLISTED = CHOSEN.replace(f"[{MARKS}]", f"(?:{NAMED}|{QUOTED})")

ALTERNATIVES = re.compile(OR)

# Words that keep a choice from being made, before or after it.
DENYING = (
    r"not|never|neither|nor|none|cannot|no|between|whether|if|unless|except|than|might|could|(?:any|every|no)thing but|all but"
    r"|nicht|kein\w{0,2}|pas|não|non|ne|не"
)
FALSE = (
    "wrong|incorrect|false|eliminated|excluded|ruled out|impossible|tempting|falsch|faux|fausse|falsa?|incorrect[ao]|incorreta"
    "|errad[ao]|sbagliat[ao]|неверн\\w{1,3}"
)
WRONG = rf"\b(?:{FALSE})\b|[错誤틀❌✗✘]"
EITHER = rf"\b(?:{DENYING}|{FALSE})\b|n't\b|[不非没않错誤틀❌✗✘]|ない|ません|아[니닙]"
UNSETTLED = (
    rf"(?![ \t]{{0,3}}\)?[ \t]{{0,3}}(?:[?|]|[:–—-]?[ \t]{{0,2}}no\b(?!,? wait)|(?:is|are|was|were|seems?|looks?|ist"
    rf"|est|es|è|é) (?:\w{{1,12}} )?(?:{EITHER})"
    rf"|(?:would|could|might|may|can't|cannot|isn't)\b|{WRONG}"
    rf"|[ ,]{{0,2}}(?:and|or|then)[ ,] ?(?:(?:possibly|perhaps|maybe|also|probably)\b"
    rf"|(?!not\b)[^\n.!?{MARKS}]{{0,20}}[{MARKS}])"
    rf"|では(?:な|あ)|じゃな|(?:가|이|은|는)? ?아[니닙]"
    rf"| ?\([{MARKS}][.)]|,? i (?:can't|cannot|do not|don't|am (?:not|un))\b))"
)
GAP = rf"(?:(?!{EITHER})(?:[^\n.!?;{MARKS}]|\.(?=\w))){{0,60}}?"

# What announces a choice: "the answer is", "I'd go with", "故选".
ANNOUNCED = (
    r"(?:\b(?:answers?\b(?! choices| options)|ans\b|(?:correct|response|solution|conclusion)(?= ?[:=])"
    r"|(?:my|the|your|our|final|correct|right|best|only) (?:\w{1,12} )?(?:choice|option|pick|selection|one|letter"
    r"|response)\b|(?:correct|right|true) (?:choices|options|statements|letters|ones)\b"
    r"|réponse|bonne proposition|antwort|lösung|richtig|korrekt|respuesta|solución|correct[ao]\b|corrett[ao]\b|correta\b"
    r"|risposta|soluzione|resposta|gabarito|ответ|правильн|верн|верен)|答案|答え|正解|解答|정답|답)"
)
# Words of choosing: the choice may follow at once.
CHOSEN_BY = (
    r"(?:\b(?:(?:cho(?:o?se|osing)|pick(?:ing)?|select(?:ing)?|go(?:ing)? with|opt for|i(?:'d| would)? say|settle on"
    r"|stick with"
    r"|lean(?:ing)? towards?|guess|label?led|match(?:es)?|corresponds? to)\b"
    r"|(?:choisi|wähle|direi|dirais|diría|diria|elegir|elijo|scelgo|escolh|выбираю))|选(?!项))"
)
# What concludes, if the choice follows at once and ends the clause: "so B.", "that leaves D", "→ C".
CONCLUDED = (
    rf"(?:\b(?:so|no(?=[,:])|wait|actually|thus|hence|therefore|probably|definitely|leaves(?: us with| only)?|leaving|left with"
    rf"|(?:remains|left) is|it's|it (?:is|should be|must be)|that's|that is|this is|which is(?= {NAMED})"
    rf"|not [{MARKS}],? but|also|donc|quindi|dunque"
    r"|luego|logo|portanto|por (?:lo )?tanto|значит|итак)\b|[→⇒∴✅✓✔]|=>|所以|因此|よって|따라서)"
    r"[\s,:]{0,3}(?:(?:it's|it is|clearly|the|an?) ){0,2}"
)
ENDED = r"(?=[\"')]{0,2}\s{0,3}(?:$|[.!,:;—–(]|(?:because|since|as|given|due to|it is)\b))"
# "The most likely diagnosis is D", "so the hottest planet is B": a superlative or a conclusion about what was asked for.
SUPERLATIVE = (
    r"(?:(?:the|my) (?:most (?:likely|plausible|probable|appropriate|suitable|logical|accurate|reasonable|fitting|consistent"
    rf"|sensible|effective|important)|best|closest|priority|\w{{3,12}}est(?=[^\n.{MARKS}]{{1,60}}{NAMED}))"
    r"|(?:so|thus|hence|therefore),? the)\b"
    rf"(?: (?!{EITHER})[\w'-]{{1,20}}){{1,5}} (?:is|was|would be)[ :]{{1,2}}"
    r"(?:(?:therefore|thus|then|clearly|likely|the|an?) ){0,2}"
)
# What confirms the choice before it: "B is correct", "C: right", "D is the answer".
CONFIRMED = (
    r"(?:\b(?:correct|right|(?:the|my) (?:\w{1,9} )?(?:answer|choice|option)|it is(?=\s{0,3}(?:$|[.!,]))|is left|remains"
    r"|richtig|korrekt|wählen|nehmen|correct[ao]|corrett[ao]|correta|exact[ao]?|правильн\w{1,3}|верн\w{1,3}|верен)\b|[✅✓✔]"
    r"|正确|正しい|正解|옳|정답|맞)"
)
# A line or a sentence that is only a choice, or several such lines in a row.
ALONE = rf"(?P<chosen>[{MARKS}](?:(?:{JOINT}|[.!,;]{{0,2}}\n)[{MARKS}]){{0,25}})[^\w\n?:,|✗✘❌{MARKS}—–-]{{0,9}}$"
WHOLE = re.compile(rf"[^\w{MARKS}]{{0,9}}{ALONE}")
# The first words, if they are a label that does not begin a list, or a text that does not begin a sentence.
LEADING = (
    rf"\A[^\w{{{MARKS}✗✘❌]{{0,9}}(?P<chosen>{NAMED}(?:{JOINT}{NAMED}){{0,25}}(?![ \t]{{1,3}}[{MARKS}])"
    rf"|{QUOTED}(?=\s{{0,3}}(?:$|[.!;:—–]|,? because\b)))"
)
# What keeps the first words from being a sentence's subject.
BY_ITSELF = rf"(?=[^\w{MARKS}]{{0,9}}(?:\Z|\n|because\b|since\b|as\b)| ?[.!;:—–(-]|(?-i: [A-Z]))"
# The line that our prompts ask for, "ANSWER: B", in the words that models use for it.
FORM_LEAD = (
    rf"(?:^|[.!?] )[^\w\n{MARKS}]{{0,5}}(?:(?:the|my|so|thus|hence|therefore),? ){{0,2}}(?:(?:final|correct|right|best"
    rf"|chosen|selected) ){{0,2}}"
    r"(?:answers?|ans|choice|option|response|correct options|correct choices|réponse|antwort|lösung|respuesta|risposta"
    r"|resposta"
    r"|ответ|答案|答え|正解|解答|정답|답)\)?(?: ?(?:is|are|est|ist|es|è|é) ?:| ?[:=→]| ?[–—-]| ?是|\]| ?\n)[^\w\n{MARKS}]{0,9}"
).replace("{MARKS}", MARKS)
FORM = (
    rf"{FORM_LEAD}(?P<chosen>{NAMED}(?:{JOINT}{NAMED}){{0,25}}(?![ \t]{{1,3}}[{MARKS}])"
    rf"|{QUOTED}(?:{JOINT}{QUOTED}){{0,25}}{ENDED})"
)
# The same line, and the sentences, that choose nothing.
NONE = (
    r"(?:(?:none|neither|nothing|null|n/a|unknown|undetermined|no (?:answer|choice|option)|not (?:listed|given|offered"
    r"|present|among"
    r"|in the)|cannot be|can't be)\b(?! of the others?\b)|[(\[] ?[)\]]|all of (?:the above|them|these)\b)"
)
FORM_NONE = rf"{FORM_LEAD}(?P<chosen>)[(\[\"']?{NONE}"
ANSWER_NONE = rf"\banswer (?:is|was|would be|must be):? ?(?P<chosen>)[(\[\"']?{NONE}"
SAID_NONE = (
    r"(?P<chosen>)\b(?:none of (?:(?:(?!other)\w{1,12} ){0,3}?(?:options|choices|answers|alternatives|above|below)\b"
    r"|these\b|those\b|them\b)|no (?:option|choice|answer) (?:is|fits|matches)\b|(?:no|not a) (?:correct|right|valid"
    r"|suitable|matching) (?:answer|option|choice)"
    r"|(?:does not|doesn't|do not|don't) (?:match|fit|correspond to|appear in|appear among) (?:any|one) of)"
)

# A word begins here, or a sign that stands for one. This spares most places in a text a comparison with the words.
AT_WORD = r"(?=[a-zа-я答正解정답选→⇒∴✅✓✔=所因よ따])(?<![a-zа-я](?=[a-zа-я]))"
# What is announced may follow at once only if it ends the clause.
AT_ONCE = rf"(?:(?! ?[{MARKS}])|(?= ?{UNLISTED.replace('?P<chosen>', '?:')}{ENDED}))"


class Kind(IntEnum):
    """How firmly a decision is worded; the higher one counts if two patterns find the same."""

    FIELD = 0
    LOOSE = 1
    FIRM = 2
    LEAD = 3
    FORM = 4


# Each of these holds one of these signs, which most texts do not.
NONE_SIGNS = (
    *("none", "neither", "nothing", "null", "n/a", "unknown", "undetermined", "all of", "not listed"),
    *("not given", "not offered", "not present", "not among", "not in the", "not a ", "cannot be", "can't be"),
    *("no answer", "no choice", "no option", "no correct", "no right", "no valid", "no suitable", "no matching"),
    *("not match", "n't match", "not fit", "n't fit", "correspond", "appear", "( )", "()", "[ ]", "[]"),
)
# A decision lies within this distance of each of its marks: no pattern here can look further.
REACH = 110


@cache
def list_patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """Return what finds a choice that is made: confirmed or alone, announced or concluded, or in the form that was asked for.

    The last in the answer counts. Compiling these takes longer than the start of most commands: the first answer makes them.
    """
    patterns = (
        (
            Kind.FIRM,
            rf"{AT_WORD}(?:{ANNOUNCED}{AT_ONCE}|{CHOSEN_BY}){GAP}[\s\"'(\[]{{0,9}}{UNLISTED.replace('}+', '}')}{UNSETTLED}",
        ),
        (Kind.FIRM, rf"{AT_WORD}{CONCLUDED}{UNLISTED}{ENDED}"),
        (Kind.FIRM, rf"{AT_WORD}{SUPERLATIVE}{UNLISTED}{ENDED}{UNSETTLED}(?!,? but\b)"),
        (Kind.LOOSE, rf"{CHOSEN}(?={GAP}{CONFIRMED})(?!{GAP}\bwould\b){GAP}{CONFIRMED}"),
        (Kind.LOOSE, rf"(?:^|[.!…] )[^\w\n{MARKS}]{{0,9}}{ALONE}"),
        (Kind.FIELD, rf": [^\w\n{MARKS}]{{0,9}}{ALONE}"),
        (Kind.FORM, rf"{FORM}{UNSETTLED}(?![ ,]{{0,2}}(?:and|or|und|oder|et|ou)\b)"),
    )
    return tuple((kind, re.compile(pattern, re.MULTILINE)) for kind, pattern in patterns)


@cache
def list_lead_patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """Return what finds a choice with which an answer begins."""
    patterns = (Kind.LEAD, rf"{LEADING}{UNSETTLED}{BY_ITSELF}"), (Kind.FIELD, rf"{LEADING}{UNSETTLED}")
    return tuple((kind, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for kind, pattern in patterns)


@cache
def list_none_patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """Return what finds that none of the choices is made."""
    patterns = (Kind.FORM, FORM_NONE), (Kind.FIRM, ANSWER_NONE), (Kind.LOOSE, SAID_NONE)
    return tuple((kind, re.compile(pattern, re.MULTILINE)) for kind, pattern in patterns)
