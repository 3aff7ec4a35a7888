"""Rasa channels: what `credentials.yml` names."""
