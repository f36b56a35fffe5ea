"""A certificate that nobody here trusts, as of a lab's gateway: found out before the first question, with the way out."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tasks.evaluation.errors import UserMistake
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import FakeEndpoint


@pytest.fixture
def certificate(folder: Path) -> Path:
    """Return a certificate of 127.0.0.1, signed by itself, with its key in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = built.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / "certificate.pem"
    path.write_bytes(signed.public_bytes(pem) + key.private_bytes(pem, form, serialization.NoEncryption()))
    return path


def test_an_untrusted_certificate_is_a_mistake_to_fix(evaluation: Evaluation, certificate: Path) -> None:
    """Not waited for as an outage: it is the same at the next try."""
    with FakeEndpoint(certificate=certificate) as endpoint:
        settings = {"model.generator_settings.base_url": endpoint.url}
        with (
            evaluation.open(settings, run_id="run") as run,
            pytest.raises(UserMistake, match=r"certificate is not trusted.*SSL_CERT_FILE.*see model.generator_settings"),
        ):
            run.check_endpoints()
    assert endpoint.bodies == []
