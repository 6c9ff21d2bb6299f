"""From a YAML 1.2 text to its nodes: by libyaml, and by ruamel where libyaml is missing or refuses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeAlias

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode

try:
    from yaml.cyaml import CParser
except ImportError:  # built without libyaml
    CParser = None

Node: TypeAlias = Any  # of either library: id, value, tag, start_mark.line

_CORE = "tag:yaml.org,2002:"
# Where libyaml, which reads YAML 1.1, may see something else than ruamel: tabs and line ends of 1.1, tags, anchors,
# marks of documents, directives. None of our own files has them.
_DOUBTFUL = re.compile(r"[\t\x85\u2028\u2029\ufeff]|^(?:%|---|\.\.\.)|(?:^|[\s,\[{])[!&]", re.MULTILINE)
_RESOLVER = YAML(typ="safe", pure=True).resolver


def compose(text: str) -> Node | None:
    """The root node; None for an empty text. Raises ruamel's YAMLError, which says what is wrong and in which line.

    libyaml is some twenty times faster; that ruamel has the last word keeps faults in its words.
    """
    if CParser is not None and not _DOUBTFUL.search(text):
        try:
            return _quick()(text).get_single_node()
        except yaml.YAMLError:
            pass
    return YAML(typ="safe", pure=True).compose(text)


@lru_cache(maxsize=1)
def _quick() -> Any:
    """libyaml's parser with the types of YAML 1.2: "no" is a text there, and 0o7 a number."""

    class Quick(CParser):  # type: ignore[misc]
        def resolve(self, kind: Any, value: str | None, implicit: Any) -> str:
            if kind is yaml.ScalarNode:
                return _plain_tag(value or "") if implicit[0] else f"{_CORE}str"
            return f"{_CORE}{'seq' if kind is yaml.SequenceNode else 'map'}"

        def descend_resolver(self, parent: Any, index: Any) -> None: ...

        def ascend_resolver(self) -> None: ...

    return Quick


@lru_cache(maxsize=4096)
def _plain_tag(value: str) -> str:
    return str(_RESOLVER.resolve(ScalarNode, value, (True, False)))
