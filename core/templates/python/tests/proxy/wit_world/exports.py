"""The hooks."""


class Lifecycle:
    pass


class JudgeHost:
    pass


class JudgeRequest:
    pass


class JudgeResponse:
    pass


class ExchangeEnded:
    pass


class Tick:
    pass
