"""Rasa graph components: what `config.yml` names in its pipeline."""
