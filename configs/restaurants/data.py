"""Training rows for the models of configs/restaurants/run.sh (restaurants: facts to description).

usage: data.py answers LABELLED OUT
       data.py skills LABELLED CANDIDATES OUT

answers  OUT/answers.jsonl: facts -> a person's description; OUT/words.jsonl: criteria of people's descriptions, for the
         tokenizer.
skills   CANDIDATES are descriptions that a model sampled for every other row of answers.jsonl (sft writes them, the
         first of two folds). Makes
         OUT/describing.jsonl: facts -> a person's description, those that state the facts best;
         OUT/merging.jsonl: candidates -> the facts in plain sentences, whatever the candidates got wrong;
         OUT/criteria.jsonl: a description, most of them in the anchor's plain sentences -> criteria;
         OUT/judging.jsonl: a description -> a criterion for each slot with its yes or no, of which the judge is asked
         one at a time;
         OUT/reading.jsonl: a description -> all criteria that it meets, which teaches the judge to read.

What a description states is read by the phrase lists below, slot by slot; where they are not sure (a cue of the slot
without a phrase that they know), nothing is learned about that slot. A rubric has one criterion for every slot: the
value that the text states, or that it says nothing about it. So a false statement fails, and so does one too many.
This reader makes training rows only. The evaluation (slots.py) has rules of its own and shares none of these.
"""
import collections
import functools
import json
import pathlib
import random
import re
import sys

SLOTS = ("name", "eatType", "food", "priceRange", "customer rating", "area", "familyFriendly", "near")
VALUES = {
    "eatType": ("pub", "coffee shop", "restaurant"),
    "food": ("English", "French", "Italian", "Chinese", "Japanese", "Indian", "Fast food"),
    "priceRange": ("cheap", "moderate", "high", "less than £20", "£20-25", "more than £30"),
    "customer rating": ("low", "average", "high", "1 out of 5", "3 out of 5", "5 out of 5"),
    "area": ("riverside", "city centre"),
    "familyFriendly": ("yes", "no"),
}
ANSWER_END = " =>"  # ends the facts; configs/restaurants/*.yaml put it there by prompt.text
CRITERIA_END = "\nCriteria:"
UNSURE = "?"

# A word of degree also fits a fact that is given in figures, but not the other way round.
IMPLIED = {"cheap": "less than £20", "moderate": "£20-25", "high": "more than £30"}
IMPLIED_RATING = {"low": "1 out of 5", "average": "3 out of 5", "high": "5 out of 5"}

BETWEEN = r"(?: (?:is|are|range|ranges|rating|ratings|of|in|the|a|an|at|very|quite|rather|fairly|being|from|be|it|its))*"
PRICE_PHRASES = (
    ("less than £20", r"(?:less th[ae]n|under|below|lower than|cheaper than|up to) ?£? ?20(?! ?- ?25)"),
    ("£20-25", r"£? ?20 ?£? ?(?:-|to|and) ?£? ?25"),
    ("more than £30", r"(?:more th[ae]n|over|above|higher than|upwards of|at least|starting at|start at|from) ?£? ?30"
                      r"|£ ?30 ?(?:\+|plus|and (?:up|over|above)|or more)"),
    ("cheap", r"\b(?:cheap|cheaply|inexpensive|inexpensively|affordable|affordably)\b|\blow[- ](?:price|cost)[sd]?\b"
              r"|\b(?:price|prices|pricing|priced|cost|costs)" + BETWEEN + r" (?:low|cheap)\b(?! customer| rat)|\blow(?:er)? price range"),
    ("moderate", r"\bmoderate(?:ly)?[- ](?:price|cost)[sd]?\b|\bmoderate(?:ly)? pric|\bmid(?:dle)?[- ]?(?:price|range)"
                 r"|\b(?:average|medium|reasonable|fair)[- ](?:price|cost)[sd]?\b|\b(?:reasonably|averagely)[- ]priced"
                 r"|\b(?:price|prices|pricing|priced|cost|costs)" + BETWEEN + r" (?:moderate|moderately|average|medium)\b(?! customer| rat)"),
    ("high", r"(?<!in)(?<!not )\bexpensive\b|\bhigh(?:er|ly)?[- ](?:price|cost)[sd]?\b|\bpricey\b|\bcostly\b"
             r"|\b(?:price|prices|pricing|priced|cost|costs)" + BETWEEN + r" high\b(?! customer| rat)"),
)
PRICE_CUES = r"£|pric|cost|pound|expens|cheap|afford|budget|pay|moderate|inexpens|value|\b[23][05]\b|dollar|\$|euro"
RATED = r"(?:rated|rating|ratings|review|reviews|customer|customers|consumer)"
RATING_PHRASES = (
    ("1 out of 5", r"\b(?:1|one)[- ](?:out )?of[- ](?:5|five)|\b(?:1|one)[- ]stars?\b|\b1 ?/ ?5\b"),
    ("3 out of 5", r"\b(?:3|three)[- ](?:out )?of[- ](?:5|five)|\b(?:3|three)[- ]stars?\b|\b3 ?/ ?5\b"),
    ("5 out of 5", r"\b(?:5|five)[- ](?:out )?of[- ](?:5|five)|\b(?:5|five)[- ]stars?\b|\b5 ?/ ?5\b"),
    ("low", r"\b(?:low|poor|bad|poorly|lowly|badly)[- ]" + RATED + r"|\b" + RATED + BETWEEN + r" (?:low|poor|bad|poorly)\b"),
    ("average", r"\baverage[- ]" + RATED + r"|\b" + RATED + BETWEEN + r" average\b(?! pric)"),
    ("high", r"\b(?:high|highly|excellent|great|good|well|top)[- ]" + RATED + r"|\b" + RATED + BETWEEN
             + r" (?:high|highly|excellent|great|good|well)\b(?!(?: |-)(?:pric|cost))|\bhighly recommended"),
)
RATING_CUES = r"rat(?:ed|ing|e)|review|star|customer|consumer|recommend|out of|satisf|quality|poor|average|popular|\b[135]\b"
FAMILY_NO = (r"\b(?:not|non|isn't|no|nor|never|un)[- ]*(?:a |an |very |for |suitable for |considered |recommended for )?"
             r"(?:famil|kid|child)|\badults?[- ]only\b|\bfor adults\b|\bn't (?:family|kid|child)")
FAMILY_YES = r"\b(?:family|families|kids?|child|children|childrens)[- ]friendly\b|\bfriendly (?:to|for) (?:famil|kid|child)"
FAMILY_CUES = r"famil|kid|child|adult|friendly|mature|everyone|all ages|grown"


def facts_of(prompt):
    """The facts of a row: slot -> value."""
    return {slot.strip(): value for slot, value in re.findall(r"([A-Za-z ]+)\[([^\]]*)\]", prompt)}


def fold(text):
    return " ".join(text.replace("’", "'").split())


class Reader:
    """What a text states: slot -> value, None for nothing, UNSURE where the phrases do not decide, a set of values
    where it contradicts itself."""

    def __init__(self, rows):
        self.names = sorted({facts_of(row["prompt"])["name"] for row in rows})
        self.near = sorted({facts_of(row["prompt"]).get("near") for row in rows} - {None})
        self.places = sorted({*self.names, *self.near}, key=len, reverse=True)

    def values(self, slot):
        return {"name": self.names, "near": self.near}.get(slot) or VALUES[slot]

    @functools.cache
    def read(self, text):
        stated, rest = self._places(fold(text))
        rest = rest.lower()
        foods = {food for food in VALUES["food"] if re.search(r"\b" + food.lower().replace(" ", "[- ]?") + r"s?\b", rest)}
        if not foods and re.search(r"british|sushi|pasta|pizza|curry|breakfast|burger|wine|cheese|noodle|american", rest):
            foods = {UNSURE}
        stated["food"] = self._one(foods)
        kinds = {kind for kind in ("pub", "coffee shop") if re.search(r"\b" + kind.replace(" ", "[- ]") + r"s?\b", rest)}
        if not kinds:
            unsure = re.search(r"coffee|bar\b|caf[eé]|public house|bistro|diner\b|tavern", rest)
            kinds = {UNSURE} if unsure else {"restaurant"} if re.search(r"\brestaurants?\b", rest) else set()
        stated["eatType"] = self._one(kinds)
        stated["priceRange"] = self._phrases(rest, PRICE_PHRASES, PRICE_CUES, IMPLIED)
        stated["customer rating"] = self._phrases(rest, RATING_PHRASES, RATING_CUES, IMPLIED_RATING)
        areas = {area for area, pattern in (("riverside", r"\briver"), ("city centre", r"\b(?:city|town) cent(?:re|er)"))
                 if re.search(pattern, rest)}
        if not areas and re.search(r"city|town|centre|center|downtown|water", rest):
            areas = {UNSURE}
        stated["area"] = self._one(areas)
        if re.search(FAMILY_NO, rest):
            stated["familyFriendly"] = "no"
        elif re.search(FAMILY_YES, rest):
            stated["familyFriendly"] = "yes"
        else:
            stated["familyFriendly"] = UNSURE if re.search(FAMILY_CUES, rest) else None
        return stated

    def _places(self, text):
        """Which places are named, and the text without them."""
        found = {"name": set(), "near": set()}
        for place in self.places:
            if place not in text:
                continue
            pattern = r"\b" + re.escape(place) + r"(?!\w)"
            for match in re.finditer(pattern, text):
                before = text[:match.start()].lower()
                is_near = re.search(r"\b(?:near|by|to|beside|around|from|off|with|opposite)(?: to)?(?: the)?,? ?$", before)
                both = place in self.names and place in self.near
                role = ("near" if is_near else "name") if both else "name" if place in self.names else "near"
                found[role].add(place)
            text = re.sub(pattern, "@", text)
        return {role: self._one(places) for role, places in found.items()}, text

    @staticmethod
    def _one(values):
        return None if not values else next(iter(values)) if len(values) == 1 else values

    @staticmethod
    def _phrases(text, phrases, cues, implied):
        found = set()
        for value, pattern in phrases:
            if re.search(pattern, text):
                found.add(value)
                text = re.sub(pattern, "@", text)
        if len(found) == 2:  # "high prices of more than £30" says the same twice
            for degree, figure in implied.items():
                if found == {degree, figure}:
                    return figure
        return Reader._one(found) if found else UNSURE if re.search(cues, text) else None


def fits(slot, stated, value):
    """Whether a text that states `stated` states `value`."""
    if stated == value or (slot, stated, value) == ("eatType", "restaurant", None):
        return True
    implied = {"priceRange": IMPLIED, "customer rating": IMPLIED_RATING}.get(slot, {})
    return value is not None and isinstance(stated, str) and implied.get(stated) == value


def criterion(slot, value):
    if value is None:
        return {"name": "it has no name", "eatType": "no pub and no coffee shop", "food": "no food", "priceRange": "no price",
                "customer rating": "no rating", "area": "no area", "familyFriendly": "nothing about families",
                "near": "nothing nearby"}[slot]
    if slot == "familyFriendly":
        return "it is family-friendly" if value == "yes" else "it is not family-friendly"
    return {"name": "it is called {}", "eatType": "it is a {}", "food": "the food is {}", "priceRange": "the price is {}",
            "customer rating": "the rating is {}", "area": "the area is {}", "near": "it is near {}"}[slot].format(value)


def rubric_of(stated):
    """The completion that the anchor learns: a criterion for each slot; nothing where the reading is not sure."""
    if any(value == UNSURE or isinstance(value, set) for value in stated.values()):
        return None
    return " ".join("| " + criterion(slot, stated[slot]) for slot in SLOTS)


def plain_description(facts):
    """The facts in plain sentences: what the anchor learns to write."""
    sentences = [f"{facts['name']} is a {facts['eatType'] or 'place'}"]
    if facts["near"]:
        sentences[0] += f" near {facts['near']}"
    sentences += [text.format(facts[slot]) for slot, text in (
        ("food", "It serves {} food"), ("priceRange", "The price is {}"), ("customer rating", "The customer rating is {}"),
        ("area", "It is in the {} area" if facts["area"] == "riverside" else "It is in the {}")) if facts[slot]]
    if facts["familyFriendly"]:
        sentences.append("It is family-friendly" if facts["familyFriendly"] == "yes" else "It is not family-friendly")
    return ". ".join(sentences) + "."


def questions(reader, stated, rng):
    """(criterion, verdict) for each slot in random order, about as many met as not; not for a slot of unsure reading."""
    asked = []
    for slot in SLOTS:
        value = stated[slot]
        if value == UNSURE:
            continue
        fitting = [v for v in (*reader.values(slot), None) if fits(slot, value, v)]
        others = [v for v in reader.values(slot) if v not in fitting]
        if isinstance(value, set):  # what contradicts itself meets no criterion
            asked.append((criterion(slot, rng.choice([*sorted(value), None])), "no"))
        elif rng.random() < 0.5:
            asked.append((criterion(slot, rng.choice(fitting)), "yes"))
        else:
            asked.append((criterion(slot, rng.choice(others) if None in fitting or rng.random() < 0.75 else None), "no"))
    rng.shuffle(asked)
    return asked


def faults_of(stated, facts):
    """How many facts a text does not state, or states without having them; an unsure reading is a little of a fault."""
    return sum(0.1 if stated[slot] == UNSURE else not fits(slot, stated[slot], value) for slot, value in facts.items())


def misread(facts, reader, rng):
    """The facts with about two slots changed or left out: the anchor's own sentences are imperfect too."""
    changed = dict(facts)
    for slot in SLOTS[1:]:
        if rng.random() < 0.25:
            changed[slot] = rng.choice([None, *reader.values(slot)])
    return changed


ASIDES = {
    "food": ("serving {} food", "It serves {} food."), "priceRange": ("with a price range of {}", "The price range is {}."),
    "customer rating": ("with a {} customer rating", "It has a customer rating of {}."),
    "area": ("in the {}", "It is located in the {}."), "near": ("near {}", "It is near {}."),
    "familyFriendly": ("and is {} friendly", "It is {} friendly."),
}
FRIENDLY = {"yes": ("family", "kid", "children"), "no": ("not family", "not kid", "not child")}


def with_inventions(texts, facts, reader, rng):
    """Candidates of which a fifth state what the facts do not have. An anchor that believes the few rewards inventing,
    until all rollouts invent."""
    texts = list(texts)
    for slot in ASIDES:
        if facts[slot] is None and rng.random() < 0.6:
            for place in rng.sample(range(len(texts)), len(texts) // 5):
                value = rng.choice(reader.values(slot))
                value = rng.choice(FRIENDLY[value]) if slot == "familyFriendly" else value
                texts[place] += " " + rng.choice(ASIDES[slot]).format(value)
    return texts


def spliced(text, other, rng):
    """A text with a part of another's at its end: it says more than it should, and often contradicts itself."""
    words = other.split()
    start = rng.randrange(max(1, len(words) - 3))
    return text + " " + " ".join(words[start:start + rng.randint(4, 12)])


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"{path}: {len(rows)} rows")


def read_rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def usable(text):
    """Without the longest fifth and without rare characters."""
    return len(text.split()) <= 30 and re.fullmatch(r"[A-Za-z0-9£é ,.'!:;()/-]+", text) is not None


def make_answers(labelled, out):
    rows = read_rows(labelled)
    reader = Reader(rows)
    answers, words = [], []
    for row in rows:
        texts = [text for text in map(fold, row["answers"]) if usable(text)] or [fold(row["answers"][0])]
        answers.append({"prompt": row["prompt"] + ANSWER_END, "answers": texts})
        rubric = rubric_of(reader.read(texts[0]))
        if rubric:
            words.append({"prompt": texts[0] + CRITERIA_END, "completion": rubric})
    write(out / "answers.jsonl", answers)
    write(out / "words.jsonl", words)


def make_skills(labelled, candidates, out):
    rows = read_rows(labelled)
    sampled = read_rows(candidates)
    reader = Reader(rows)
    rng = random.Random(0)
    made = collections.defaultdict(list)
    shown = []  # to the judge
    groups = dict(zip(range(0, len(rows), 2), sampled, strict=True))  # of the first of two folds
    for place, row in enumerate(rows):
        facts = {slot: facts_of(row["prompt"]).get(slot) for slot in SLOTS}
        people = sorted({text for text in map(fold, row["answers"]) if usable(text)})
        rng.shuffle(people)
        faults = {text: faults_of(reader.read(text), facts) for text in people or row["answers"][:1]}
        best = [text for text, of_one in faults.items() if of_one == min(faults.values())]
        made["describing"].append({"prompt": row["prompt"] + ANSWER_END, "answers": best})
        plain = [plain_description(misread(facts, reader, rng)) for _ in range(2)]
        shown += [*people[:3], plain[0]]
        if place in groups:
            texts = [text for text in map(fold, groups[place]["candidates"]) if text]
            # Few rows lack food or price, so an anchor would believe whatever single candidate names one.
            times = 1 + 2 * (facts["food"] is None) + (facts["priceRange"] is None)
            for _ in range(times):
                made["merging"].append({"candidates": with_inventions(texts, facts, reader, rng),
                                        "answers": [plain_description(facts)]})
            plain += texts[:1]
            shown += texts[:8]
        for text in plain:
            rubric = rubric_of(reader.read(text))
            if rubric:
                made["criteria"].append({"prompt": text + CRITERIA_END, "completion": rubric})
    for text in [*shown, *(spliced(rng.choice(shown), rng.choice(shown), rng) for _ in range(len(shown) // 4))]:
        stated = reader.read(text)
        asked = questions(reader, stated, rng)
        made["judging"].append({"prompt": text, "completion": "".join(f" # {one} ? {verdict}" for one, verdict in asked)})
        made["reading"].append({"prompt": text, "completion": "".join(
            " # " + criterion(slot, value) for slot, value in stated.items() if value != UNSURE and not isinstance(value, set))})
    for name, of_one in made.items():
        write(out / f"{name}.jsonl", of_one)


def main():
    match sys.argv[1:]:
        case ["answers", labelled, out]:
            make_answers(labelled, pathlib.Path(out))
        case ["skills", labelled, candidates, out]:
            make_skills(labelled, candidates, pathlib.Path(out))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
