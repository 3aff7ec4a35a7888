"""Triage decides exactly as the contract says: every flag, every pair, every relief option, any combination."""

from itertools import combinations, product

import contract
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtalk.knowledge import load_knowledge
from backtalk.triage import Facts, assess, excluded_by

KNOWLEDGE = load_knowledge()
EVERYTHING = Facts(
    regions=contract.REGIONS, onset="lifting", red_flags=tuple(contract.FLAGS), cautions=contract.CAUTIONS,
    signs=contract.SIGNS, duration_days=100, pain_level=10,
)  # fmt: skip


def as_told(facts):
    """What the contract's own functions take of the facts."""
    return {"flags": facts.red_flags, "onset": facts.onset, "signs": facts.signs, "duration_days": facts.duration_days}


def ids_of(suggestions):
    return {suggestion.id for suggestion in suggestions}


def caution_of(option, outcome):
    """What is said with a suggested option."""
    return next(suggestion.caution for suggestion in outcome.relief if suggestion.id == option)


@pytest.mark.parametrize("flag, level", contract.FLAGS.items())
class TestFlagAlone:
    def test_has_its_level(self, knowledge, flag, level):
        outcome = assess(Facts(red_flags=(flag,)), knowledge)
        assert (outcome.urgency, outcome.reasons, outcome.rules) == (level, (flag,), ())

    @pytest.mark.parametrize("region", contract.REGIONS)
    @pytest.mark.parametrize("pain_level", [0, 10])
    def test_is_the_same_wherever_and_however_bad_it_is(self, knowledge, flag, level, region, pain_level):
        facts = Facts(regions=(region,), red_flags=(flag,), pain_level=pain_level)
        assert assess(facts, knowledge).urgency == level


@pytest.mark.parametrize("pair", list(combinations(contract.FLAGS, 2)), ids="+".join)
def test_two_flags(knowledge, pair):
    outcome = assess(Facts(red_flags=pair), knowledge)
    assert outcome.urgency == contract.urgency(pair)
    assert set(outcome.reasons) == set(pair)


@pytest.mark.parametrize("flag, onset", list(product(contract.FLAGS, contract.ONSETS)))
def test_a_flag_with_an_onset(knowledge, flag, onset):
    assert assess(Facts(red_flags=(flag,), onset=onset), knowledge).urgency == contract.urgency((flag,), onset)


@pytest.mark.parametrize("onset", contract.ONSETS)
def test_only_accident_and_fall_raise_their_flag(knowledge, onset):
    outcome = assess(Facts(onset=onset), knowledge)
    assert outcome.facts.red_flags == outcome.reasons == ((onset,) if onset in ("accident", "fall") else ())
    assert outcome.urgency == ("urgent" if onset in ("accident", "fall") else "self_care")


@pytest.mark.parametrize("trauma", sorted(contract.TRAUMA))
@pytest.mark.parametrize("told_as", ["onset", "flag"])
@pytest.mark.parametrize("nerve", sorted(contract.NERVE_SIGNS))
def test_trauma_with_a_nerve_sign_is_an_emergency(knowledge, trauma, told_as, nerve):
    onset, flags = (trauma, ()) if told_as == "onset" else (None, (trauma,))
    signs = (nerve,) if nerve in contract.SIGNS else ()
    flags = flags if signs else (*flags, nerve)
    outcome = assess(Facts(onset=onset, red_flags=flags, signs=signs), knowledge)
    assert outcome.urgency == "emergency"
    assert [set(rule.facts) for rule in outcome.rules] == [{trauma, nerve}]


@pytest.mark.parametrize("onset", [onset for onset, flag in contract.ONSETS.items() if not flag])
def test_a_numb_limb_without_trauma_raises_nothing(knowledge, onset):
    outcome = assess(Facts(onset=onset, signs=("numb_limb",)), knowledge)
    assert (outcome.urgency, outcome.reasons, outcome.rules) == ("self_care", (), ())


@pytest.mark.parametrize("flag", sorted(contract.WEAK_SPINE))
@pytest.mark.parametrize("onset", contract.ONSETS)
def test_a_weak_spine_with_a_strain_is_urgent(knowledge, flag, onset):
    outcome = assess(Facts(red_flags=(flag,), onset=onset), knowledge)
    assert outcome.urgency == ("urgent" if onset in ("accident", "fall", "lifting") else "clinician")
    assert [rule.facts for rule in outcome.rules] == ([(flag, onset)] if onset in contract.STRAIN else [])


@pytest.mark.parametrize(
    "days, level",
    [
        (None, "self_care"),
        (0, "self_care"),
        (1, "self_care"),
        (42, "self_care"),
        (42.5, "clinician"),
        (43, "clinician"),
        (3650, "clinician"),
    ],
)
def test_pain_for_over_six_weeks_needs_a_clinician(knowledge, days, level):
    outcome = assess(Facts(duration_days=days), knowledge)
    assert outcome.urgency == level
    assert len(outcome.rules) == (level == "clinician")


@pytest.mark.parametrize("flag, level", contract.FLAGS.items())
def test_a_long_duration_lowers_nothing(knowledge, flag, level):
    assert assess(Facts(red_flags=(flag,), duration_days=43), knowledge).urgency == level


@pytest.mark.parametrize(
    "kind, ids, unknown",
    [
        ("regions", ("lumbar", "elbow"), "elbow"),
        ("regions", ("everywhere",), "everywhere"),
        ("onset", "yoga", "yoga"),
        ("red_flags", ("gloom", "fever"), "gloom"),
        ("red_flags", ("anticoagulant",), "anticoagulant"),
        ("red_flags", ("numb_limb",), "numb_limb"),
        ("cautions", ("fever",), "fever"),
        ("signs", ("numb_toe",), "numb_toe"),
    ],
)
def test_unknown_ids_are_refused(knowledge, kind, ids, unknown):
    with pytest.raises(ValueError, match=repr(unknown)):
        assess(Facts(**{kind: ids}), knowledge)


class TestRelief:
    """Which options are suggested, and with what said."""

    def test_all_nine_for_a_plain_spasm(self, knowledge):
        outcome = assess(Facts(regions=contract.REGIONS), knowledge)
        assert ids_of(outcome.relief) == set(contract.RELIEF)

    @pytest.mark.parametrize("option", contract.RELIEF)
    @pytest.mark.parametrize("fact", [*contract.FLAGS, *contract.CAUTIONS])
    def test_with_one_flag_or_caution(self, knowledge, option, fact):
        kind = "cautions" if fact in contract.CAUTIONS else "red_flags"
        facts = Facts(regions=contract.REGIONS, **{kind: (fact,)})
        suggested = option in ids_of(assess(facts, knowledge).relief)
        assert suggested == (option in contract.relief(**{kind.replace("red_", ""): (fact,)}, regions=contract.REGIONS))
        assert excluded_by(option, facts, knowledge) == ((fact,) if fact in contract.RELIEF[option] else ())

    @pytest.mark.parametrize("onset", contract.ONSETS)
    @pytest.mark.parametrize("option", contract.RELIEF)
    def test_with_an_onset(self, knowledge, option, onset):
        facts = Facts(regions=contract.REGIONS, onset=onset)
        expected = contract.relief(onset=onset, regions=contract.REGIONS)
        assert (option in ids_of(assess(facts, knowledge).relief)) == (option in expected)
        assert excluded_by(option, facts, knowledge) == ((onset,) if onset in contract.RELIEF[option] else ())

    @pytest.mark.parametrize(
        "regions", [[*chosen] for n in range(4) for chosen in combinations(contract.REGIONS, n)], ids=str
    )
    def test_a_soft_collar_only_for_the_neck(self, knowledge, regions):
        outcome = assess(Facts(regions=tuple(regions)), knowledge)
        assert ("soft_collar" in ids_of(outcome.relief)) == ("cervical" in regions)

    def test_a_soft_collar_only_as_a_clinician_advises(self, knowledge):
        caution = caution_of("soft_collar", assess(Facts(regions=("cervical",)), knowledge)).lower()
        assert "if a clinician advises it" in caution and "short time" in caution

    @pytest.mark.parametrize(
        "facts", [Facts(), Facts(red_flags=("cancer_history",)), Facts(cautions=contract.CAUTIONS)]
    )
    def test_light_activity_always_says_what_not_to_do(self, knowledge, facts):
        assert "no bending, twisting or lifting" in caution_of("light_activity", assess(facts, knowledge)).lower()

    @pytest.mark.parametrize("told", [chosen for n in (1, 2, 3) for chosen in combinations(contract.CAUTIONS, n)])
    def test_anti_inflammatory_says_every_caution(self, knowledge, told):
        said = caution_of("anti_inflammatory", assess(Facts(cautions=told), knowledge)).lower()
        words = {"anticoagulant": "blood thinner", "pregnancy": "pregnan", "nsaid_problem": "kidney"}
        assert {caution for caution, word in words.items() if word in said} == set(told)
        assert "pharmacist or doctor" in said

    @pytest.mark.parametrize("option", contract.RELIEF)
    def test_never_a_dose(self, knowledge, option):
        record = knowledge.relief[option]
        words = " ".join((record.about, record.evidence, record.caution or "", *record.caution_with.values()))
        assert not contract.DOSE.search(words)

    def test_no_onset_means_nothing_is_excluded(self, knowledge):
        assert [excluded_by(option, Facts(), knowledge) for option in contract.RELIEF] == [()] * len(contract.RELIEF)


def some_of(ids):
    """Any of the ids, in any order, perhaps more than once."""
    return st.lists(st.sampled_from(sorted(ids)), max_size=5).map(tuple)


any_facts = st.builds(
    Facts,
    regions=some_of(contract.REGIONS),
    onset=st.none() | st.sampled_from(sorted(contract.ONSETS)),
    red_flags=some_of(contract.FLAGS),
    cautions=some_of(contract.CAUTIONS),
    signs=some_of(contract.SIGNS),
    duration_days=st.none() | st.integers(0, 5000) | st.floats(0, 5000),
    pain_level=st.none() | st.integers(0, 10),
)
mild_facts = st.builds(
    Facts,
    regions=some_of(contract.REGIONS),
    onset=st.none() | st.sampled_from([onset for onset, flag in contract.ONSETS.items() if not flag]),
    red_flags=some_of([flag for flag, level in contract.FLAGS.items() if level == "clinician"]),
    cautions=some_of(contract.CAUTIONS),
    signs=some_of(contract.SIGNS),
)


class TestAnyFacts:
    """What holds for any combination of facts."""

    @given(any_facts)
    def test_urgency_and_relief_are_those_of_the_contract(self, facts):
        outcome = assess(facts, KNOWLEDGE)
        assert outcome.urgency == contract.urgency(**as_told(facts))
        expected = contract.relief(**as_told(facts), cautions=facts.cautions, regions=facts.regions)
        assert ids_of(outcome.relief) == expected

    @given(any_facts, st.sampled_from(sorted(contract.FLAGS)))
    def test_a_further_flag_never_lowers_the_urgency(self, facts, flag):
        more = Facts(**{**vars(facts), "red_flags": (*facts.red_flags, flag)})
        before, after = (contract.LEVELS.index(assess(told, KNOWLEDGE).urgency) for told in (facts, more))
        assert after <= before

    @given(any_facts)
    def test_no_relief_in_an_emergency_or_where_it_is_urgent(self, facts):
        outcome = assess(facts, KNOWLEDGE)
        assert bool(outcome.relief) == (outcome.urgency in ("clinician", "self_care"))

    @given(mild_facts)
    def test_no_option_that_is_ruled_out(self, facts):
        outcome = assess(facts, KNOWLEDGE)
        present = {*outcome.facts.red_flags, *facts.cautions}
        assert not [option for option in ids_of(outcome.relief) if contract.RELIEF[option] & present]
        assert "soft_collar" not in ids_of(outcome.relief) or "cervical" in facts.regions

    @given(mild_facts)
    def test_anti_inflammatory_comes_with_its_cautions(self, facts):
        outcome = assess(facts, KNOWLEDGE)
        if "anti_inflammatory" in ids_of(outcome.relief) and facts.cautions:
            said = caution_of("anti_inflammatory", outcome)
            assert "pharmacist" in said or "doctor" in said
            caution_with = KNOWLEDGE.relief["anti_inflammatory"].caution_with
            assert all(caution_with[caution] in said for caution in facts.cautions)

    @given(any_facts, st.randoms(use_true_random=False))
    def test_order_and_repetition_do_not_matter(self, facts, random):
        def shuffled(ids):
            again = [*ids, *ids]
            random.shuffle(again)
            return tuple(again)

        lists = ("regions", "red_flags", "cautions", "signs")
        other = Facts(**{**vars(facts), **{name: shuffled(getattr(facts, name)) for name in lists}})
        assert assess(other, KNOWLEDGE) == assess(facts, KNOWLEDGE)

    @given(any_facts)
    def test_every_reason_rule_and_advice_has_sources_that_exist(self, facts):
        outcome = assess(facts, KNOWLEDGE)
        named = [KNOWLEDGE.red_flags[flag].source for flag in outcome.reasons]
        named += [told.source for told in (*outcome.rules, *outcome.do)]
        assert outcome.do
        assert all(named)
        assert {source for sources in named for source in sources} <= set(KNOWLEDGE.sources)

    @given(any_facts)
    def test_the_level_has_something_that_raised_it(self, facts):
        outcome = assess(facts, KNOWLEDGE)
        assert bool(outcome.reasons or outcome.rules) == (outcome.urgency != "self_care")

    @given(any_facts)
    def test_assessing_the_facts_of_an_outcome_changes_nothing(self, facts):
        outcome = assess(facts, KNOWLEDGE)
        assert assess(outcome.facts, KNOWLEDGE) == outcome


def test_reasons_stand_with_the_gravest_first(knowledge):
    levels = [contract.LEVELS.index(contract.FLAGS[flag]) for flag in assess(EVERYTHING, knowledge).reasons]
    assert len(levels) == len(contract.FLAGS)
    assert levels == sorted(levels)


@pytest.mark.parametrize(
    "regions, muscles",
    [
        ((), ()),
        (("cervical",), ("trapezius",)),
        (("thoracic",), ("trapezius", "rhomboid")),
        (("lumbar",), ("erector spinae", "latissimus dorsi")),
        (("lumbar", "cervical"), ("trapezius", "erector spinae", "latissimus dorsi")),
    ],
)
def test_muscles_are_those_of_the_regions(knowledge, regions, muscles):
    assert assess(Facts(regions=regions), knowledge).muscles == muscles
