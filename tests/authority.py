"""A certificate authority of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """It signs for a day. Files are in PEM form, in one folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    signed: x509.Certificate

    @property
    def certificate(self) -> Path:
        """What those trust who trust it."""
        return self.folder / "authority.pem"

    @classmethod
    def made(cls, folder: Path) -> Authority:
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Authority of the tests")
        signed = _draft(name, name, key).add_extension(x509.BasicConstraints(True, None), critical=True)
        authority = cls(folder, key, signed.sign(key, hashes.SHA256()))
        authority.certificate.write_bytes(_pem(authority.signed))
        return authority

    def issued(self, name: str, *hosts: str) -> tuple[Path, Path]:
        """A certificate for hosts, or for a client that has none, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        draft = _draft(_name(name), self.signed.subject, key).add_extension(x509.BasicConstraints(False, None), True)
        if hosts:
            draft = draft.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        certificate, file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(_pem(draft.sign(self.key, hashes.SHA256())))
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        return certificate, file


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _draft(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
