"""An authority of this test's own, and a certificate of it for this machine's loopback."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """Files in PEM."""

    authority: Path
    certificate: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    """Skips the test where cryptography is not installed."""
    pytest.importorskip("cryptography", reason="cryptography is not installed (make test does)")
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def begun(subject: str, public: ec.EllipticCurvePublicKey, authority: bool) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("authority"))
        builder = builder.public_key(public).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        return builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)

    own = begun("authority", authority_key.public_key(), authority=True).sign(authority_key, SHA256())
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(ADDRESS))])
    theirs = begun(ADDRESS, key.public_key(), authority=False).add_extension(names, critical=False)
    made = Certificate(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")
    made.authority.write_bytes(own.public_bytes(Encoding.PEM))
    made.certificate.write_bytes(theirs.sign(authority_key, SHA256()).public_bytes(Encoding.PEM))
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    made.key.chmod(0o600)
    return made
