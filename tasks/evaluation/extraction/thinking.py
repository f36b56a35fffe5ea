"""A model's thinking, separated from what it finally says.

Model families mark their thinking in forms of their own: tags, tokens, channels, or a fixed sentence. Some servers strip only
the opening mark, or the tokens around a channel's name. Thinking that was cut before its end is thinking to the last word.
"""

import re

TAG = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reasoning|scratchpad|inner_monologue)"
OPENING = (
    rf"<\|?{TAG}\|?>",
    r"\[think\]",
    r"◁think▷",
    r"<unused94>(?:thought\b)?",
    r"<\|(?:begin_of_|start_)(?:thought|think(?:ing)?|reasoning)\|>",
    r"<\|inner_prefix\|>",
    r"<\|channel>thought\b",
    r"<\|im_start\|>think\b",
    r"\bhere(?: is|'s) my thought process:",
)
CLOSING = (
    rf"<(?:\|?/|/\|){TAG}\|?>",
    r"\[/think\]",
    r"◁/think▷",
    r"<unused95>",
    r"<\|end_(?:of_)?(?:thought|think(?:ing)?|reasoning)\|>",
    r"<\|inner_suffix\|>",
    r"<channel\|>",
    r"<\|im_start\|>answer\b",
    r"\bhere(?: is|'s) my response:",
)
MARK = re.compile(f"(?P<opening>{'|'.join(OPENING)})|{'|'.join(CLOSING)}", re.IGNORECASE)
# OpenAI's harmony format: the final channel is the answer, all others are thinking. If a server drops the tokens, the channels'
# names are glued to their words: "analysisWe need to choose.assistantfinalB".
CHANNEL = re.compile(r"<\|channel\|>(\w{1,20})[^<]{0,100}<\|message\|>")
CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|im_end)\|>")
GLUED_FINAL, GLUED_ANALYSIS = "assistantfinal", re.compile(r"\s*analysis(?=[A-Z])")
# A thought may lack its closing tag if the answer's own tag follows.
ANSWER_OPENING, ANSWER_CLOSING = "<answer>", "</answer>"
# Each marked thought holds one of these.
SIGNS = ("<", "[", "◁", "thought process", GLUED_FINAL)


def split_thinking(reply: str) -> tuple[str, str | None]:
    """Return the reply's answer and its thinking; None if it holds no thinking.

    The answer is empty if the thinking was cut before its end.
    """
    if CHANNEL.search(reply):
        return _split_channels(reply)
    thought, final, answer = reply.rpartition(GLUED_FINAL)
    if final:
        return answer.strip(), thought.strip().removeprefix("analysis")
    if GLUED_ANALYSIS.match(reply):
        return "", reply.strip().removeprefix("analysis")
    if any(sign in reply for sign in SIGNS) and MARK.search(reply):
        return _split_marked(reply)
    return reply, None


def _split_channels(reply: str) -> tuple[str, str | None]:
    """Split a reply in channels: the first final one is the answer, whatever a model invents after it."""
    channels = list(CHANNEL.finditer(reply))
    ends = [channel.start() for channel in channels[1:]] + [len(reply)]
    words = [
        (channel[1], CHANNEL_END.split(reply[channel.end() : end], maxsplit=1)[0].strip())
        for channel, end in zip(channels, ends, strict=True)
    ]
    thinking = _join([text for name, text in words if name != "final"])
    return next((text for name, text in words if name == "final"), ""), thinking or None


def _split_marked(reply: str) -> tuple[str, str | None]:
    """Split at the marks; before a closing mark without an opening one, everything is thinking."""
    said, thinking, start, is_thinking = list[str](), list[str](), 0, False
    for mark in MARK.finditer(reply):
        if mark["opening"] and is_thinking:
            continue
        piece = reply[start : mark.start()]
        if mark["opening"]:
            said.append(piece)
        else:
            thinking += [piece] if is_thinking else [*said, piece]
            said = said if is_thinking else []
        start, is_thinking = mark.end(), bool(mark["opening"])
    rest = reply[start:]
    answer_start = rest.rfind(ANSWER_OPENING) if is_thinking and rest.rstrip().endswith(ANSWER_CLOSING) else -1
    answer_start = answer_start if answer_start >= 0 else len(rest) if is_thinking else 0
    said.append(rest[answer_start:])
    thinking.append(rest[:answer_start])
    return _join(said), _join(thinking)


def _join(pieces: list[str]) -> str:
    return "\n".join(piece.strip() for piece in pieces if piece.strip())
