"""API keys: where the settings say they are, and how they are read from there."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from tasks.evaluation.config.printed_keys import PrintedKey, split_command
from tasks.evaluation.config.secrets import COMMAND, is_command, is_reference, is_secret
from tasks.evaluation.config.urls import check_url, split_query
from tasks.evaluation.errors import UserMistake

# An endpoint that needs no key still gets a header with this one, because the client refuses an empty key.
NO_KEY = "none"


OPENAI_URL = "https://api.openai.com/v1"


# A header's value: its scheme, then a reference to its secret, or the command that prints it.
SCHEMED = re.compile(r"[A-Za-z]+ +(?:\$\{\w+\}|secret:\S+|command:.*)")


class KeyReader:
    """Reads keys from where the settings say they are.

    It runs no command: a key that a command prints is the placeholder for no key until somebody else has run it.

    Args:
        environment: the environment's variables.
        load_secret: returns the content of the Prefect Secret block with this name; raises UserMistake if it does not exist.
    """

    def __init__(self, environment: Mapping[str, str], load_secret: Callable[[str], str]) -> None:
        self._environment = environment
        self._load_secret = load_secret
        self._printed: dict[str, PrintedKey] = {}
        self.found_plain = False

    @property
    def default_url(self) -> str:
        """Return the address to use if the settings name no other, as the openai package does: OPENAI_BASE_URL, else OpenAI's.

        Raises:
            UserMistake: the variable does not hold a valid address.
        """
        try:
            return check_url(self._named_url or OPENAI_URL)
        except ValueError as error:
            raise UserMistake(f"the environment's OPENAI_BASE_URL: {error}") from None

    @property
    def _named_url(self) -> str:
        return self._environment.get("OPENAI_BASE_URL", "").strip()

    def read(self, key: str | None, setting: str, base_url: str | None) -> str:
        """Return the key itself; `setting` is its place, for the message, and `base_url` the address that it is sent to.

        Raises:
            UserMistake: the variable or block does not exist, or holds something that cannot be a key.
        """
        found = self._find(key, setting, base_url).strip()
        if not found.isascii() or not found.isprintable():
            raise UserMistake(f"{setting}: the key holds characters that no key can have: copy it again")
        return found

    def read_url(self, url: str, setting: str) -> str:
        """Return the address with the keys that its query refers to.

        Raises:
            UserMistake: a variable or block does not exist, or holds something that cannot be a key; or it names a command,
                which an address, other than a key or a header, could have from the environment.
        """
        bare, query = split_query(url)
        commands = [name for name, value in query.items() if is_command(value)]
        if commands:
            raise UserMistake(
                f"{setting}: the value of {commands[0]!r} is a command, which no address can hold: let it print an api_key or "
                "a header, or write ${NAME}"
            )
        found = {
            name: self.read(value, setting, url)
            for name, value in query.items()
            if is_reference(value) or is_secret(name, value)
        }
        return f"{bare}?{urlencode(query | found)}" if found else url

    def read_headers(self, headers: Mapping[str, str], setting: str) -> dict[str, str]:
        """Return the headers with the secrets that their values refer to, after `Bearer` or alone.

        Raises:
            UserMistake: a variable or block does not exist, or holds something that no header can hold.
        """
        read = {}
        for name, value in headers.items():
            *scheme, secret = value.split(maxsplit=1) if SCHEMED.fullmatch(value) else [value]
            place = f"{setting}.{name}"
            is_key = is_reference(secret) or is_secret(name, value) or secret.startswith(("${", "secret:", COMMAND))
            found = self.read(secret, place, None) if is_key else value
            # Spelled as the openai package spells its own headers, so that ours replace them.
            read["-".join(part.capitalize() for part in name.split("-"))] = " ".join([*scheme, found])
        return read

    def list_printed(self, key: str | None, headers: Mapping[str, str], setting: str) -> list[PrintedKey]:
        """Return the keys that commands print, of a key and of headers; `setting` is the place of the first.

        Raises:
            UserMistake: one of the commands cannot be read.
        """
        schemed = [value.split(maxsplit=1)[1] if SCHEMED.fullmatch(value) else value for value in headers.values()]
        return [self.find_printed(each, setting) for each in (key or "", *schemed) if is_command(each)]

    def find_printed(self, command: str, setting: str) -> PrintedKey:
        """Return the key that the command of this setting prints: the same for the same command.

        Raises:
            UserMistake: the command cannot be read.
        """
        if command not in self._printed:
            self._printed[command] = PrintedKey(split_command(command.removeprefix(COMMAND), setting), setting)
        return self._printed[command]

    def _find(self, key: str | None, setting: str, base_url: str | None) -> str:
        if not key:
            # OPENAI_API_KEY is for OpenAI, or for the address in OPENAI_BASE_URL; nobody else may see it.
            is_its_own = base_url and (base_url == self._named_url or urlsplit(base_url).hostname == "api.openai.com")
            return (is_its_own and self._environment.get("OPENAI_API_KEY")) or NO_KEY
        if key.startswith(("$", "secret:")) and not is_reference(key):
            # The key is not repeated: it may be a password that begins like this.
            raise UserMistake(f"{setting}: write ${{NAME}} for a variable, secret:NAME for a Prefect Secret block")
        if is_command(key):
            return self.find_printed(key, setting).text or NO_KEY
        if not is_reference(key):
            self.found_plain = True
            return key
        if key.startswith("secret:"):
            try:
                return self._load_secret(key.removeprefix("secret:"))
            except UserMistake as mistake:
                raise UserMistake(f"{setting} is {key}, and {mistake}") from None
        name = key[2:-1]
        if not self._environment.get(name, "").strip():
            # In small letters it may be a key that was put between the braces.
            shown, variable = (key, f" {name}") if name.isupper() else ("${…}", " of the name between its braces")
            missing = f"the environment's variable{variable} is empty" if name in self._environment else None
            raise UserMistake(
                f"{setting} is {shown}, and {missing or f'the environment has no variable{variable}'}: export it first"
            )
        return self._environment[name]
