"""A certificate that nobody here trusts, as of a lab's gateway: found out before the first question, with the way out."""

from pathlib import Path

import pytest

from tasks.evaluation.errors import UserMistake
from tests.support.certificates import make_certificate
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import FakeEndpoint


def test_an_untrusted_certificate_is_a_mistake_to_fix(evaluation: Evaluation, folder: Path) -> None:
    """Not waited for as an outage: it is the same at the next try."""
    with FakeEndpoint(certificate=make_certificate(folder)) as endpoint:
        settings = {"model.generator_settings.base_url": endpoint.url}
        with (
            evaluation.open(settings, run_id="run") as run,
            pytest.raises(UserMistake, match=r"certificate is not trusted.*SSL_CERT_FILE.*see model.generator_settings"),
        ):
            run.check_endpoints()
    assert endpoint.bodies == []
