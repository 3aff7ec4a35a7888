"""The knowledge files: what is shipped, how it is loaded, and how a broken file is refused."""

import re
import shutil
import subprocess
import sys

import contract
import pytest

from backtalk import paths
from backtalk.knowledge import KnowledgeError, load_knowledge, load_phrases
from backtalk.language import Reader

LOAD = "from backtalk.knowledge import load_knowledge, load_phrases; load_phrases(); print(*load_knowledge().red_flags)"


@pytest.fixture
def whole_folder(tmp_path):
    """A copy of the shipped knowledge."""
    return shutil.copytree(paths.KNOWLEDGE, tmp_path / "knowledge")


@pytest.fixture
def folder(whole_folder):
    """A copy of the shipped knowledge to break.

    Its longest files, with the phrases of the flags, are short, so that it loads fast.
    """
    few = {"red_flags_emergency": "", "red_flags_other": ""}
    for flag, level in contract.FLAGS.items():
        few[f"red_flags_{'emergency' if level == 'emergency' else 'other'}"] += f"  {flag}: {{phrases: [{flag}]}}\n"
    for name, phrases in few.items():
        (whole_folder / "phrases" / f"{name}.yml").write_text(f"vocabulary: {{}}\nphrases:\n{phrases}")
    return whole_folder


def load(folder):
    """Everything that a start of the bot loads from the knowledge files."""
    phrases = load_phrases(folder)
    return Reader(phrases.kinds, phrases.vocabulary, phrases.assertion, phrases.standing)


def swap(path, pattern, replacement):
    """Replaces the first match of a pattern in a file and returns the line on which the replacement begins."""
    text = path.read_text(encoding="utf-8")
    match = re.search(pattern, text, re.MULTILINE)
    assert match, f"{path.name} has nothing like {pattern}"
    path.write_text(text[: match.start()] + match.expand(replacement) + text[match.end() :], encoding="utf-8")
    return text.count("\n", 0, match.start()) + 1


def refusal(folder):
    """The message with which a broken folder is refused."""
    with pytest.raises(KnowledgeError) as caught:
        load(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    "records, ids",
    [
        ("regions", contract.REGIONS),
        ("onsets", contract.ONSETS),
        ("red_flags", contract.FLAGS),
        ("signs", contract.SIGNS),
        ("cautions", contract.CAUTIONS),
        ("relief", contract.RELIEF),
        ("urgency", contract.LEVELS),
    ],
)
def test_ids_are_those_of_the_contract(knowledge, records, ids):
    assert set(getattr(knowledge, records)) == set(ids)
    assert all(record.id == key for key, record in getattr(knowledge, records).items())


def test_urgency_levels_stand_from_the_highest_to_the_lowest(knowledge):
    assert tuple(knowledge.urgency) == contract.LEVELS


def sourced(knowledge):
    """Every record that states something medical."""
    yield from knowledge.muscles.values()
    yield from knowledge.red_flags.values()
    yield from knowledge.relief.values()
    yield from knowledge.urgency.values()
    yield from knowledge.combinations
    yield from (onset for onset in knowledge.onsets.values() if onset.meaning)
    yield knowledge.long_duration


def test_every_statement_names_sources_that_exist(knowledge):
    named = [source for record in sourced(knowledge) for source in record.source] + [*knowledge.explanation_source]
    assert all(record.source for record in sourced(knowledge))
    assert set(named) <= set(knowledge.sources)


def test_every_red_flag_and_caution_can_be_read_from_a_message(knowledge):
    kinds = load_phrases().kinds
    raised_by_onset = {onset.red_flag for onset in knowledge.onsets.values()} - {None}
    assert set(kinds["red_flag"]) | raised_by_onset == set(contract.FLAGS)
    assert set(kinds["caution"]) == set(contract.CAUTIONS)
    assert set(kinds["onset"]) == set(contract.ONSETS)
    assert set(kinds["region"]) - {"everywhere"} == set(contract.REGIONS)


@pytest.mark.parametrize("load_once", [load_knowledge, load_phrases])
def test_loaded_once(load_once):
    assert load_once() is load_once()
    assert load_once(paths.KNOWLEDGE) is load_once()


def test_loads_from_any_working_directory(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, env={"PYTHONPATH": str(paths.ROOT)}, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert set(done.stdout.split()) == set(contract.FLAGS)


def test_an_unbroken_copy_is_accepted(folder):
    assert load(folder).read("my lower back").findings
    assert load_knowledge(folder) == load_knowledge()


def test_another_folder_has_its_own_knowledge(whole_folder):
    swap(whole_folder / "regions.yml", "name: neck$", "name: nape")
    assert load_knowledge(whole_folder).regions["cervical"].name == "nape"
    assert load_knowledge().regions["cervical"].name == "neck"


FEVER = "  - {id: fever, name: fever, button: Fever, ask: fever, confirm: Any fever}"

# file, what is replaced, by what, where the refusal must point (lines below the replacement), and its reason
BREAKS = {
    "tab": ("red_flags.yml", r"^  - id: fever$", "\t- id: fever", 0, "not valid YAML"),
    "unclosed bracket": ("onsets.yml", r"^onsets:", "onsets: [\nx:", None, "not valid YAML"),
    "same key twice": ("relief.yml", r"^(    name: massage therapy)$", r"\1\n\1", 1, "not valid YAML"),
    "list for a mapping": ("settings.yml", r"(?s)^.*\Z", "- settings", 0, "not of type 'object'"),
    "unknown key": ("red_flags.yml", r"^(  - )(id: fever)$", r"\1colour: red\n    \2", 0, "'colour' was unexpected"),
    "unknown top key": ("onsets.yml", r"\A", "extra: []\n", 0, "'extra' was unexpected"),
    "unknown setting": (
        "settings.yml", r"^(  )(emergency_number)",
        r"\1colour: red\n\1\2", -1, "'colour' was unexpected",
    ),
    "missing setting": ("settings.yml", r"^  emergency_number:.*\n", "", -1, "'emergency_number' is a required"),
    "flag without source": (
        "red_flags.yml", r"^(  - )(id: fever\n(?:    .*\n)*?)    source: .*\n",
        r"\1\2", 0, "'source' is a required",
    ),
    "relief without source": (
        "relief.yml", r"^(  - )(id: ultrasound\n(?:    .*\n)*?)    source: .*\n",
        r"\1\2", 0, "'source' is a required",
    ),
    "onset meaning without source": (
        "onsets.yml", r"^  - (id: lifting\n(?:    .*\n)*?)    source: .*\n",
        r"  - \1", 0, "'source' is a dependency",
    ),
    "unknown source of a flag": (
        "red_flags.yml", r"^    source: nhs-back-pain$",
        "    source: hearsay", 0, "'hearsay' is not in sources.yml",
    ),
    "unknown source in a list": (
        "relief.yml", r"^    source: \[source-document, ",
        "    source: [hearsay, ", 0, "'hearsay' is not in sources.yml",
    ),
    "unknown source of a level": (
        "urgency.yml", r"^    source: nhs-back-pain$",
        "    source: hearsay", 0, "'hearsay' is not in sources.yml",
    ),
    "source twice": ("sources.yml", r"^(  - \{id: murtagh.*)$", r"\1\n\1", 1, "'murtagh' stands here twice"),
    "flag twice": ("red_flags.yml", r"^  - id: weight_loss$", "  - id: fever", 0, "'fever' stands here twice"),
    "onset twice": ("onsets.yml", r"^  - id: sport$", "  - id: sleep", 0, "'sleep' stands here twice"),
    "relief option twice": (
        "relief.yml", r"^  - id: massage$",
        "  - id: ultrasound", None, "'ultrasound' stands here twice",
    ),
    "combination twice": (
        "urgency.yml", r"^  - id: weak_spine_with_strain$",
        "  - id: trauma_with_nerve_signs", 0, "stands here twice",
    ),
    "flag and caution of one id": ("cautions.yml", r"^  - id: pregnancy$", FEVER + r"\n\g<0>", 0, "'fever'"),
    "never_with": ("relief.yml", r"never_with: \[", "never_with: [bad_mood, ", 0, "'bad_mood' is not in red_flags.yml"),
    "caution_with": (
        "relief.yml", r"caution_with:\n",
        r"caution_with:\n      bad_mood: Cheer up first.\n", 0, "'bad_mood' is not in red_flags.yml",
    ),
    "only_regions": ("relief.yml", r"only_regions: \[", "only_regions: [elbow, ", 0, "'elbow' is not in regions.yml"),
    "any_of": ("urgency.yml", r"any_of: \[", "any_of: [bad_mood, ", 0, "'bad_mood' is not in red_flags.yml"),
    "with": ("urgency.yml", r"with: \[", "with: [bad_mood, ", 0, "'bad_mood' is not in red_flags.yml"),
    "level of a combination": (
        "urgency.yml", r"^    level: urgent$",
        "    level: soonish", 0, "'soonish' is not in the urgency",
    ),
    "level of a flag": (
        "red_flags.yml", r"^    level: urgent$",
        "    level: soonish", 0, "'soonish' is not in urgency.yml",
    ),
    "level of a long duration": (
        "urgency.yml", r"^  level: clinician$",
        "  level: soonish", 0, "'soonish' is not in the urgency",
    ),
    "flag of an onset": ("onsets.yml", r"red_flag: fall$", "red_flag: stumble", 0, "'stumble' is not in red_flags.yml"),
    "warning signs": (
        "regions.yml", r"warning_signs: \[stroke_like",
        "warning_signs: [bad_mood", 0, "'bad_mood' is not in red_flags.yml",
    ),
    "muscle of a region": (
        "regions.yml", r"muscles: \[trapezius\]",
        "muscles: [biceps]", 0, "'biceps' is not in the muscles",
    ),
    "medical history": (
        "cautions.yml", r"^medical_history: \[osteoporosis",
        "medical_history: [bad_mood", 0, "'bad_mood' is not in red_flags.yml",
    ),
    "onset of a sign": ("red_flags.yml", r"after: \[accident", "after: [stumble", 0, "'stumble' is not in onsets.yml"),
    "region of a follow-up": (
        "follow_ups.yml", r"^      thoracic: faq/muscle_midback$",
        "      elbow: faq/muscle_midback", 0, "'elbow' is not in regions.yml",
    ),
    "region of a later follow-up": (
        "follow_ups.yml", r"^      lumbar: relief/soft_collar$",
        "      everywhere: relief/soft_collar", 0, "'everywhere' is not in regions.yml",
    ),
    "follow-up that is no topic": (
        "follow_ups.yml", r"^    faq/causes: faq/protective_theory$",
        "    faq/causes: the theory", 0, "'the theory' does not match",
    ),
    "follow-up behind nothing": (
        "follow_ups.yml", r"^    - after: \[relief/soft_collar\]$",
        "    - after: []", 0, "",
    ),
    "follow-ups without reasons": ("follow_ups.yml", r"(?s)^  why:.*\Z", "", None, "'why' is a required"),
    "button of 21 characters": ("cautions.yml", r"button: Pregnancy$", "button: " + "P" * 21, 0, "is too long"),
    "more than eight warning signs": (
        "regions.yml", r"warning_signs: \[stroke_like",
        "warning_signs: [aortic, stroke_like", 0, "is too long",
    ),
    "word list twice": (
        "phrases/vocabulary.yml", r"^vocabulary:$",
        "vocabulary:\n  blood_thinner: [x]", None, "'blood_thinner' stands in another file",
    ),
    "phrases for no region": (
        "phrases/regions.yml", r"^phrases:$",
        "phrases:\n  elbow: {phrases: [elbow]}", 1, "'elbow' is no region",
    ),
    "phrases for no onset": (
        "phrases/onsets.yml", r"^phrases:$",
        "phrases:\n  yoga: {phrases: [yoga]}", 1, "'yoga' is no onset",
    ),
    "phrases for no flag": (
        "phrases/red_flags_other.yml", r"^phrases:$",
        "phrases:\n  gloom: {phrases: [gloom]}", 1, "'gloom' is no red flag",
    ),
    "phrases for no caution": (
        "phrases/cautions.yml", r"^phrases:$",
        "phrases:\n  gloom: {phrases: [gloom]}", 1, "'gloom' is no caution",
    ),
    "a number for an id": ("phrases/onsets.yml", r"^phrases:$", "phrases:\n  7: {phrases: [seven]}", 1, "7"),
    "unknown kind of phrase": (
        "phrases/regions.yml", r"^phrases:$",
        "phrases:\n  cervical: {songs: [neck]}\nx:", None, "",
    ),
    "phrase with an open bracket": (
        "phrases/regions.yml", r"^(    phrases:\n)",
        r"\1      - (neck|nape\n", 1, "cannot read '('",
    ),
    "phrase with an unknown word list": (
        "phrases/regions.yml", r"^(    phrases:\n)",
        r'\1      - "{nonsense} neck"\n', 1, "there is no word list {nonsense}",
    ),
    "phrase that begins with a gap": (
        "phrases/regions.yml", r"^(    phrases:\n)",
        r"\1      - ... neck\n", 1, "begins with a gap",
    ),
    "bad phrase of an assertion rule": (
        "phrases/assertion.yml", r"^(    phrases:\n)",
        r'\1      - "{nonsense} no"\n', 1, "there is no word list {nonsense}",
    ),
    "unknown category of an assertion rule": (
        "phrases/assertion.yml", r"category: denied",
        "category: doubted", 0, "'doubted' is not one of",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name, pattern, replacement, below, reason", BREAKS.values(), ids=BREAKS)
def test_a_broken_file_is_refused_with_file_line_and_reason(folder, name, pattern, replacement, below, reason):
    line = swap(folder / name, pattern, replacement)
    message = refusal(folder)
    assert reason in message
    place = re.search(r"(\S+\.yml), line (\d+)", message)
    assert place, f"no file and line in: {message}"
    if below is not None:
        assert place.groups() == (str(folder / name), str(line + below))


@pytest.mark.parametrize(
    "name", sorted(str(path.relative_to(paths.KNOWLEDGE)) for path in paths.KNOWLEDGE.rglob("*.yml"))
)
def test_a_missing_file_is_refused(folder, name):
    (folder / name).unlink()
    assert f"{folder / name}: this file is missing" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n", b"\xff\xfe\x00\x81", b"caf\xe9: 1\n"])
@pytest.mark.parametrize("name", ["sources.yml", "phrases/vocabulary.yml", "phrases/regions.yml"])
def test_a_file_without_readable_content_is_refused(folder, name, content):
    (folder / name).write_bytes(content)
    assert str(folder / name) in refusal(folder)


@pytest.mark.parametrize("setting", ["emergency_number", "crisis_line"])
class TestSettings:
    """What the owner of a site sets."""

    def test_the_environment_wins(self, folder, monkeypatch, setting):
        monkeypatch.setenv(f"BACKTALK_{setting.upper()}", "0118 999")
        changed = load_knowledge(folder).settings
        assert changed == {**load_knowledge().settings, setting: "0118 999"}

    def test_the_file_counts_without_it(self, folder, monkeypatch, setting):
        monkeypatch.delenv(f"BACKTALK_{setting.upper()}", raising=False)
        swap(folder / "settings.yml", f"{setting}: .*", f"{setting}: the number in the file")
        assert load_knowledge(folder).settings[setting] == "the number in the file"

    def test_an_empty_variable_does_not_empty_the_setting(self, folder, monkeypatch, setting):
        monkeypatch.setenv(f"BACKTALK_{setting.upper()}", "")
        assert load_knowledge(folder).settings[setting].strip()


class TestPrivacy:
    def test_conversations_are_kept_for_a_month(self, folder):
        assert load_knowledge(folder).privacy.keep_days == 30

    def test_the_environment_wins(self, folder, monkeypatch):
        monkeypatch.setenv("BACKTALK_KEEP_DAYS", "7")
        assert load_knowledge(folder).privacy.keep_days == 7

    @pytest.mark.parametrize("days", ["0", "-1", "1.5", "a week", "3651", " 7", "٧"])
    def test_the_environment_is_checked(self, folder, monkeypatch, days):
        monkeypatch.setenv("BACKTALK_KEEP_DAYS", days)
        with pytest.raises(KnowledgeError, match="BACKTALK_KEEP_DAYS must be a whole number of days from 1 to 3650"):
            load_knowledge(folder)

    @pytest.mark.parametrize("days", ["0", "3651", "1.5", "a week", "yes"])
    def test_the_file_is_checked(self, folder, days):
        line = swap(folder / "settings.yml", "keep_days: .*", f"keep_days: {days}")
        assert f"line {line}, privacy.keep_days" in refusal(folder)
