#!/usr/bin/env python3
"""Measure how much of a reference name list a lexicon recognises.

Usage:
  coverage.py medications.csv REF/psychotropic_moud.tsv --where kind=generic
  coverage.py medications.csv REF/common_meds.tsv --where kind=brand
  coverage.py diagnoses.csv REF/do_mental_health.tsv --where depth=3,4 --screen diagnoses_screen.csv
  coverage.py diagnoses.csv REF/icd10cm2020_F_names.tsv --exclude '^other\\b|\\bnot$'
  coverage.py faiths.csv REF/religions.tsv --match 'path=^Abrahamic > Christianity'

A reference name is counted in the first of these classes that fits:
  exact        equal to a lexicon name after normalising: case, accents, curly quotes, apostrophes dropped, hyphen and
               slash read as a space, runs of spaces, a bracketed tail dropped from a reference name, and a plural -s
               dropped from words of five letters or more (not -ss, -us, -is)
  combination  (generics of medicines only, i.e. a lexicon with an "ingredient" column and --where kind=generic) a name
               of two or more ingredients, joined by "-", "/", ";", "," or "and", every one of which is exact
  form         (medicines only) exact once strengths, pack sizes and dose-form words (FORM_WORDS below) are dropped
  within       a lexicon name stands in the reference name as whole words: what a matcher that anchors on whole words
               would find. Class names and names of fewer than four letters don't count here.
  missed       none of these
"strict" = exact + combination. "recognised" = strict + form. "anchored" = recognised + within.
"ambiguous only" counts anchored names whose every matching lexicon row has ambiguous=1 (they never anchor alone).
Standard library only.
"""

import argparse
import csv
import re
import unicodedata

FORM_WORDS = set(
    "xr er sr cr la xl cd dr ir odt hfa iv im pf hd sustained extended release delayed rapidly disintegrating tablet "
    "tablets capsule capsules kit pen pens kwikpen solostar flexpen flextouch penfill innolet statdose reditabs "
    "reditab soltab solutab liqui gels liquid hydrochloride sodium preservative free autoinjector human pork beef "
    "sprinkle sprinkles fe day pak pac tts max mint flavored childrens children infants junior strength "
    "pediatric".split()
)


def plural(word):
    if len(word) >= 5 and word.endswith("s") and word[-2] not in "sui":
        return word[:-1]
    return word


def norm(text, reference=False):
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c)).casefold()
    if reference:
        text = re.sub(r"\s*\([^)]*\)\s*$", "", text) or text
    text = re.sub("['\u2018\u2019`\u02bc]", "", text)
    text = re.sub(r"[^\w+#&.%]+", " ", text)
    return " ".join(plural(w) for w in text.split())


def drop_forms(name):
    words = [w for w in name.split() if w not in FORM_WORDS and not re.fullmatch(r"#?[\d.+%]+[a-z]?", w)]
    return " ".join(words)


def read(path):
    with open(path, encoding="utf-8", newline="") as handle:
        first = handle.readline()
        handle.seek(0)
        return list(csv.DictReader(handle, delimiter="\t" if "\t" in first else ","))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lexicon")
    parser.add_argument("reference")
    parser.add_argument("--column", default="name", help="name column of the reference (default: name)")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COL=V1,V2",
        help="keep only reference rows with this value; may be repeated",
    )
    parser.add_argument(
        "--match",
        action="append",
        default=[],
        metavar="COL=REGEX",
        help="keep only reference rows in which this column matches; may be repeated",
    )
    parser.add_argument("--screen", help="CSV name,depth,kept,reason: measure only the names with kept=1")
    parser.add_argument("--exclude", metavar="REGEX", help="leave out reference names that match")
    parser.add_argument("--quiet", action="store_true", help="counts only, no missed names")
    args = parser.parse_args()

    lexicon = read(args.lexicon)
    medicines = "ingredient" in lexicon[0]
    index = {}
    for row in lexicon:
        index.setdefault(norm(row["name"]), []).append(row)
    longest = max(len(k.split()) for k in index)

    rows = read(args.reference)
    generics = False
    for clause in args.where:
        column, values = clause.split("=", 1)
        wanted = set(values.split(","))
        rows = [r for r in rows if r[column] in wanted]
        generics = generics or (column == "kind" and wanted == {"generic"})
    for clause in args.match:
        column, pattern = clause.split("=", 1)
        rows = [r for r in rows if re.search(pattern, r[column])]
    names = sorted({r[args.column] for r in rows})
    total = len(names)
    if args.screen:
        kept = {r["name"]: r["kept"] for r in read(args.screen)}
        unscreened = [n for n in names if n not in kept]
        if unscreened:
            raise SystemExit("not in the screen: " + "; ".join(unscreened))
        names = [n for n in names if kept[n] == "1"]
    if args.exclude:
        names = [n for n in names if not re.search(args.exclude, n)]

    def inside(name):
        words, hits = name.split(), []
        for i in range(len(words)):
            for j in range(min(len(words), i + longest), i, -1):
                part = " ".join(words[i:j])
                rows_ = [r for r in index.get(part, []) if r["kind"] != "class"]
                if rows_ and len(part) >= 4:
                    hits.extend(rows_)
        return hits

    found = {k: [] for k in ("exact", "combination", "form", "within", "missed")}
    ambiguous = 0
    for name in names:
        key = norm(name, reference=True)
        hits, kind = index.get(key), "exact"
        if not hits and medicines and generics:
            parts = [norm(p) for p in re.split(r"\s*[-/;,]\s*|\s+and\s+", name) if p.strip()]
            if len(parts) > 1 and all(p in index for p in parts):
                hits, kind = [r for p in parts for r in index[p]], "combination"
        if not hits and medicines:
            hits, kind = index.get(drop_forms(key)), "form"
        if not hits:
            hits, kind = inside(key), "within"
        if not hits:
            kind = "missed"
        elif all(r["ambiguous"] == "1" for r in hits):
            ambiguous += 1
        found[kind].append(name)

    n = len(names)
    strict = len(found["exact"]) + len(found["combination"])
    recognised, anchored = strict + len(found["form"]), n - len(found["missed"])
    print(f"lexicon {args.lexicon}: {len(lexicon)} rows; reference {args.reference}")
    if n != total:
        print(f"reference names: {total}, measured after the screen or exclusion: {n}")
    print("  ".join(f"{k} {len(v)}" for k, v in found.items()))
    figures = (("strict", strict), ("recognised", recognised), ("anchored", anchored))
    print(
        "   ".join(f"{k} {v}/{n} = {100 * v / max(n, 1):.1f}%" for k, v in figures) + f"   ambiguous only {ambiguous}"
    )
    if not args.quiet:
        for kind in ("within", "missed"):
            if found[kind]:
                print(f"{kind}: " + "; ".join(found[kind]))


if __name__ == "__main__":
    main()
