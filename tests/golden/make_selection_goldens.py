"""What transformers computes for the estimators that select a rollout, on the tiny models of models/.

usage: make_selection_goldens.py        (needs torch, transformers; writes selection.json beside this file)

The vocabulary is read as symbols: 0 <pad>, 1 <bos>, 2 <eos>, 3 and on "a0", "a1", …; texts are symbols joined by
spaces. A context of mutual_predictability is the question, a rollout's text and the question again, as one plain text.
"""

import json
import pathlib

import torch
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
BOS, EOS = 1, 2
CHOICES, MARK = [44, 45, 46, 47], 43
MODELS = ["llama", "qwen2", "gemma3"]


def logprobs(model, prefix, continuation):
    logits = model(torch.tensor([prefix + continuation])).logits[0].double()
    table = torch.log_softmax(logits, -1)
    return [float(table[len(prefix) + t - 1, token]) for t, token in enumerate(continuation)]


def mean(values):
    return sum(values) / len(values)


def text(ids):
    return " ".join(f"a{i - 3}" for i in ids if i > EOS)


def shown(ids):
    return [i for i in ids if i > EOS]


@torch.no_grad()
def make(name):
    model = AutoModelForCausalLM.from_pretrained(HERE / "models" / name, dtype=torch.float32,
                                                 attn_implementation="eager").eval()
    torch.manual_seed(sum(name.encode()) + 1)
    question = torch.randint(3, 43, (6,)).tolist()
    rollouts = [torch.randint(3, 43, (n,)).tolist() + end for n, end in ((5, [EOS]), (8, []), (1, [EOS]), (6, []))]
    prompt = [BOS] + question
    perplexities = [float(torch.tensor(-mean(logprobs(model, prompt, o))).exp()) for o in rollouts]
    pairs = [[0.0 if i == j else mean(logprobs(model, [BOS] + question + shown(other) + question, o))
              for i, o in enumerate(rollouts)] for j, other in enumerate(rollouts)]
    mutual = {n: [mean([pairs[j][i] for j in range(n) if j != i]) for i in range(n)] for n in (2, 4)}
    ask = [BOS] + question
    for choice, rollout in zip(CHOICES, rollouts):
        ask += [choice] + shown(rollout)
    ask += [MARK]
    choices = [sum(logprobs(model, ask, [choice, EOS])) for choice in CHOICES]
    return dict(model=name, question=text(question), prompt_ids=prompt,
                rollouts=[dict(ids=o, text=text(o)) for o in rollouts], perplexities=perplexities, pairs=pairs,
                mutual_predictabilities=mutual, choice_ids=ask, choices=choices)


if __name__ == "__main__":
    cases = [make(name) for name in MODELS]
    (HERE / "selection.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    for case in cases:
        print(case["model"], case["perplexities"], case["mutual_predictabilities"][4], case["choices"])
