"""Ids are found among those of a run, all of them and no other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.storage.id_index import IdIndex

SIZE = 3
# Few, so that many are equal; with zeros at either end, which a text would lose.
IDS = st.lists(
    st.binary(min_size=SIZE, max_size=SIZE).map(lambda each: bytes(byte % 2 for byte in each)), min_size=1, max_size=20
)


@given(IDS, st.data())
def test_every_position_is_found_by_its_id(ids: list[bytes], data: st.DataObject) -> None:
    """Of those that may be found, in their order."""
    positions = data.draw(st.lists(st.sampled_from(range(len(ids))), unique=True).map(sorted))
    index = IdIndex(b"".join(ids), np.array(positions, dtype=np.int64), SIZE)
    assert {each: index.find(each.hex()) for each in ids} == {each: [p for p in positions if ids[p] == each] for each in ids}


def test_what_is_no_id_is_not_found() -> None:
    """Damaged files may hold anything: another length, no hexadecimal, nothing."""
    index = IdIndex(b"abcdef", np.arange(2), SIZE)
    assert [index.find(text) for text in ("", "61", "616264", "61626300", "6162636465", "none", "Ж")] == [[]] * 7
    assert IdIndex(b"", np.arange(0), SIZE).find("616263") == []
