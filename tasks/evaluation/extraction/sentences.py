"""What a sentence states, for replies that answer in a sentence: "The capital is Canberra", "She has 18 eggs left".

A statement that is denied, doubted or compared states nothing: "not Canberra", "more than 18".
"""

import re
from collections.abc import Iterator

from tasks.evaluation.extraction.dates import parse_moment
from tasks.evaluation.extraction.number_words import SCALES, write_digits

LONGEST_SENTENCE = 300
DOUBTED = re.compile(
    r"\b(?:not|never|no|or|either|neither|nor|whether|if|might|may|could|would|cannot|unclear|unknown|perhaps|maybe"
    r"|possibly|than|least|up to"
    r"|most|between|over|under|nearly|almost|except|without|but|wrong|incorrect|false)\b|n't\b|\?",
    re.IGNORECASE,
)
PARENTHESIS = re.compile(r"(?P<before>.*[^\s(]) \((?P<inside>[^()]*)\)(?P<behind>.{0,30})")
IS = re.compile(
    r".*\b(?:is|are|was|were|be|equals|called|named|becomes|yields|gives|makes|get|gets|got|have|has)\b:?\s+(?P<said>[^\s].*)",
    re.IGNORECASE,
)
SUBJECT = re.compile(r"(?P<said>[^,;:]{1,60}?) (?:is|was|are|were) (?:the|an?) .*")
MADE = (
    r"(?:written|wrote|painted|invented|discovered|composed|directed|founded|designed|created|built|developed|proposed"
    r"|introduced|sung|sang|performed|won|led|killed|published|produced)"
)
BY = re.compile(rf".*\b{MADE} by (?P<said>[^,;:]{{1,60}})")
MAKER = re.compile(rf"(?P<said>[^\W\d_][^,;:]{{1,60}}?) {MADE} .*")
WHEN = re.compile(r"(?:.*\b)?(?:in|on) (?P<said>[^,;:]{1,14}(?:, ?\d{3,4})?)", re.IGNORECASE)
YEAR = re.compile(r"\d{3,4}")
# "Leonardo da Vinci, an Italian artist".
APPOSITION = re.compile(r"(?P<said>[^,;:]{1,60}), (?:an?|the|who|which) .*")
# "5, not 6", "Paris (not Lyon)".
CONTRAST = re.compile(r"(?P<said>[^,;:()]{1,60})(?:, | \()not [^,;:()]{1,40}\)?")
LABEL = re.compile(r"[^\W\d_].{0,200}: (?P<said>\S.*)")
# "24 pens at $3 make 24 * 3 = $72": a calculation in the middle of words.
CALCULATED = re.compile(r".*[^\W\d_]{2}[ ,:]+[-+*/().,\d$€£¥ ]+= ?(?P<said>[^=<>]{1,40})")
# One number, with a few words for what is counted. A number after a name belongs to it: "Apollo 11", "step 3".
NUMBER = re.compile(
    r"(?:[^\d$€£¥+*/=<>^|]*\w,? (?!(?:step|type|question|chapter|number|version|level|page|figure|equation|grade|room|part)\b)"
    r"[a-z]{2,}|[Tt]here (?:are|is)|(?:I|We|we) [a-z]{2,})\s+(?P<number>[-+]?[$€£¥]?\d[\d,.]*\d|[-+]?[$€£¥]?\d)"
    r"(?P<unit>%?(?:\s(?:[a-z%]+|°[CF]?|[A-Za-zμΩ]{1,3}(?:/[a-z]{1,3})?)){0,6})"
)
# A sentence with one of these means a different number from the one in it.
CALCULATING = re.compile(
    r"\b(?:minus|negative|plus|times|divided|multiplied|root|sqrt|squared?|cubed?|log|ln|sin|cos|tan|factorial|power|base|half"
    r"|twice|double|dozens?|and a|point|additional|remainder|until|before|after|since|hundred|thousand|million|billion)\b"
)
LEAD_IN = re.compile(
    r"(?:(?:so|thus|therefore|hence|finally|and|it is|it's|that is|that's|this is|exactly|the answer is)[,:]?\s+)+",
    re.IGNORECASE,
)


def find_statements(answer: str, *, is_bare: bool) -> Iterator[str]:
    """Yield what an answer in plain notation states, besides what it is as a whole, the likeliest first.

    A number in a sentence counts without the words after it only if the reference `is_bare`: a number without a unit.
    """
    parenthesis = PARENTHESIS.fullmatch(answer)
    if parenthesis and not re.search(r"\b(?:not|or)\b", parenthesis["inside"]):
        without = f"{parenthesis['before']}{parenthesis['behind']}"
        yield without
        yield from find_statements(without, is_bare=is_bare)
    if contrast := CONTRAST.fullmatch(answer):
        yield contrast["said"]
    if len(answer) > LONGEST_SENTENCE or DOUBTED.search(answer):
        return
    if lead_in := LEAD_IN.match(answer):
        yield answer[lead_in.end() :]
    for pattern in (IS, SUBJECT, LABEL, CALCULATED, BY, MAKER):
        if found := pattern.fullmatch(answer):
            said = found["said"]
            yield said
            if apposition := APPOSITION.fullmatch(said):
                yield apposition["said"]
    if (when := WHEN.fullmatch(answer)) and (YEAR.fullmatch(when["said"]) or parse_moment(when["said"])):
        yield when["said"]
    in_digits = answer if any(map(str.isdecimal, answer)) else write_digits(answer)
    if number := NUMBER.fullmatch(in_digits):
        yield from _read_number(number, is_bare=is_bare)


def _read_number(found: re.Match[str], *, is_bare: bool) -> Iterator[str]:
    number, words = found["number"], found["unit"].split()
    if CALCULATING.search(found[0]):
        yield f"{number} {' '.join(words[:2])}" if words and words[0] in SCALES else found[0]
        return
    for count in range(1, min(len(words), 2) + 1):
        yield f"{number} {' '.join(words[:count])}"
    if is_bare or not number.lstrip("+-")[:1].isdecimal():
        yield number
