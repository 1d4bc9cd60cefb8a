"""Measures the judge and the reward of configs/restaurants/run.sh with labels, which the run itself never sees.

usage: check.py questions LABELLED TEXTS > QUESTIONS
       check.py judge QUESTIONS GRADED
       check.py reward LABELLED RUN

questions  300 texts of TEXTS (JSONL: "completions", or people's "answers") with a criterion for each slot and its verdict by the
           phrase lists of data.py, for `autodidact grade --config configs/restaurants/train.yaml < QUESTIONS > GRADED`.
judge      How many verdicts of the judge are those of the phrase lists.
reward     For every 20 steps of a run: slot errors (slots.py) of the rollouts and of the references, and the correlation
           of reward and errors within groups.
"""
import json
import pathlib
import random
import statistics
import sys

import data
import slots

STEPS = 20


def make_questions(labelled, texts):
    reader = data.Reader(data.read_rows(labelled))
    rng = random.Random(0)
    rows = data.read_rows(texts)
    for row in rng.sample(rows, min(300, len(rows))):
        text = data.fold(rng.choice(row.get("completions") or row["answers"]))
        asked = data.questions(reader, reader.read(text), rng)
        if asked:
            rubric = [{"criterion": criterion, "points": 1} for criterion, _ in asked]
            print(json.dumps({"response": text, "rubric": rubric, "truth": [verdict for _, verdict in asked]}, ensure_ascii=False))


def measure_judge(questions, graded):
    right = {"yes": [], "no": []}
    for question, grade in zip(data.read_rows(questions), data.read_rows(graded), strict=True):
        for truth, verdict in zip(question["truth"], grade["verdicts"], strict=True):
            right[truth].append((verdict["verdict"] == "met") == (truth == "yes"))
    both = right["yes"] + right["no"]
    print(f"{len(both)} verdicts: right {statistics.mean(both):.3f}; of yes {statistics.mean(right['yes']):.3f}, "
          f"of no {statistics.mean(right['no']):.3f}")


def measure_reward(labelled, run):
    counter = slots.Counter([row["prompt"] for row in data.read_rows(labelled)])

    def errors(facts, text):
        return sum(verdict != "right" for verdict in counter.read(facts, text).values())

    files = sorted(pathlib.Path(run, "rollouts").glob("step_*.jsonl"))
    for start in range(0, len(files), STEPS):
        slots, of_rollouts, of_references, rewards, faults = 0, 0, 0, [], []
        for group in (group for file in files[start:start + STEPS] for group in data.read_rows(file)):
            facts = slots.facts_of(group["prompt"])
            scored = [(reward, errors(facts, text)) for text, reward in zip(group["completions"], group["rewards"], strict=True)
                      if reward is not None]
            if not scored:
                continue
            slots += len(facts)
            of_rollouts += statistics.mean(error for _, error in scored)
            of_references += errors(facts, group["reference"])
            for values, all_values in zip(zip(*scored, strict=True), (rewards, faults), strict=True):
                all_values += [value - statistics.mean(values) for value in values]
        print(f"steps {start + 1} to {min(start + STEPS, len(files))}: errors {of_rollouts / slots:.3f}, of the references "
              f"{of_references / slots:.3f}; correlation {statistics.correlation(rewards, faults):.2f}")


def main():
    match sys.argv[1:]:
        case ["questions", labelled, texts]:
            make_questions(labelled, texts)
        case ["judge", questions, graded]:
            measure_judge(questions, graded)
        case ["reward", labelled, run]:
            measure_reward(labelled, run)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
