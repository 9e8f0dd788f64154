"""[hooks] 連携: what the municipality's own systems are told and fetch, and where they stand."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Strict

from security.policy.about import About, Safer, choice, setting
from security.values import Cidr, Section, show, wrong

_PLACE = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?")


def _place(value: str) -> str:
    text = value.lower()
    if _PLACE.fullmatch(text) is None:
        raise wrong(show(value), "a host name or address, as hooks.example.lg.jp or it with :8443")
    return text


Place = Annotated[str, Strict(), AfterValidator(_place)]


class Hooks(Section):
    """Webhooks to systems of the municipality, and what these may fetch."""

    destinations: tuple[Place, ...] = setting(
        (),
        About(
            name=("連携の送信先", "Destinations of webhooks"),
            protects=(
                "ここに書いた送信先のほかには何も送りません",
                "sends nothing to any place but these",
            ),
            source="own",
            enforced="server/hooks/webhook.py",
            safer=Safer.FEWER,
        ),
        strict=False,
        max_length=50,
    )
    private_networks: tuple[Cidr, ...] = setting(
        (),
        About(
            name=("送信先にできる庁内ネットワーク", "Inner networks of destinations"),
            protects=(
                "庁内のほかの機器へ接続させられることを防ぎます（ここ以外の庁内アドレスへは送りません）",
                "keeps the server from being led to other machines of the house",
            ),
            source="own",
            enforced="server/hooks/webhook.py",
            safer=Safer.FEWER,
        ),
        strict=False,
        max_length=50,
    )
    content: Literal["ids", "full"] = setting(
        "ids",
        About(
            name=("連携で送る内容", "What webhooks say"),
            protects=(
                "氏名や理由などを、必要のないところへ送りません",
                "keeps names and reasons out of what is sent",
            ),
            source="own",
            enforced="server/hooks/webhook.py",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("ids", "番号とIDだけ", "ids alone"),
                    ("full", "氏名・理由も", "names and reasons too"),
                ]
            ),
        ),
    )
    bundle_networks: tuple[Cidr, ...] = setting(
        (),
        About(
            name=("記録の控えを渡してよいネットワーク", "Networks that records are given to"),
            protects=(
                "管理者が自分で作った連携用の鍵で静止画やファイルを読むことを防ぎます"
                "（ここにないネットワークからは、どの鍵でも記録の控えを取り出せません）",
                "keeps an administrator from reading evidence by a key made for oneself: "
                "from elsewhere no key fetches a record's bundle",
            ),
            source="own",
            enforced="rest.bundle",
            safer=Safer.FEWER,
        ),
        strict=False,
        max_length=50,
    )
