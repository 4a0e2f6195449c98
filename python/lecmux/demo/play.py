"""Plays a stream of requests through a router and keeps the tally."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from langchain_lecmux import ChatRouter
from lecmux.demo.outcomes import Outcomes, ask
from lecmux.demo.questions import ASKED, QUESTIONS, WORDINGS
from lecmux.demo.stream import deal

__all__ = ["Tally", "play", "stream_of"]


@dataclass
class Tally:
    """What a stream came to so far. Dollars are those of the price list; `seconds` are the models' own."""

    price_of_wrong_usd: float
    usd: float = 0.0
    seconds: float = 0.0
    requests: int = 0
    right: int = 0
    hits: int = 0
    """Word for word and by meaning."""
    calls: Counter[str] = field(default_factory=Counter)
    alike: int = 0
    """Hits by meaning: on the answer to other words."""
    alike_wrong: int = 0
    """Of them wrong by the answer key."""
    misled: int = 0
    """Of these, where the model that gave the answer is right when it is asked in these words."""
    alike_usd: float = 0.0
    """What the calls for hits by meaning had cost."""

    @property
    def exact(self) -> int:
        """Hits word for word."""
        return self.hits - self.alike

    @property
    def wrong_usd(self) -> float:
        """Price of the wrong answers, served from the cache or not."""
        return self.price_of_wrong_usd * (self.requests - self.right)

    @property
    def alike_wrong_usd(self) -> float:
        """Price of the wrong answers among hits by meaning."""
        return self.price_of_wrong_usd * self.alike_wrong

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
            "semantic_hits": self.alike,
            "wrong_semantic_hits": self.alike_wrong,
            "misled_semantic_hits": self.misled,
            "semantic_saved_usd": self.alike_usd,
        }


def stream_of(seed: int, requests: int) -> list[int]:
    """The stream of a seed: places in `ASKED`."""
    return deal(seed, questions=len(QUESTIONS), wordings=WORDINGS, requests=requests)


def play(
    stream: Sequence[int],
    router: ChatRouter,
    outcomes: Outcomes,
    tally: Tally,
    after_each: Callable[[], None],
) -> None:
    """Sends each question of `stream` through `router`, adding to `tally` as it goes."""
    for question in stream:
        answer = router.invoke(ask(question))
        decision = answer.response_metadata["lecmux"]
        right = ASKED[question].right(str(answer.content))
        tally.requests += 1
        tally.right += right
        if decision["kind"] == "hit":
            tally.hits += 1
            if decision["reason"] == "semantic":
                could_be_right = outcomes.by_model[decision["model"]][question].right
                _count_alike(tally, decision["saved"], right=right, could_be_right=could_be_right)
        else:
            tally.calls[decision["model"]] += 1
            tally.usd += decision["cost"]
            tally.seconds += float(answer.response_metadata["seconds"])
        after_each()


def _count_alike(tally: Tally, saved_usd: float, *, right: bool, could_be_right: bool) -> None:
    tally.alike += 1
    tally.alike_usd += saved_usd
    tally.alike_wrong += not right
    tally.misled += could_be_right and not right
