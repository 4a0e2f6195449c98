"""Other wordings of the demo's questions, written for it: each asks for the same answer as the first."""

import re
from collections.abc import Mapping

__all__ = ["other_wordings"]

# Questions of one form differ in the places marked: near twins of each other.
_FORMS: Mapping[str, tuple[str, ...]] = {
    "What is {} + {}?": (
        "What do you get when you add {0} and {1}?",
        "{0} + {1} is how much?",
        "How much is {0} plus {1}?",
        "What is the sum of {0} and {1}?",
        "Add {0} and {1}.",
    ),
    "What is {} - {}?": (
        "What is left when you take {1} from {0}?",
        "{0} - {1} is how much?",
        "How much is {0} minus {1}?",
        "What is {0} less {1}?",
        "Subtract {1} from {0}.",
    ),
    "What is {} times {}?": (
        "What do you get when you multiply {0} by {1}?",
        "{0} x {1} is how much?",
        "How much is {0} times {1}?",
        "What is the product of {0} and {1}?",
        "Multiply {0} by {1}.",
    ),
    "What is {} divided by {}?": (
        "What do you get when you divide {0} by {1}?",
        "{0} / {1} is how much?",
        "How much is {0} divided by {1}?",
        "How often does {1} go into {0}?",
        "Divide {0} by {1}.",
    ),
    "What is half of {}?": (
        "How much is one half of {0}?",
        "If you halve {0}, what do you get?",
        "How much is half of {0}?",
        "{0} divided into halves is how much each?",
        "Take half of {0}.",
    ),
    "What is 20 percent of {}?": (
        "How much is 20 percent of {0}?",
        "If you take 20 percent of {0}, what do you get?",
        "What is 20% of {0}?",
        "20 percent of {0} is how much?",
        "Find 20 percent of {0}.",
    ),
    "What is the capital of {}?": (
        "Which city is the capital of {0}?",
        "Tell me the capital city of {0}.",
        "Name the capital of {0}.",
        "What is {0}'s capital?",
        "Do you know the capital of {0}?",
    ),
    "What is the chemical symbol for {}?": (
        "What is {0}'s chemical symbol?",
        "Which chemical symbol stands for {0}?",
        "Tell me the chemical symbol of {0}.",
        "Which symbol do chemists use for {0}?",
        "What symbol does {0} have in chemistry?",
    ),
    "What is the opposite of {}?": (
        "Which word is the opposite of {0}?",
        "Tell me the opposite of {0}.",
        "What is the antonym of {0}?",
        "What word means the opposite of {0}?",
        "Give me the opposite of {0}.",
    ),
    "What is the past tense of the verb {}?": (
        "Which is the past tense form of the verb {0}?",
        "Tell me the past tense of the verb {0}.",
        "What is the simple past of the verb {0}?",
        "How do you put the verb {0} into the past tense?",
        "Give me the past tense of the verb {0}.",
    ),
    "What is the plural of {}?": (
        "Which word is the plural of {0}?",
        "Tell me the plural form of {0}.",
        "What is the plural form of the word {0}?",
        "How do you write the plural of {0}?",
        "Give me the plural of {0}.",
    ),
    "What is the Spanish word for {}?": (
        "Which Spanish word means {0}?",
        "Tell me the Spanish word for {0}.",
        "How do you say {0} in Spanish?",
        "What is {0} in Spanish?",
        "Translate {0} into Spanish.",
    ),
    "A box holds 6 eggs. How many eggs are in {} boxes?": (
        "There are 6 eggs in a box. How many eggs do {0} boxes hold?",
        "If each box holds 6 eggs, how many eggs are there in {0} boxes?",
        "How many eggs do you have in {0} boxes of 6 eggs each?",
        "Eggs come in boxes of 6. How many eggs are in {0} boxes?",
        "With 6 eggs in every box, how many eggs do {0} boxes make?",
    ),
    "A train travels 60 miles per hour. How many miles does it travel in {} hours?": (
        "A train goes at 60 miles per hour. How far does it get in {0} hours, in miles?",
        "If a train travels 60 miles each hour, how many miles does it cover in {0} hours?",
        "How many miles does a train cover in {0} hours at 60 miles per hour?",
        "At 60 miles per hour, how many miles does a train go in {0} hours?",
        "A train runs at 60 miles per hour for {0} hours. How many miles is that?",
    ),
    "A pen costs 3 dollars. How many dollars do {} pens cost?": (
        "One pen is 3 dollars. How much do {0} pens cost in dollars?",
        "If a pen costs 3 dollars, what is the price of {0} pens in dollars?",
        "How many dollars do you pay for {0} pens at 3 dollars each?",
        "Pens are 3 dollars each. How many dollars are {0} pens?",
        "What do {0} pens cost in dollars when each pen costs 3 dollars?",
    ),
    "How many hours are there in {} days?": (
        "How many hours do {0} days have?",
        "What is the number of hours in {0} days?",
        "How many hours make up {0} days?",
        "In {0} days there are how many hours?",
        "How many hours long are {0} days?",
    ),
}

_SINGLE: Mapping[str, tuple[str, ...]] = {
    "Tom has 12 apples and gives 5 away. How many apples does he have left?": (
        "Tom had 12 apples and gave 5 of them away. How many apples are left?",
        "Of his 12 apples, Tom gives away 5. How many apples remain?",
        "Tom gives away 5 of his 12 apples. How many apples does he keep?",
        "How many apples does Tom have left when he gives 5 of 12 away?",
        "From 12 apples Tom gives 5 away. How many are left for him?",
    ),
    "Anna reads 15 pages a day. How many pages does she read in 7 days?": (
        "Every day Anna reads 15 pages. How many pages is that in 7 days?",
        "If Anna reads 15 pages per day, how many pages has she read after 7 days?",
        "How many pages does Anna read in 7 days at 15 pages a day?",
        "Anna reads for 7 days, 15 pages each day. How many pages is that?",
        "At 15 pages a day, how many pages does Anna read in 7 days?",
    ),
    "There are 24 cookies shared equally among 6 children. How many cookies does each child get?": (
        "6 children share 24 cookies equally. How many cookies are there for each child?",
        "If 24 cookies are divided equally among 6 children, how many does each child get?",
        "How many cookies does each of 6 children get from 24 cookies?",
        "24 cookies are split evenly between 6 children. How many does each get?",
        "Share 24 cookies equally among 6 children. How many cookies are that for each?",
    ),
    "A farmer has 30 cows and buys 12 more. How many cows does he have now?": (
        "A farmer with 30 cows buys another 12. How many cows does he own now?",
        "If a farmer has 30 cows and then buys 12 more, how many cows are there?",
        "How many cows does a farmer have who had 30 and bought 12 more?",
        "A farmer adds 12 cows to his 30. How many cows does he have?",
        "A farmer owned 30 cows and has bought 12 more. How many cows is that?",
    ),
    "Sara had 50 dollars and spent 18. How many dollars are left?": (
        "Sara has spent 18 of her 50 dollars. How many dollars does she have left?",
        "If Sara had 50 dollars and spends 18, how many dollars remain?",
        "How many dollars does Sara keep after she spends 18 of 50?",
        "Sara spends 18 of her 50 dollars. How many dollars are left?",
        "From 50 dollars Sara spent 18. How many dollars has she left?",
    ),
    "A bus has 40 seats and 27 are taken. How many seats are free?": (
        "27 of the 40 seats of a bus are taken. How many seats are free?",
        "If 27 seats are taken on a bus with 40 seats, how many are still free?",
        "How many free seats does a bus with 40 seats have when 27 are taken?",
        "Of 40 seats on a bus, 27 are taken. How many are free?",
        "On a bus 27 of 40 seats are taken. How many seats are left?",
    ),
    "Each of 5 shelves holds 9 books. How many books are there in all?": (
        "There are 5 shelves with 9 books on each. How many books are there together?",
        "If there are 9 books on each of 5 shelves, how many books is that in all?",
        "How many books do 5 shelves hold with 9 books each?",
        "5 shelves hold 9 books each. How many books are that?",
        "With 9 books on every shelf, how many books are on 5 shelves?",
    ),
    "A square has sides of 6 centimeters. What is its perimeter in centimeters?": (
        "The sides of a square are 6 centimeters long. How many centimeters is its perimeter?",
        "What is the perimeter, in centimeters, of a square with sides of 6 centimeters?",
        "How many centimeters is the perimeter of a square whose sides are 6 centimeters?",
        "Each side of a square is 6 centimeters. What is the perimeter in centimeters?",
        "A square's sides measure 6 centimeters. How long is its perimeter in centimeters?",
    ),
    "A baker makes 3 trays of 12 rolls each. How many rolls does he make?": (
        "A baker makes 3 trays with 12 rolls on each. How many rolls is that?",
        "If a baker makes 3 trays of 12 rolls, how many rolls has he made?",
        "How many rolls are 3 trays of 12 rolls each?",
        "A baker fills 3 trays with 12 rolls each. How many rolls has he made?",
        "With 12 rolls on each of 3 trays, how many rolls does a baker make?",
    ),
    "Which planet is known as the Red Planet?": (
        "What planet is called the Red Planet?",
        "Which planet do people call the Red Planet?",
        "What is the Red Planet?",
        "Name the planet that is known as the Red Planet.",
        "The Red Planet is another name for which planet?",
    ),
    "Which planet is the largest in our solar system?": (
        "What is the largest planet in our solar system?",
        "Of the planets in our solar system, which is the biggest?",
        "Name the largest planet in our solar system.",
        "Which planet in the solar system is the biggest?",
        "What is the biggest planet of our solar system?",
    ),
    "Which planet is closest to the Sun?": (
        "What is the closest planet to the Sun?",
        "Of all the planets, which is nearest to the Sun?",
        "Name the planet that is closest to the Sun.",
        "Which planet is nearest to the Sun?",
        "What planet is the closest one to the Sun?",
    ),
    "What gas do plants take in from the air to make food?": (
        "Which gas do plants take from the air to make their food?",
        "To make food, what gas do plants take in from the air?",
        "Plants take in what gas from the air to make food?",
        "Name the gas that plants take from the air to make food.",
        "Which gas from the air do plants need to make food?",
    ),
    "What is the chemical formula of water?": (
        "What is water's chemical formula?",
        "Which chemical formula stands for water?",
        "Tell me the chemical formula of water.",
        "How do chemists write water as a formula?",
        "What formula does water have in chemistry?",
    ),
    "Who wrote the play Romeo and Juliet?": (
        "Who is the author of the play Romeo and Juliet?",
        "The play Romeo and Juliet was written by whom?",
        "Which author wrote the play Romeo and Juliet?",
        "Name the writer of the play Romeo and Juliet.",
        "Who is the writer of Romeo and Juliet?",
    ),
    "Who painted the Mona Lisa?": (
        "Who was the painter of the Mona Lisa?",
        "The Mona Lisa was painted by whom?",
        "Which artist painted the Mona Lisa?",
        "Name the painter of the Mona Lisa.",
        "Who is the artist that painted the Mona Lisa?",
    ),
    "Who developed the theory of relativity?": (
        "Who came up with the theory of relativity?",
        "The theory of relativity was developed by whom?",
        "Which scientist developed the theory of relativity?",
        "Name the scientist behind the theory of relativity.",
        "Who is known for the theory of relativity?",
    ),
    "Which is the largest ocean on Earth?": (
        "What is the largest ocean on Earth?",
        "Of the oceans on Earth, which is the biggest?",
        "Name the largest ocean on Earth.",
        "Which ocean is the largest on Earth?",
        "What is Earth's largest ocean?",
    ),
    "Which is the longest river in South America?": (
        "What is the longest river in South America?",
        "Of South America's rivers, which is the longest?",
        "Name the longest river in South America.",
        "Which river is the longest in South America?",
        "What is South America's longest river?",
    ),
    "In which continent is the Sahara desert?": (
        "On what continent is the Sahara desert?",
        "The Sahara desert is in which continent?",
        "Which continent is the Sahara desert in?",
        "Name the continent of the Sahara desert.",
        "Where is the Sahara desert, on which continent?",
    ),
    "Which animal is the tallest on land?": (
        "What is the tallest land animal?",
        "Of all land animals, which is the tallest?",
        "Name the tallest animal on land.",
        "Which land animal is the tallest?",
        "What animal is the tallest one on land?",
    ),
    "What is the hardest natural substance?": (
        "Which natural substance is the hardest?",
        "What natural substance is the hardest of all?",
        "Name the hardest natural substance.",
        "Which is the hardest substance in nature?",
        "What is the hardest substance found in nature?",
    ),
    "How many days are there in a week?": (
        "How many days does a week have?",
        "What is the number of days in a week?",
        "How many days make up a week?",
        "A week has how many days?",
        "Tell me how many days there are in a week.",
    ),
    "How many months are there in a year?": (
        "How many months does a year have?",
        "What is the number of months in a year?",
        "How many months make up a year?",
        "A year has how many months?",
        "Tell me how many months there are in a year.",
    ),
    "How many minutes are there in an hour?": (
        "How many minutes does an hour have?",
        "What is the number of minutes in an hour?",
        "How many minutes make up an hour?",
        "An hour has how many minutes?",
        "Tell me how many minutes there are in an hour.",
    ),
    "How many legs does a spider have?": (
        "How many legs are there on a spider?",
        "What is the number of legs of a spider?",
        "A spider has how many legs?",
        "Tell me how many legs a spider has.",
        "How many legs do spiders have?",
    ),
    "How many sides does a hexagon have?": (
        "How many sides are there in a hexagon?",
        "What is the number of sides of a hexagon?",
        "A hexagon has how many sides?",
        "Tell me how many sides a hexagon has.",
        "How many sides do hexagons have?",
    ),
    "How many continents are there on Earth?": (
        "How many continents does the Earth have?",
        "What is the number of continents on Earth?",
        "The Earth has how many continents?",
        "Tell me how many continents there are on Earth.",
        "How many continents exist on Earth?",
    ),
    "How many letters are there in the English alphabet?": (
        "How many letters does the English alphabet have?",
        "What is the number of letters in the English alphabet?",
        "The English alphabet has how many letters?",
        "Tell me how many letters there are in the English alphabet.",
        "How many letters make up the English alphabet?",
    ),
    "How many degrees are there in a right angle?": (
        "How many degrees does a right angle have?",
        "What is the number of degrees in a right angle?",
        "A right angle has how many degrees?",
        "Tell me how many degrees there are in a right angle.",
        "How many degrees make up a right angle?",
    ),
    "In which year did the Second World War end?": (
        "What year did the Second World War end in?",
        "The Second World War ended in which year?",
        "When did the Second World War end, in which year?",
        "Tell me the year in which the Second World War ended.",
        "What was the year in which the Second World War ended?",
    ),
}

_PATTERNS = {form: re.compile(re.escape(form).replace(r"\{\}", "(.+)")) for form in _FORMS}


def other_wordings(question: str) -> tuple[str, ...]:
    """The further wordings of a question of the demo, given as first worded.

    Raises:
        KeyError: it is none of them.
    """
    for form, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(question):
            return tuple(worded.format(*found.groups()) for worded in _FORMS[form])
    return _SINGLE[question]
