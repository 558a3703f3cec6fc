"""Names are found, everyday words are not. The names in these lists are facts; the lists are our own."""

import csv
from pathlib import Path

import pytest

from peerdrift_nlp.errors import RulePackError
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.rules.lexicon import LEXICON_FOLDER, read_lexicon
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences

MEDICATIONS = """
    aripiprazole abilify olanzapine zyprexa quetiapine seroquel risperidone risperdal haloperidol haldol clozapine
    clozaril lithium lamictal depakote tegretol trileptal topamax prozac fluoxetine zoloft sertraline lexapro celexa
    paxil effexor venlafaxine cymbalta duloxetine wellbutrin bupropion remeron mirtazapine trazodone buspar hydroxyzine
    vistaril ativan lorazepam xanax alprazolam klonopin clonazepam valium librium adderall ritalin vyvanse strattera
    guanfacine clonidine prazosin methadone buprenorphine suboxone sublocade subutex vivitrol naltrexone antabuse
    campral acamprosate gabapentin neurontin cogentin benztropine invega latuda vraylar rexulti geodon caplyta
    melatonin ambien lunesta chantix varenicline metformin insulin lisinopril ibuprofen tylenol
""".split()
DIAGNOSES = [
    "bipolar", "schizoaffective", "schizophrenia", "BPD", "PTSD", "OUD", "ADHD", "major depressive disorder",
    "generalized anxiety disorder", "borderline personality disorder", "opioid use disorder", "MDD", "OCD", "GAD",
    "panic disorder", "dysthymia", "bulimia", "anorexia nervosa", "autism", "dissociative identity disorder",
]  # fmt: skip
FAITHS = {
    "@deity": ["God", "Allah", "Jesus", "Krishna", "Waheguru", "Higher Power"],
    "@scripture": ["Bible", "Quran", "Torah", "Bhagavad Gita", "Guru Granth Sahib", "Book of Mormon"],
    "@temple": ["church", "mosque", "synagogue", "gurdwara", "mandir"],
    "@clergy": ["pastor", "imam", "rabbi"],
    "@faith": ["Muslim", "Buddhist", "Hindu", "Sikh", "Catholic", "Jehovah's Witness", "Wiccan", "Bahá'í"],
}
EVERYDAY = """
    thrive sonata concerta focalin nicotine commit iron zinc caffeine grace mass elder service mission trinity
    anxiety borderline addiction spirit fasting communion
""".split()


def symbols(engine: RuleEngine, text: str) -> list[str]:
    folded = fold(text)
    batch = engine.normalise([folded], [split_sentences(folded)])
    words = [word for sentence in range(batch.first_sentence[-1]) for word in batch.words_of(sentence)]
    return [word for word in words if word.startswith("@")]


@pytest.mark.parametrize("name", MEDICATIONS)
def test_medication_names(engine: RuleEngine, name: str) -> None:
    assert "@med" in symbols(engine, f"she has taken {name} since last year")


@pytest.mark.parametrize("name", DIAGNOSES)
def test_diagnosis_names(engine: RuleEngine, name: str) -> None:
    assert "@dx" in symbols(engine, f"he was diagnosed with {name} back then")


@pytest.mark.parametrize(("symbol", "name"), [(symbol, name) for symbol, names in FAITHS.items() for name in names])
def test_religious_language_of_many_faiths(engine: RuleEngine, symbol: str, name: str) -> None:
    assert symbol in symbols(engine, f"they talked of the {name} and prayed")


@pytest.mark.parametrize("word", EVERYDAY)
def test_everyday_words_are_no_names_alone(engine: RuleEngine, word: str) -> None:
    assert symbols(engine, f"we read about {word} in the paper") == []


def test_an_ambiguous_name_counts_in_company(engine: RuleEngine) -> None:
    assert symbols(engine, "her dose of concerta went up") == ["@med"]


def test_an_ambiguous_abbreviation_counts_only_in_capitals(engine: RuleEngine) -> None:
    assert symbols(engine, "what he did was diagnosed late") == []
    assert symbols(engine, "the diagnosis is DID now") == ["@dx"]


def test_the_longest_name_wins(engine: RuleEngine) -> None:
    assert symbols(engine, "he has bipolar I disorder") == ["@dx"]


def test_lexicons_are_well_formed_and_sorted() -> None:
    for path in LEXICON_FOLDER.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            names = [row["name"] for row in csv.DictReader(file)]
        assert names == sorted(names, key=str.lower), path.name
        assert len({name.lower() for name in names}) == len(names), path.name


def test_what_is_wrong_with_a_lexicon_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text(
        "name,kind,ambiguous\nalpha,generic,0\nalpha,generic,0\n,generic,1\nbeta,generic,maybe\n", encoding="utf-8"
    )
    with pytest.raises(RulePackError) as caught:
        read_lexicon(path, {}, "@med", [])
    assert [problem.line for problem in caught.value.problems] == [3, 4, 5]
    path.write_text("name,sort\nalpha,generic\n", encoding="utf-8")
    with pytest.raises(RulePackError, match="missing column"):
        read_lexicon(path, {}, "@med", [])


@pytest.mark.parametrize("name", ["Lakshmi", "Krishna", "Parvati", "Vishnu", "Hanuman", "Odin", "Freyja", "Moroni"])
def test_people_may_be_named_after_gods(engine: RuleEngine, name: str) -> None:
    """Else whole communities would be flagged for their names."""
    assert "@name" in symbols(engine, f"Met with {name} at the library.")
    assert "@deity" in symbols(engine, f"I told her to pray to {name}.")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("I told Jesus he could bring his mother.", ["@name"]),
        ("Met Jesus R. at the bus stop.", ["@name"]),
        ("Reminded Christian about the Friday group.", ["@name"]),
        ("Told him that Jesus is the answer.", ["@deity"]),
        ("I said Jesus loves him.", ["@deity"]),
        ("Told her a Christian forgives.", ["@faith"]),
        ("He found Jesus I think.", ["@worship"]),
    ],
)
def test_jesus_and_christian_may_be_people(engine: RuleEngine, sentence: str, expected: list[str]) -> None:
    assert [
        symbol for symbol in symbols(engine, sentence) if symbol in ("@name", "@deity", "@faith", "@worship")
    ] == expected
