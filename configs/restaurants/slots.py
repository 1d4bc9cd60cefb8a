"""Counts slot errors in restaurant descriptions against the facts that they were made from.

usage: slots.py [--show N] [--places FILE]... NAME=FILE[:KEY]...

FILE is JSONL with "prompt" (the facts: "name[Aromi], food[French], ...") and KEY, a text or a list of texts (default
"completions"; `autodidact synthesize` writes "completions" and "reference"). A row without KEY is a text that is missing:
all its facts count as missing. Prints one line a NAME, of several files of one NAME (seeds, say) the mean and the standard
deviation, the errors of each in brackets; --show prints N texts of the first with their reading; --places names files with
further facts, whose places are known too.

The rule. Slots: name, eatType, food, priceRange, customer rating, area, familyFriendly, near. A text states a value when
one of the value's patterns (STATED below, in lower case, with the names of all places taken out first) is found. Then per
slot of a text:
  right     the fact's value is stated and no value that contradicts it
  missing   nothing of the slot is stated
  wrong     a value is stated that is not the fact's, alone or beside it
  invented  the facts do not have the slot, but the text states a value of it
Slot error rate = (missing + wrong + invented) / number of slots in the facts, over all texts of a file.
- Degrees and figures: "cheap", "moderate", "high" (rating: "low", "average", "high") are also right for "less than £20",
  "£20-25", "more than £30" ("1", "3", "5 out of 5"). A figure is not right for a degree: the facts name none.
- "restaurant" is everyone's word for a place to eat: it is right for eatType[restaurant], and says nothing otherwise. A
  pub or a coffee shop that is also called a restaurant is no contradiction.
- name and near are compared with all places of the files at hand and of --places: another place than the facts' is wrong or invented. A
  place that can be both counts for near behind a word of nearness, else for name. Which place is near which is not checked.
- What is not in the patterns is not seen: a rare paraphrase counts as missing, a rare false claim not at all.
This program shares no rule and no code with what trains the judge (data.py).
"""
import argparse
import collections
import json
import re
import statistics
import sys

SLOTS = ("name", "eatType", "food", "priceRange", "customer rating", "area", "familyFriendly", "near")
KINDS = ("missing", "wrong", "invented")
COLUMNS = ("error", *KINDS, "without_error", "words")

# slot -> value -> patterns, each a regular expression. NEAR_BY: at most two small words between the two.
NEAR_BY = r"\W+(?:(?:is|are|of|a|an|the|in|at|has|for|range|ranges|rating|ratings|very|quite|from|being)\W+){0,4}?"
COST = r"(?:price|prices|priced|pricing|cost|costs|costing)"
RATE = r"(?:rating|ratings|rated|rate|rates|review|reviews|reviewed|score|scores|stars?)"
CUSTOMER = r"(?:(?:customer|costumer|consumer)s?'?s?\W+)?"


def degree(words, noun):
    """`words` before or behind the noun, nothing but small words between."""
    return [rf"\b(?:{words})\W+(?:{CUSTOMER}){noun}\b", rf"\b{noun}{NEAR_BY}(?:{words})\b(?!\W+(?:customer|rat|pric|cost))"]


STATED = {
    "eatType": {
        "pub": [r"\bpubs?\b", r"\bpublic house"],
        "coffee shop": [r"\bcoffee\W*(?:shop|house|bar|place)s?\b", r"(?<!near )(?<!by )(?<!called )\bcaf[eé]s?\b"],
        "restaurant": [r"\brestaurants?\b"],
    },
    "food": {
        "English": [r"\benglish\b", r"\bbritish\b"],
        "French": [r"\bfrench\b"],
        "Italian": [r"\bitalian\b", r"\bpastas?\b", r"\bpizzas?\b"],
        "Chinese": [r"\bchinese\b"],
        "Japanese": [r"\bjapanese\b", r"\bsushi\b"],
        "Indian": [r"\bindian\b", r"\bcurr(?:y|ies)\b"],
        "Fast food": [r"\bfast\W*foods?\b", r"\bburgers?\b"],
    },
    "priceRange": {
        "less than £20": [r"\b(?:less|under|below|lower|cheaper)\b\W+(?:th[ae]n\W+)?(?:20|twenty)\b", r"\bup to\W+20\b"],
        "£20-25": [r"\b20\W{0,3}(?:to|and|through)?\W{0,3}25\b", r"\btwenty to twenty"],
        "more than £30": [r"\b(?:more|over|above|higher|exceed\w*|excess of|least|starting at|start at|from)\b"
                          r"\W+(?:th[ae]n\W+)?(?:30|thirty)\b", r"\b30\W*(?:\+|plus|and up|and over|or more|and above)"],
        "cheap": [r"\b(?:in)?expensive(?<=inexpensive)\w*", r"\bcheap\w*", r"\baffordabl[ey]\b", r"\blow\W+end\b",
                  r"\bbudget\b", r"\bnot expensive\b", *degree("low|lower|lowly", COST)],
        "moderate": [r"\bmid\W*(?:dle)?\W*(?:rang|pric|level)\w*", r"\bmoderate\W+rang", r"\breasonabl[ey]\W+pric",
                     *degree("moderate|moderately|average|medium|reasonable|reasonably|fair|fairly|averagely", COST)],
        "high": [r"(?<!in)(?<!not )\bexpensive\b", r"\bpric(?:e)?y\b", r"\bcostly\b", r"\bhigh\W+end\b", r"\bupscale\b",
                 *degree("high|higher|highly", COST)],
    },
    "customer rating": {
        "1 out of 5": [r"\b(?:1|one)\W+(?:out\W+)?(?:of\W+)?(?:5|five)\b", r"\b(?:1|one)\W*stars?\b"],
        "3 out of 5": [r"\b(?:3|three)\W+(?:out\W+)?(?:of\W+)?(?:5|five)\b", r"\b(?:3|three)\W*stars?\b"],
        "5 out of 5": [r"\b(?:5|five)\W+(?:out\W+)?(?:of\W+)?(?:5|five)\b", r"\b(?:5|five)\W*stars?\b"],
        "low": [r"\bnot (?:well|highly|good)\W+rat", r"\blow\W+(?:quality|customer)", *degree("low|lowly|poor|poorly|bad|badly|lower", RATE)],
        "average": [r"\baverage\W+customer", r"\bmediocre\b", *degree("average|averagely|decent|decently|moderate|moderately", RATE)],
        "high": [r"\bhigh\W+(?:quality|customer)", r"\bhighly\W+recommend", r"\bpopular\b",
                 *degree("high|highly|higher|excellent|great|good|well|top|best", RATE)],
    },
    "area": {
        "riverside": [r"\briver\w*"],
        "city centre": [r"\b(?:city|town)\W+(?:centre|center)\b", r"\bcent(?:re|er) of (?:the )?(?:city|town)\b",
                        r"\bdowntown\b", r"\bin the cent(?:re|er)\b(?! of the river)", r"\bcity'?s cent"],
    },
    "familyFriendly": {
        "no": [r"\b(?:not?|non|isn't|aren't|nor|never|doesn't|don't|without|un)\b\W*(?:(?!and|but)\w+\W+){0,4}?"
               r"(?:family|families|kids?|child|children)\b", r"\badults?\b", r"\bfamily\W+unfriendly"],
        "yes": [r"\b(?:family|families|famil\w*|kids?|child|childs|children|childrens)'?s?\b\W*(?:and \w+\W+)?(?:friendl|orient|welcom|area)\w*",
                r"\b(?:friendly|suitable|welcom\w*|good|great|perfect|for|allows?|accepts?)\b\W+(?:\w+\W+){0,3}?"
                r"(?:family|families|kids?|child|children)\b", r"\bfamily\b\W+(?:\w+\W+)?(?:restaurant|pub|coffee|place|atmosphere|venue)"],
    },
}
FIGURE_OF = {
    "priceRange": {"cheap": "less than £20", "moderate": "£20-25", "high": "more than £30"},
    "customer rating": {"low": "1 out of 5", "average": "3 out of 5", "high": "5 out of 5"},
}
NEARNESS = re.compile(r"\b(?:near\w*|by|next|close|beside|besides|around|from|opposite|past|to|off|across|proximity)\W+(?:\w+\W+){0,1}$")


def facts_of(prompt):
    return {slot.strip(): value for slot, value in re.findall(r"([A-Za-z ]+)\[([^\]]*)\]", prompt)}


class Counter:
    """Reads texts; knows the places of all facts that it was given."""

    def __init__(self, prompts):
        places = {"name": set(), "near": set()}
        for prompt in prompts:
            for slot, value in facts_of(prompt).items():
                if slot in places:
                    places[slot].add(value.lower())
        self.places = places
        self.longest_first = sorted(places["name"] | places["near"], key=len, reverse=True)

    def stated(self, text):
        """slot -> the set of values that the text states; places in lower case."""
        text = " ".join(text.lower().replace("’", "'").split())
        found = {slot: set() for slot in SLOTS}
        for place in self.longest_first:
            core = place.removeprefix("the ")
            pattern = re.compile(r"\b(?:the )?" + re.escape(core) + r"(?!\w)")
            for match in pattern.finditer(text):
                if place in self.places["name"] and place in self.places["near"]:
                    slot = "near" if NEARNESS.search(text[:match.start()]) else "name"
                else:
                    slot = "name" if place in self.places["name"] else "near"
                found[slot].add(place)
            text = pattern.sub("▪", text)
        text = text.replace("£", " ")
        for slot, values in STATED.items():
            rest = text
            for value, patterns in values.items():
                for pattern in patterns:
                    rest, count = re.subn(pattern, " ▪ ", rest)
                    if count:
                        found[slot].add(value)
        return found

    def read(self, facts, text):
        """slot -> "right", "missing", "wrong" or "invented"; slots that neither has are left out."""
        verdicts = {}
        for slot, values in self.stated(text).items():
            fact = facts.get(slot)
            if slot in ("name", "near"):
                fact = fact and fact.lower()
            if slot == "eatType":
                values -= {"restaurant"} if fact != "restaurant" or values != {"restaurant"} else set()
            fitting = {value for value in values
                       if value == fact or FIGURE_OF.get(slot, {}).get(value) == fact and fact is not None}
            if fact is None:
                if values:
                    verdicts[slot] = "invented"
            elif not values:
                verdicts[slot] = "missing"
            else:
                verdicts[slot] = "right" if fitting == values else "wrong"
        return verdicts


def read_texts(path, key):
    """(facts, text) of every text; the text is None for a row that has none."""
    pairs = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            texts = row.get(key)
            for text in texts if isinstance(texts, list) else [texts]:
                pairs.append((row["prompt"], text))
    return pairs


def measure(counter, pairs):
    """The figures of a file as a dictionary."""
    kinds, by_slot, slots, words, whole = collections.Counter(), collections.Counter(), 0, 0, 0
    for prompt, text in pairs:
        facts = facts_of(prompt)
        verdicts = counter.read(facts, text or "")
        errors = {slot: kind for slot, kind in verdicts.items() if kind != "right"}
        slots += len(facts)
        words += len((text or "").split())
        whole += not errors
        kinds.update(errors.values())
        by_slot.update(errors.keys())
    return {"texts": len(pairs), "slots": slots, "error": sum(kinds.values()) / slots,
            **{kind: kinds[kind] / slots for kind in KINDS}, "without_error": whole / len(pairs), "words": words / len(pairs),
            "by_slot": {slot: by_slot[slot] / len(pairs) for slot in SLOTS}}


def cell(key, values):
    """A figure of every file of one name -> mean, and spread (standard deviation) where there are more; errors singly, too."""
    mean = statistics.mean(values)
    digits = 1 if mean >= 2 else 3
    text = f"{mean:.{digits}f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.{digits}f}"
        text += f" ({', '.join(f'{value:.{digits}f}' for value in values)})" if key == "error" else ""
    return text


def show_readings(counter, pairs, count):
    for prompt, text in pairs[::max(1, len(pairs) // count)][:count]:
        errors = {slot: kind for slot, kind in counter.read(facts_of(prompt), text or "").items() if kind != "right"}
        print(f"{prompt}\n  {text}\n  {errors or 'no error'}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--places", action="append", default=[])
    parser.add_argument("texts", nargs="+")
    arguments = parser.parse_args()
    files = collections.defaultdict(list)  # name -> the texts of each of its files
    for argument in arguments.texts:
        name, separator, path = argument.partition("=")
        if not separator:
            parser.error(f"{argument}: expected NAME=FILE")
        path, _, key = path.partition(":")
        files[name].append(read_texts(path, key or "completions"))
    known = [prompt for path in arguments.places for prompt, _ in read_texts(path, "prompt")]
    counter = Counter({*known, *(prompt for several in files.values() for pairs in several for prompt, _ in pairs)})
    if arguments.show:
        show_readings(counter, next(iter(files.values()))[0], arguments.show)
        return
    print("| | slot errors | missing | wrong | invented | texts without error | words |\n|---|---|---|---|---|---|---|")
    for name, several in files.items():
        figures = [measure(counter, pairs) for pairs in several]
        print(f"| {name} | " + " | ".join(cell(key, [of_one[key] for of_one in figures]) for key in COLUMNS) + " |")


if __name__ == "__main__":
    main()
