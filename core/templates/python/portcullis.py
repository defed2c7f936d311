"""Verdicts, domains, settings, and errors that say what is wrong."""

import builtins
import json
import random
import re
import sys
import time
from functools import wraps

from componentize_py_types import Err
from wit_world.imports.types import (
    Block,
    Page,
    Redirect,
    Verdict,
    Verdict_Allow,
    Verdict_Block,
    Verdict_Next,
    Verdict_Redirect,
    Verdict_Replace,
)

NEXT = Verdict_Next()
"""No opinion: the next filter is asked."""

ALLOW = Verdict_Allow()
"""It passes, and no further filter is asked by this hook."""


def block(reason: str, status: int = 403) -> Verdict:
    """Refuses the request. The reason, one line, is shown to the client and written to the log."""
    return Verdict_Block(Block(status, reason))


def redirect(location: str, status: int = 302) -> Verdict:
    """Sends the client to an absolute URL."""
    return Verdict_Redirect(Redirect(status, location))


def replace(content_type: str, body: bytes, status: int = 200) -> Verdict:
    """Answers in place of the origin."""
    return Verdict_Replace(Page(status, content_type, body))


def is_within(host: str, domain: str) -> bool:
    """Whether the host is that domain itself or a name below it: www.evil.example is within evil.example, notevil.example is not.

    The domain's case does not matter, nor do dots around it; nothing is within an empty domain. An IP address is only within itself.
    """
    end = domain.strip(".").lower()
    return end != "" and (host == end or not is_address(host) and host.endswith(f".{end}"))


def is_address(host: str) -> bool:
    """Whether the host is an IP address: no name has a colon or ends in a number."""
    return re.search(r":|(^|\.)[0-9]+$", host) is not None


def withhold() -> None:
    """Takes away what Python has and a filter has not: each instance would draw the same random numbers, and the rest end in a trap."""

    def missing(what, instead):
        def call(*_, **__):
            raise RuntimeError(f"a filter has no {what}; {instead}")

        return call

    clock = missing("clock of its own", "see wit_world.imports.clock")
    for name in ["time", "time_ns", "monotonic", "monotonic_ns", "localtime", "gmtime"]:
        setattr(time, name, clock)
    for name in dir(random):
        # What the module draws from its own generator.
        if isinstance(getattr(getattr(random, name), "__self__", None), random.Random):
            setattr(random, name, missing("random numbers", "count in state, or hash what you have"))
    builtins.print = missing("console", "see wit_world.imports.log")
    builtins.open = missing("files", "what it needs stands in its settings")


def settings(text: str, kind: type):
    """Makes a dataclass of the settings. A name that it does not have is refused, and so is a value of another type than its default."""
    given = json.loads(text)
    defaults = vars(kind())
    for name, value in given.items():
        if name not in defaults:
            raise Err(f"there is no setting {name}, only {', '.join(defaults)}")
        if type(value) is not type(defaults[name]):
            raise Err(f"{name}: {value!r} is not a {type(defaults[name]).__name__}")
    return kind(**given)


def hook(call):
    """Lets the proxy's log tell what an error was and where. Without it there is a trap without a word."""
    judges = call.__name__ == "judge"
    # Not while the component is made, when modules are loaded, nor where the tests run.
    begins = call.__name__ == "init" and sys.platform == "wasi"

    @wraps(call)
    def told(*args):
        if begins:
            withhold()
        try:
            answer = call(*args)
        except Err:
            raise
        except Exception as error:
            raise Err(f"{type(error).__name__}: {error} ({_place(error)})") from None
        if judges and not isinstance(answer, Verdict):
            raise Err(f"the hook answered {answer!r}; a verdict is NEXT, ALLOW, block(…), redirect(…) or replace(…)")
        return answer

    return told


def _place(error: Exception) -> str:
    # The module traceback would look for source files, and there are no files in the proxy.
    trace = error.__traceback__
    # Not here, where it is only said.
    while trace.tb_next and trace.tb_next.tb_frame.f_code.co_filename != _place.__code__.co_filename:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/')[-1]}:{trace.tb_lineno}"
