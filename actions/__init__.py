"""Rasa custom actions: thin translations between the tracker and `backtalk`."""
