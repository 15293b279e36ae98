"""From a set of environments to a marker, as short as a person would write it.

A set is written as alternatives of conditions.  Each condition is left out that an alternative
does not need, and each alternative that the others cover, both where an assumption holds
(the project's Requires-Python, what platforms there are); what all alternatives share comes first.
Rule: the marker has, where the assumption holds, exactly the meaning of the set.

Source: PEP 508, "Environment Markers".
"""

from itertools import islice
from typing import NamedTuple

from packaging.markers import Marker

from resolver.markers.diagram import EVERYWHERE, NOWHERE, Environments, MarkerTooComplex, node
from resolver.markers.versions import between, words_of

#: Alternatives that are made shorter, and that are written at all.
_MOST_SHORTENED = 100
_MOST_WRITTEN = 2000
_OPPOSITES = {"==": "!=", "in": "not in", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class _Condition(NamedTuple):
    """One comparison; `words` are its place among others and its text."""

    words: tuple[str, str]
    where: Environments


_Alternative = tuple[_Condition, ...]


def write_marker(environments: Environments, assuming: Environments = EVERYWHERE) -> Marker | None:
    """Returns the marker of a set; None for one that always holds, where the assumption does.

    Args:
        environments: not empty.
        assuming: what need not be said.

    Raises:
        MarkerTooComplex: it would have thousands of alternatives.
    """
    if assuming.implies(environments):
        return None
    wanted = environments & assuming
    paths = list(islice(environments.under(assuming).paths(), _MOST_WRITTEN + 1))
    if len(paths) > _MOST_WRITTEN:
        raise MarkerTooComplex("a marker would be too long to be written")
    alternatives = [tuple(condition for step in path for condition in _conditions(*step)) for path in paths]
    if len(alternatives) <= _MOST_SHORTENED:
        forbidden = assuming & ~environments
        alternatives = [_shortened(one, forbidden) for one in alternatives]
        alternatives = _needed(list(dict.fromkeys(alternatives)), wanted)
    return Marker(_text(alternatives))


def _conditions(one: Environments, at: int) -> list[_Condition]:
    """Returns what the way to a child says of the variable."""
    variable, keys = one.variable, one.keys
    name = "python_version" if variable.name == "python_full_version" else variable.name
    if variable.has_cuts:
        low, high = (keys[at - 1] if at else None), (keys[at] if at < len(keys) else None)
        assert not isinstance(low, str) and not isinstance(high, str)
        words = words_of(variable, low, high)
        parts = [between(variable, low, high)]
        if len(words) == 2:
            parts = [between(variable, low, None), between(variable, None, high)]
        return [_Condition((name, text), part) for text, part in zip(words, parts, strict=True)]
    if variable.is_atom:
        inside = node(variable, keys, (EVERYWHERE, NOWHERE))
        operator = variable.operator if at == 0 else _OPPOSITES[variable.operator]
        sides = (variable.name, operator, _quoted(variable.literal))
        words = [" ".join(sides[::-1] if variable.reversed else sides)]
        return [_Condition((name, words[0]), inside if at == 0 else ~inside)]
    found = []
    for key in (keys[at],) if at < len(keys) else keys:
        inside = node(variable, (key,), (EVERYWHERE, NOWHERE))
        text = f"{name} {'==' if at < len(keys) else '!='} {_quoted(str(key))}"
        found.append(_Condition((name, text), inside if at < len(keys) else ~inside))
    return found


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def _shortened(alternative: _Alternative, forbidden: Environments) -> _Alternative:
    """Leaves out conditions as long as nothing forbidden comes in."""
    kept = list(alternative)
    for condition in alternative:
        others = [one for one in kept if one is not condition]
        if not _all(others) & forbidden:
            kept = others
    return tuple(kept)


def _needed(alternatives: list[_Alternative], wanted: Environments) -> list[_Alternative]:
    """Leaves out alternatives that the others cover, the longest first."""
    kept = alternatives
    for one in sorted(alternatives, key=len, reverse=True):
        others = [other for other in kept if other is not one]
        covered = NOWHERE
        for other in others:
            covered |= _all(other)
        if wanted.implies(covered):
            kept = others
    return kept


def _all(conditions: list[_Condition] | _Alternative) -> Environments:
    found = EVERYWHERE
    for condition in conditions:
        found &= condition.where
    return found


def _text(alternatives: list[_Alternative]) -> str:
    if not alternatives:
        return "python_version < '0'"
    shared = [one for one in alternatives[0] if all(one in other for other in alternatives)]
    rests = [tuple(one for one in alternative if one not in shared) for alternative in alternatives]
    parts = [text for _, text in sorted(one.words for one in shared)]
    if all(rests):
        texts = [" and ".join(text for _, text in sorted(one.words for one in rest)) for rest in rests]
        texts = [
            f"({text})" if len(texts) > 1 and len(rest) > 1 else text for text, rest in zip(texts, rests, strict=True)
        ]
        either = " or ".join(texts)
        parts.append(f"({either})" if parts and len(texts) > 1 else either)
    return " and ".join(parts)
