"""Making parts of file names from any text."""

from hashlib import blake2b

UNFIT_CHARACTERS = frozenset('/\\:*?"<>| ')
# File systems allow 255 bytes for a name, which also holds a prefix and a time.
LONGEST_NAME_BYTES = 100


def sanitize_filename(text: str) -> str:
    """Return the text as part of a file name.

    A character that file systems or shells do not accept becomes `_`; a long text is cut and ends with its digest.
    """
    fit = "".join("_" if character in UNFIT_CHARACTERS or not character.isprintable() else character for character in text)
    if len(fit.encode()) <= LONGEST_NAME_BYTES:
        return fit
    digest = blake2b(text.encode(), digest_size=4).hexdigest()
    return fit.encode()[: LONGEST_NAME_BYTES - 9].decode(errors="ignore") + "_" + digest
