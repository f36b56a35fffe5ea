"""What keeps a decision in a reply from being its own: it is taken back, is someone else's, or depends on a condition."""

import re

from tasks.evaluation.extraction.marks import MARKS

# What comes before these words in a sentence, or in a clause, says nothing about what follows them.
SENTENCE_START = re.compile(r"[.!?;]\s|\n|\b(?:but|however|yet|though|so|thus|hence|therefore|still)\b|[→⇒∴]", re.IGNORECASE)
CLAUSE_START = re.compile(r".*, ")
# "Many students choose C", "one might think".
OTHERS = (
    r"\b(?:some|many|most (?:people|students)|others?|people|students?|candidates?|test.takers?|learners?|beginners?|they"
    r"|one (?:might|may|could|can)|no ?one|nobody|some(?:one|body)"
    r"|(?:textbook|book|teacher|professor|friend|author|user|assistant|colleague|classmate|website)s?)(?: \w{1,12}){0,4}?"
    r" (?:say|said|think|thought|choose|chose|pick|select|guess|believe|argue|claim|assume|answer|give|gave|repl(?:y|ie)"
    r"|suggest|insist|write|wrote)(?:e?d|s)?\b"
)
# "The second best answer is C", "if I had to pick another", "a common mistake is".
SECOND = (
    r"\b(?:second|third|next)[ -](?:best|choice|guess|most)|\brunner|\balternatively\b|\bmistak|\berror\b|\btempt|\btrap\b"
    r"|\bothers?,? [\"'(]?\Z"
    r"|\bdistractor|\bcommon(?:ly)?\b|\boften\b|\busually\b|\bpopular\b|\bbackup\b|\A\W{0,5}also\b(?! ist\b)|\bcompet"
    r"|\bcontender"
    r"|(?:\b(?:wrong|incorrect|false|bad|rejected|eliminated|discarded|excluded|other|not (?:the|an?)|worst|closest)"
    r"|n't the)"
    r"(?: \w{1,12}){0,2} (?:answer|choice|option|guess)"
)
# "It would be wrong to say that it is C", "I doubt that", "one cannot say that".
DENIED = (
    r"\b(?:wrong|incorrect|false|misleading|(?:mistake|error)n?) to (?:say|claim|choose|pick|select|think|assume|conclude)"
    r"|\b(?:i|we|he|she|they) (?:\w{1,9} )?doubt"
    r"|(?:\bcannot|\bnever|\bnot|n't) (?:\w{1,9} )?(?:say|claim|conclude|believe|think|be said)\b"
)
BY_OTHERS = re.compile(f"{OTHERS}|{DENIED}")
THOUGHT = r"\bfirst (?:thought|instinct|impression|guess)|\bi (?:\w{1,9} )?thought|\b(?:seems?|appears?) to be\b|\balthough\b"
OF_CLAUSE = re.compile(f"{OTHERS}|{SECOND}|{DENIED}|{THOUGHT}")
# "For pets the answer would be C", "had the question asked for pets", "at first". "If I had to choose" does choose.
OF_SENTENCE = re.compile(
    r"\bif\b(?! i\b)[^.!?\n]{0,200}\b(?:would|then)\b|\b(?:had|were) (?:the|it|this|we|they|you)\b[^.!?\n]{0,200}\bwould\b"
    r"|\b(?:in (?:that|which)"
    r" case|otherwise|unless|suppose|whether|assuming|another|at first|initially|originally"
    r"|according to (?:my|some|most|students|people|the user))\b"
    r"|\A\W{0,5}(?:for|in|with|under|on|at|among) \w[^.!?\n]{0,80}\bwould\b"
)
# "C is correct in other contexts", "select A if it is small", "'it is C' would be a mistake".
CONDITION = re.compile(
    r"[ ,(]{0,3}(?-i:if|unless|when|only (?:if|for|when|in)|provided|assuming|as long as)\b"
    r"| in (?:the|an?|my) (?:old|previous|earlier|original|other) \w"
    r"|[\"'] (?:(?:would|could|might|may) be|(?:is|was) (?:an? )?(?:wrong|incorrect|false|mistake|error|trap))\b",
    re.IGNORECASE,
)
RESTRICTION = re.compile(
    r"[ ,(]{0,3}(?:in (?:other|some|certain|different|many|most|an?)\b|for (?!the (?:following|reason|question|given)"
    r"|this|these|all|our|two"
    r"|several|three)|under\b|about\b|that\b|with (?:regard|respect)|but (?:irrelevant|not\b)|as (?:a|an|far)\b)",
    re.IGNORECASE,
)
REACH = 200
# A decision before these words is withdrawn, unless another follows.
WITHDRAWN = re.compile(
    r"\bwait\b|\bcorrection:|\b(?:that|this)(?:'s| is| was| can't be) (?:not right|not correct|wrong|incorrect|right\?)"
    r"|\blet me (?:think again|reconsider|re-?check|double-?check|correct)|\bon (?:second thought|reflection)|\b(?:i"
    r"|i've) (?:misread|made an?"
    r" (?:mistake|error))|\bscratch that|\boops\b|\bedit:|\bhold on\b|\b(?:that|this|it) can(?:'t|not) be(?: either)?[.!]"
    rf"|\bi give up\b|\bi mean[t,]|\bjust kidding\b|\bactually,? (?:it's |it is )?[{MARKS}]"
    r"|\b(?:updated|corrected|revised|changed|new)[ _](?:final[ _])?answer\b|\bi (?:\w{1,9} )?(?:don't|do not) know\W{0,5}\Z",
    re.IGNORECASE,
)
# What comes between a decision and another that takes its place.
REVISING = re.compile(
    rf"{WITHDRAWN.pattern}|\bno\b,|\bno\.|\bactually\b|\bsorry\b|\bmisread|\bhold on\b|\breconsider|\breflection\b"
    rf"|\binstead\b"
    r"|\bchange my\b|\bcorrect myself\b|\bmy mistake\b|\bmade an? (?:mistake|error)\b|\bedit:|\bscratch that\b|\boops\b",
    re.IGNORECASE,
)
CONCLUDING = re.compile(
    r"\b(?:so|thus|hence|therefore|final(?:ly)?|leaves|leaving|remains|remaining|conclu\w{2,5}|must be|overall"
    r"|in summary|donc|also|daher"
    r"|somit|quindi|dunque|luego|logo|portanto|por (?:lo )?tanto|значит|итак|поэтому)\b|[→⇒∴]|所以|因此|よって"
    r"|したがって|따라서",
    re.IGNORECASE,
)


def is_by_others(sentence: str) -> bool:
    """Return True if the sentence tells what others choose, or that something is not to be chosen."""
    return bool(BY_OTHERS.search(sentence.lower()))


def is_doubtful(match: re.Match[str]) -> bool:
    """Return True if its sentence keeps a decision, which names its choice as `chosen`, from being the reply's own."""
    text, start, end = match.string, match.start("chosen"), match.end()
    if CONDITION.match(text, end) or (end > match.end("chosen") and RESTRICTION.match(text, end)):
        return True
    before = text[max(0, start - REACH) : start]
    sentence = SENTENCE_START.split(before[max(before.rfind(". "), before.rfind("\n"), 0) :].lower())[-1]
    return bool(OF_CLAUSE.search(CLAUSE_START.sub("", sentence)) or OF_SENTENCE.search(sentence))
