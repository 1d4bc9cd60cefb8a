#!/usr/bin/env python3
"""Compares the program with transformers and tokenizers on random small models, through its commands.

usage: live_models.py PROGRAM [NAME]...      (needs torch, transformers, tokenizers; exit status 1 when something differs)

For each model: `score` gives the log-probabilities of transformers within 1e-4, `generate` at temperature 0 the 200
greedy ids, up to the first place where the two best logits are closer than 1e-4 and either may be taken, and a folder
that `sft` saved without having learned (learning rate 0) loads in AutoModelForCausalLM with equal logits. Once,
`tokenize` gives the ids of the tokenizers package. The models' files are those that transformers 5 writes, or the same
in the style of version 4, in one file or in shards, in fp32, bf16 or fp16; what is compared with is read from them.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import torch  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402
import transformers  # noqa: E402
from transformers import (AutoModelForCausalLM, Gemma3Config, Gemma3ForCausalLM,  # noqa: E402
                          Gemma3ForConditionalGeneration, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM,
                          PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)

TOLERANCE = 1e-4
NUM_GREEDY = 200
TEXT = [open(__file__, encoding="utf-8").read(), "Ein Satz mit Umlauten: äöü ß. 漢字 and 🙂 emoji, 12345 + 678 = 13023.\n\n"]
SHAPE = dict(vocab_size=384, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=512, bos_token_id=1, eos_token_id=2, pad_token_id=0,
             initializer_range=0.2)
LLAMA = (LlamaForCausalLM, LlamaConfig)
QWEN2 = (Qwen2ForCausalLM, Qwen2Config)
QWEN3 = (Qwen3ForCausalLM, Qwen3Config)
GEMMA3 = (Gemma3ForCausalLM, Gemma3TextConfig)
WRAPPED = (Gemma3ForConditionalGeneration, Gemma3TextConfig)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
LINEAR = dict(rope_type="linear", rope_theta=10000.0, factor=4.0)
SMALL_VISION = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28,
                    patch_size=14)


def scaled(full, local_factor):
    local = dict(rope_type="linear", rope_theta=500.0, factor=local_factor)
    return dict(full_attention=dict(rope_type="linear", rope_theta=1e6, factor=full),
                sliding_attention=local if local_factor else dict(rope_type="default", rope_theta=500.0))


def window(size, **more):
    return {**dict(head_dim=16, sliding_window=size, query_pre_attn_scalar=16), **more}


# Name: the classes, what differs from SHAPE, the files' dtype, and the style of config.json: 5, 4, or 4 without the
# named keys, for which the family's own defaults count.
MODELS = {
    "llama": (LLAMA, dict(tie_word_embeddings=False), "float32", 5),
    "llama_bare": (LLAMA, dict(num_key_value_heads=4, rms_norm_eps=1e-6), "float16",
                   ["num_key_value_heads", "head_dim", "rope_theta", "rope_scaling", "rms_norm_eps", "attention_bias",
                    "mlp_bias", "hidden_act", "tie_word_embeddings"]),
    "llama3": (LLAMA, dict(rope_parameters=LLAMA3), "bfloat16", 5),
    "llama3_mqa": (LLAMA, dict(rope_parameters=LLAMA3, num_key_value_heads=1, head_dim=24, tie_word_embeddings=True),
                   "bfloat16", 4),
    "llama_linear": (LLAMA, dict(rope_parameters=LINEAR, hidden_size=60, num_attention_heads=6, num_key_value_heads=3,
                                 head_dim=18), "float32", 4),
    "qwen2": (QWEN2, dict(tie_word_embeddings=True, num_key_value_heads=1), "bfloat16", 4),
    "qwen2_window_off": (QWEN2, dict(use_sliding_window=False, sliding_window=13, max_window_layers=1), "float32", 4),
    "qwen2_window_on": (QWEN2, dict(use_sliding_window=True, sliding_window=13, max_window_layers=1), "float16",
                        ["layer_types"]),
    "qwen3": (QWEN3, dict(head_dim=32, tie_word_embeddings=True), "bfloat16", 4),
    "qwen3_window": (QWEN3, dict(head_dim=16, num_key_value_heads=4, use_sliding_window=True, sliding_window=7,
                                 layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
                     "float32", 5),
    "gemma3": (GEMMA3, window(24, num_hidden_layers=7), "float32", 5),
    "gemma3_scaled": (GEMMA3, window(9, layer_types=["sliding_attention", "sliding_attention", "full_attention"],
                                     rope_parameters=scaled(8.0, None), head_dim=32, query_pre_attn_scalar=33),
                      "bfloat16", 4),
    "gemma3_scaled_twice": (GEMMA3, window(9, layer_types=["full_attention", "sliding_attention", "sliding_attention"],
                                           rope_parameters=scaled(8.0, 2.0), tie_word_embeddings=False), "float16", 5),
    "gemma3_wrapped": (WRAPPED, window(24), "bfloat16", 5),
    "gemma3_wrapped_4": (WRAPPED, window(24), "bfloat16", 4),
}
SHARDED = {"llama", "gemma3_scaled"}


def style_of_4(config, drop):
    """What transformers 4 would have written."""
    rope = dict(config.pop("rope_parameters", None) or {})
    if "full_attention" in rope:
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = dict(rope["full_attention"])
    if rope:
        config["rope_theta"] = rope.pop("rope_theta")
        config["rope_scaling"] = rope if rope["rope_type"] != "default" else None
    if "dtype" in config:
        config["torch_dtype"] = config.pop("dtype")
    for key in drop:
        config.pop(key, None)


def name_of_4(name):
    if name.startswith("model.language_model."):
        return "language_model.model." + name.removeprefix("model.language_model.")
    return name.removeprefix("model.")


def rewrite(folder, style, wrapped):
    file = folder / "config.json"
    config = json.loads(file.read_text())
    drop = style if isinstance(style, list) else []
    style_of_4(config, drop)
    if wrapped:
        style_of_4(config["text_config"], drop)
        from safetensors.torch import load_file, save_file
        weights = folder / "model.safetensors"
        save_file({name_of_4(name): tensor for name, tensor in load_file(weights).items()}, weights, {"format": "pt"})
    file.write_text(json.dumps(config))


def make_model(name, folder):
    (model_class, config_class), extra, dtype, style = MODELS[name]
    torch.manual_seed(sum(name.encode()))
    config = config_class(**{**SHAPE, **extra})
    wrapped = model_class is Gemma3ForConditionalGeneration
    if wrapped:
        config = Gemma3Config(text_config=config.to_dict(), vision_config=SMALL_VISION, mm_tokens_per_image=4)
    model = model_class(config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key.endswith("norm.weight"):
                parameter.add_(0.3 * torch.randn_like(parameter))
            elif key.endswith(".bias"):
                parameter.copy_(0.3 * torch.randn_like(parameter))
        # Never the best token, so that no answer ends early.
        model.get_output_embeddings().weight[SHAPE["eos_token_id"]] = 0
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size="60KB" if name in SHARDED else "1GB")
    if style != 5:
        rewrite(folder, style, wrapped)
    return model_class.from_pretrained(folder, dtype=torch.float32).eval()


def make_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TEXT, trainers.BpeTrainer(
        vocab_size=SHAPE["vocab_size"], special_tokens=["<pad>", "<bos>", "<eos>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def run(arguments, text=""):
    done = subprocess.run(arguments, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{arguments} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done


def ask(program, command, folder, rows, *options):
    done = run([program, command, folder, *options], "".join(json.dumps(row) + "\n" for row in rows))
    return [json.loads(line) for line in done.stdout.splitlines()]


def texts(count):
    rng = random.Random(3)
    alphabet = "abcdefgh ABC  012 ,.!?\n\t'äöüß漢字🙂é\u0301"
    return TEXT + ["".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 60))) for _ in range(count)]


def check_tokenizer(program, folder, tokenizer):
    samples = texts(500)
    answers = ask(program, "tokenize", folder, [{"text": text} for text in samples])
    wrong = sum(answer["ids"] != tokenizer.encode(text).ids for text, answer in zip(samples, answers))
    wrong += len(answers) != len(samples)
    print(f"tokenize: {wrong} of {len(samples)} texts differ")
    return wrong == 0


def logits_of(model, ids):
    return model(input_ids=torch.tensor([ids])).logits[0]


def chosen(logits, ids):
    return logits.log_softmax(-1).gather(1, torch.tensor(ids)[:, None])[:, 0]


@torch.no_grad()
def check_scores(program, folder, model):
    torch.manual_seed(5)
    rows = [[1] + torch.randint(3, SHAPE["vocab_size"], (length,)).tolist() for length in (1, 7, 40, 300)]
    worst = 0.0
    for ids, answer in zip(rows, ask(program, "score", folder, [{"ids": ids} for ids in rows], "--threads", "1")):
        expected = chosen(logits_of(model, ids)[:-1], ids[1:])
        worst = max(worst, (expected - torch.tensor(answer["logprobs"])).abs().max().item())
    print(f"  score: largest difference {worst:.1e}, {100 * worst / TOLERANCE:.0f} % of the tolerance")
    return worst < TOLERANCE


# One pass of transformers over prompt and answer shows whether each token is the best after those before it.
def compare_greedy(model, prompt, answer):
    logits = logits_of(model, prompt + answer["ids"])[len(prompt) - 1:-1]
    worst = (chosen(logits, answer["ids"]) - torch.tensor(answer["logprobs"])).abs().max().item()
    best = logits.topk(2)
    gaps = best.values[:, 0] - best.values[:, 1]
    for place, token in enumerate(answer["ids"]):
        if gaps[place] < TOLERANCE:
            return f"the first {place} greedy ids are equal, then a tie", True
        if token != best.indices[place, 0]:
            return f"differs at {place}", False
    whole = len(answer["ids"]) == NUM_GREEDY
    return f"{len(answer['ids'])} greedy ids are equal, log-probabilities within {worst:.1e}", whole and worst < TOLERANCE


@torch.no_grad()
def check_greedy(program, folder, model, tokenizer):
    prompts = ["usage: the program", TEXT[0][:400]]  # within the sliding windows, and far beyond
    answers = ask(program, "generate", folder, [{"prompt": prompt} for prompt in prompts], "--temperature", "0",
                  "--max-new-tokens", str(NUM_GREEDY), "--threads", "1")
    passed = True
    for prompt, answer in zip(prompts, answers):
        said, good = compare_greedy(model, tokenizer.encode(prompt).ids, answer)
        print(f"  generate: {said}")
        passed &= good
    return passed


@torch.no_grad()
def check_saved(program, folder, model):
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "pairs.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
        (work / "sft.yaml").write_text(json.dumps({
            "model": str(folder), "output": str(work / "saved"), "data": [{"file": str(work / "pairs.jsonl")}],
            "prompt": {"format": "plain"}, "learning_rate": 0, "max_steps": 1, "batch_size": 1, "threads": 1}))
        run([program, "sft", str(work / "sft.yaml")])
        saved = AutoModelForCausalLM.from_pretrained(work / "saved", dtype=torch.float32).eval()
        carried = (work / "saved" / "tokenizer.json").read_bytes() == (folder / "tokenizer.json").read_bytes()
    ids = torch.randint(3, SHAPE["vocab_size"], (100,)).tolist()
    worst = (logits_of(saved, ids) - logits_of(model, ids)).abs().max().item()
    print(f"  saved: {type(saved).__name__}, logits differ by {worst:.1e}; tokenizer {'kept' if carried else 'LOST'}")
    return worst == 0.0 and carried


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, names, passed = sys.argv[1], sys.argv[2:] or list(MODELS), True
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    tokenizer = make_tokenizer()
    for name in names:
        print(name, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            model = make_model(name, folder)
            PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>",
                                    eos_token="<eos>").save_pretrained(folder)
            if name == names[0]:
                passed &= check_tokenizer(program, folder, tokenizer)
            for check in (check_scores(program, folder, model), check_greedy(program, folder, model, tokenizer),
                          check_saved(program, folder, model)):
                passed &= check
    print("all equal" if passed else "NOT all equal")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
