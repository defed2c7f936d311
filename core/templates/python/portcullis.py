"""Verdicts, hosts, settings, and errors that say what is wrong."""

import builtins
import ipaddress
import json
import os
import random
import re
import sys
import time
from functools import cache, wraps

from componentize_py_types import Err
from wit_world.imports import answer
from wit_world.imports.types import (
    Fallback,
    HeaderError_Forbidden,
    HeaderError_InvalidSyntax,
    HeaderError_SizeExceeded,
    IpAddress,
    IpAddress_Ipv4,
    Page,
    Question,
    Redirection,
    Refusal,
    Verdict,
    Verdict_Allow,
    Verdict_Ask,
    Verdict_Block,
    Verdict_Drop,
    Verdict_Next,
    Verdict_Redirect,
    Verdict_Replace,
)

NEXT = Verdict_Next()
"""No opinion: the next filter is asked."""

ALLOW = Verdict_Allow()
"""It passes, and no further filter is asked by this hook."""

DROP = Verdict_Drop()
"""Closes the connection without an answer."""


def block(reason: str, status: int = 403, **more) -> Verdict:
    """Refuses the exchange. The reason, one line, is shown to the client and written to the log.

    This and the following take `retry_after`, the milliseconds after which the client may try
    again, `matched`, the rule that decided, and `fields`, header fields of the answer, each a text
    or bytes: {"Cache-Control": "no-store"}. All are said at once, so a hook has to be running.

    The status is 400 to 599. An argument of another type or range is an error with its name.
    """
    _check_text("reason", reason)
    _check_status(status, range(400, 600), "400 to 599")
    return _answered(Verdict_Block(Refusal(status, reason)), **more)


def redirect(location: str, status: int = 302, **more) -> Verdict:
    """Sends the client to an absolute URL. The status is 301, 302, 303, 307 or 308."""
    _check_text("location", location)
    _check_status(status, (301, 302, 303, 307, 308), "301, 302, 303, 307 or 308")
    return _answered(Verdict_Redirect(Redirection(status, location)), **more)


def replace(content_type: str, body: str | bytes, status: int = 200, **more) -> Verdict:
    """Answers in place of the origin. The status is 200 to 599."""
    _check_text("content_type", content_type)
    _check_status(status, range(200, 600), "200 to 599")
    page = Page(status, content_type, _as_bytes("body", body))
    return _answered(Verdict_Replace(page), **more)


def ask(text: str, otherwise: Fallback = Fallback.BLOCK, wait: int = 60_000, **more) -> Verdict:
    """Asks a person.

    If none has decided after `wait` milliseconds, `otherwise` holds: the next filter is asked, or
    the exchange is refused.
    """
    _check_text("text", text)
    if not isinstance(otherwise, Fallback):
        raise _unfit("otherwise", otherwise, "Fallback.NEXT or Fallback.BLOCK")
    _check_time("wait", wait)
    return _answered(Verdict_Ask(Question(text, otherwise, wait)), **more)


def keep(time: int) -> None:
    """Lets the proxy use the answer of JudgeHost again for so many milliseconds, where host, port
    and all facts agree that the filter has asked for.
    """
    _check_time("time", time)
    answer.keep(time)


def _answered(
    verdict: Verdict,
    retry_after: int | None = None,
    matched: str | None = None,
    fields: dict[str, str | bytes] | None = None,
) -> Verdict:
    # All are looked at before any is said.
    if retry_after is not None:
        _check_time("retry_after", retry_after)
    if matched is not None:
        _check_text("matched", matched)
    if fields is not None and not isinstance(fields, dict):
        raise _unfit("fields", fields, "a dict of header fields")
    added = {}
    for name, value in (fields or {}).items():
        _check_text("the name of a header field", name)
        added[name] = _as_bytes(f"fields[{name!r}]", value)

    if retry_after is not None:
        answer.retry_after(retry_after)
    if matched is not None:
        answer.matched(matched)
    for name, value in added.items():
        _add_field(name, value)
    return verdict


def _add_field(name: str, value: bytes) -> None:
    try:
        answer.add_field(name, value)
    except Err as error:
        if isinstance(error.value, HeaderError_Forbidden):
            wrong = "belongs to the proxy and cannot be changed"
        elif isinstance(error.value, HeaderError_InvalidSyntax):
            wrong = "has a name or a value that is not possible in HTTP"
        elif isinstance(error.value, HeaderError_SizeExceeded):
            wrong = "is more than can be added to an answer: 1000 fields, and 64 KiB of names and values"
        else:
            raise
        raise ValueError(f"the field {name} {wrong}") from None


def _check_text(name: str, value) -> None:
    # What does not fit the contract is a trap in the built filter, with neither name nor line.
    if not isinstance(value, str):
        raise _unfit(name, value, "a text")


def _check_status(value, possible, which: str) -> None:
    if not _is_whole(value) or value not in possible:
        raise _unfit("status", value, which)


def _check_time(name: str, value) -> None:
    if not _is_whole(value) or not 0 <= value < 1 << 64:
        raise _unfit(name, value, "whole milliseconds")


def _is_whole(value) -> bool:
    # To Python, True is a number.
    return isinstance(value, int) and not isinstance(value, bool)


def _as_bytes(name: str, value: str | bytes) -> bytes:
    if not isinstance(value, (str, bytes)):
        raise _unfit(name, value, "a text or bytes")
    return value.encode() if isinstance(value, str) else value


def _unfit(name: str, value, what: str) -> Exception:
    return ValueError(f"{name} is {value!r}, and it has to be {what}")


def is_within(host: str, domain: str) -> bool:
    """Whether the host is that domain itself or a name below it: www.evil.example is within
    evil.example, notevil.example is not.

    The domain's case does not matter, nor do dots around it; nothing is within an empty domain. An
    IP address is only within itself.
    """
    end = domain.strip(".").lower()
    return end != "" and (host == end or not is_address(host) and host.endswith(f".{end}"))


def is_address(host: str) -> bool:
    """Whether the host is an IP address: no name has a colon or ends in a number."""
    return re.search(r":|(^|\.)[0-9]+$", host) is not None


def ip(address: IpAddress) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """A client's address as Python's library has it: with networks that it is in, and as a text."""
    if isinstance(address, IpAddress_Ipv4):
        return ipaddress.IPv4Address(bytes(address.value))
    return ipaddress.IPv6Address(b"".join(group.to_bytes(2, "big") for group in address.value))


def settings(text: str, kind: type):
    """Makes a dataclass of the settings.

    A name that it does not have is refused, and so is a value of another type than its default.
    """
    given = json.loads(text)
    defaults = vars(kind())
    for name, value in given.items():
        if name not in defaults:
            raise Err(f"there is no setting {name}, only {', '.join(defaults)}")
        if type(value) is not type(defaults[name]):
            raise Err(f"{name}: {value!r} is not a {type(defaults[name]).__name__}")
    return kind(**given)


def hook(call):
    """Lets the proxy's log tell what an error was and where.

    Without it there is a trap without a word. A method of a hook's class that the proxy
    would not call is refused at once: when the filter is built, or its tests begin.
    """
    _check_method(call)
    judges = call.__name__ == "judge"

    @wraps(call)
    def told(*args):
        # Not while the component is made, when modules are loaded, nor where the tests run.
        if sys.platform == "wasi":
            withhold()
        try:
            verdict = call(*args)
        except Exception as error:
            raise Err(_text(error)) from None
        if judges and not isinstance(verdict, Verdict):
            raise Err(
                f"the hook answered {verdict!r}; a verdict is NEXT, ALLOW, DROP, block(…), redirect(…), replace(…) or ask(…)"
            )
        return verdict

    return told


_METHODS = {
    "Lifecycle": "init",
    "JudgeHost": "judge",
    "JudgeRequest": "judge",
    "JudgeResponse": "judge",
    "ExchangeEnded": "ended",
    "Tick": "tick",
}


def _check_method(call) -> None:
    owner, _, name = call.__qualname__.rpartition(".")
    method = _METHODS.get(owner, name)
    if name != method:
        raise TypeError(f"the method of {owner} is {method}, and {name} would never be called")


def _text(error: Exception) -> str:
    if not isinstance(error, Err):
        return f"{type(error).__name__}: {error} ({_place(error)})"
    if isinstance(error.value, str):
        return error.value
    # A call to the proxy was not caught. StateError_TooLarge() is `too-large`.
    case = type(error.value).__name__.rsplit("_")[-1]
    case = re.sub("(?<!^)([A-Z])", r"-\1", case).lower()
    said = ": ".join([case, *vars(error.value).values()])
    return f"the proxy answers {said} ({_place(error)})"


def _place(error: Exception) -> str:
    # The module traceback would look for source files, and there are no files in the proxy.
    trace = error.__traceback__
    place = "somewhere"
    while trace:
        file = trace.tb_frame.f_code.co_filename
        # Neither here, where it is only told, nor in what stands between the filter and the proxy.
        if file != _place.__code__.co_filename and "wit_world" not in file:
            place = f"{file.rsplit('/')[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


@cache
def withhold() -> None:
    """Takes away what Python has and a filter has not: each instance would draw the same random
    numbers, and the rest end in a trap.
    """

    def missing(what, instead):
        def call(*_, **__):
            raise RuntimeError(f"a filter has no {what}; {instead}")

        return call

    clock = missing("clock of its own", "see wit_world.imports.clock")
    for name in ["time", "time_ns", "monotonic", "monotonic_ns", "localtime", "gmtime"]:
        setattr(time, name, clock)
    chance = missing("random numbers of its own", "see wit_world.imports.random")
    for name in dir(random):
        # What the module draws from its own generator.
        if isinstance(getattr(getattr(random, name), "__self__", None), random.Random):
            setattr(random, name, chance)
    os.urandom = random._urandom = chance
    builtins.print = missing("console", "see wit_world.imports.log")
    builtins.open = missing("files", "what it needs stands in its settings")
