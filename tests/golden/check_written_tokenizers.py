#!/usr/bin/env python3
"""Checks that the `tokenizers` package and transformers read what the tests of WriteSymbolTokenizer and TrainBpeTokenizer
wrote, and encode and decode it alike.

    AUTODIDACT_WRITTEN_TOKENIZERS=FOLDER build/…/tests/text_tests --gtest_filter='*TokenizerTest*:BpeTrainer*'
    python tests/golden/check_written_tokenizers.py FOLDER
"""
import json
import pathlib
import sys

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

wrong = checked = 0
for file in sorted(pathlib.Path(sys.argv[1]).glob("*/expected.jsonl")):
    plain = Tokenizer.from_file(str(file.parent / "tokenizer.json"))
    fast = PreTrainedTokenizerFast.from_pretrained(file.parent)
    for line in open(file, encoding="utf-8"):
        text, ids, decoded = json.loads(line)
        checked += 1
        found = [plain.encode(text).ids, fast(text)["input_ids"], plain.decode(ids),
                 fast.decode(ids, skip_special_tokens=True)]
        if found != [ids, ids, decoded, decoded]:
            wrong += 1
            print(file.parent.name, repr(text), "expected", ids, repr(decoded), "found", found)
print(f"{checked} texts, {wrong} wrong")
sys.exit(1 if wrong or not checked else 0)
