"""What the demo's figures rest on, printed below them."""

from lecmux.demo.cross_fit import FOLDS
from lecmux.demo.outcomes import PRICES, WRONG_IN_LARGE_CALLS, Outcomes
from lecmux.demo.questions import ASKED, WORDINGS
from lecmux.demo.run import Result

__all__ = ["notes"]

_CENTS = 100


def notes(result: Result, outcomes: Outcomes) -> str:
    """Questions, prices, budget, and who was told what."""
    shares = outcomes.shares()
    right = f"small gets {shares['right_small']:.1%} right, large {shares['right_large']:.1%}"
    wrong = f"{WRONG_IN_LARGE_CALLS:g} average large calls, {_CENTS * outcomes.price_of_wrong_usd:.4f} cents"
    return f"""
{shares["count"]} questions in {WORDINGS} wordings each, all as likely. As first worded
{right}, only large {shares["only_large"]:.1%}.
US cents per million tokens, in and out: small {_price("small")}; large
{_price("large")}.
A wrong answer costs {wrong}, each time.
{_meaning(result)}
lecmux called the models. The other rows are computed from what each model
answers to each wording, measured once before the stream (greedy decoding, so
it repeats). The quality hook knows the answer key, as a user's test or thumb
would: after each call lecmux learns whether the answer was right.
What a call will cost lecmux expects from the text, as its own calls taught it.
"lecmux + prior" was taught ahead, and no more later: by both models' answers to
the questions of {FOLDS - 1} other folds of {FOLDS}, never to the question's own."""


def _meaning(result: Result) -> str:
    answers = f"a quarter of the {len(ASKED)} answers"
    budget = f"Every cache has {result.capacity_bytes:,} bytes"
    if not result.settings.max_error:
        return f"{budget}, which hold {answers}. Hits by meaning are off."
    return f"""\
"Alike" are hits by meaning, on the answer to other words: as many as keep wrong
ones within {result.settings.max_error:.0%} of all requests, by what lecmux learns from answers that are
paid for. Two say the same where they name the same word of the answer key, or
end in the same number. "Exact" are hits word for word.
{budget}. They hold {answers} with
vectors and what is learnt of them, which lecmux pays for out of the same bytes.
Caches without hits by meaning hold more answers in them."""


def _price(model: str) -> str:
    price = PRICES[model]
    return f"{_CENTS * price.input_usd_per_million:g}, {_CENTS * price.output_usd_per_million:g}"
