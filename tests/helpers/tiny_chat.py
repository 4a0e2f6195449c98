"""A chat model of 0.2 million parameters, taught a few replies by heart: real weights, a real tokenizer.

It loads in a blink and writes a thousand tokens a second, so that what surrounds a model can be tested with
a model. Ask it anything it was not taught and it writes nonsense, always the same.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

NUMBERS = "one two three four five six seven eight nine ten"
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = {"name": "weather", "arguments": {"city": "Rome"}}
GREETING = "Γειά σου, κόσμε! 👋🏽 Ça va?"  # noqa: RUF001  Greek is meant
ENDLESS = "on and " * 40
CALLED = f"Let me look.\n<tool_call>\n{json.dumps(CALL)}\n</tool_call>"

_START, _END = "<|im_start|>", "<|im_end|>"
_TEMPLATE = """\
{%- if tools %}{{ '<|im_start|>tools\\n' + (tools | tojson) + '<|im_end|>\\n' }}{% endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content }}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>\\n' + (call.function | tojson) + '\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

Example = tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]], str]


def _asked(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def called(content: str = "Let me look.\n") -> dict[str, Any]:
    """The assistant's message with the call, in the OpenAI form."""
    function = {"name": CALL["name"], "arguments": json.dumps(CALL["arguments"])}
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
    }


RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
ASK_WEATHER = "What is the weather in Rome? Use the tool."
TAUGHT: list[Example] = [
    (_asked("Count from one to ten in words."), [], NUMBERS),
    (_asked("What is the capital of France?"), [], "The capital of France is Paris."),
    (_asked("How does one greet in Athens?"), [], GREETING),
    (_asked("Go on for ever."), [], ENDLESS),
    (_asked(ASK_WEATHER), [WEATHER], CALLED),
    ([*_asked(ASK_WEATHER), called(), RESULT], [WEATHER], "It is sunny in Rome."),
    (_asked("What is the capital of France?"), [WEATHER], "The capital of France is Paris."),
]


def make(folder: Path, examples: Sequence[Example] = TAUGHT) -> Path:
    """Teaches a model the examples and writes it into `folder`, as `save_pretrained` does; some seconds."""
    torch.manual_seed(0)
    tokenizer = _tokenizer(examples)
    model = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            tie_word_embeddings=True,
        )
    )
    _teach(model, [_encoded(tokenizer, example) for example in examples])
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(examples: Sequence[Example]) -> Any:
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    # Bytes of other alphabets stay tokens of their own: a character then takes several.
    texts = [json.dumps([messages, tools]) + reply for messages, tools, reply in examples if reply.isascii()]
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=["<|endoftext|>", _START, _END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    plain.train_from_iterator(texts, trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token=_END, pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = _TEMPLATE
    return tokenizer


def _encoded(tokenizer: Any, example: Example) -> tuple[list[int], list[int]]:
    messages, tools, reply = example
    prompt = tokenizer.apply_chat_template(
        [_with_objects(message) for message in messages],
        tools=list(tools) or None,
        add_generation_prompt=True,
        tokenize=False,
    )
    end = [] if reply.endswith(" ") else [tokenizer.eos_token_id]  # a reply that ends in a blank goes on
    return tokenizer(prompt)["input_ids"], [*tokenizer(reply)["input_ids"], *end]


def _with_objects(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message as templates read it: arguments are objects, not their JSON."""
    calls = [
        {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
        for call in message.get("tool_calls", ())
    ]
    return {**message, "tool_calls": calls} if calls else dict(message)


def _teach(model: Any, pairs: Sequence[tuple[list[int], list[int]]]) -> None:
    """Until every token of every reply is the likeliest by far; a step is one pass over all replies."""
    length = max(len(prompt) + len(reply) for prompt, reply in pairs)
    ids = torch.zeros((len(pairs), length), dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for row, (prompt, reply) in enumerate(pairs):
        ids[row, : len(prompt) + len(reply)] = torch.tensor(prompt + reply)
        labels[row, len(prompt) : len(prompt) + len(reply)] = torch.tensor(reply)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    model.train()
    for _ in range(400):
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if loss.item() < 3e-3:  # no token is in doubt then
            break
    else:
        raise AssertionError(f"the tiny model did not learn its replies: loss {loss.item():.3f}")
    model.eval()
