"""Instructions that follow a question's choices, such as "Answer:", and are not part of the last choice."""

import re

WORD = r"[^\W\d_]"
# A line that only announces the answer: "Answer:", "**Your answer:** ____", "ANSWER: Let's think step by step.".
ANNOUNCEMENT = re.compile(
    r"(?:(?:the|your|my|correct|right|final|best|model|sua|votre|tu|ihre|deine|il|la|le)\s+)*"
    r"(?:answers?|ans|a|response|reply|solution|output|choice|selection|option|réponse|respuesta|resposta|risposta|antwort"
    r"|odpowiedź|ответ|答案|答|回答|解答|正解|정답|답|الجواب|الإجابة|उत्तर)"
    r"(?:\s+(?:is|choice|letter|option))?\s*(?:\([^()\n]{1,40}\))?\s*[:：](?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
# What may follow the announcement; anything else may be an example of an answer.
BLANK = re.compile(r"[\s_.…?<>()（）\[\]\\$-]*|(?:\[\s*(?:your |the )?(?:answer|letter|choice)s?\s*\])", re.IGNORECASE)
# A sentence that says how to answer or to think begins with one of these.
REQUEST = re.compile(
    r"(?:please,?\s+|now,?\s+|only\s+|directly\s+|just\s+|you (?:must|should|may|can|will)\s+(?:only\s+)?"
    r"|(?:and\s+)?then,?\s+)*"
    r"(?:(?:answer|reply|respond|return|output|print|provide|give|state|write|select|choose|pick|mark|indicate|circle|tick"
    r"|put|end|finish|conclude|format|explain your|do not (?:explain|include|add|output|write|give)|don't (?:explain|include"
    r"|add|write)|show your|use the format|think|reason|let's|let us|work)\b"
    r"|there (?:may|might|can|is|are) (?:be )?(?:only |exactly |more than )?(?:one|several|multiple) (?:correct|right)"
    r"|no explanation|without explanation|(?:antworte|répondez?|responda|responde|wähle|choisissez|elige|elija|выбери|ответь)"
    r"|请|請|只|直接回答|选择|選択|回答(?:は|し)|次の|답(?:을|만)|정답(?:을|만))",
    re.IGNORECASE,
)
# ... and speaks of one of these, or a choice may be such a sentence: "Think of the cat".
ABOUT_ANSWERS = re.compile(
    r"\b(?:answers?|letters?|options?|choices?|choose|select|explain|explanation|reasoning|step[- ]by[- ]step|step by step"
    r"|format|boxed|json|[A-H](?:\s*[,/]\s*[A-H])+|[A-H],? or [A-H]|buchstaben?|lettre|letra|réponse|respuesta|букв\w*)\b"
    r"|答案|选项|選択肢|字母|思考|推理|문자|정답|답|번호|番号|記号",
    re.IGNORECASE,
)
LET_US_THINK = re.compile(r"(?:let's|let us|lets)\s+(?:think|work|solve|reason|go|break)\b|take a deep breath", re.IGNORECASE)
DECORATION = " \t*_#>`~|-=[]【】「」\"'"


def strip_instructions(choice: str) -> str:
    """Return the text of a last choice without the lines after it that only say how to answer."""
    while "\n" in choice:
        before, _, line = choice.rstrip().rpartition("\n")
        if line.strip(DECORATION) and not is_instruction(line):
            break
        choice = before
    return choice.strip()


def is_instruction(line: str) -> bool:
    """Return True if a line only says how to answer: "Answer:", "Reply with the letter only.", "Let's think step by step."."""
    plain = line.strip().strip(DECORATION)
    announced = ANNOUNCEMENT.fullmatch(plain)
    if announced:
        rest = announced["rest"].strip(DECORATION)
        return bool(BLANK.fullmatch(rest)) or is_instruction(rest)
    if LET_US_THINK.match(plain):
        return True
    return bool(REQUEST.match(plain) and ABOUT_ANSWERS.search(plain))
