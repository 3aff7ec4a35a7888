"""The summary of an interview, for the visitor and for a doctor. Pure functions; imports no Rasa.

One record, `Summary`, is shown as a short list that the visitor can correct (`recap_text`), as a text for a doctor
(`summary_text`), and as a page to save or print (`summary_page`); `backtalk.fhir` makes a QuestionnaireResponse of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from backtalk import paths
from backtalk.interview import AGE, QUESTIONS, Interview, doubted, entry
from backtalk.knowledge import Knowledge
from backtalk.report import same_advice
from backtalk.triage import Outcome, decides_alone
from backtalk.wording import Audience, days_in_words, listed, lower, quoted, upper

TITLE = "Back spasm summary"
NOTE = (
    "Written by the chatbot Backtalk from what was typed in a chat. "
    "Nobody has been examined; this is information, not a diagnosis."
)
CHANGED_SINCE = "What was said after that has changed the picture, and no new result was told yet."
# More than so many entries are counted, not named, in the list for the visitor.
_MOST_NAMED = 4
_QUESTIONS = {
    "regions": "Where",
    "onset": "How it started",
    "duration": "How long",
    "pain_level": "Pain now",
    "warning_signs": "Warning signs",
    "medical_history": "Conditions and medicines",
    AGE: "Age",
}


@dataclass(frozen=True)
class Line:
    """One finding: what it is, its value in plain words, and the visitor's own words for it."""

    id: str
    what: str
    value: str
    said: str | None = None


@dataclass(frozen=True)
class Summary:
    """What was said (`answers`, `present`), denied (`ruled_out`), left open (`open`) and advised.

    `urgency` is the name of the level that was told, or None while none was; `patient` says of whom it speaks;
    `sources` are those of the advice.
    """

    written: datetime
    patient: str
    answers: tuple[Line, ...]
    present: tuple[Line, ...]
    ruled_out: tuple[Line, ...]
    open: tuple[str, ...]
    urgency: str | None
    advice: tuple[str, ...]
    sources: tuple[str, ...]


def summarize(
    interview: Interview,
    knowledge: Knowledge,
    audience: Audience,
    written: datetime,
    told: Mapping[str, Any] | None = None,
) -> Summary:
    """The summary of an interview; `told` is the result that the visitor was given (`report.told_of`), if any."""
    outcome = interview.outcome(knowledge)
    facts = outcome.facts
    holds = same_advice(told, outcome) if told else False
    in_doubt = doubted(interview)
    present = []
    for name in (*facts.red_flags, *facts.signs, *facts.cautions):
        what = upper(entry(name, knowledge).name) + (" (taken back, not yet confirmed)" if name in in_doubt else "")
        present.append(Line(name, what, "yes", _own_words(interview, name, knowledge)))
    cleared = _in_order(interview.cleared, knowledge)
    left_open = [_open_name(name, knowledge) for name in interview.unsure]
    left_open += [entry(flag, knowledge).name for flag in interview.flags_to_confirm if flag not in in_doubt]
    unasked = [
        _QUESTIONS[question]
        for question in QUESTIONS
        if interview.is_open(question) and question not in interview.conflicts
    ]
    still_open = [*(f"{upper(name)}: not sure" for name in left_open), *(f"{name}: not asked" for name in unasked)]
    return Summary(
        written=written,
        patient=_patient(interview),
        answers=tuple(_answers(interview, knowledge)),
        present=tuple(present),
        ruled_out=tuple(Line(name, upper(entry(name, knowledge).name), "no") for name in cleared),
        open=tuple(dict.fromkeys(still_open)),
        urgency=knowledge.urgency[told["urgency"]].name if told else None,
        advice=tuple(_advice(outcome, knowledge, audience)) if holds else (CHANGED_SINCE,) if told else (),
        sources=_sources(outcome, knowledge) if holds else (),
    )


def recap_text(summary: Summary) -> str:
    """What the visitor has told so far, as a short list."""
    lines = [f"• {line.what}: {line.value}" for line in summary.answers]
    lines += [f"• {line.what}{f': you said {quoted(line.said)}' if line.said else ''}" for line in summary.present]
    number = len(summary.ruled_out)
    if number > _MOST_NAMED:
        lines.append(f"• Not there, as you said: {number} signs, conditions and medicines that I asked about")
    elif summary.ruled_out:
        lines.append(f"• Not there, as you said: {listed([lower(line.what) for line in summary.ruled_out])}")
    lines += [f"• {line}" for line in summary.open if line.endswith("not sure")]
    return "\n".join(lines)


def summary_text(summary: Summary) -> str:
    """The summary as plain text."""
    return "\n\n".join(f"{title}\n{body}" if title else body for title, body in _sections(summary))


def summary_sections(summary: Summary) -> list[dict[str, Any]]:
    """The summary in sections of a title, empty in the first and the last, and lines, for a page to show."""
    return [
        {"title": title, "lines": [line.removeprefix("- ") for line in body.split("\n")]}
        for title, body in _sections(summary)
    ]


def summary_page(summary: Summary) -> str:
    """The summary as an HTML page that needs nothing else, to save or print."""
    folder = FileSystemLoader(paths.PACKAGE / "templates")
    template = Environment(loader=folder, autoescape=select_autoescape(["html"])).get_template("summary.html")
    return template.render(summary=summary, title=TITLE, note=NOTE, date=_date(summary))


def _sections(summary: Summary) -> list[tuple[str, str]]:
    told = [*summary.answers, *summary.present]
    advised = [f"- Urgency: {summary.urgency}", *(f"- {text}" for text in summary.advice)] if summary.urgency else []
    sections = [
        ("", f"{TITLE}\n{_date(summary)}\n{summary.patient}"),
        ("What was said", "\n".join(f"- {_said(line)}" for line in told) or "- nothing yet"),
        ("Ruled out in the chat", "\n".join(f"- {line.what}" for line in summary.ruled_out)),
        ("Not known", "\n".join(f"- {line}" for line in summary.open)),
        ("What the chatbot advised", "\n".join(advised)),
        ("Sources", "\n".join(f"- {source}" for source in summary.sources)),
        ("", NOTE),
    ]
    return [(title, body) for title, body in sections if body]


def _said(line: Line) -> str:
    value = "" if line.value == "yes" else f": {line.value}"
    return f"{line.what}{value}{f' (in their words: {quoted(line.said)})' if line.said else ''}"


def _own_words(interview: Interview, name: str, knowledge: Knowledge) -> str | None:
    """What the visitor said for an entry, unless it was picked from a list by its name."""
    words = interview.said.get(name)
    return words if words and words != entry(name, knowledge).name else None


def _date(summary: Summary) -> str:
    return summary.written.strftime("%d %B %Y, %H:%M UTC").lstrip("0")


def _patient(interview: Interview) -> str:
    if interview.addressed == "you":
        return "Told by the person concerned"
    return f"Told by somebody else, for their {interview.relation}" if interview.relation else "Told by somebody else"


def _answers(interview: Interview, knowledge: Knowledge) -> list[Line]:
    said = interview.said
    found = []
    if interview.regions:
        names = listed([knowledge.regions[region].name for region in interview.regions])
        words = said.get("regions")
        found.append(Line("regions", _QUESTIONS["regions"], names, words if words != names else None))
    if interview.onset and interview.onset != "unknown":
        found.append(Line("onset", _QUESTIONS["onset"], knowledge.onsets[interview.onset].name, said.get("onset")))
    if interview.duration_days is not None:
        days = days_in_words(interview.duration_days)
        found.append(Line("duration", _QUESTIONS["duration"], days, interview.duration))
    if interview.pain_level is not None:
        found.append(Line("pain_level", _QUESTIONS["pain_level"], f"{interview.pain_level:g} out of 10"))
    if interview.age is not None:
        found.append(Line(AGE, _QUESTIONS[AGE], f"{interview.age:g}"))
    return found


def _open_name(name: str, knowledge: Knowledge) -> str:
    return _QUESTIONS.get(name) or entry(name, knowledge).name


def _in_order(names: tuple[str, ...], knowledge: Knowledge) -> list[str]:
    return [name for name in (*knowledge.red_flags, *knowledge.signs, *knowledge.cautions) if name in names]


def _advice(outcome: Outcome, knowledge: Knowledge, audience: Audience) -> list[str]:
    alone = decides_alone(outcome, knowledge)
    seek_help = (alone and alone.seek_help) or knowledge.urgency[outcome.urgency].seek_help
    lines = [advice.text for advice in outcome.do]
    if outcome.relief:
        lines.append(f"May relieve it: {listed([knowledge.relief[option.id].name for option in outcome.relief])}.")
    return [audience.text(line) for line in (*lines, seek_help)]


def _sources(outcome: Outcome, knowledge: Knowledge) -> tuple[str, ...]:
    cited = [source for advice in outcome.do for source in advice.source]
    cited += [source for flag in outcome.reasons for source in knowledge.red_flags[flag].source]
    cited += [source for rule in outcome.rules for source in rule.source]
    cited += [source for option in outcome.relief for source in knowledge.relief[option.id].source]
    cited += (decides_alone(outcome, knowledge) or knowledge.urgency[outcome.urgency]).source
    return tuple(knowledge.sources[source].full for source in dict.fromkeys(cited))
