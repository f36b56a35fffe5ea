"""The groups and the clusters that a file's entries belong to, by the values of a field.

Groups are few and reported one by one: subjects, levels. Clusters may be as many as there are questions, and only say which
questions depend on each other, because they share a passage or a case.
"""

from array import array
from hashlib import blake2b

from tasks.evaluation.errors import UserMistake

# Every file's metadata lists the groups; more of them are ids.
MOST_GROUPS = 1000


class Groups:
    """The groups in which a file's entries are reported: `codes` holds for each the place of its group in `names`.

    Args:
        field: the field whose values are the groups; None: there are no groups.
    """

    def __init__(self, field: str | None) -> None:
        self.names: dict[str, int] = {}
        self.codes = array("H")
        self._field = field

    def add(self, group: str) -> None:
        """Put the next entry into this group.

        Raises:
            UserMistake: there are too many groups for the field to be a subject or the like.
        """
        if self._field is None:
            return
        self.codes.append(self.names.setdefault(group, len(self.names)))
        if len(self.names) > MOST_GROUPS:
            raise UserMistake(f"fields.group_by: {self._field!r} has more than {MOST_GROUPS:,} values; name a field with fewer")


class Clusters:
    """The clusters of a file's entries: `codes` holds a number for each, equal for those in one cluster.

    An entry without a value is a cluster of its own. A number is 63 bits of BLAKE2b: two of a million values are alike with a
    probability of 1e-7.

    Args:
        field: the field whose values are the clusters; None: no clusters.
    """

    def __init__(self, field: str | None) -> None:
        self.codes = array("q")
        self.is_used = field is not None

    def add(self, cluster: str) -> None:
        """Put the next entry into this cluster."""
        if self.is_used:
            name = f"value {cluster}" if cluster else f"entry {len(self.codes)}"
            digest = blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
            self.codes.append(int.from_bytes(digest) >> 1)
