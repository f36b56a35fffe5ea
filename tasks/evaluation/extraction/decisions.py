"""How an answer decides on a choice, or against one, in the languages that we read: patterns for a text of marks (marks.py).

Every gap in them is bounded, so that each is linear.
"""

import re

from tasks.evaluation.extraction.marks import END, LISTED, MARKS, NAMED, QUOTED

# One choice or several: "B", "A and C", "A, B or D".
OR = r"\b(?:or|oder|ou|или)\b|[/或]|또는"
AND = r"[,;&+和と]|\b(?:and|und|et|y|e|и)\b|및"
JOINT = rf"[ \t]{{0,3}}(?:,[ \t]{{0,3}})?(?:{OR}|{AND})[ \t]{{0,3}}"
CHOSEN = rf"(?P<chosen>[{MARKS}](?:{JOINT}[{MARKS}]){{0,25}}+)"
UNLISTED = CHOSEN.replace(f"[{MARKS}]", f"(?:{NAMED}|{QUOTED})")

# Words that keep a choice from being made, before or after it.
DENIAL = (
    r"\b(?:not|never|neither|nor|none|cannot|no|between|whether|if|unless|except|than|might|could|nicht|kein\w{0,2}"
    r"|pas|não|non|ne|не)\b|n't\b|[不非没]|ない|아니|않"
)
WRONG = (
    r"\b(?:wrong|incorrect|false|eliminated|excluded|ruled out|impossible|tempting|falsch|faux|fausse|falsa?|incorrect[ao]"
    r"|incorreta|errad[ao]|sbagliat[ao]|неверн\w{1,3})\b|错|誤|틀|[❌✗✘]"
)
UNSETTLED = (
    rf"(?!\s{{0,3}}\)?\s{{0,3}}(?:[?|]|(?:is|are|was|were|seems?|looks?|ist|est|es|è|é) (?:\w{{1,12}} )?(?:{DENIAL}|{WRONG})"
    rf"|(?:would|could|might|may|can't|cannot|isn't)\b|{WRONG}))"
)
GAP = rf"(?:(?!{DENIAL}|{WRONG})(?:[^\n.!?;{MARKS}]|\.(?=\w))){{0,60}}?"

# What announces a choice: "the answer is", "I'd go with", "故选". One word boundary before all the words of a language with
# spaces, since most places in a text have none and need no look at the words then.
ANNOUNCED = (
    r"(?:\b(?:answers?\b(?! choices| options)|ans\b|(?:correct|response|solution|conclusion)(?= ?[:=])"
    r"|(?:my|the|your|our|final|correct|right|best|only) (?:\w{1,12} )?(?:choice|option|pick|selection|one|letter|response)\b"
    r"|réponse|bonne proposition|antwort|lösung|richtig|korrekt|respuesta|solución|correct[ao]\b|corrett[ao]\b|correta\b"
    r"|risposta|soluzione|resposta|gabarito|ответ|правильн|верн|верен)|答案|答え|正解|解答|정답|답)"
)
# Words of choosing: the choice may follow at once.
CHOSEN_BY = (
    r"(?:\b(?:(?:choose|pick|select|go(?:ing)? with|opt for|i(?:'d| would)? say|settle on|stick with"
    r"|lean(?:ing)? towards?|guess|label?led|match(?:es)?|corresponds? to)\b"
    r"|(?:choisi|wähle|direi|dirais|diría|diria|elegir|elijo|scelgo|escolh|выбираю))|选(?!项))"
)
# What concludes, where the choice follows at once and ends the clause: "so B.", "that leaves D", "→ C".
CONCLUDED = (
    rf"(?:\b(?:so|no|wait|actually|thus|hence|therefore|probably|definitely|leaves(?: us with| only)?|leaving|left with"
    rf"|(?:remains|left) is|it's|it is|that's|that is|this is|which is(?= {NAMED})|not [{MARKS}],? but|also|donc|quindi|dunque"
    r"|luego|logo|portanto|por (?:lo )?tanto|значит|итак)\b|[→⇒∴✅✓✔]|=>|所以|因此|よって|따라서)"
    r"[\s,:]{0,3}(?:(?:it's|it is|clearly|the|an?) ){0,2}"
)
ENDED = r"(?=[\"')]{0,2}\s{0,3}(?:$|[.!,:;—–(]|because\b|since\b|as\b|it is\b))"
# What confirms the choice before it: "B is correct", "C: right", "D is the answer".
CONFIRMED = (
    r"(?:\b(?:correct|right|(?:the|my) (?:\w{1,9} )?(?:answer|choice|option)|it is(?=\s{0,3}(?:$|[.!,]))|is left|remains"
    r"|richtig|korrekt|wählen|nehmen|correct[ao]|corrett[ao]|correta|exact[ao]?|правильн\w{1,3}|верн\w{1,3}|верен)\b|[✅✓✔]"
    r"|正确|正しい|正解|옳|정답|맞)"
)
# A line or a sentence that is nothing but a choice, or such lines one after the other.
ALONE = rf"(?P<chosen>[{MARKS}](?:(?:{JOINT}|[.!,;]{{0,2}}\n)[{MARKS}]){{0,25}})[^\w\n?:,|✗✘❌{MARKS}—–-]{{0,9}}$"
# The first words, where they are a label that does not begin a list, or a text that does not begin a sentence.
LEADING = (
    rf"\A[^\w{{{MARKS}]{{0,9}}(?P<chosen>{NAMED}(?:{JOINT}{NAMED}){{0,25}}(?![ \t]{{1,3}}[{MARKS}])"
    rf"|{QUOTED}(?=\s{{0,3}}(?:$|[.!;:—–]|,? because\b)))"
)
# Each finds a choice that is made: announced, concluded, confirmed, alone, leading. The last in the answer counts.
DECISIONS = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        rf"(?:{ANNOUNCED}(?! ?[{MARKS}])|{CHOSEN_BY}){GAP}[\s\"'(\[]{{0,9}}{UNLISTED.replace('}+', '}')}{UNSETTLED}",
        rf"{ANNOUNCED} ?{UNLISTED}{ENDED}",
        rf"{CONCLUDED}{UNLISTED}{ENDED}",
        rf"{CHOSEN}(?!{GAP}\bwould\b){GAP}{CONFIRMED}",
        rf"(?:^|[.!…:] )[^\w\n{MARKS}]{{0,9}}{ALONE}",
        rf"{LEADING}{UNSETTLED}",
    )
)
# A decision lies within so many characters of each of its marks: no pattern above can look further.
REACH = 110
# A decision before these words is withdrawn, unless another follows.
WITHDRAWN = re.compile(
    r"\bwait\b|\bcorrection:|\b(?:that|this)(?:'s| is| was| can't be) (?:not right|not correct|wrong|incorrect|right\?)"
    r"|\blet me (?:think again|reconsider|re-?check|double-?check)|\bon second thought",
    re.IGNORECASE,
)
# "If it were larger, the answer would be B" chooses nothing; "if I had to choose" does.
SUPPOSED = re.compile(r"\bif\b(?! i\b)[^.!?\n]{0,200}\bwould\b[^.!?\n]{0,30}\Z", re.IGNORECASE)
# "C: True" in a list of verdicts, which counts where it is the only one.
TRUE = re.compile(rf"{CHOSEN}{GAP}\b(?:true|yes|vrai|oui|wahr|ja|verdader[ao]|sí|vero|sì|verdadeir[ao]|sim)\b", re.IGNORECASE)
REJECTED = re.compile(
    rf"\b(?:not|n't be|rul(?:es?|ed|ing) out|eliminat(?:es?|ed|ing)|removes?|neither|nor) {CHOSEN}"
    rf"|{CHOSEN.replace('chosen', 'wrong')}[^\n.;?{MARKS}]{{0,40}}?(?:{WRONG}|(?:\bnot|n't) (?:correct|right)\b)",
    re.IGNORECASE,
)
# "A, not B", "A rather than B": what a choice is set against.
CONTRASTED = re.compile(
    r"[\s,;(–—-]{1,3}(?:(?:and|und|et) )?"
    r"(?:not|rather than|instead of|as opposed to|unlike|nicht|statt|pas|plutôt que|no|non)"
    rf" (?:(?:the|an?|die|der|das|le|la|les|el|il) )?[{MARKS}](?: (?:or|nor|oder|ou|o) [{MARKS}]){{0,25}}",
    re.IGNORECASE,
)
SENTENCE, CLAUSE = re.compile(r"(?<=[.!?…])\s+|\n"), re.compile(r"[,;:—–]\s")
COMPLETE = re.compile(r"[^\w\s,:(–—-]\s*\Z")
DOUBTED = re.compile(
    rf"{DENIAL}|{WRONG}|\b(?:rul(?:e|ing) out|eliminat|exclud)|\bwould\b|\?|[{chr(LISTED)}-{chr(END - 1)}]", re.IGNORECASE
)
