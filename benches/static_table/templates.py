"""Questions as users put them, made of templates and of words of WordNet, from a seed."""

import random
from collections.abc import Iterator
from pathlib import Path

from benches.static_table import wordnet

__all__ = ["questions"]

# Numbers of the lexicographer's files a place of a template draws from (WordNet's lexnames).
_KINDS = {
    "thing": (6, 13, 27),  # artifact, food, substance
    "animal": (5,),
    "person": (18,),
    "place": (15,),
    "act": (4,),
    "idea": (9, 10, 7),  # cognition, communication, attribute
    "state": (26, 12, 14),  # state, feeling, group
    "event": (11, 22, 28),
    "body": (8,),
}

_ASK = (
    "what is {a}",
    "what is the meaning of {a}",
    "what are the best {a}s in {place}",
    "what is the best {a}",
    "what is the difference between {a} and {b}",
    "which is better, {a} or {b}",
    "is {a} better than {b}",
    "how do i {do} my {a}",
    "how can i {do} {a}",
    "how do you {do} {a} and {b}",
    "how does {a} work",
    "how long does it take to {do} {a}",
    "how much does {a} cost",
    "how much does it cost to {do} a {a} in {place}",
    "how many {a}s are there in {place}",
    "how to {do} {a} without {b}",
    "how to become {person}",
    "how should i prepare for {a}",
    "why do people {do} {a}",
    "why is {a} so {adj}",
    "why does my {a} {do}",
    "why can't i {do} the {a}",
    "where can i find {adj} {a}",
    "where is {place}",
    "where do i {do} {a}",
    "when did {name} {do}",
    "when should i {do} my {a}",
    "who is {name}",
    "who was the first {person} of {place}",
    "who invented {a}",
    "can you {do} {a} for me",
    "can i {do} {a} with {b}",
    "is it {adj} to {do} {a}",
    "is it possible to {do} {a} in {place}",
    "is there {a} for {b}",
    "does {a} cause {b}",
    "do {a}s {do} {b}",
    "should i {do} {a} or {b}",
    "what should i do if my {a} is {adj}",
    "what happens if you {do} {a}",
    "what does {name} think about {a}",
    "what does it mean to {do} {a}",
    "what are some {adj} {a}s",
    "what are the advantages and disadvantages of {a}",
    "what is your favourite {a}",
    "what is the capital of {place}",
    "what is the population of {place}",
    "what is the weather like in {place}",
    "what time is it in {place}",
    "what is {number} percent of {number}",
    "what is {number} plus {number}",
    "tell me about {a}",
    "tell me the {a} of {name}",
    "explain {a} in simple words",
    "explain why {a} is {adj}",
    "write a {adj} poem about {a}",
    "write an email to my {person} about {a}",
    "write a function that {do}s {a}",
    "give me {number} {adj} {a}s",
    "give me a recipe with {a} and {b}",
    "translate {a} into {place} language",
    "please {do} my {a}",
    "please tell me how to {do} {a}",
    "i want to {do} my {a}",
    "i need to {do} {a} by {day}",
    "i would like to {do} {number} {a}s",
    "i can't {do} my {a}, what should i do",
    "i forgot my {a}, can i {do} it",
    "i lost my {a} in {place}",
    "i have been charged twice for {a}",
    "i did not order the {a}",
    "my {a} is {adj}",
    "my {a} has not arrived yet",
    "my {a} does not work, can you help me",
    "turn {way} the {a}",
    "set a {a} for {number} {unit}",
    "remind me to {do} {a} on {day}",
    "add {a} to my {b} list",
    "play some {adj} {a}",
    "cancel my {a}",
    "book a {a} for {number} people on {day}",
    "find me a {adj} {a} near {place}",
    "show me the {a}s from {day}",
    "change my {a} to {b}",
    "how is the {a} in {place} on {day}",
    "compare {a} with {b}",
    "summarise the {a} of {name}",
    "list {number} reasons to {do} {a}",
    "{a} vs {b}",
    "{adj} {a} for {b}",
    "{a} in {place}",
    "{a} near me",
    "{name} {a}",
)

_DAYS = ("monday", "tuesday", "friday", "sunday", "tomorrow", "today", "next week", "yesterday", "last month")
_UNITS = ("minutes", "hours", "days", "dollars", "miles", "people", "kilograms")
_LARGEST = 3000


class _Words:
    """Words by place, each listed as often as WordNet's own texts use it, once at least."""

    def __init__(self, folder: Path) -> None:
        counts = _counts(folder)
        self.nouns: dict[str, list[str]] = {place: [] for place in _KINDS}
        self.names: list[str] = []
        for synset in wordnet.read(folder, "noun"):
            if synset.is_name:
                self.names.append(synset.words[0])
            for place, kinds in _KINDS.items():
                if synset.kind in kinds and not synset.is_name:
                    self.nouns[place] += _often(synset.words, counts)
        self.places = [
            each.words[0]
            for each in wordnet.read(folder, "noun")
            if each.is_name and each.kind == _KINDS["place"][0]
        ]
        self.verbs = [word for each in wordnet.read(folder, "verb") for word in _often(each.words, counts)]
        self.adjectives = [
            word for each in wordnet.read(folder, "adj") for word in _often(each.words, counts)
        ]


def questions(folder: Path, count: int, seed: int) -> Iterator[str]:
    """`count` questions; words are drawn by how common they are, with a long tail."""
    draw = random.Random(seed)
    words = _Words(folder)
    places = list(words.nouns)
    for _ in range(count):
        first, second = draw.choice(places), draw.choice(places)
        text = draw.choice(_ASK).format(
            a=draw.choice(words.nouns[first]),
            b=draw.choice(words.nouns[first if draw.random() < 0.5 else second]),
            do=draw.choice(words.verbs),
            adj=draw.choice(words.adjectives),
            person=draw.choice(words.nouns["person"]),
            place=draw.choice(words.places),
            name=draw.choice(words.names),
            number=draw.choice((2, 3, 5, 10, 20, 100, draw.randrange(_LARGEST))),
            day=draw.choice(_DAYS),
            unit=draw.choice(_UNITS),
            way=draw.choice(("on", "off", "up", "down")),
        )
        yield text + draw.choice(("?", "", ".", "?"))


def _counts(folder: Path) -> dict[str, int]:
    """How often each word was met in the texts that WordNet tagged."""
    counts: dict[str, int] = {}
    with (folder / "cntlist.rev").open(encoding="utf-8") as lines:
        for line in lines:
            sense, _, count = line.split()
            word = sense.partition("%")[0].replace("_", " ")
            counts[word] = counts.get(word, 0) + int(count)
    return counts


def _often(words: tuple[str, ...], counts: dict[str, int]) -> list[str]:
    return [word for word in words for _ in range(1 + min(100, counts.get(word.lower(), 0)))]
