"""What a sentence states, where a reply gives its answer as one: "The capital is Canberra", "She has 18 eggs left".

A statement that is denied, doubted or compared states nothing: "not Canberra", "more than 18".
"""

import re
from collections.abc import Iterator

LONGEST_SENTENCE = 300
DOUBTED = re.compile(
    r"\b(?:not|never|no|or|either|neither|nor|whether|if|might|may|could|would|cannot|unclear|unknown|perhaps|maybe"
    r"|possibly|than|least"
    r"|most|between|over|under|nearly|almost|except|without|but|wrong|incorrect|false)\b|n't\b|\?",
    re.IGNORECASE,
)
PARENTHESIS = re.compile(r"(?P<before>.*[^\s(]) \((?P<inside>[^()]*)\)(?P<behind>.{0,30})")
IS = re.compile(
    r".*\b(?:is|are|was|were|be|equals|called|named|becomes|yields|gives|makes|get|gets|got|have|has)\b:?\s+(?P<said>[^\s].*)",
    re.IGNORECASE,
)
SUBJECT = re.compile(r"(?P<said>[^,;:]{1,60}?) (?:is|was|are|were) (?:the|an?) .*")
LABEL = re.compile(r"[^\W\d_][\w ]{0,30}: (?P<said>\S.*)")
# A number that ends the sentence, with a few words of what is counted.
NUMBER = re.compile(
    r"(?:[^\d$€£¥]*\b(?:is|are|was|were|has|have|had|takes?|makes?|gives?|needs?|costs?|gets?|got|earns?|pays?|spends?"
    r"|equals?|leaves?|left"
    r"|contains?|sold|bought|total(?:s|ed)?|of|with|in)|there are|there is)\s+(?P<number>[-+]?[$€£¥]?\d[\d,.]*\d"
    r"|[-+]?[$€£¥]?\d)"
    r"(?P<unit>(?:\s+[a-z%°]+){0,6})",
    re.IGNORECASE,
)
LEAD_IN = re.compile(
    r"(?:(?:so|thus|therefore|hence|finally|and|it is|it's|that is|that's|this is|exactly|the answer is)[,:]?\s+)+",
    re.IGNORECASE,
)


def find_statements(answer: str) -> Iterator[str]:
    """Yield what an answer in plain notation states beside what it is as a whole, the likeliest first."""
    parenthesis = PARENTHESIS.fullmatch(answer)
    if parenthesis and not re.search(r"\b(?:not|or)\b", parenthesis["inside"]):
        yield f"{parenthesis['before']}{parenthesis['behind']}"
    if len(answer) > LONGEST_SENTENCE or DOUBTED.search(answer):
        return
    if lead_in := LEAD_IN.match(answer):
        yield answer[lead_in.end() :]
    for pattern in (IS, SUBJECT, LABEL):
        if said := pattern.fullmatch(answer):
            yield said["said"]
    number = NUMBER.fullmatch(answer)
    if number:
        yield number["number"]
