"""What the demo prints, in Japanese and English. Pure."""

import io
from dataclasses import dataclass

import segno

from server.demo.report import Report


@dataclass(frozen=True, slots=True)
class Links:
    """One-time addresses, each good for one use within 10 minutes."""

    counter: str
    desk: str
    tablet: str | None = None  # https, for a device on the local network


def welcome(base_url: str, links: Links, *, resident: bool, kept_in: str | None) -> str:
    """Return the first lines: where the pages are and how to get in."""
    data = (
        f"データは {kept_in} に残ります。\n      Data stays in {kept_in}."
        if kept_in
        else "データは残りません（終了すると消えます）。\n"
        "      No data is kept: everything is removed at the end."
    )
    lines = [
        "",
        "  窓口 madoguchi  デモ / demo   研修モード / training",
        "",
        f"  窓口の画面  counter page   {base_url}/counter",
        f"  職員の画面  desk page      {base_url}/desk",
        "",
        one_time(links),
    ]
    if resident:
        lines += [
            "  模擬の住民が１番窓口から呼び出します。職員の画面で「応対する」を押してください。",
            "      A simulated resident calls from counter 1: press 応対する (Accept) at the desk.",
            "",
        ]
    return "\n".join([*lines, f"  {data}", "  終了は Ctrl+C。\n      Ctrl+C ends it.", ""])


def one_time(links: Links) -> str:
    """Return the one-time links."""
    return "\n".join(
        [
            "  サインイン用リンク（１回限り、10分間有効）",
            "      One-time sign-in links (one use each, good for 10 minutes)",
            f"    窓口 counter   {links.counter}",
            f"    職員 desk      {links.desk}",
            "",
        ]
    )


def pin(digits: str) -> str:
    """Return the PIN by which the demo's clerks sign in again after 交代・離席."""
    return f"    局員のPIN / PIN of the clerks   {digits}"


def network(tablet_link: str, authority_url: str, fingerprint: str) -> str:
    """Return how a real tablet on the same network gets in, with the link as a QR code."""
    code = io.StringIO()
    segno.make(tablet_link, error="m").terminal(out=code, compact=True)
    return "\n".join(
        [
            "  同じネットワークのタブレットから（https）",
            "      From a tablet on the same network (https)",
            f"    １  証明書を入れる / install the certificate   {authority_url}",
            f"        SHA-256 {fingerprint}",
            "        試用の端末だけに入れ、試用後は消してください。",
            "        Only on a device for trials; remove it afterwards.",
            f"    ２  窓口を開く / open the counter   {tablet_link}",
            code.getvalue(),
        ]
    )


def no_network() -> str:
    """Return the line for a machine without a local network."""
    return (
        "  ネットワークの住所がないので、この機械だけで使えます。\n"
        "      No network address was found: the demo serves this machine only.\n"
    )


def more_links() -> str:
    """Return how to get further links."""
    return "  Enter キーで新しいリンクを表示します。\n      Press Enter for new sign-in links.\n"


def report_lines(report: Report) -> str:
    """Return the outcome of `--check` for people."""
    lines = [f"  {name}: {value}" for name, value in report.as_json().items() if name != "errors"]
    lines += [f"  ! {error}" for error in report.errors]
    verdict = "正常 / all well" if report.well else "異常 / something is wrong"
    return "\n".join([*lines, f"  {verdict}"])
