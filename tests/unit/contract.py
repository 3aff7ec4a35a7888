"""The public contract, written out: ids, levels and rules that site owners, tests and benchmarks rely on."""

import re

REGIONS = ("cervical", "thoracic", "lumbar")

# Onset -> the red flag that it raises.
ONSETS = {
    "lifting": None, "sleep": None, "posture": None, "sport": None,
    "accident": "accident", "fall": "fall", "unknown": None,
}  # fmt: skip

LEVELS = ("emergency", "urgent", "clinician", "self_care")  # the highest first

# Red flag -> the level that it has alone.
FLAGS = {
    "bladder_bowel": "emergency",
    "saddle_numbness": "emergency",
    "leg_symptoms_both": "emergency",
    "sexual_dysfunction": "emergency",
    "chest_pain": "emergency",
    "aortic": "emergency",
    "stroke_like": "emergency",
    "meningism": "emergency",
    "self_harm": "emergency",
    "accident": "urgent",
    "fall": "urgent",
    "limb_weakness": "urgent",
    "myelopathy": "urgent",
    "fever": "urgent",
    "infection_risk": "urgent",
    "osteoporosis": "clinician",
    "ankylosing_spondylitis": "clinician",
    "steroids": "clinician",
    "cancer_history": "clinician",
    "weight_loss": "clinician",
    "night_pain": "clinician",
}

CAUTIONS = ("anticoagulant", "pregnancy", "nsaid_problem")
SIGNS = ("numb_limb",)

TRAUMA = {"accident", "fall"}
NERVE_SIGNS = {"limb_weakness", "numb_limb"}
WEAK_SPINE = {"osteoporosis", "ankylosing_spondylitis", "steroids"}
STRAIN = {"accident", "fall", "lifting"}

# Relief option -> the flags and cautions that rule it out.
RELIEF = {
    "anti_inflammatory": set(),
    "chiropractic_manipulation": {
        "osteoporosis",
        "ankylosing_spondylitis",
        "accident",
        "fall",
        "limb_weakness",
        "myelopathy",
        "cancer_history",
        "steroids",
        "anticoagulant",
    },
    "heat_ice": set(),
    "light_activity": set(),
    "massage": {"accident", "fall", "anticoagulant"},
    "physical_therapy": set(),
    "water_exercise": set(),
    "ultrasound": set(),
    "soft_collar": {"accident", "fall", "ankylosing_spondylitis"},
}
COLLAR_REGION = "cervical"

QUESTIONS = ("regions", "onset", "warning_signs", "medical_history", "duration", "pain_level")
CHECKLISTS = ("warning_signs", "medical_history")

PAYLOAD_KEYS = {
    "type", "urgency", "regions", "onset", "muscles", "red_flags", "cautions", "reasons", "relief", "duration_days",
    "pain_level",
}  # fmt: skip

# What no message may contain: an amount of a medicine, or how often to take it.
DOSE = re.compile(
    r"\d\s*(?:mg|mcg|ml|milligrams?|millilit\w+|grams?|tablets?|pills?|capsules?)\b"
    r"|\b(?:tablets?|pills?|capsules?|times) (?:a|per) day\b"
    r"|\b(?:once|twice|thrice) (?:a day|daily)\b|\bevery \w+ hours\b|\bhourly\b",
    re.IGNORECASE,
)


def urgency(flags=(), onset=None, signs=(), duration_days=None) -> str:
    """The level that the contract gives to these facts."""
    flags = {*flags, ONSETS[onset]} - {None} if onset else set(flags)
    facts = {*flags, *signs, *([onset] if onset else ())}
    levels = {FLAGS[flag] for flag in flags}
    if facts & TRAUMA and facts & NERVE_SIGNS:
        levels.add("emergency")
    if facts & WEAK_SPINE and facts & STRAIN:
        levels.add("urgent")
    if duration_days is not None and duration_days > 42:
        levels.add("clinician")
    return next((level for level in LEVELS if level in levels), "self_care")


def relief(flags=(), cautions=(), onset=None, regions=(), signs=(), duration_days=None) -> set:
    """The relief options that the contract allows with these facts."""
    if urgency(flags, onset, signs, duration_days) in ("emergency", "urgent"):
        return set()
    present = {*flags, *cautions, *([onset] if onset else ())}
    allowed = {option for option, forbidden in RELIEF.items() if not forbidden & present}
    return allowed if COLLAR_REGION in regions else allowed - {"soft_collar"}
