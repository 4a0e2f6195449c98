//! Words that tell kinds of questions apart.

/// Ways to begin a question or a task; each row is one feature.
pub(super) const OPENERS: [&[&str]; 12] = [
    &["how many", "how much", "what number", "calculate", "compute", "solve", "find the value"],
    &["what is", "what are", "what s"],
    &["what", "which"],
    &["who", "whose", "whom"],
    &["where", "in which", "what country", "what city"],
    &["when", "what year", "in which year"],
    &["why", "explain", "how does", "how do", "describe"],
    &["write", "generate", "create", "compose", "draft", "make a"],
    &["translate", "past tense", "plural", "opposite", "synonym", "meaning of", "spell"],
    &["summarize", "summarise", "rewrite", "paraphrase", "shorten", "correct the"],
    &["each", "per", "times", "percent", "half of", "divided by", "total", "left", "in all", "average"],
    &["answer choices", "options", "choose the", "true or false", "select the"],
];

/// Marks of program text.
pub(super) const CODE: [&str; 16] = [
    "```", "def ", "class ", "import ", "return ", "function", "#include", "public ", "SELECT ", "const ",
    "let ", "print(", "->", "=>", "==", "();",
];

/// Signs of arithmetic.
pub(super) fn is_operator(c: char) -> bool {
    "+-*/^=%<>×÷−".contains(c)
}
