#!/usr/bin/env python3
"""Compares the program with transformers and tokenizers on random small models, through its commands.

usage: live_models.py PROGRAM       (needs torch, transformers, tokenizers; exit status 1 when something differs)

For each family: `tokenize` gives the ids of the tokenizers package, `score` the log-probabilities of transformers within
1e-4, and `generate` at temperature 0 the 200 greedy ids, up to the first place where the two best logits are closer than
1e-4 and either may be taken.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import torch  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402
import transformers  # noqa: E402
from transformers import (Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM,  # noqa: E402
                          PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)

TOLERANCE = 1e-4
NUM_GREEDY = 200
TEXT = [open(__file__, encoding="utf-8").read(), "Ein Satz mit Umlauten: äöü ß. 漢字 and 🙂 emoji, 12345 + 678 = 13023.\n\n"]
SHAPE = dict(vocab_size=384, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, head_dim=16, max_position_embeddings=512, bos_token_id=1, eos_token_id=2,
             pad_token_id=0, initializer_range=0.2)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
FAMILIES = {
    "llama": (LlamaForCausalLM, LlamaConfig, dict(tie_word_embeddings=False)),
    "llama3": (LlamaForCausalLM, LlamaConfig, dict(tie_word_embeddings=True, rope_scaling=LLAMA3)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, dict(tie_word_embeddings=True)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config, dict(tie_word_embeddings=False)),
    "gemma3": (Gemma3ForCausalLM, Gemma3TextConfig, dict(sliding_window=24, query_pre_attn_scalar=16)),
}


def make_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TEXT, trainers.BpeTrainer(
        vocab_size=SHAPE["vocab_size"], special_tokens=["<pad>", "<bos>", "<eos>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def ask(program, command, folder, rows, *options):
    done = subprocess.run([program, command, folder, *options], input="".join(json.dumps(row) + "\n" for row in rows),
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def texts(count):
    rng = random.Random(3)
    alphabet = "abcdefgh ABC  012 ,.!?\n\t'äöüß漢字🙂é\u0301"
    return TEXT + ["".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 60))) for _ in range(count)]


def check_tokenizer(program, folder, tokenizer):
    samples = texts(500)
    answers = ask(program, "tokenize", folder, [{"text": text} for text in samples])
    wrong = sum(answer["ids"] != tokenizer.encode(text).ids for text, answer in zip(samples, answers))
    wrong += len(answers) != len(samples)
    print(f"  tokenize: {wrong} of {len(samples)} texts differ")
    return wrong == 0


@torch.no_grad()
def check_scores(program, folder, model):
    torch.manual_seed(5)
    rows = [[1] + torch.randint(3, SHAPE["vocab_size"], (length,)).tolist() for length in (1, 7, 40, 150)]
    worst = 0.0
    for ids, answer in zip(rows, ask(program, "score", folder, [{"ids": ids} for ids in rows])):
        logprobs = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        expected = logprobs.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
        worst = max(worst, (expected - torch.tensor(answer["logprobs"])).abs().max().item())
    print(f"  score: largest difference {worst:.1e}, {100 * worst / TOLERANCE:.0f} % of the tolerance")
    return worst < TOLERANCE


@torch.no_grad()
def check_greedy(program, folder, model, tokenizer):
    prompt = "usage: the program"
    ids = tokenizer.encode(prompt).ids
    answer = ask(program, "generate", folder, [{"prompt": prompt}], "--temperature", "0", "--max-new-tokens",
                 str(NUM_GREEDY))[0]["ids"]
    for place, token in enumerate(answer):
        logits = model(torch.tensor([ids])).logits[0, -1]
        best = logits.topk(2)
        if token != best.indices[0]:
            near = (best.values[0] - best.values[1]).item() < TOLERANCE and token == best.indices[1]
            print(f"  generate: differs at {place}" + (", a tie" if near else ""))
            return near
        ids.append(token)
    ended = len(answer) == NUM_GREEDY or answer[-1] == SHAPE["eos_token_id"]
    print(f"  generate: {len(answer)} greedy ids are equal" + ("" if ended else ", but it stopped early"))
    return ended


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program, passed = sys.argv[1], True
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    tokenizer = make_tokenizer()
    for name, (model_class, config_class, extra) in FAMILIES.items():
        print(name)
        torch.manual_seed(1)
        model = model_class(config_class(**{**SHAPE, **extra})).eval()
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>",
                                    eos_token="<eos>").save_pretrained(folder)
            passed &= check_tokenizer(program, folder, tokenizer)
            passed &= check_scores(program, folder, model)
            passed &= check_greedy(program, folder, model, tokenizer)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
