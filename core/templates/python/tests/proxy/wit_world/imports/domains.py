"""How names relate to the registries that hand them out."""

from portcullis import is_address

_KNOWN = {"co.uk", "com.au", "co.jp", "github.io"}

suffixes = set(_KNOWN)
"""The public suffixes that are more than one label.

The proxy knows thousands; a test adds those that it is about.
"""


def reset() -> None:
    suffixes.clear()
    suffixes.update(_KNOWN)


def registrable(host: str) -> str | None:
    labels = host.split(".")
    ends = range(len(labels))
    end = next(at for at in ends if at == ends[-1] or ".".join(labels[at:]) in suffixes)
    return None if is_address(host) or end == 0 else ".".join(labels[end - 1 :])
