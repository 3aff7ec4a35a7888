"""Shows how messages are read: `python -m backtalk.language "my lower back since monday"`."""

import sys

from backtalk.language import load_reader


def main() -> None:
    """Prints the reading of each argument, or else of each line of the standard input."""
    reader = load_reader()
    for text in sys.argv[1:] or map(str.strip, sys.stdin):
        reading = reader.read(text)
        print(text)
        for finding in reading.findings:
            weak = " (as an answer)" if finding.weak else ""
            judged = f"{finding.status}, {finding.experiencer}"
            print(f"  {finding.kind:10} {finding.id:22} {judged}: {finding.said!r}{weak}")
        for duration in reading.durations:
            print(f"  duration   {duration.days:g} days{'' if duration.sure else ', not sure'}: {duration.said!r}")
        details = {
            "pain": reading.pain,
            "numbers": reading.numbers,
            "ordinals": reading.ordinals,
            "about": reading.patient,
            "relation": reading.people.relation,
            "pronoun": reading.people.pronoun,
            "age": reading.people.age,
        }
        print("  " + ", ".join(f"{name}: {value}" for name, value in details.items() if value not in (None, ())))


if __name__ == "__main__":
    main()
