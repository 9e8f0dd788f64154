"""A record's bundle: what verifies, and every way in which a tampered copy is refused."""

import io
import json
import random
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from security.errors import Corrupt
from server.cli.root import commands
from server.records import zipped
from server.records.verify import STEPS, Failed, Verifier

FOLDER = Path(__file__).parent / "records"
SCRIPT = Path(__file__).parent / "make_record_vectors.py"
EXPECT = json.loads((FOLDER / "expect.json").read_text("utf-8"))
KEY = EXPECT["key"]
STEP_OF: dict[str, int] = EXPECT["refused_at_step"]
REASONS = {
    "still-replaced": "evidence/still-1 is not what the manifest says",
    "still-replaced-insider": "still still-1 is not the one of the record",
    "still-missing-insider": "still still-1 is missing and no proof says it was deleted",
    "step-removed": "the signature does not verify",
    "step-removed-insider": "step code of the template is not in the record",
    "signature-of-another-municipality": "signed with another key than the one given",
    "policy-version-changed": "the signature does not verify",
    "policy-text-changed": "policy.toml is not the one of the record",
    "audit-head-missing": "audit.jsonl has no signed head",
    "audit-entry-changed": "the entries do not lead to the signed head",
    "steps-in-another-order": "other steps than the template, or in another order",
    "let-pass-by-nobody": "an approval is nobody's",
    "let-pass-by-who-decided": "確認済み although 1 were missing",
    "decision-confirmed-by-who-decided": "who decided gave the senior's approval",
    "decision-confirmed-by-nobody-though-always": "no senior agreed to the decision",
    "completed-with-something-missing": "対応済み although 1 were missing",
    "deletion-signed-by-another": "another key than the audit log's",
    "deletion-changed": "the signature of a proof of deletion does not verify",
    "chat-missing-insider": "no proof says that it was deleted",
    "record-not-canonical": "the record is not canonical",
    "manifest-of-another-record": "that of another record",
    "chat-changed": "chat.json is not the one of the record",
    "addition-removed": "addition 1 does not follow",
    "verified-with-something-missing": "確認済み although 1 were missing",
    "member-added": "readme.txt does not belong to the bundle",
    "zip-bomb": "evidence/bomb is compressed",
    "zip-name-twice": "the name record.json stands there twice",
    "zip-absolute-name": "a name that no bundle has",
    "zip-name-upward": "a name that no bundle has",
    "zip-directory-says-otherwise": "not their directory",
    "zip-something-before": "does not begin with a member",
    "zip-checksum-wrong": "the check sum of evidence/still-1 is wrong",
}


def _refused(content: bytes, key: str | None = KEY) -> Failed | None:
    try:
        list(Verifier(io.BytesIO(content), bytes.fromhex(key) if key else None).run())
    except Failed as failed:
        return failed
    return None


def _bundle(name: str) -> bytes:
    return (FOLDER / f"{name}.zip").read_bytes()


@pytest.mark.parametrize("name", sorted(STEP_OF))
def test_each_copy_is_refused_at_its_step_and_for_its_reason(name: str) -> None:
    failed = _refused(_bundle(name))
    assert (failed.number if failed else 0) == STEP_OF[name]
    assert REASONS.get(name, "") in (failed.why if failed else "")


def test_the_vectors_are_what_the_script_makes() -> None:
    made: dict[str, tuple[bytes, int]] = runpy.run_path(str(SCRIPT))["vectors"]()
    assert {name: step for name, (_, step) in made.items()} == STEP_OF
    # How well something compresses depends on the library.
    for name in set(STEP_OF) - {"zip-bomb"}:
        assert made[name][0] == _bundle(name), name
    assert len(made) > 30
    good = {name for name in STEP_OF if name.startswith("good")}
    assert good == {name for name, step in STEP_OF.items() if step == 0}
    assert set(STEP_OF.values()) == set(range(len(STEPS) + 1))


def test_a_stranger_with_the_format_alone_finds_the_same() -> None:
    stranger: dict[str, Any] = runpy.run_path(str(SCRIPT.with_name("record_stranger.py")))
    for name, step in STEP_OF.items():
        try:
            stranger["verify"](_bundle(name), KEY)
            found = 0
        except stranger["Wrong"] as wrong:
            found = wrong.args[0]
        assert found == step, name


def test_every_byte_of_a_bundle_is_covered() -> None:
    whole = _bundle("good")
    for at in random.Random(5).sample(range(len(whole)), 400):
        changed = whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :]
        assert _refused(changed) is not None, at


def test_without_a_key_trust_is_still_owed_and_the_fingerprint_is_told() -> None:
    done = list(Verifier(io.BytesIO(_bundle("good")), None).run())
    assert [one.number for one in done] == list(range(1, len(STEPS) + 1))
    assert KEY in done[3].note
    assert "trust still owed" in done[3].note
    assert _refused(_bundle("signature-of-another-municipality"), None) is None


def test_a_bundle_is_opened_by_any_zip_program() -> None:
    with zipfile.ZipFile(FOLDER / "good.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 15


def test_any_bytes_are_a_bundle_or_refused(tmp_path: Path) -> None:
    dice = random.Random(7)
    whole = _bundle("good")
    for length in (0, 1, 29, 30, 31, 200, len(whole) - 1):
        with pytest.raises(Corrupt):
            zipped.read(io.BytesIO(whole[:length]))
        with pytest.raises(Corrupt):
            zipped.read(io.BytesIO(b"PK\x03\x04" + dice.randbytes(length)))


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "A", "a/b/c", "a b", "", "é"])
def test_no_member_is_written_by_another_name(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        zipped.write([(name, b"")])


def test_the_command_prints_numbered_steps_and_ends_at_the_first_that_fails() -> None:
    good = CliRunner().invoke(
        commands, ["record", "verify", str(FOLDER / "good.zip"), "--key", KEY]
    )
    assert good.exit_code == 0, good.output
    assert [line.split(".")[0].strip() for line in good.output.splitlines()[:-1]] == [
        str(number) for number in range(1, len(STEPS) + 1)
    ]
    file = str(FOLDER / "still-replaced.zip")
    bad = CliRunner().invoke(commands, ["record", "verify", file, "--key", KEY])
    assert bad.exit_code == 1
    assert "step 5 (members): evidence/still-1 is not what the manifest says" in bad.stderr
    assert "6." not in bad.stdout


def test_the_command_says_without_a_key_that_trust_is_owed() -> None:
    said = CliRunner().invoke(commands, ["record", "verify", str(FOLDER / "good.zip")])
    assert said.exit_code == 0
    assert "trust still owed" in said.output
    assert said.output.splitlines()[-1].startswith("consistent")


def test_the_stranger_runs_alone() -> None:
    script = str(SCRIPT.with_name("record_stranger.py"))
    command = [sys.executable, "-I", script, str(FOLDER / "good.zip"), KEY]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "sound\n"
