"""What an attacker's scanner (sslyze) finds on our own TLS: nothing weak.

It runs in an environment of its own, since it needs an older `cryptography` than we do.
"""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from security.crypto.keys import KeyEncryptionKey
from server.app import running_service
from server.demo.authority import issue
from server.settings import Settings
from server.tls import Certificate

ROOT = Path(__file__).resolve().parents[2]
SCANNER = ROOT / ".venv" / "sslyze" / "bin" / "sslyze"
LOOKS = (
    *("sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3", "reneg", "compression"),
    *("heartbleed", "robot", "openssl_ccs", "fallback", "ems", "early_data"),
)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """A certificate of the demo's authority."""
    issued = issue(("127.0.0.1",), now=datetime.now(UTC))
    (tmp_path / "chain.pem").write_bytes(issued.chain)
    (tmp_path / "key.pem").write_bytes(issued.key)
    return Certificate(tmp_path / "chain.pem", tmp_path / "key.pem")


async def scanned(target: str, out: Path) -> dict[str, Any]:
    """Return what each look found."""
    assert SCANNER.exists(), "make setup-test installs sslyze"
    looks = [f"--{one}" for one in LOOKS]
    scan = await asyncio.create_subprocess_exec(
        SCANNER, "--quiet", "--mozilla_config=disable", f"--json_out={out}", *looks, target
    )
    assert await scan.wait() == 0
    (result,) = json.loads(out.read_text("utf-8"))["server_scan_results"]
    assert result["scan_status"] == "COMPLETED"
    return {
        name: one["result"]
        for name, one in result["scan_result"].items()
        if one["status"] == "COMPLETED"
    }


def accepted(found: dict[str, Any], version: str) -> set[str]:
    """Return the cipher suites that were accepted in a version."""
    suites = found[f"{version}_cipher_suites"]["accepted_cipher_suites"]
    return {one["cipher_suite"]["name"] for one in suites}


async def test_a_scanner_finds_nothing_weak_in_our_tls(
    certificate: Certificate, tmp_path: Path
) -> None:
    KeyEncryptionKey.generate().write_file(tmp_path / "kek")
    (tmp_path / "data").mkdir()
    settings = Settings.model_validate(
        {
            "server": {"host": "127.0.0.1", "port": 0},
            "media": {"host": "127.0.0.1", "port": 0, "processes": 0},
            "data": {"folder": tmp_path / "data"},
            "keys": {"kek_file": tmp_path / "kek"},
        }
    )
    async with running_service(settings, tls=certificate.context) as service:
        host, port = service.runner.addresses[0][:2]
        found = await scanned(f"{host}:{port}", tmp_path / "found.json")
    for old in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        assert accepted(found, old) == set()
    assert accepted(found, "tls_1_2") == {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    }
    assert accepted(found, "tls_1_3") == {
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    }
    assert not found["tls_compression"]["supports_compression"]
    assert not found["tls_1_3_early_data"]["supports_early_data"]
    assert not found["heartbleed"]["is_vulnerable_to_heartbleed"]
    assert not found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"]
    assert found["robot"]["robot_result"] == "NOT_VULNERABLE_RSA_NOT_SUPPORTED"
    assert found["tls_fallback_scsv"]["supports_fallback_scsv"]
    assert found["tls_extended_master_secret"]["supports_ems_extension"]
    renegotiation = found["session_renegotiation"]
    assert renegotiation["supports_secure_renegotiation"]
    assert not renegotiation["is_vulnerable_to_client_renegotiation_dos"]


def test_a_certificate_of_rsa_gets_no_weaker_suite(certificate: Certificate) -> None:
    """Of every suite that the context offers, whichever kind of key the certificate has."""
    weak = [
        one["name"]
        for one in certificate.context.get_ciphers()
        if not one["aead"] or (one["protocol"] != "TLSv1.3" and "ECDHE" not in one["name"])
    ]
    assert weak == []
