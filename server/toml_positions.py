"""Where in a TOML text each key stands, and which keys stand there twice. Pure.

The values come from tomllib, which knows no lines; the lines come from tree-sitter, which reads
on after an error, so that every duplicate is found and not only the first.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

KeyPath = tuple[str | int, ...]
_KEYS = ("bare_key", "quoted_key", "dotted_key")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A key or table that was there already."""

    path: KeyPath
    line: int
    first_line: int
    start_byte: int
    end_byte: int


@dataclass(slots=True)
class Positions:
    """Lines from 1. A key inside an array of tables has the table's index in its path."""

    lines: dict[KeyPath, int] = field(default_factory=dict)
    duplicates: list[Duplicate] = field(default_factory=list)

    def line_of(self, path: KeyPath) -> int:
        """Return the line of `path`, or of the nearest that holds it, or 1."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def note(self, path: KeyPath, node: Node) -> None:
        """Remember where `path` stands, or that it stands there again."""
        line = node.start_point[0] + 1
        if path in self.lines:
            again = Duplicate(path, line, self.lines[path], node.start_byte, node.end_byte)
            self.duplicates.append(again)
        else:
            self.lines[path] = line


def find_positions(text: bytes) -> Positions:
    """Return the positions of all keys in `text`, whatever it holds."""
    positions = Positions()
    parser = Parser(Language(tree_sitter_toml.language()))
    counts: dict[KeyPath, int] = {}
    pairs: list[tuple[KeyPath, Node]] = []
    for node in parser.parse(text).root_node.children:
        if node.type == "pair":
            pairs.append(((), node))
        elif node.type in ("table", "table_array_element"):
            *above, last = _key_parts(node)
            path = (*_within(above, counts), last)
            if node.type == "table_array_element":
                index = counts[path] = counts.get(path, -1) + 1
                positions.lines.setdefault(path, node.start_point[0] + 1)
                path = (*path, index)
            positions.note(path, node)
            again = positions.duplicates and positions.duplicates[-1].start_byte == node.start_byte
            if not again:
                pairs.extend((path, child) for child in node.children if child.type == "pair")
    _note_pairs(pairs, positions)
    return positions


def _within(keys: list[str], counts: dict[KeyPath, int]) -> KeyPath:
    """Return the path of a table; of an array of tables on the way the newest is meant."""
    path: KeyPath = ()
    for key in keys:
        path = (*path, key)
        path = (*path, counts[path]) if path in counts else path
    return path


def without_duplicates(text: bytes, positions: Positions) -> bytes:
    """Return `text` with every duplicate blanked out, its lines kept."""
    out = bytearray(text)
    for again in positions.duplicates:
        for index in range(again.start_byte, again.end_byte):
            if out[index] not in b"\r\n":
                out[index] = 0x20
    return bytes(out)


def _note_pairs(pairs: list[tuple[KeyPath, Node]], positions: Positions) -> None:
    pairs.reverse()
    while pairs:
        above, pair = pairs.pop()
        path = (*above, *_key_parts(pair))
        positions.note(path, pair)
        tables = (child for child in pair.children if child.type == "inline_table")
        inner = [(path, node) for table in tables for node in table.children]
        pairs.extend(item for item in reversed(inner) if item[1].type == "pair")


def _key_parts(node: Node) -> Iterator[str]:
    key = next((child for child in node.children if child.type in _KEYS), None)
    stack = [key] if key is not None else []
    while stack:
        part = stack.pop()
        if part.type == "dotted_key":
            stack.extend(child for child in reversed(part.children) if child.type in _KEYS)
        else:
            yield _plain(part)


def _plain(key: Node) -> str:
    raw = (key.text or b"").decode("utf-8", "replace")
    if key.type == "bare_key":
        return raw
    try:
        return next(iter(tomllib.loads(f"{raw} = 0")))
    except tomllib.TOMLDecodeError:
        return raw
