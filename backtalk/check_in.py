"""Names that the actions of the check-in and its reminders share. Imports no Rasa."""

# The slot with the time of the check-in, in ISO 8601, and the intent that the reminder sends then.
DUE = "check_in_due"
INTENT = "EXTERNAL_check_in"
