"""Backtalk: a chatbot that talks with people about back spasms.

`knowledge` loads what trainers write, `triage` decides, `report` words the decision and `language`
reads what a visitor wrote; none of them imports Rasa. `nlu`, `policies` and `channels` plug them into Rasa.
"""
