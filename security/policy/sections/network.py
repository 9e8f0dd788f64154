"""[network] 通信: from where, over what."""

from typing import Literal

from pydantic import Field

from security.policy.about import About, AnyRole, Safer, choice, setting
from security.values import Cidr, Section

# The actions of the gate that read these stand in its rules (security/policy/enforced.py).
SIGN_IN_TO_MEDIA = "session.begin, media.path"


class Source(Section):
    """Networks from which roles, offices, or everybody may come."""

    networks: tuple[Cidr, ...] = Field(strict=False, min_length=1, max_length=50)
    roles: tuple[AnyRole, ...] = Field((), strict=False)
    offices: tuple[str, ...] = Field((), strict=False, max_length=200)


class Network(Section):
    """From where people may come, and what the line must be."""

    vpn: Literal["required", "recommended", "none"] = setting(
        "recommended",
        About(
            name=("インターネットVPN", "Internet VPN"),
            protects=(
                "窓口と役所の間の通信を、決めた通信路だけに限ります",
                "keeps counters and desks on lines that the municipality has chosen",
            ),
            source="Q&A 9",
            enforced=SIGN_IN_TO_MEDIA,
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("required", "必須", "required"),
                    ("recommended", "推奨", "recommended"),
                    ("none", "不要", "not needed"),
                ]
            ),
        ),
    )
    vpn_networks: tuple[Cidr, ...] = setting(
        (),
        About(
            name=("VPNの中とみなすネットワーク", "Networks inside the VPN"),
            protects=(
                "ここに書いたアドレスからの接続だけをVPNの中とみなします",
                "says which addresses count as inside the VPN",
            ),
            source="Q&A 9",
            enforced=SIGN_IN_TO_MEDIA,
            safer=Safer.NARROW,
        ),
        strict=False,
        max_length=50,
    )
    sources: tuple[Source, ...] = setting(
        (),
        About(
            name=("接続を認めるネットワーク", "Networks people may come from"),
            protects=(
                "役割や郵便局ごとに、決めた場所からの接続だけを認めます",
                "lets each role and each office in from its own places only",
            ),
            source="own",
            enforced=SIGN_IN_TO_MEDIA,
            safer=Safer.LIMITED,
        ),
        strict=False,
        max_length=200,
    )
    trusted_proxies: tuple[Cidr, ...] = setting(
        (),
        About(
            name=("信頼するプロキシ", "Trusted proxies"),
            protects=(
                "接続元アドレスの詐称を防ぎます（ここ以外からの X-Forwarded-For は読みません）",
                "keeps addresses honest: X-Forwarded-For counts from these alone",
            ),
            source="own",
            enforced="server/api/reach.py",
            safer=Safer.FEWER,
        ),
        strict=False,
        max_length=20,
    )
    relay: Literal["none", "fallback", "only"] = setting(
        "none",
        About(
            name=("映像と音声の中継", "Relay of sound and pictures"),
            protects=(
                "映像と音声が通る経路を決めます（中継は自庁の中継サーバだけ）",
                "decides which way media may take; relays are the municipality's own",
            ),
            source="own",
            enforced="media.path, server/stricter.py, media/port.py",
            choices=choice(
                [
                    ("none", "使わない", "none"),
                    ("fallback", "直接つながらないとき", "when there is no direct way"),
                    ("only", "必ず使う", "always"),
                ]
            ),
        ),
    )
    tls_minimum: Literal["1.3", "1.2"] = setting(
        "1.2",
        About(
            name=("TLSの最低の版", "Lowest TLS version"),
            protects=(
                "古い暗号での接続を断ります",
                "refuses connections with outdated encryption",
            ),
            source="own",
            enforced="session.begin, server/tls.py",
            safer=Safer.ORDER,
            choices=choice([("1.3", "TLS 1.3", "TLS 1.3"), ("1.2", "TLS 1.2", "TLS 1.2")]),
        ),
    )
