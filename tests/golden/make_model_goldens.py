"""Writes tiny random models of every family and what transformers computes with them.

usage: make_model_goldens.py            (needs torch, transformers, safetensors; writes models/ beside this file)

For each model: models/NAME/{config.json, model.safetensors, golden.json}. golden.json holds a prompt with completions,
the logits of one whole sequence, a log-probability per completion token at a temperature, and for the gradient of a
GRPO-like loss the norm of each tensor and its products with fixed vectors of signs.
"""

import json
import pathlib
import shutil

import torch
from safetensors.torch import load_file
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

HERE = pathlib.Path(__file__).parent / "models"
COMMON = dict(vocab_size=48, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0,
              initializer_range=0.2, rms_norm_eps=1e-6, tie_word_embeddings=False)
LLAMA3 = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=16)
MODELS = {
    "llama": (LlamaForCausalLM, LlamaConfig, dict(), torch.float32),
    "llama3_tied": (LlamaForCausalLM, LlamaConfig,
                    dict(head_dim=12, rope_theta=50000.0, rope_scaling=LLAMA3, tie_word_embeddings=True),
                    torch.bfloat16),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, dict(tie_word_embeddings=True, num_key_value_heads=1), torch.bfloat16),
    "qwen2_window": (Qwen2ForCausalLM, Qwen2Config,
                     dict(use_sliding_window=True, sliding_window=6, max_window_layers=1), torch.bfloat16),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config, dict(head_dim=16), torch.float16),
    "gemma3": (Gemma3ForCausalLM, Gemma3TextConfig,
               dict(head_dim=16, num_hidden_layers=3, sliding_window=5, query_pre_attn_scalar=24,
                    layer_types=["sliding_attention", "sliding_attention", "full_attention"],
                    rope_theta=100000.0, rope_scaling=dict(rope_type="linear", factor=4.0),
                    rope_local_base_freq=1000.0, tie_word_embeddings=True), torch.bfloat16),
}
TEMPERATURE, EPSILON, BETA, NUM_SIGNS = 0.7, 0.2, 0.04, 3


def projections(gradient):
    """Sums of the entries with signs: -1 where bit 15 of a multiplicative hash of (index, k) is set, else +1."""
    flat = gradient.double().flatten()
    index = torch.arange(flat.numel())
    mixed = [(((index + 1) * 2654435761 + (k + 1) * 2246822519) & 0xFFFFFFFF) for k in range(NUM_SIGNS)]
    return [float((flat * (1.0 - 2.0 * ((m >> 15) & 1).double())).sum()) for m in mixed]


def completion_logprobs(model, prompt, completion):
    logits = model(torch.tensor([prompt + completion])).logits[0] / TEMPERATURE
    table = torch.log_softmax(logits, -1)
    rows = torch.arange(len(prompt) - 1, len(prompt) + len(completion) - 1)
    entropy = -(table.exp() * table).sum(-1)[rows]
    return table[rows, torch.tensor(completion)], entropy


def grpo_loss(logprobs, olds, references, advantages):
    total = 0.0
    for lp, old, ref, a in zip(logprobs, olds, references, advantages):
        ratio = (lp - old).exp()
        surrogate = torch.minimum(ratio * a, ratio.clamp(1 - EPSILON, 1 + EPSILON) * a)
        kl = (ref - lp).exp() - (ref - lp) - 1
        total = total - (surrogate - BETA * kl).sum()
    return total / sum(len(lp) for lp in logprobs)


def rounded(values):
    return [float(f"{v:.9g}") for v in values]


def make(name):
    kind, config_kind, options, dtype = MODELS[name]
    torch.manual_seed(sum(name.encode()))
    model = kind(config_kind(**{**COMMON, **options}, attn_implementation="eager")).eval()
    with torch.no_grad():
        for key, p in model.named_parameters():
            if key.endswith("norm.weight"):
                p.add_(0.3 * torch.randn_like(p))
            elif key.endswith(".bias"):
                p.copy_(0.3 * torch.randn_like(p))
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    # What is computed with must be what is in the file.
    model.to(dtype).save_pretrained(folder)
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    for extra in folder.glob("generation_config.json"):
        extra.unlink()

    vocab = COMMON["vocab_size"]
    prompt = torch.randint(3, vocab, (9,)).tolist()
    completions = [torch.randint(3, vocab, (n,)).tolist() for n in (5, 8, 1, 6)]
    logprobs, entropies, olds, references = [], [], [], []
    for completion in completions:
        lp, entropy = completion_logprobs(model, prompt, completion)
        logprobs.append(lp)
        entropies.append(entropy)
        olds.append((lp + 0.15 * torch.randn_like(lp)).detach())
        references.append((lp + 0.3 * torch.randn_like(lp)).detach())
    advantages = [1.25, -0.75, 0.5, -1.0]
    olds = [torch.tensor(rounded(o.tolist())) for o in olds]
    references = [torch.tensor(rounded(r.tolist())) for r in references]
    loss = grpo_loss(logprobs, olds, references, advantages)
    loss.backward()
    gradients = {key: dict(norm=float(p.grad.double().norm()), projections=projections(p.grad))
                 for key, p in model.named_parameters()}
    ids = prompt + completions[1]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
        greedy = list(prompt)
        for _ in range(40):
            greedy.append(int(model(torch.tensor([greedy])).logits[0, -1].argmax()))
    golden = dict(ids=ids, logits=[rounded(row) for row in logits.tolist()], prompt=prompt, completions=completions,
                  greedy=greedy, temperature=TEMPERATURE, epsilon=EPSILON, beta=BETA, advantages=advantages,
                  old_logprobs=[rounded(o.tolist()) for o in olds],
                  reference_logprobs=[rounded(r.tolist()) for r in references],
                  logprobs=[rounded(lp.tolist()) for lp in logprobs],
                  entropies=[rounded(e.tolist()) for e in entropies], loss=loss.item(), gradients=gradients)
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    size = (folder / "model.safetensors").stat().st_size
    print(name, size, "bytes of weights,", len(load_file(folder / "model.safetensors")), "tensors; loss", loss.item())


if __name__ == "__main__":
    for model_name in MODELS:
        make(model_name)
