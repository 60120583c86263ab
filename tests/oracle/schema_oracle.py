# SPDX-License-Identifier: Apache-2.0
"""schema_oracle.py TOOL [N]: does the JSON Schema say what the config reader does?

N random configs, good and bad, are made from the tables. What the schema refuses, the reader must
refuse; what the schema takes, the reader may refuse only for reasons that no schema can state.
"""

import json
import random
import re
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("needs python3-jsonschema")
    sys.exit(77)

# Reasons beyond a schema: other files, relations between values, relations between sections.
BEYOND = re.compile(
    r"cannot open|cannot run|must not be above|contradicts|needs the name of a program"
    r"|no Lua commander"
    r"|the field '|'fields' has no 'image'|give only one of them|is missing: (name the|say|without)"
    r"|is missing, or, for callbacks|needs '(plugin|script)' or '(exec|plugin)'|ranks go from"
    r"|cannot be used with|cannot be kept"
    r"|two parts of the mixture|add up to|goes with|has no part of the mixture|is 0: take the part"
    r"|is missing: the part's share"
    r"|the last epoch is|no epoch would have|makes whole batches|follows the trainer"
    r"|make them alike|add 'source'|key '.*has no value|': has no value"
)
OPTION_CHECK = re.compile(
    r"^t:\d+:\d+: error: '[a-z_]+': "
)  # a plug-in's own check of its options


class Dice(random.Random):
    """Chance with a limited number of faults: one fault at a time shows which rule is missing."""

    faults = 0

    def bad(self, p):
        hit = self.faults > 0 and self.random() < p
        self.faults -= hit
        return hit


def good_number(o, r):
    lo = o.get("min") if o.get("min") is not None else -1000
    hi = o.get("max") if o.get("max") is not None else 1000
    if "min" not in o:
        lo, hi = 0, 1000
    if o["type"] in ("int", "size"):
        return r.choice([int(lo), int(min(hi, lo + 5)), r.randint(int(lo), int(hi))])
    return r.choice([lo, hi, round(r.uniform(lo, hi), 3) if hi > lo else lo])


def good_value(o, r):
    t = o["type"]
    if t == "bool":
        return r.random() < 0.5
    if o.get("auto") and r.random() < 0.3:
        return "auto"
    if o.get("off") and r.random() < 0.3:
        return "off"
    if t in ("int", "float"):
        return good_number(o, r)
    if t == "enum":
        return r.choice(o["choices"])
    if t == "share":
        return r.choice([0, 7, "1%", "0.25%", "100%", "100.0%"])
    if t == "str":
        return r.choice(["x", 5, 1.5, True])
    if t == "path":
        return "/"
    if t == "floats":
        whole = dict(o, type="int") if o["name"] == "shape" else o
        return r.choice(
            [good_number(whole, r), [good_number(whole, r) for _ in range(r.randint(0, 3))]]
        )
    if t in ("range", "spread"):
        pair = sorted([good_number(o, r), good_number(o, r)])
        return good_number(o, r) if t == "spread" and r.random() < 0.5 else pair
    if t == "size":
        return r.choice([good_number(o, r), [good_number(o, r), good_number(o, r)]])
    return r.choice(["x", ["x", "y"], [], 7])


def bad_value(o, r):
    beyond = []
    if o.get("max") is not None:
        beyond.append(o["max"] + 1)
    if o.get("min") is not None:
        beyond.append(o["min"] - 1)
    return r.choice(
        beyond
        + [
            "nonsense",
            "",
            "yes",
            "auto",
            "off",
            None,
            True,
            3,
            -7,
            2.5,
            1e12,
            [],
            [1],
            ["a", "b"],
            [1, 2, 3],
            [2, 1],
            [0.5, 0.5],
            {},
            {"a": 1},
            [1] * 17,
            [[1]],
            [None],
            "1",
            "101%",
            "-1%",
            "01%",
            "1.%",
            "1e1%",
            "%",
        ]
    )


def options(page, r):
    out = {}
    for o in page["options"]:
        if o["required"] or r.random() < 0.3:
            if o["required"] and r.bad(0.05):
                continue
            out[o["name"]] = bad_value(o, r) if r.bad(0.15) else good_value(o, r)
    if r.bad(0.08):
        out["unknown_key"] = 1
    return out


def entry(pages, r):
    page = r.choice(pages)
    name = page["name"] if not r.bad(0.05) else "no_such_thing"
    return name, options(page, r)


def mixture(tables, sections, r):
    given = options(sections["mixture"], r)
    parts = r.randint(1, 3)
    given["of"] = []
    for _ in range(parts):
        part = options(sections["mixture.of"], r)
        part["share"] = 1 / parts if parts < 3 else r.choice([0.25, 0.5])
        if given.get("by", "share") != "share":
            for key in ("share", "from_epoch", "until_epoch"):
                part.pop(key, None)
        elif r.random() < 0.8:
            for key in ("repeat", "name", "until_epoch", "from_epoch"):
                part.pop(key, None)
        name, source = entry(tables["source"], r)
        part["source"] = dict(type=name, **source)
        if r.random() < 0.5:
            name, sampler = entry(tables["sampler"], r)
            part["sampler"] = dict(type=name, **sampler)
        if r.bad(0.05):
            part.pop("source")
        given["of"].append(part)
    if r.bad(0.05):
        given["of"] = r.choice([[], None, "x", [5], {}])
    return given


def make(tables, r):
    r.faults = r.choice([0, 1, 1, 1, 5])
    sections = {p["name"]: p for p in tables["config"]}
    config = options(sections["config"], r)
    for name in ("batch", "producers", "limits"):
        if r.random() < 0.3:
            config[name] = options(sections[name], r)
        elif r.random() < 0.2:
            config[name] = (
                r.choice(["auto", [], "x", 0])
                if r.bad(0.3)
                else r.choice([None, 4] if name != "limits" else [None])
            )
    if r.random() < 0.9:
        name, given = entry(tables["source"], r)
        config["source"] = (
            r.choice([name, None, given]) if r.bad(0.1) else dict(type=name, **given)
        )
    if r.random() < 0.15:
        if r.random() < 0.8:
            config.pop("source", None)
        config["mixture"] = mixture(tables, sections, r)
    elif r.random() < 0.4:
        name, given = entry(tables["sampler"], r)
        config["sampler"] = (
            r.choice([None, [name], {}])
            if r.bad(0.1)
            else r.choice([dict(type=name, **given), name])
        )
    if r.random() < 0.6:
        ops = []
        for _ in range(r.randint(0, 4)):
            name, given = entry(tables["op"], r)
            ops.append(
                r.choice([name, {name: None}]) if r.bad(0.1) or not given else {name: given}
            )
        if r.bad(0.08):
            ops.append(
                r.choice([None, [], {}, 5, {"normalize": {}, "resize": {}}, {"normalize": 5}])
            )
        config["ops"] = r.choice([None, {}, "resize"]) if r.bad(0.05) else ops
    if r.random() < 0.4:
        config["fields"] = {
            n: r.choice([options(sections["fields"], r), None, "uint8", {}])
            for n in ["image"] + r.sample(["label", "mask", "boxes", "w"], r.randint(0, 2))
        }
        if r.bad(0.1):
            config["fields"][r.choice(["my field", "9", "x" * 64, ""])] = "uint8"
    for name in ("commander", "producer"):
        if r.random() < 0.03:
            config[name] = options(sections[name], r)
            if r.random() < 0.5:
                config[name]["params"] = r.choice(
                    [{}, {"a": 1}, None, 5, [1], {"a": {"b": [1, "x"]}}]
                )
    return config


def is_sound(value):
    """Numbers that Python would write in a way that JSON readers take for another type."""
    if isinstance(value, dict):
        return all(map(is_sound, value.values()))
    if isinstance(value, list):
        return all(map(is_sound, value))
    return not (isinstance(value, float) and value == int(value))


def main():
    tool, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    schema = json.loads(subprocess.run([tool, "schema"], capture_output=True, check=True).stdout)
    tables = json.loads(subprocess.run([tool, "json"], capture_output=True, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    r = Dice(20)
    configs = []
    while len(configs) < n:
        config = make(tables, r)
        if config and is_sound(config):
            configs.append(config)
    texts = [json.dumps(c) for c in configs]
    answers = (
        subprocess.run(
            [tool, "read"],
            input="".join(t + "\0" for t in texts).encode(),
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .splitlines()
    )
    assert len(answers) == n, f"{n} texts, {len(answers)} answers"
    count = {"both take": 0, "both refuse": 0, "beyond the schema": 0}
    wrong = 0
    for config, text, answer in zip(configs, texts, answers):
        fits = validator.is_valid(config)
        if fits and answer == "ok":
            count["both take"] += 1
        elif not fits and answer != "ok":
            count["both refuse"] += 1
        elif fits and (BEYOND.search(answer) or OPTION_CHECK.match(answer)):
            count["beyond the schema"] += 1
        else:
            wrong += 1
            if wrong <= 5:
                why = next(validator.iter_errors(config), None)
                print(
                    f"reader: {answer}\n"
                    f"schema: {why.message if why else 'takes it'}\nconfig: {text}\n"
                )
    print(f"{n} configs:", ", ".join(f"{v} {k}" for k, v in count.items()), f", {wrong} differ")
    few = [k for k, v in count.items() if v < n // 50]
    if few:
        print("too few of:", few)
    return 1 if wrong or few else 0


sys.exit(main())
