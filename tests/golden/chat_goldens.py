#!/usr/bin/env python3
"""Renders the models' own chat templates with jinja2, as transformers sets it up, for ChatGoldenTest.

    python tests/golden/chat_goldens.py DATA_FOLDER > tests/golden/chat_goldens.json
"""
import json
import pathlib
import sys

from jinja2.sandbox import ImmutableSandboxedEnvironment

CHATML = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>'"
          " + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
FILES = {"llama3": "meta-llama-Llama-3.1-8B-Instruct", "qwen3": "Qwen-Qwen3-0.6B", "qwen2": "Qwen-Qwen2.5-7B-Instruct",
         "gemma3": "google-gemma-3-it"}
BOS = {"llama3": "<|begin_of_text|>", "gemma3": "<bos>"}
S, U, A = "system", "user", "assistant"
CHATS = [
    [(U, "Hello")],
    [(S, "Be brief."), (U, "Hello")],
    [(S, "  Be brief.\n"), (U, "\n What is 2+2? \t"), (A, " 4\n\n"), (U, "\u3000And 3+3?\x1c")],
    [(U, "Hi"), (A, "Hello!"), (U, "é 日本 🙂"), (A, "Bye")],
    [(U, "")],
    [(S, ""), (U, "Hi")],
    [(U, "q"), (A, "<think>\nhm\n</think>\n\nanswer")],
    [(U, "q"), (A, "<think>\nhm\n</think>\n\nanswer"), (U, "next")],
    [(U, "q"), (A, "plain"), (A, "<think>a</think>b</think>\n\nc"), (A, "\n\nlast")],
    [(U, "q"), (A, "x"), (U, "<tool_response>r</tool_response>"), (A, "\n\n<think>\n\nt\n\n</think>\n\nd")],
    [(A, "I speak first")],
    [(U, "a"), (S, "later"), (U, "b")],
    [(S, "only")],
    [(U, "quotes ' \" { } \\n <|im_end|>"), (A, "ok")],
    [(U, "one"), (U, "two")],
]


class Refused(Exception):
    pass


def refuse(message):
    raise Refused(message)


def main():
    data = pathlib.Path(sys.argv[1])
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    cases = []
    for name in ["llama3", "qwen3", "qwen2", "gemma3", "chatml"]:
        source = CHATML
        if name in FILES:
            source = (data / "chat_templates" / (FILES[name] + ".jinja")).read_text(encoding="utf-8")
        template = environment.from_string(source)
        for chat in CHATS:
            messages = [{"role": role, "content": content} for role, content in chat]
            for add in (False, True):
                arguments = {"messages": messages, "add_generation_prompt": add, "bos_token": BOS.get(name, "")}
                if name == "qwen3":
                    arguments["enable_thinking"] = False
                try:
                    text = template.render(**arguments)
                except Refused:
                    text = None
                cases.append({"format": name, "messages": messages, "add_generation_prompt": add, "text": text})
    print("[" + ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases) + "]")


if __name__ == "__main__":
    main()
