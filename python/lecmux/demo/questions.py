"""The demo's questions, written for it, with their answers.

Some are near twins: the same words about another number or word, and another answer. Each comes in several
wordings (`wordings.py`). Both models get the same prompt, limits and checkers.

The mix was chosen from a larger pool, after both models had been measured on it, so that each has something
to be good at: the small one knows words and facts, the large one can also reckon. Kinds that neither can do
were left out; within a kind either model fails some.
"""

from dataclasses import dataclass

from lecmux.demo.check import Checker, Number, Words
from lecmux.demo.wordings import other_wordings

__all__ = ["ASKED", "MAX_TOKENS", "QUESTIONS", "STOP", "SYSTEM", "WORDINGS", "Question"]

SYSTEM = "You answer questions with one short sentence."
STOP = (". ", "\n")
MAX_TOKENS = 40


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `kind` groups the report; `checker` knows the answer."""

    kind: str
    text: str
    checker: Checker

    def right(self, answer: str) -> bool:
        """Whether `answer` is right."""
        return self.checker.right(self.text, answer)


def _of(kind: str, *pairs: tuple[str, float | str | tuple[str, ...]]) -> tuple[Question, ...]:
    return tuple(Question(kind, text, _checker(answer)) for text, answer in pairs)


def _checker(answer: float | str | tuple[str, ...]) -> Checker:
    if isinstance(answer, (int, float)):
        return Number(answer)
    return Words((answer,) if isinstance(answer, str) else answer)


QUESTIONS: tuple[Question, ...] = (
    *_of(
        "arithmetic",
        ("What is 2 + 3?", 5),
        ("What is 7 + 8?", 15),
        ("What is 10 - 4?", 6),
        ("What is 6 times 7?", 42),
        ("What is 9 times 9?", 81),
        ("What is 100 divided by 4?", 25),
        ("What is 17 + 25?", 42),
        ("What is 17 + 52?", 69),
        ("What is 63 - 28?", 35),
        ("What is 12 times 12?", 144),
        ("What is 125 + 376?", 501),
        ("What is 1000 - 357?", 643),
        ("What is 34 times 21?", 714),
        ("What is half of 250?", 125),
        ("What is 20 percent of 150?", 30),
        ("What is 20 percent of 250?", 50),
    ),
    *_of(
        "word problem",
        ("Tom has 12 apples and gives 5 away. How many apples does he have left?", 7),
        ("A box holds 6 eggs. How many eggs are in 4 boxes?", 24),
        ("A box holds 6 eggs. How many eggs are in 9 boxes?", 54),
        ("Anna reads 15 pages a day. How many pages does she read in 7 days?", 105),
        ("A train travels 60 miles per hour. How many miles does it travel in 3 hours?", 180),
        ("A train travels 60 miles per hour. How many miles does it travel in 5 hours?", 300),
        ("A pen costs 3 dollars. How many dollars do 8 pens cost?", 24),
        ("A pen costs 3 dollars. How many dollars do 6 pens cost?", 18),
        ("There are 24 cookies shared equally among 6 children. How many cookies does each child get?", 4),
        ("A farmer has 30 cows and buys 12 more. How many cows does he have now?", 42),
        ("Sara had 50 dollars and spent 18. How many dollars are left?", 32),
        ("A bus has 40 seats and 27 are taken. How many seats are free?", 13),
        ("Each of 5 shelves holds 9 books. How many books are there in all?", 45),
        ("A square has sides of 6 centimeters. What is its perimeter in centimeters?", 24),
        ("A baker makes 3 trays of 12 rolls each. How many rolls does he make?", 36),
    ),
    *_of(
        "capital",
        ("What is the capital of France?", "Paris"),
        ("What is the capital of Japan?", "Tokyo"),
        ("What is the capital of Italy?", "Rome"),
        ("What is the capital of Germany?", "Berlin"),
        ("What is the capital of Canada?", "Ottawa"),
        ("What is the capital of Australia?", "Canberra"),
        ("What is the capital of Egypt?", "Cairo"),
        ("What is the capital of Spain?", "Madrid"),
        ("What is the capital of Norway?", "Oslo"),
        ("What is the capital of Kenya?", "Nairobi"),
        ("What is the capital of Peru?", "Lima"),
        ("What is the capital of Turkey?", "Ankara"),
        ("What is the capital of Brazil?", ("Brasilia", "Brasília")),
        ("What is the capital of Thailand?", "Bangkok"),
        ("What is the capital of Portugal?", "Lisbon"),
    ),
    *_of(
        "fact",
        ("Which planet is known as the Red Planet?", "Mars"),
        ("Which planet is the largest in our solar system?", "Jupiter"),
        ("Which planet is closest to the Sun?", "Mercury"),
        ("What gas do plants take in from the air to make food?", ("carbon dioxide", "CO2")),
        ("What is the chemical symbol for gold?", "Au"),
        ("What is the chemical symbol for iron?", "Fe"),
        ("What is the chemical formula of water?", ("H2O", "H₂O")),
        ("Who wrote the play Romeo and Juliet?", "Shakespeare"),
        ("Who painted the Mona Lisa?", ("Leonardo", "da Vinci")),
        ("Who developed the theory of relativity?", "Einstein"),
        ("Which is the largest ocean on Earth?", "Pacific"),
        ("Which is the longest river in South America?", "Amazon"),
        ("In which continent is the Sahara desert?", "Africa"),
        ("Which animal is the tallest on land?", ("giraffe", "giraffes")),
        ("What is the hardest natural substance?", ("diamond", "diamonds")),
    ),
    *_of(
        "count",
        ("How many days are there in a week?", 7),
        ("How many months are there in a year?", 12),
        ("How many minutes are there in an hour?", 60),
        ("How many legs does a spider have?", 8),
        ("How many sides does a hexagon have?", 6),
        ("How many hours are there in two days?", 48),
        ("How many hours are there in three days?", 72),
        ("How many continents are there on Earth?", 7),
        ("How many letters are there in the English alphabet?", 26),
        ("How many degrees are there in a right angle?", 90),
        ("In which year did the Second World War end?", 1945),
    ),
    *_of(
        "language",
        ("What is the opposite of hot?", "cold"),
        ("What is the opposite of heavy?", "light"),
        ("What is the opposite of big?", ("small", "little", "tiny")),
        ("What is the opposite of early?", "late"),
        ("What is the opposite of empty?", "full"),
        ("What is the opposite of victory?", ("defeat", "loss")),
        ("What is the past tense of the verb go?", "went"),
        ("What is the past tense of the verb buy?", "bought"),
        ("What is the past tense of the verb swim?", "swam"),
        ("What is the past tense of the verb teach?", "taught"),
        ("What is the plural of mouse?", "mice"),
        ("What is the plural of child?", "children"),
        ("What is the plural of tooth?", "teeth"),
        ("What is the plural of goose?", "geese"),
        ("What is the Spanish word for house?", "casa"),
        ("What is the Spanish word for horse?", "caballo"),
    ),
)

WORDINGS = 6
"""How many wordings each question comes in."""

ASKED: tuple[Question, ...] = tuple(
    Question(question.kind, text, question.checker)
    for question in QUESTIONS
    for text in (question.text, *other_wordings(question.text))
)
"""Every wording of every question: those of question i begin at i times `WORDINGS`."""
