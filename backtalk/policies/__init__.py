"""Rasa policies: what `config.yml` names in its policies."""
