"""Plays a stream of requests through a router and keeps the tally."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from langchain_lecmux import ChatRouter
from lecmux.demo.outcomes import ask
from lecmux.demo.questions import QUESTIONS

__all__ = ["Tally", "play"]


@dataclass
class Tally:
    """What a stream came to so far. Dollars are those of the price list; `seconds` are the models' own."""

    price_of_wrong_usd: float
    usd: float = 0.0
    seconds: float = 0.0
    requests: int = 0
    right: int = 0
    hits: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def wrong_usd(self) -> float:
        """Price of the wrong answers, served from the cache or not."""
        return self.price_of_wrong_usd * (self.requests - self.right)

    @property
    def total_usd(self) -> float:
        """Calls and wrong answers together."""
        return self.usd + self.wrong_usd

    def as_json(self) -> dict[str, float | int]:
        """The figures of one strategy."""
        return {
            "usd": self.usd,
            "wrong_usd": self.wrong_usd,
            "seconds": self.seconds,
            "right": self.right,
            "hits": self.hits,
            "requests": self.requests,
        }


def play(stream: Sequence[int], router: ChatRouter, tally: Tally, after_each: Callable[[], None]) -> None:
    """Sends each question of `stream` through `router`, adding to `tally` as it goes."""
    for question in stream:
        answer = router.invoke(ask(question))
        decision = answer.response_metadata["lecmux"]
        tally.requests += 1
        tally.right += QUESTIONS[question].right(str(answer.content))
        if decision["kind"] == "hit":
            tally.hits += 1
        else:
            tally.calls[decision["model"]] += 1
            tally.usd += decision["cost"]
            tally.seconds += float(answer.response_metadata["seconds"])
        after_each()
