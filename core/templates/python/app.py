"""Blocks the domains that its settings list."""

from dataclasses import dataclass, field

from portcullis import NEXT, block, hook, is_within, settings
from wit_world import exports
from wit_world.imports import log
from wit_world.imports.types import Verdict


@dataclass
class Config:
    """The [config] of the .toml file beside the filter, and what holds if it says nothing.

    A new setting also needs its type in config.schema.json.
    """

    # Each stands for itself and all names below it.
    domains: list[str] = field(default_factory=list)


# The proxy makes many instances of a filter, each with variables of its own.
config = Config()


class Lifecycle(exports.Lifecycle):
    @hook
    def init(self, json: str) -> None:
        """Called once, before anything else.

        What is raised, the operator reads, and the filter is not used.
        """
        global config
        config = settings(json, Config)


class JudgeHost(exports.JudgeHost):
    @hook
    def judge(self, host: str, port: int) -> Verdict:
        """Asked about the host of every exchange, before it is resolved."""
        for domain in config.domains:
            if is_within(host, domain):
                log.write(log.Level.DEBUG, f"{host} is covered by {domain}")
                return block(f"{domain} is blocked here")
        return NEXT
